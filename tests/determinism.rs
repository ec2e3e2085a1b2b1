//! Are results the same bytes, whatever the number of threads, the build and the run?
#![allow(clippy::unwrap_used, missing_docs)]

use assert_cmd::Command;
use std::path::Path;

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tiny.toml");

fn compare(output: &Path, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("ohmic").unwrap();
    command.args(["compare", "--config", TINY, "-o"]).arg(output).args(arguments).assert().success();
    std::fs::read_to_string(output.join("compare.csv")).unwrap()
}

/// The golden table was written by a release build; this test runs in a debug build, with other numbers of threads.
#[test]
fn compare_writes_the_golden_bytes_for_1_2_and_8_threads() {
    let golden = include_str!("golden/tiny.csv");
    for threads in ["1", "2", "8"] {
        let output = tempfile::tempdir().unwrap();
        assert_eq!(compare(output.path(), &["--threads", threads]), golden, "{threads} threads");
    }
}

/// A table, its CSV and recordings of a network of shapes.
fn cycles_and_traces(threads: &str, directory: &Path) -> Vec<Vec<u8>> {
    let chip = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/small-chip.toml");
    let what = ["--outline", "digits-mlp", "--chip", chip, "--threads", threads, "--images", "3", "-o"];
    let run = |command: &str, output: &str| {
        let output = directory.join(output);
        let ran = Command::cargo_bin("ohmic").unwrap().arg(command).args(what).arg(&output).assert().success();
        (ran.get_output().stdout.clone(), output)
    };
    let (table, tables) = run("cycles", "out");
    let files = ["run.json", "run.vcd"].map(|name| run("trace", name).1);
    let csv = tables.join("cycles.csv");
    let written = [csv].into_iter().chain(files).map(|file| std::fs::read(file).unwrap());
    std::iter::once(table).chain(written).collect()
}

#[test]
fn cycles_and_traces_are_the_same_bytes_for_1_2_and_8_threads() {
    let results = ["1", "2", "8"].map(|threads| cycles_and_traces(threads, tempfile::tempdir().unwrap().path()));
    assert!(results[0].iter().all(|bytes| bytes.len() > 1000));
    assert!(results[0] == results[1] && results[0] == results[2], "threads change what is written");
}

#[test]
fn a_result_repeats_from_its_own_run_toml() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let csv = compare(first.path(), &["--seed", "7", "--set", "adc.bits=6", "--set", r#"mappings=["differential"]"#]);
    assert!(csv.contains(",6,calibrated-percentile+shifts,isaac-table,"), "the override must be in force: {csv}");
    let run = first.path().join("run.toml");
    let mut command = Command::cargo_bin("ohmic").unwrap();
    command.arg("compare").arg("--config").arg(&run).arg("-o").arg(second.path()).assert().success();
    assert_eq!(std::fs::read_to_string(second.path().join("compare.csv")).unwrap(), csv);
    let rerun = std::fs::read_to_string(second.path().join("run.toml")).unwrap();
    assert_eq!(rerun, std::fs::read_to_string(run).unwrap());
}

#[test]
fn another_seed_gives_another_table() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let only = r#"mappings=["isaac"]"#;
    assert_ne!(
        compare(first.path(), &["--set", only, "--seed", "1"]),
        compare(second.path(), &["--set", only, "--seed", "2"])
    );
}
