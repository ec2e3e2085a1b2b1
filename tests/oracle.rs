//! Does the analog chain agree with CrossSim, the accuracy simulator of Sandia National Laboratories? Every case in `tests/oracle/cases`, or in
//! the directory that `OHMIC_ORACLE_DIR` names, is computed with the product's parts and compared with what CrossSim got.
#![allow(clippy::print_stdout, reason = "the agreement of every case is what one wants to see")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/oracle/mod.rs"]
mod crosssim;

use crosssim::compare::{Agreement, run};
use std::fs;
use std::path::{Path, PathBuf};

fn directory() -> PathBuf {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/cases");
    std::env::var_os("OHMIC_ORACLE_DIR").map_or_else(committed, PathBuf::from)
}

/// The descriptions of all cases, by name. Arrays without a description are a case that would be left out.
fn cases(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "npz")) {
        assert!(path.with_extension("json").exists(), "{} has no description", path.display());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert!(!paths.is_empty(), "no cases in {}", directory.display());
    paths
}

fn line(name: &str, outcome: &Result<Agreement, String>) -> String {
    match outcome {
        Err(error) => format!("{name:44} {error}"),
        Ok(agreement) => {
            let currents = agreement.currents.map_or("-".to_owned(), |difference| format!("{difference:.1e}"));
            let verdict = if agreement.holds() { "" } else { "  DIFFERS" };
            let (results, tolerance) = (agreement.results, agreement.tolerance);
            format!("{name:44} results {results:.1e}, currents {currents:7}, tolerance {tolerance:.0e}{verdict}")
        }
    }
}

#[test]
fn every_case_agrees_with_crosssim() {
    let mut failed = Vec::new();
    for path in cases(&directory()) {
        let outcome = run(&path);
        let line = line(&path.file_stem().unwrap_or_default().to_string_lossy(), &outcome);
        println!("{line}");
        if !outcome.is_ok_and(|agreement| agreement.holds()) {
            failed.push(line);
        }
    }
    assert!(failed.is_empty(), "{} cases differ from CrossSim:\n{}", failed.len(), failed.join("\n"));
}
