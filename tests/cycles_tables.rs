//! Every cycle of every unit is in one row and one class, and a program's instructions alone give the same table.

use crate::{input, ohmic, program, said, saved, shipped};
use chip::machine::account::Class;
use chip::machine::summary::StageTimes;
use explore::cycles::{Entry, Value, cycles, entries};
use std::collections::BTreeMap;

/// The numbers of a quantity, by stage and component.
fn counts(entries: &[Entry], quantity: &str) -> BTreeMap<(String, String), u64> {
    let of = entries.iter().filter(|entry| entry.quantity == quantity);
    let number = |entry: &Entry| match entry.value {
        Value::Count(count) => ((entry.stage.clone(), entry.component.clone()), count),
        Value::Real(_) => panic!("{entry:?} is a count"),
    };
    of.map(number).collect()
}

#[test]
fn classes_of_every_row_sum_to_units_times_cycles() {
    for program in shipped() {
        for images in [1, 3] {
            let report = cycles(&input(&program), images).unwrap();
            let rows = report.summary().components();
            let units: u64 = rows.iter().map(|row| row.units).sum();
            assert_eq!(u128::from(units), report.summary().units());
            for row in &rows {
                assert_eq!(row.cycles.total(), row.units * report.report.end, "{row:?}");
            }
            let entries = entries(&report);
            let quantities: Vec<&str> = entries.iter().map(|entry| entry.quantity).collect();
            let mut sums: BTreeMap<(String, String), u64> = BTreeMap::new();
            let classes: Vec<&str> = [
                "cycles_busy",
                "cycles_waiting_for_input",
                "cycles_waiting_for_adc",
                "cycles_output_full",
                "cycles_link",
                "cycles_idle",
            ]
            .into_iter()
            .filter(|class| quantities.contains(class))
            .collect();
            assert_eq!(classes.len(), Class::ALL.len());
            for class in classes {
                for (row, cycles) in counts(&entries, class) {
                    *sums.entry(row).or_default() += cycles;
                }
            }
            let units = counts(&entries, "units");
            assert_eq!(sums, units.into_iter().map(|(row, units)| (row, units * report.report.end)).collect());
            let path: u64 = counts(&entries, "critical_path_cycles").values().sum();
            assert_eq!(path, report.summary().cycles());
            for (region, peak) in counts(&entries, "peak_items") {
                assert!(peak <= counts(&entries, "capacity_items")[&region] && peak > 0, "{region:?}");
            }
        }
    }
}

/// Stages begin after their sources; the last one ends with the run, as often as the run itself; no stage is slower than the run in the steady state, and
/// the slowest is as fast as it.
#[test]
fn stages_begin_and_end_in_order() {
    for program in shipped() {
        for images in [1, 8] {
            let report = cycles(&input(&program), images).unwrap();
            let mut stages = report.summary().stages();
            // What brings the images is none of the program's stages.
            stages.retain(|of| program.stages.iter().any(|stage| stage.name() == of.stage));
            let names: Vec<&str> = stages.iter().map(|of| of.stage.as_str()).collect();
            assert_eq!(names, program.stages.iter().map(chip::program::Stage::name).collect::<Vec<_>>());
            for (of, next) in stages.iter().zip(&stages[1..]) {
                assert!(of.first_start < next.first_start && of.first_end < next.first_end, "{of:?} {next:?}");
                assert!(of.last_end < next.last_end && of.first_start < of.first_end, "{of:?} {next:?}");
            }
            let last = stages.last().unwrap();
            assert_eq!(last.last_end, report.summary().cycles());
            assert_eq!(last.first_end, report.first_image_cycles());
            let rate = |(cycles, images): (u64, u64)| cycles as f64 / images as f64;
            if images > 1 {
                // From the end of the first image to that of the last: copies drift apart, so that no part of the run has the pace of all of it.
                let paced = |of: &StageTimes| of.interval == (of.last_end - of.first_end, images - 1);
                assert!(stages.iter().all(paced), "{stages:?}");
            } else {
                assert!(
                    stages
                        .iter()
                        .all(|of| of.interval == (of.last_end - of.first_start, 1) && of.first_end == of.last_end)
                );
            }
            let slowest = stages.iter().map(|of| rate(of.interval)).fold(0.0, f64::max);
            assert!(
                images == 1 || slowest >= 0.99 * report.interval_cycles(),
                "{slowest} {}",
                report.interval_cycles()
            );
        }
    }
}

#[test]
fn instructions_alone_give_the_same_cycle_table() {
    for program in shipped() {
        let directory = tempfile::tempdir().unwrap();
        let (path, chip) = saved(&program, directory.path());
        let trace = directory.path().join("of.trace");
        let [path, chip, trace] = [&path, &chip, &trace].map(|path| path.to_str().unwrap());
        said(&["trace", path, "-o", trace]);
        for images in ["1", "3"] {
            let of_program = said(&["cycles", path, "--images", images]);
            let of_trace = said(&["cycles", trace, "--chip", chip, "--images", images]);
            assert!(of_trace.contains("critical path") && of_trace.contains("converters"), "{of_trace}");
            let (arrays, of_program) = of_program.split_once('\n').unwrap();
            assert!(arrays.contains(" arrays in "), "{arrays}");
            let rest = of_program.strip_prefix(&of_trace).expect("the cycle table of a program is that of its trace");
            // Only the loading of weights, of which instructions know nothing, has more cycles; images may have none.
            let mut more =
                rest.lines().filter(|line| line.contains("cycles") && !line.starts_with("images stand ready"));
            assert!(rest.contains("cost table"), "{rest}");
            assert!(more.all(|line| line.starts_with("writing the weights once: ")), "{rest}");
        }
        // Reading and writing changes nothing.
        let again = directory.path().join("again.trace");
        ohmic().args(["trace", trace, "--chip", chip, "-o"]).arg(&again).assert().success();
        assert_eq!(std::fs::read(again).unwrap(), std::fs::read(trace).unwrap());
    }
}

#[test]
fn files_and_json_say_what_the_tables_say() {
    let program = program("digits-cnn", "default", &[]);
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program, directory.path());
    let (path, output) = (path.to_str().unwrap(), directory.path().join("out"));
    let out = output.to_str().unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&said(&["cycles", path, "--images", "4", "--format", "json", "-o", out])).unwrap();
    let csv = std::fs::read_to_string(output.join("cycles.csv")).unwrap();
    assert!(csv.starts_with("stage,component,quantity,value,unit\nchip,run,images,4,1\n"), "{csv}");
    let line =
        |row: &str| csv.lines().find_map(|line| line.strip_prefix(row)).unwrap_or_else(|| panic!("{row}")).to_owned();
    assert_eq!(line("chip,run,cycles_last_image,"), format!("{},cycles", json["last_image_cycles"]));
    assert_eq!(line("chip,run,cycles_first_image,"), format!("{},cycles", json["first_image_cycles"]));
    let components = json["components"].as_array().unwrap();
    for row in components {
        let name = format!("{},{},", row["stage"].as_str().unwrap(), row["component"].as_str().unwrap());
        assert_eq!(line(&format!("{name}units,")), format!("{},1", row["units"]));
        assert_eq!(line(&format!("{name}cycles_busy,")), format!("{},cycles", row["cycles"]["busy"]));
        assert_eq!(line(&format!("{name}cycles_waiting_for_adc,")), format!("{},cycles", row["cycles"]["adc"]));
        assert_eq!(line(&format!("{name}cycles_idle,")), format!("{},cycles", row["cycles"]["idle"]));
    }
    assert!(components.iter().any(|row| row["stage"] == "conv1" && row["component"] == "converters"), "{components:?}");
    let stages = json["stages"].as_array().unwrap();
    assert!(stages.len() >= program.stages.len());
    for row in stages {
        let name = row["stage"].as_str().unwrap();
        for (quantity, key) in
            [("first_start", "first_start"), ("first_image", "first_end"), ("last_image", "last_end")]
        {
            assert_eq!(line(&format!("{name},run,cycles_{quantity},")), format!("{},cycles", row[key]));
        }
        assert_eq!(line(&format!("{name},run,cycles_per_image,")), format!("{},cycles", row["cycles_per_image"]));
    }
    assert_eq!(line("chip,adcs,area,"), format!("{},m2", json["prices"]["area"]["adcs"]));
    let writing = &json["prices"]["weight_writing"];
    for (quantity, key, unit) in [
        ("writing_time", "time_s", "s"),
        ("writing_energy", "energy_j", "J"),
        ("writing_cells", "cells", "1"),
        ("writing_cycles", "cycles", "cycles"),
        ("writing_cycles_of_memory_port", "memory_port_cycles", "cycles"),
        ("writing_cycles_of_network", "network_cycles", "cycles"),
        ("writing_cycles_of_arrays", "array_cycles", "cycles"),
    ] {
        assert!(writing[key].as_f64().unwrap() > 0.0, "{writing}");
        assert_eq!(line(&format!("chip,weight-writing,{quantity},")), format!("{},{unit}", writing[key]));
    }
    assert_eq!(line("chip,weight-writing,writing_energy_in_cells,"), format!("{},J", writing["energy"]["write_j"]));
    // Its critical path is all of it.
    let waits = writing["critical_path"].as_array().unwrap();
    assert_eq!(
        waits.iter().map(|share| share["cycles"].as_u64().unwrap()).sum::<u64>(),
        writing["cycles"].as_u64().unwrap()
    );
    for share in waits {
        let component = share["component"].as_str().unwrap();
        assert_eq!(line(&format!("chip,{component},writing_path_cycles,")), format!("{},cycles", share["cycles"]));
    }
    // The run repeats from its own files.
    let text = said(&["cycles", path, "--images", "4"]);
    let interval = json["cycles_per_image"].as_f64().unwrap();
    assert!(text.contains(&format!("steady interval: {interval:.1} cycles an image")), "{text}");
    assert!(text.contains(json["bottleneck"].as_str().unwrap()), "{text}");
    let first = waits[0]["component"].as_str().unwrap();
    assert!(text.contains(&format!("critical path of the writing: {first} ")), "{text}");
    assert!(text.contains("memory.input_images = \"resident\""), "{text}");
    let run = std::fs::read_to_string(output.join("run.toml")).unwrap();
    assert!(run.contains("Repeat with: ohmic cycles PROGRAM --images 4"), "{run}");
    assert_eq!(said(&["check", output.join("run.toml").to_str().unwrap()]), run.split_once("\n\n").unwrap().1);
}
