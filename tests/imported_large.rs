//! How long compiling takes, and how much memory: the networks of MLPerf Tiny, and a ResNet-18 with weights.
//!
//! `cargo test --release -p ohmic --test imported networks_compile_in_bounded_memory -- --nocapture` prints the figures of docs/networks.md. With
//! `OHMIC_KEEP_NETWORK=DIR` the ResNet-18 and its image are left there, to be compiled by hand.

use crate::imported_resnet18;
use explore::npy;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Most memory that a compilation may take, in kB.
const MOST_KB: u64 = 1_000_000;

/// Most memory that a process that still runs has had, in kB; none where the system does not tell.
fn peak_kb(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Compiles a network; prints the time and the most memory that was seen.
fn compile(name: &str, arguments: &[&str], output: &Path) {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    command.args(["compile", "--mapping", "isaac", "-o", output.to_str().unwrap()]).args(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        peak = peak_kb(&child).max(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    let seconds = start.elapsed().as_secs_f64();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
    eprintln!("{name}: {seconds:.2} s, {} MB", peak.map_or_else(|| "?".to_owned(), |peak| (peak / 1000).to_string()));
    assert!(peak.is_none_or(|peak| peak < MOST_KB), "{name}: {peak:?} kB");
    let program = chip::program::load(output).unwrap();
    assert!(program.mvm_stages().all(|(_, stage)| !stage.crossbars.is_empty()), "{name}");
}

/// An image for a network without a data set.
fn image(values: usize, file: &Path) {
    let image: Vec<f64> = (0..values).map(|index| (index * 37 % 256) as f64 / 255.0).collect();
    std::fs::write(file, npy::to_bytes(1, values, &image)).unwrap();
}

#[test]
fn networks_compile_in_bounded_memory() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("OHMIC_KEEP_NETWORK").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let (network, pixels) = (folder.join("resnet-18.onnx"), folder.join("image.npy"));
    std::fs::write(&network, imported_resnet18::bytes()).unwrap();
    image(3 * 224 * 224, &pixels);
    let files = [network.to_str().unwrap(), "--calibrate", pixels.to_str().unwrap(), "--chip", "large"];
    compile("ResNet-18, 224 x 224", &files, &temporary.path().join("resnet-18"));
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("OHMIC_SHARED").map_or(beside, PathBuf::from);
    let (models, data) = (shared.join("models"), shared.join("data"));
    if !models.is_dir() || !data.is_dir() {
        crate::skip::skipped("MLPerf Tiny: no third-party networks in OHMIC_SHARED or ../shared");
        return;
    }
    let places = ["--models", models.to_str().unwrap(), "--data", data.to_str().unwrap()];
    compile("ResNet-8", &[&["mlperf-resnet8"], &places[..]].concat(), &temporary.path().join("resnet-8"));
    for (name, network, values) in
        [("MobileNet-0.25, 96 x 96", "mlperf-vww96", 3 * 96 * 96), ("autoencoder", "mlperf-ad01", 640)]
    {
        image(values, &pixels);
        let files = [network, "--calibrate", pixels.to_str().unwrap(), "--chip", "large"];
        compile(name, &[&files, &places[..]].concat(), &temporary.path().join(network));
    }
}
