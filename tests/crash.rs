//! Does damage ever get past the readers into a panic or an endless loop?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "helpers of tests may fail the test"
)]

mod support;

use chip::program::{Program, load, save};
use chip::timing;
use nn_compiler::mapping::MAPPINGS;
use std::path::Path;
use support::compiled::{Compiled, sample};
use support::networks::{convolutions, dataset};
use support::random::Random;

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
    let _ = timing::lower::run(program, 2);
    let image = vec![1; program.input.len()];
    let inference = chip::functional::infer(program, &sample(program, 0), &image, None);
    assert_eq!(inference.predictions().len(), 1);
    let _ = chip::energy::price(&inference.counts, program, chip::energy::ArrayEnergy::PerCellRead, 1e-6);
}

fn small_program(random: &mut Random, directory: &Path) -> Program {
    let network = convolutions(random, 8);
    let data = dataset(random, network.input, 3, 8, 2);
    let chip = support::chips::exact();
    let mapping = MAPPINGS[random.within(0, MAPPINGS.len() - 1)];
    let program = Compiled::new(&network, &data, mapping, &chip).program;
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
        let whole = std::fs::read_to_string(&file).unwrap();
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
