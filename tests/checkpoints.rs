//! Does a training that is killed anywhere and taken up again end with the same bytes as one that was left alone?
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "helpers of tests may fail the test")]

#[path = "support/random.rs"]
#[allow(dead_code)]
mod random;

use random::Random;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// All kinds of layers that remember something, and changed images.
const NETWORK: &str = r#"
kind = "network"
version = 1

name = "normalised"
dataset = "digits-8x8"

[[layers]]
kind = "conv2d"
name = "conv1"
outputs = 8
kernel = 3
stride = 1
padding = 1
[[layers]]
kind = "batch-norm"
name = "norm1"
[[layers]]
kind = "relu"
name = "relu1"
[[layers]]
kind = "max-pool"
name = "pool1"
kernel = 2
stride = 2
[[layers]]
kind = "linear"
name = "fc1"
outputs = 10
"#;

/// Arguments that make a training of a few seconds.
fn train(method: &str, set: &[&str], output: &Path, checkpoints: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    command.args(["train", "--method", method, "--set", "training.epochs=6", "--set", "training.validation_chips=1"]);
    set.iter().for_each(|set| {
        command.args(["--set", set]);
    });
    command.args(checkpoints).arg("-o").arg(output).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What a finished training has written.
fn files(directory: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let names = ["network.toml", "weights.safetensors", "training.csv", "training.svg"];
    names.map(|name| (name, std::fs::read(directory.join(name)).unwrap())).to_vec()
}

/// Waits for the end for so long, then kills; whether it had ended.
fn ends_within(mut child: Child, patience: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            let output = child.wait_with_output().unwrap();
            assert!(status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // SIGKILL: the process has no chance to put anything in order.
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Kills the training again and again, a little later each time, and lets it go on from its last checkpoint.
fn check(method: &str, set: &[&str], seed: u64) {
    let (alone, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let start = Instant::now();
    assert!(train(method, set, alone.path(), &[]).status().unwrap().success());
    let whole = start.elapsed();
    let mut random = Random(seed);
    let (mut kills, mut resumed) = (0_u32, 0_u32);
    loop {
        // Mean times that grow from nothing to more than the whole training needs, so that it ends in any case.
        let patience = whole.mul_f64(f64::from(random.unit()) * f64::from(kills + 1) / 8.0);
        resumed += u32::from(killed.path().join("checkpoint-0.bin").exists());
        let mut command = train(method, set, killed.path(), &["--checkpoint-every", "3", "--resume"]);
        if ends_within(command.spawn().unwrap(), patience) {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 3 && resumed >= 2, "killed {kills} times, resumed {resumed} times: not much of a test");
    for ((name, expected), (_, found)) in files(alone.path()).into_iter().zip(files(killed.path())) {
        assert!(expected == found, "{name} differs after {kills} kills ({method}, seed {seed})");
    }
    let left = std::fs::read_dir(killed.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.starts_with("checkpoint-") && name.ends_with(".bin")).collect();
    assert!(left.is_empty(), "checkpoints stay behind: {left:?}");
}

#[test]
fn a_killed_training_ends_as_if_it_had_not_been() {
    let directory = tempfile::tempdir().unwrap();
    let network = directory.path().join("normalised.toml");
    std::fs::write(&network, NETWORK).unwrap();
    let preset = format!("network.preset={:?}", network.to_str().unwrap());
    check("conventional", &[&preset, "training.augment.shift=1", "training.batch=70"], 1);
}

#[test]
fn a_killed_biased_training_ends_as_if_it_had_not_been() {
    check("biased+noise", &["training.biased.shares=[0.5, 1.0]", "training.weight_scale=learned"], 2);
}

/// A checkpoint belongs to its training, and damage is found.
#[test]
fn other_and_damaged_checkpoints_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let run = |set: &[&str]| train("conventional", set, directory.path(), &["--checkpoint-every", "5", "--resume"]);
    let said = |mut command: Command| {
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let file = directory.path().join("checkpoint-0.bin");
    let mut child = run(&["training.epochs=100000"]).spawn().unwrap();
    while !file.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the training ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (code, message) = said(run(&["training.epochs=6"]));
    assert!(code == Some(2) && message.contains("another configuration"), "{code:?} {message}");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (code, message) = said(run(&["training.epochs=100000"]));
    assert!(
        code == Some(2) && message.contains("checkpoint-0.bin") && message.contains("damaged"),
        "{code:?} {message}"
    );
}
