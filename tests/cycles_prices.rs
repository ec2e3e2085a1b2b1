//! Energies by stage sum to those of the run, areas by component to the area.

use crate::{input, program, said, saved, shipped};
use chip::energy::{ArrayEnergy, area, area_m2, leakage_w, price};
use chip::program::{Place, Program, Stage};
use chip::timing;
use explore::cycles::cycles;
use tile::cost::ComponentCosts;

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{value:e}, expected {expected:e}");
}

#[test]
fn energies_of_stages_sum_to_the_energy_of_the_run() {
    for program in shipped() {
        for images in [1, 4] {
            let report = cycles(&input(&program), images).unwrap();
            let prices = report.prices.as_ref().unwrap();
            let timing = timing::run(&program, images).unwrap();
            let per_image = timing.counts.divided_by(images);
            let (cycles, of) = timing.steady_interval();
            let seconds = cycles as f64 / of as f64 / program.chip.clock_hz;
            let expected = price(&per_image, &program, ArrayEnergy::PerCellRead, seconds).unwrap();
            close(prices.energy.total_j(), expected.total_j());
            let parts: f64 = prices.energy.entries().iter().map(|(_, energy_j)| energy_j).sum();
            close(parts, expected.total_j());
            let stages: f64 = prices.stages.iter().map(|stage| stage.energy.total_j()).sum();
            close(stages + leakage_w(&program).unwrap() * seconds, expected.total_j());
            for (index, (action, count)) in per_image.entries().into_iter().enumerate() {
                let sum: u64 = prices.stages.iter().map(|stage| stage.counts.entries()[index].1).sum();
                assert_eq!(sum, count, "{action}");
            }
            // Every stage with arrays converts, and nobody else does.
            for stage in &prices.stages {
                let mvm = program.mvm_stages().any(|(_, of)| of.name == stage.stage);
                assert_eq!(stage.energy.adc_j > 0.0, mvm, "{}", stage.stage);
                assert_eq!(stage.energy.leakage_j, 0.0);
            }
        }
    }
}

/// Area of whole arrays with their peripherals, converter banks, and shared parts of tiles, summed component by component.
fn expected_area_m2(program: &Program, cost: &ComponentCosts) -> f64 {
    let tile = &program.chip.tile;
    let (rows, cols) = (f64::from(tile.array.rows), f64::from(tile.array.cols));
    let dac = program.chip.costs.dac_size_factor(tile.dac.bits).unwrap() * cost.dac;
    let array = rows * cols * cost.cell + rows * dac + cost.input_register;
    let converted = cols * cost.sample_hold + cost.shift_add + cost.output_register;
    let adc = tile.adc.cost().unwrap().area_m2;
    let mut area_m2 = program.tiles() as f64 * (cost.tile + cost.router);
    for (_, stage) in program.mvm_stages() {
        let crossbars = (stage.crossbars.len() * stage.copies()) as f64;
        area_m2 += crossbars * f64::from(stage.polarities) * array;
        area_m2 += crossbars * stage.converted_arrays() as f64 * converted;
        area_m2 += (stage.copies() * stage.banks().len()) as f64 * f64::from(tile.adc.per_bank) * adc;
    }
    area_m2
}

#[test]
fn areas_of_components_sum_to_the_area() {
    for program in shipped() {
        let parts = area(&program).unwrap().unwrap();
        let sum: f64 = parts.entries().iter().map(|(_, area_m2)| area_m2).sum();
        let total = area_m2(&program).unwrap().unwrap();
        close(sum, total);
        close(total, expected_area_m2(&program, &program.chip.costs.area_m2.unwrap()));
        assert!(parts.entries().iter().all(|&(_, area_m2)| area_m2 > 0.0), "{parts:?}");
    }
}

/// A further copy of a stage takes as many arrays and banks again.
#[test]
fn copies_of_a_stage_take_area() {
    let mut program = program("digits-mlp", "default", &[]);
    let before = area(&program).unwrap().unwrap();
    let arrays = |program: &Program| {
        let of = |stage: &chip::program::MvmStage| stage.crossbars.len() * stage.copies() * stage.polarities as usize;
        program.mvm_stages().map(|(_, stage)| of(stage)).sum::<usize>()
    };
    let arrays_before = arrays(&program);
    let Some(Stage::Mvm(first)) = program.stages.first_mut() else { panic!("the first stage has arrays") };
    let far = |crossbar: &chip::program::PlacedCrossbar| Place { tile: 50, ..crossbar.place() };
    first.replicas = vec![first.crossbars.iter().map(far).collect()];
    let (after, more) = (area(&program).unwrap().unwrap(), arrays(&program) as f64 / arrays_before as f64);
    assert!(more > 1.0);
    close(after.cells, more * before.cells);
    close(after.dacs, more * before.dacs);
    close(area_m2(&program).unwrap().unwrap(), expected_area_m2(&program, &program.chip.costs.area_m2.unwrap()));
}

/// What has no price says so: no zeros, and no shares of nothing.
#[test]
fn areas_without_prices_are_not_priced() {
    let program = program("digits-mlp", "hermes_natelec_2023", &[]);
    assert_eq!(area(&program).unwrap(), None);
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program, directory.path());
    let (path, output) = (path.to_str().unwrap(), directory.path().join("out"));
    let text = said(&["cycles", path, "-o", output.to_str().unwrap()]);
    assert!(text.contains("area: not priced (cost table hermes-14nm has none)") && !text.contains("NaN"), "{text}");
    let csv = std::fs::read_to_string(output.join("cycles.csv")).unwrap();
    assert!(!csv.contains(",area,") && csv.contains(",energy,"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&said(&["cycles", path, "--format", "json"])).unwrap();
    assert!(json["prices"]["area"].is_null() && json["prices"]["area_m2"].is_null(), "{json}");
}

/// An inference at the flat price of a cell read, stage by stage: for shapes as for the program with the same shapes.
#[test]
fn an_outline_costs_what_its_program_costs() {
    let (shapes, program) = (said(&["cycles", "--outline", "digits-mlp"]), program("digits-mlp", "large", &[]));
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = saved(&program, directory.path());
    assert_eq!(said(&["cycles", path.to_str().unwrap()]), shapes);
}
