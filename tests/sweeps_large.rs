//! Are large plans made at once?

use super::step;
use std::path::Path;
use std::time::{Duration, Instant};

/// 100 000 points.
const LARGE: &str = "tests/golden/large-sweep.toml";
/// On a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// CPU time in user mode, s, which other processes hardly change: 2 s of a release on a quiet machine, and some for a build for tests.
const MOST_USER_SECONDS: f64 = 5.0;
const MOST_BYTES: u64 = 200 << 20;

/// Runs a command and returns its exit code, its peak of resident memory in bytes and the seconds it ran in user mode.
fn measured(mut command: std::process::Command) -> (Option<i32>, u64, f64) {
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let (begin, mut peak, mut user) = (Instant::now(), 0, 0.0_f64);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|text| text.parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        // The twelfth number behind the name, in hundredths of a second.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        let ticks = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(11)?.parse::<f64>().ok());
        user = user.max(ticks.unwrap_or(0.0) / 100.0);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
            return (status.code(), peak, user);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A store with a file for each row of a plan: only their names matter for plan and status.
fn fill(sweep: &Path, store: &Path) {
    let mut command = step("plan", sweep, store);
    command.arg("--rows");
    for line in super::printed(command).lines() {
        let (id, _) = line.split_once(' ').unwrap();
        let directory = store.join("row").join(&id[..2]);
        let file = directory.join(format!("{id}.rec"));
        if std::fs::write(&file, "").is_err() {
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(&file, "").unwrap();
        }
    }
}

#[test]
fn a_hundred_thousand_points_are_planned_in_little_memory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (sweep, store) = (root.join(LARGE), tempfile::tempdir().unwrap());
    for filled in [false, true] {
        if filled {
            fill(&sweep, store.path());
        }
        for (step_name, code) in [("plan", 0), ("status", i32::from(!filled))] {
            let (found, peak, user) = measured(step(step_name, &sweep, store.path()));
            assert_eq!(found, Some(code), "{step_name}");
            assert!((1..MOST_BYTES).contains(&peak) || !cfg!(target_os = "linux"), "{step_name}: {peak} bytes");
            assert!(user < MOST_USER_SECONDS, "{step_name}, filled: {filled}: {user} s");
            eprintln!("{step_name} of 100 000 points, filled: {filled}: {user:.2} s in user mode, {} MB", peak >> 20);
        }
    }
}
