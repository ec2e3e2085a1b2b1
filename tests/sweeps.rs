//! Do sweeps survive: kills at any moment, any number of processes and threads, clusters whose machines die?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "helpers of tests may fail the test, and say what was skipped"
)]

#[path = "sweeps_clusters.rs"]
mod clusters;
#[path = "sweeps_kills.rs"]
mod kills;
#[path = "sweeps_large.rs"]
mod large;
#[path = "support/random.rs"]
#[allow(dead_code)]
mod random;
#[path = "sweeps_report.rs"]
mod report;
#[path = "support/skip.rs"]
mod skip;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A sweep of a few seconds in which networks are trained with and without a mapping strategy in view, compiled and simulated.
const SWEEP: &str = r#"
kind = "sweep"
version = 1
name = "small"

[experiment]
preset = "digits"
mappings = ["isaac", "differential"]
methods = ["conventional", "noise-injection"]
training_seeds = 1
chips = 3
images = 40
timing_images = 2
[experiment.network]
name = "small"
dataset = "digits-8x8"
layers = [{ kind = "linear", name = "fc1", outputs = 10 }]
[experiment.training]
epochs = 3
validation_chips = 1
noise = { ramp_start = 0.0, ramp_end = 0.5 }
biased = { warm_up = 0.0, freeze = 0.5, refresh_epochs = 1 }
[experiment.chip.tile.adc]
calibration_images = 4
calibration_chips = 1

[[axes]]
name = "array_size"
keys = ["chip.tile.array.rows", "chip.tile.array.cols"]
values = [32, 64]

[[axes]]
name = "adc_bits"
keys = ["chip.tile.adc.bits"]
values = [4, 5, 6, 7]

[[axes]]
name = "sigma"
keys = ["chip.tile.cell.device.sigma_scale"]
range = { low = 0.5, high = 2.0, points = 2, scale = "logarithmic" }
"#;

/// Variables of schedulers that would choose a shard.
const SCHEDULERS: [&str; 5] =
    ["SLURM_ARRAY_TASK_ID", "OMPI_COMM_WORLD_RANK", "JOB_COMPLETION_INDEX", "HQ_TASK_ID", "PARALLEL_SEQ"];

/// Whether a program is there; if not, a test says that it was skipped, unless the environment asks for it.
fn there(program: &str, variable: &str) -> bool {
    // Without a configuration some refuse even to say their version.
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok() {
        return true;
    }
    assert!(std::env::var_os(variable).is_none(), "{variable} is set, but there is no {program}");
    skip::skipped(&format!("there is no {program}; sweeps were NOT tried with it"));
    false
}

/// A directory with the sweep in it.
fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let sweep = directory.path().join("small.toml");
    std::fs::write(&sweep, SWEEP).unwrap();
    (directory, sweep)
}

/// `ohmic sweep STEP SWEEP --store STORE`.
fn step(step: &str, sweep: &Path, store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    command.args(["sweep", step]).arg(sweep).arg("--store").arg(store).stdout(Stdio::null()).stderr(Stdio::piped());
    for name in SCHEDULERS {
        command.env_remove(name);
    }
    command
}

/// Runs a command that must succeed; what it printed.
fn printed(mut command: Command) -> String {
    let output = command.stdout(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The table of a complete store.
fn csv(sweep: &Path, store: &Path) -> String {
    printed(step("csv", sweep, store))
}

/// The table of a sweep that nothing disturbed.
fn undisturbed(sweep: &Path) -> String {
    let output = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    command.arg("sweep").arg(sweep).arg("-o").arg(output.path());
    let printed = printed(command);
    assert_eq!(printed, std::fs::read_to_string(output.path().join("sweep.csv")).unwrap());
    assert_eq!(printed.lines().count(), 1 + 16 * 4);
    printed
}

/// The same bytes, whoever computes what, in which order and on how many threads.
#[test]
fn shards_and_threads_change_nothing() {
    let (directory, sweep) = directory();
    let expected = undisturbed(&sweep);
    for (shards, threads) in [(1, 1), (1, 8), (2, 2), (7, 1)] {
        let store = directory.path().join(format!("{shards}-{threads}"));
        let run = |shard: u32| {
            let mut command = step("run", &sweep, &store);
            command.args(["--shard", &format!("{shard}/{shards}"), "--threads", &threads.to_string()]);
            command.spawn().unwrap()
        };
        let children: Vec<_> = (0..shards).map(run).collect();
        let mut made = [0, 0];
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            for (made, behind) in made.iter_mut().zip([" networks were trained", " programs compiled here"]) {
                let number = said.split(behind).next().and_then(|before| before.rsplit(' ').next());
                *made += number.and_then(|number| number.parse::<u32>().ok()).expect(&said);
            }
        }
        assert_eq!(made, [33, 64], "{shards} shards, {threads} threads did work twice");
        assert_eq!(csv(&sweep, &store), expected, "{shards} shards, {threads} threads");
        let state = printed(step("status", &sweep, &store));
        assert!(state.contains("64 of 64 rows, 0 missing"), "{state}");
        // One conventional training for all points; noise-injection is one for each chip and mapping strategy.
        assert!(state.contains("33 trainings, 64 programs, 0 running"), "{state}");
    }
}

#[test]
fn an_order_of_its_own_changes_nothing() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let mut command = step("run", &sweep, &store);
    // One process of an unknown number begins somewhere in the middle.
    command.env("PARALLEL_SEQ", "3");
    printed(command);
    assert_eq!(csv(&sweep, &store), undisturbed(&sweep));
}

/// A row that cannot be computed takes neither the others nor their table with it.
#[test]
fn what_there_is_beside_a_failed_row_is_written() {
    let (directory, sweep) = directory();
    let output = directory.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ohmic"));
    // 64 rows need one array, 32 rows two.
    command.arg("sweep").arg(&sweep).arg("-o").arg(&output);
    command.args(["--set", "mesh.width=1", "--set", "mesh.height=1", "--set", "chip.tile.arrays=1"]);
    command.args(["--set", "experiment.mappings=[\"isaac\"]", "--set", "axes.1.values=[6]"]);
    let found = command.output().unwrap();
    let said = String::from_utf8(found.stderr).unwrap();
    assert!(found.status.code() == Some(1) && said.contains("4 rows failed, the first of them"), "{said}");
    let table = std::fs::read_to_string(output.join("sweep.csv")).unwrap();
    assert_eq!((table.lines().count(), String::from_utf8(found.stdout).unwrap()), (1 + 4, table));
    assert!(output.join("report.html").exists() && said.contains("4 of 8 rows are missing"), "{said}");
    let mut json = step("csv", &sweep, &output.join("store"));
    json.args(["--partial", "--format", "json", "--set", "mesh.width=1", "--set", "mesh.height=1"]);
    json.args([
        "--set",
        "chip.tile.arrays=1",
        "--set",
        "experiment.mappings=[\"isaac\"]",
        "--set",
        "axes.1.values=[6]",
    ]);
    let json: serde_json::Value = serde_json::from_str(&printed(json)).unwrap();
    assert_eq!((json["missing"].as_u64(), json["rows"].as_array().map(Vec::len)), (Some(4), Some(4)));
    assert_eq!(json["rows"][0]["settings"][0]["axis"], "array_size", "{json}");
}

#[test]
fn incomplete_tables_are_refused_unless_asked_for() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let refused = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let error = refused(&mut step("csv", &sweep, &store));
    assert!(error.contains("64 of 64 rows are not in") && error.contains("--partial"), "{error}");
    assert!(refused(&mut step("status", &sweep, &store)).contains("64 rows are missing"));
    let mut partial = step("csv", &sweep, &store);
    partial.arg("--partial");
    assert_eq!(printed(partial).lines().count(), 1);
}

/// A command that sees a directory read-only: by its permissions or, for root, whom they do not hold, by a mount of its own. None where that cannot be had.
fn read_only(command: &Command, directory: &Path) -> Option<Command> {
    use std::os::unix::fs::PermissionsExt;
    let holds = |probe: &Path| std::fs::write(probe, "").inspect(|()| drop(std::fs::remove_file(probe))).is_err();
    for entry in [directory.to_owned()].into_iter().chain(directories(directory)) {
        std::fs::set_permissions(entry, std::fs::Permissions::from_mode(0o555)).unwrap();
    }
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let mut wrapped = Command::new("unshare");
    if holds(&directory.join("probe")) {
        wrapped = Command::new("env");
    } else {
        let mount = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && \"$@\"";
        wrapped.args(["-m", "sh", "-c", mount]).arg(directory);
        let mut probe = Command::new("unshare");
        probe
            .args(["-m", "sh", "-c", mount])
            .arg(directory)
            .args(["sh", "-c", "! touch \"$0\""])
            .arg(directory.join("probe"));
        if !probe.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return None;
        }
    }
    wrapped.args(words).stdout(Stdio::null()).stderr(Stdio::piped());
    for name in SCHEDULERS {
        wrapped.env_remove(name);
    }
    Some(wrapped)
}

/// All directories below one.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let below: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    below.iter().flat_map(|path| directories(path)).chain(below.clone()).collect()
}

#[test]
fn a_store_that_cannot_be_written_is_read_and_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    printed(step("run", &sweep, &store));
    let expected = csv(&sweep, &store);
    let lost = &files(&store.join("row"))[..3];
    lost.iter().for_each(|row| std::fs::remove_file(row).unwrap());
    let before: Vec<_> = files(&store).into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect();
    let output = |name: &str, more: &[&str]| {
        let mut command = step(name, &sweep, &store);
        command.args(more);
        read_only(&command, &store).map(|mut command| command.output().unwrap())
    };
    let Some(run) = output("run", &[]) else {
        skip::skipped(
            "permissions do not hold root, and there is no mount of its own; a read-only store was NOT tried",
        );
        return;
    };
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{error}");
    assert!(error.contains("error: store: ") && error.contains(&store.display().to_string()), "{error}");
    assert_eq!(output("status", &[]).unwrap().status.code(), Some(1));
    let partial = output("csv", &["--partial"]).unwrap();
    assert!(partial.status.success(), "{}", String::from_utf8_lossy(&partial.stderr));
    let after: Vec<_> = files(&store).into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect();
    assert!(before == after, "something has changed in a read-only store");
    for entry in [store.clone()].into_iter().chain(directories(&store)) {
        std::fs::set_permissions(entry, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    printed(step("run", &sweep, &store));
    assert_eq!(csv(&sweep, &store), expected);
}

/// A row that was computed by a program or machine that computes something else is found out.
#[test]
fn a_contradiction_ends_with_70() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let run = |more: &[&str]| {
        let mut command = step("run", &sweep, &store);
        command.args(["--set", "axes.1.values=[4]", "--set", "axes.0.values=[32]"]).args(more);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&[]).0, Some(0));
    assert_eq!(run(&["--verify"]).0, Some(0));
    let rows = files(&store.join("row"));
    // Another row's result under the right name, with a hash that fits.
    let text = std::fs::read_to_string(&rows[0]).unwrap();
    let (content, _) = text.rsplit_once("sha256 ").unwrap();
    let content = content.replacen("chips = 3", "chips = 4", 1);
    std::fs::write(&rows[0], format!("{content}sha256 {}\n", sha256(content.as_bytes()))).unwrap();
    let (code, error) = run(&["--verify"]);
    assert!(code == Some(70) && error.contains("the same computation gave two results"), "{code:?} {error}");
    assert_eq!(files(&store.join("conflict")).len(), 1);
    assert_eq!(std::fs::read_to_string(&rows[0]).unwrap().matches("chips = 4").count(), 1, "both are kept");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort_unstable();
    found
}
