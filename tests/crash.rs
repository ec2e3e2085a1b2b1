//! Does damage ever get past the readers into a panic or an endless loop?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "helpers of tests may fail the test"
)]

mod support;

use chip::functional::{Cells, ChipSample, SampleAddress};
use chip::program::{Program, load, save};
use chip::timing;
use explore::conductances::{export, import};
use explore::simulate::fault_map;
use nn_compiler::mapping::Mapping;
use std::path::Path;
use support::compiled::Compiled;
use support::graphs::compiled;
use support::networks::{convolutions, dataset};
use support::random::Random;
use tile::address::Purpose;
use tile::variation::csv::measured_cells;

/// What a careless edit or a flipped bit may leave where a number was.
const ODD: [&str; 14] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "1e308",
    "nan",
    "-0.5",
    "\"x\"",
];

/// Replaces one of the numbers of a TOML text.
fn replace_a_number(text: &str, random: &mut Random) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let numeric = |line: &&str| {
        line.split_once("= ").is_some_and(|(_, v)| v.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    let candidates: Vec<usize> = (0..lines.len()).filter(|&index| numeric(&lines[index])).collect();
    let chosen = random.pick(&candidates);
    let mut replace = |(index, line): (usize, &&str)| match line.split_once("= ") {
        Some((key, _)) if index == chosen => format!("{key}= {}\n", random.pick(&ODD)),
        _ => format!("{line}\n"),
    };
    lines.iter().enumerate().map(&mut replace).collect()
}

/// Whatever loads must run.
fn run(program: &Program) {
    // Times of a changed program may be anything, but they must be found.
    let _ = timing::run(program, 2);
    let image = vec![1; program.input.len()];
    // Resistances may be too large for the solver, which must say so.
    let sample = match ChipSample::program(program, 1, Purpose::Programming, 0) {
        Ok(sample) => sample,
        Err(error) => return assert!(error.contains("wires"), "{error}"),
    };
    let inference = match chip::functional::infer(program, &sample, &image, None) {
        Ok(inference) => inference,
        Err(error) => return assert!(error.contains("wires"), "{error}"),
    };
    assert_eq!(inference.predictions().len(), 1);
    let _ = chip::energy::price(&inference.counts, program, chip::energy::ArrayEnergy::PerCellRead, 1e-6);
}

fn small_program(random: &mut Random, directory: &Path) -> Program {
    let chip = support::chips::exact();
    let mappings: Vec<Mapping> = Mapping::every().into_iter().filter(|m| !m.name().starts_with("unary")).collect();
    let mapping = &mappings[random.within(0, mappings.len() - 1)];
    let program = if random.once_in(2) {
        compiled(random, mapping, &chip, 2).0.program
    } else {
        let network = convolutions(random, 8);
        let data = dataset(random, network.input, 3, 8, 2);
        Compiled::new(&network, &data, mapping, &chip).program
    };
    save(&program, directory).unwrap();
    program
}

#[test]
fn a_program_with_any_number_replaced_is_refused_or_runs() {
    // CRASH_SEED=N tries other damage.
    let mut random = Random(std::env::var("CRASH_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11));
    let (mut refused, mut ran) = (0, 0);
    for _ in 0..24 {
        let directory = tempfile::tempdir().unwrap();
        small_program(&mut random, directory.path());
        let file = directory.path().join("program.toml");
        // As edited by hand, without the digest that would refuse everything.
        let whole = std::fs::read_to_string(&file).unwrap();
        let whole: String =
            whole.lines().filter(|line| !line.starts_with("program_sha256")).flat_map(|line| [line, "\n"]).collect();
        for _ in 0..150 {
            std::fs::write(&file, replace_a_number(&whole, &mut random)).unwrap();
            match load(directory.path()) {
                Ok(program) => {
                    run(&program);
                    ran += 1;
                }
                Err(error) => {
                    // A changed number of arrays is missed where the arrays are.
                    let said = error.to_string();
                    assert!(said.contains("program.toml") || said.contains("arrays.safetensors"), "{said}");
                    refused += 1;
                }
            }
        }
    }
    // Both sides of the check are exercised.
    assert!(refused > 1000 && ran > 500, "{refused} refused, {ran} ran");
}

#[test]
fn a_program_with_flipped_or_missing_bytes_is_refused_or_runs() {
    let mut random = Random(12);
    let directory = tempfile::tempdir().unwrap();
    let original = small_program(&mut random, directory.path());
    for name in ["program.toml", "arrays.safetensors"] {
        let file = directory.path().join(name);
        let whole = std::fs::read(&file).unwrap();
        for _ in 0..150 {
            let mut bytes = whole.clone();
            if random.once_in(4) {
                bytes.truncate(random.within(0, whole.len() - 1));
            } else {
                let at = random.within(0, whole.len() - 1);
                bytes[at] ^= 1 << random.within(0, 7);
            }
            std::fs::write(&file, &bytes).unwrap();
            if let Ok(program) = load(directory.path()) {
                assert_eq!(name, "program.toml", "no damage of the arrays may go unnoticed");
                run(&program);
            }
        }
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(load(directory.path()).unwrap(), original);
}

/// A copy with a byte changed, bytes missing, or a part repeated.
fn damaged(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let at = random.within(0, whole.len() - 1);
    match random.within(0, 3) {
        0 => bytes.truncate(at),
        1 => bytes.splice(at..at, whole[at / 2..at].iter().copied()).for_each(drop),
        2 => bytes[at] = random.pick(b"09-,.e\"(x\n\xff"),
        _ => bytes[at] ^= 1 << random.within(0, 7),
    }
    bytes
}

#[test]
fn damaged_conductances_are_refused_by_name_or_run() {
    let mut random = Random(13);
    let directory = tempfile::tempdir().unwrap();
    let program = small_program(&mut random, &directory.path().join("program"));
    let cells = directory.path().join("cells");
    let address = SampleAddress { seed: 1, purpose: Purpose::Programming, chip_sample: 0 };
    export(&program, &Cells::program(&program, address).unwrap(), &cells).unwrap();
    let files: Vec<_> = std::fs::read_dir(&cells).unwrap().map(|entry| entry.unwrap().path()).collect();
    let (mut refused, mut ran) = (0, 0);
    for file in files.iter().take(6).chain(files.iter().filter(|file| file.ends_with("conductances.csv"))) {
        let whole = std::fs::read(file).unwrap();
        for _ in 0..150 {
            std::fs::write(file, damaged(&whole, &mut random)).unwrap();
            match import(&program, address, &cells) {
                Ok(cells) => {
                    ChipSample::from_cells(&program, &cells).unwrap();
                    ran += 1;
                }
                Err(error) => {
                    let name = file.file_name().unwrap().to_str().unwrap();
                    assert!(error.to_string().contains(name), "{error}");
                    refused += 1;
                }
            }
        }
        std::fs::write(file, &whole).unwrap();
    }
    assert!(refused > 100 && ran > 50, "{refused} refused, {ran} ran");
}

#[test]
fn damaged_fault_maps_and_measured_cells_are_refused_or_read() {
    let mut random = Random(14);
    let directory = tempfile::tempdir().unwrap();
    let program = small_program(&mut random, &directory.path().join("program"));
    let address = SampleAddress { seed: 1, purpose: Purpose::Programming, chip_sample: 0 };
    let mut cells = Cells::program(&program, address).unwrap();
    let faults = b"tile,array,row,column,fault\n0,0,0,1,high\n0,1,2,3,low\n1,0,5,7,high\n4294967295,9,9,9,low\n";
    let (mut refused, mut read) = (0, 0);
    let file = directory.path().join("faults.csv");
    for _ in 0..600 {
        std::fs::write(&file, damaged(faults, &mut random)).unwrap();
        match fault_map(&file) {
            Ok(map) => {
                let _ = cells.apply_faults(&program, &map);
                read += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("faults.csv"), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100 && read > 20, "{refused} refused, {read} read");
    let measured = b"level,conductance_s\n0,1.0e-6\n0,1.1e-6\n1,2e-5\n1,2.1e-5\n";
    assert!(measured_cells(std::str::from_utf8(measured).unwrap()).is_ok());
    let refused = (0..600).filter(|_| {
        let text = String::from_utf8_lossy(&damaged(measured, &mut random)).into_owned();
        measured_cells(&text).is_err()
    });
    let refused = refused.count();
    assert!((100..600).contains(&refused), "{refused} refused");
}
