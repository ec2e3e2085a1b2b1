//! Do `ohmic cycles` and `ohmic trace` say where every cycle went, the same for a program and for its instructions, and refuse the rest?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod cycles_prices;
mod cycles_recordings;
mod cycles_refused;
mod cycles_tables;
mod cycles_traces;

use assert_cmd::Command;
use chip::config::Chip;
use chip::program::{Program, save};
use explore::config::{Kind, load, preset_names, preset_text, to_toml};
use explore::cycles::Input;
use nn_compiler::front::Quantisation;
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile};
use std::path::{Path, PathBuf};
use trainer::Architecture;
use trainer::config::WeightScale;

/// Small arrays and tiles, images through the memory port.
const SMALL_CHIP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/small-chip.toml");

/// A shipped example.
const TWO_STAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/two-stages.trace");

fn ohmic() -> Command {
    Command::cargo_bin("ohmic").unwrap()
}

/// Runs a command that must succeed; returns its data.
fn said(arguments: &[&str]) -> String {
    String::from_utf8(ohmic().args(arguments).assert().success().get_output().stdout.clone()).unwrap()
}

/// Runs a command that must fail; returns what it says.
fn refused(arguments: &[&str]) -> String {
    let output = ohmic().args(arguments).assert().failure().code(2).get_output().clone();
    assert!(output.stdout.is_empty(), "a refusal must not print data");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: ") && !said.contains("panicked"), "{said}");
    said
}

/// A shipped network with its initial weights, which no cycle depends on.
fn program(network: &str, chip: &str, set: &[&str]) -> Program {
    let set: Vec<String> = set.iter().map(|&set| set.to_owned()).collect();
    let chip: Chip = load(Kind::Chip, chip, &set).unwrap();
    let architecture: Architecture = load(Kind::Network, network, &[]).unwrap();
    let mut dataset = nn::datasets::load(&architecture.dataset).unwrap();
    (dataset.train, dataset.test) = (dataset.train.truncated(8), dataset.test.truncated(2));
    let network = architecture.build(dataset.shape, chip.format.weight_bits, WeightScale::FanIn, 1).unwrap();
    let mapping = Mapping::parse("differential").unwrap();
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping: &mapping, chip: &chip, seed: 1 };
    compile(&network, &Quantisation::default(), &settings).unwrap()
}

/// Writes a program as `ohmic compile` does, with its chip.
fn saved(program: &Program, directory: &Path) -> (PathBuf, PathBuf) {
    let (path, chip) = (directory.join("program"), directory.join("chip.toml"));
    save(program, &path).unwrap();
    std::fs::write(&chip, to_toml(Kind::Chip, &program.chip).unwrap()).unwrap();
    (path, chip)
}

/// Every shipped network on a chip with large tiles and on one with small ones.
fn shipped() -> Vec<Program> {
    // Others need files that are not in the repository.
    let embedded = |text: &str| text.contains("[[layers]]") && text.contains("dataset = \"digits-8x8\"");
    let trained = |name: &&str| preset_text(Kind::Network, name).is_some_and(embedded);
    let networks: Vec<&str> = preset_names(Kind::Network).into_iter().filter(trained).collect();
    let on = |chip: &'static str, set: &'static [&str]| {
        networks.clone().into_iter().map(move |name| program(name, chip, set))
    };
    on("default", &[]).chain(on(SMALL_CHIP, &["mesh.width=8", "mesh.height=8"])).collect()
}

fn input(program: &Program) -> Input {
    Input::Program(Box::new(program.clone()))
}
