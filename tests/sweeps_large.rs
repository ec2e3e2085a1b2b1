//! Are large plans made at once?

use super::step;
use std::path::Path;
use std::time::{Duration, Instant};

/// 100 000 points.
const LARGE: &str = "tests/golden/large-sweep.toml";
/// In a build for tests; .ci/run asks for 2 s of the release.
const PATIENCE: Duration = Duration::from_secs(20);
const MOST_BYTES: u64 = 200 << 20;

/// Runs a command and returns its exit code and its peak of resident memory, bytes.
fn measured(mut command: std::process::Command) -> (Option<i32>, u64) {
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let (begin, mut peak) = (Instant::now(), 0);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|text| text.parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
            return (status.code(), peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_hundred_thousand_points_are_planned_in_little_memory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (sweep, store) = (root.join(LARGE), tempfile::tempdir().unwrap());
    for (step_name, code) in [("plan", 0), ("status", 1)] {
        let (found, peak) = measured(step(step_name, &sweep, store.path()));
        assert_eq!(found, Some(code), "{step_name}");
        assert!((1..MOST_BYTES).contains(&peak) || !cfg!(target_os = "linux"), "{step_name}: {peak} bytes");
    }
}
