//! Do sweeps run under the schedulers that are there: a Slurm of two machines, one of which dies, and GNU parallel?

use super::{csv, directory, printed, step, there, undisturbed};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_dry_run_shows_what_would_be_submitted() {
    let (directory, sweep) = directory();
    let store = directory.path().join("the store");
    let dry = |engine: &str| {
        let mut command = step("submit", &sweep, &store);
        command.args(["--engine", engine, "--shards", "3", "--dry-run", "--shard-threads", "2"]);
        printed(command)
    };
    let text = dry("slurm");
    let store_words = format!("--store '{}'", store.display());
    for expected in
        ["#SBATCH --no-requeue", "#SBATCH --cpus-per-task=2", "--threads 2", "sbatch --wait --array=0-2", &store_words]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let text = dry("parallel");
    for expected in ["--shard \"$1/3\"", "parallel --will-cite --jobs 3 bash ", "::: 0 1 2", &store_words] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    let plans = || {
        super::files(&store.join("submit")).into_iter().filter(|file| file.extension().is_some_and(|end| end == "toml"))
    };
    assert!(plans().count() == 1 && !store.join("row").exists());
    // Another plan of the same name leaves the first one, which queued tasks will read, as it is.
    let before: Vec<_> = plans().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect();
    let mut other = step("submit", &sweep, &store);
    other.args(["--engine", "parallel", "--shards", "3", "--dry-run", "--set", "axes.1.values=[7]"]);
    printed(other);
    assert!(plans().count() == 2 && before.iter().all(|(file, bytes)| std::fs::read(file).unwrap() == *bytes));
}

/// A directory with a program of the name `sbatch` that does what a script says.
fn scheduler(directory: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let place = directory.join("bin");
    std::fs::create_dir_all(&place).unwrap();
    let file = place.join("sbatch");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

/// Submits with a scheduler of our own; exit code and standard error.
fn submitted(sweep: &Path, store: &Path, place: &Path) -> (Option<i32>, String) {
    let mut command = step("submit", sweep, store);
    command.args(["--engine", "slurm", "--shards", "2"]);
    command.env("PATH", format!("{}:{}", place.display(), std::env::var("PATH").unwrap()));
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A scheduler whose tasks all die is asked again.
#[test]
fn what_a_submission_leaves_undone_is_submitted_again() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    // The first submission ends with every task killed on the way, the second runs one task to its end.
    let script = format!(
        "for last; do :; done\nif [ ! -e '{0}' ]; then touch '{0}'; timeout -s KILL 0.3 bash \"$last\"; exit 1; fi\nbash \"$last\"",
        directory.path().join("once").display()
    );
    let (code, errors) = submitted(&sweep, &store, &scheduler(directory.path(), &script));
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("submission 2: ") && errors.contains("complete after 2 submissions"), "{errors}");
    assert_eq!(csv(&sweep, &store), undisturbed(&sweep));
}

#[test]
fn submissions_that_bring_nothing_are_given_up() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let (code, errors) = submitted(&sweep, &store, &scheduler(directory.path(), "exit 7"));
    assert_eq!(code, Some(1), "{errors}");
    assert_eq!(errors.matches("submission ").count(), 3, "{errors}");
    assert!(
        errors.contains("sbatch ended with exit status: 7") && errors.contains("64 rows are missing after 3"),
        "{errors}"
    );
}

#[test]
fn gnu_parallel_computes_the_same_bytes() {
    if !there("parallel", "OHMIC_REQUIRE_PARALLEL") {
        return;
    }
    let (directory, sweep) = directory();
    let store = directory.path().join("the store");
    let mut command = step("submit", &sweep, &store);
    command.args(["--engine", "parallel", "--shards", "3"]);
    printed(command);
    assert_eq!(csv(&sweep, &store), undisturbed(&sweep));
}

/// A task on another machine begins in another directory and without the environment of whoever submits.
#[test]
fn tasks_on_other_machines_know_where_data_lie() {
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let run = |engine: &str, data: &[&str]| {
        let mut command = step("submit", &sweep, &store);
        command.args(["--engine", engine, "--shards", "2", "--dry-run"]).args(data);
        command.env("OHMIC_DATA", "the data").env_remove("OHMIC_MODELS").current_dir(directory.path());
        let said = printed(command);
        PathBuf::from(said.lines().next().unwrap().trim_start_matches("# "))
    };
    let cases: [(&[&str], &str); 2] = [(&[], "the data"), (&["--data", "other data"], "other data")];
    for (engine, (data, found)) in ["slurm", "parallel"].into_iter().flat_map(|engine| cases.map(|case| (engine, case)))
    {
        // What the script does before it runs a shard, seen from elsewhere.
        let script = std::fs::read_to_string(run(engine, data)).unwrap();
        let probe = script.replace("exec ", "pwd; echo \"$OHMIC_DATA\" \"${OHMIC_MODELS-none}\"; exit; exec ");
        let elsewhere = Command::new("bash").args(["-c", &probe]).env_clear().current_dir("/").output().unwrap();
        let here = directory.path().canonicalize().unwrap();
        let expected = format!("{0}\n{0}/{found} none\n", here.display());
        assert_eq!(String::from_utf8(elsewhere.stdout).unwrap(), expected, "{engine}: {script}");
    }
    let scripts =
        super::files(&store.join("submit")).into_iter().filter(|file| file.extension().is_none_or(|end| end != "toml"));
    assert_eq!(scripts.count(), 4, "a task that waits must not find another one's data");
    let mut command = step("submit", &sweep, &store);
    command.args(["--engine", "slurm", "--shards", "2", "--dry-run", "--machines", "x"]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--machines is for --engine parallel"), "{said}");
    let mut command = step("submit", &sweep, &directory.path().join("50%j"));
    command.args(["--engine", "slurm", "--shards", "2", "--dry-run"]);
    let text = printed(command);
    assert!(text.contains("/50%%j/submit/small-") && text.contains(".%a.log"), "{text}");
}

/// The two-machine Slurm beside the repository.
fn scripts() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/slurm");
    std::env::var_os("OHMIC_SLURM_SCRIPTS").map_or(beside, PathBuf::from)
}

/// A running Slurm, stopped when dropped.
struct Slurm(PathBuf);

impl Slurm {
    fn start(directory: &Path) -> Self {
        let slurm = Self(directory.join("slurm"));
        let up = Command::new(scripts().join("up2.sh")).arg(&slurm.0).output().unwrap();
        assert!(up.status.success(), "{}{}", String::from_utf8_lossy(&up.stdout), String::from_utf8_lossy(&up.stderr));
        slurm
    }

    fn configured(&self, mut command: Command) -> Command {
        command.env("SLURM_CONF", self.0.join("slurm.conf"));
        command
    }

    /// Ends the second machine, its daemon and all that runs there, and what runs on the first, so that nobody is left to finish the work.
    fn kill_second_and_tasks(&self) {
        let daemon = std::fs::read_to_string(self.0.join("slurmd.n2.pid")).unwrap();
        let tasks = ["n2", "n1"].map(|node| processes_with(&format!("SLURMD_NODENAME={node}"), &self.0));
        assert!(tasks.iter().all(|tasks| !tasks.is_empty()), "nothing runs on one of the machines");
        for pid in [daemon.trim().parse().unwrap()].into_iter().chain(tasks.concat()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = Command::new(scripts().join("down.sh")).arg(&self.0).status();
    }
}

/// The processes of this Slurm that have a setting in their environment.
fn processes_with(setting: &str, slurm: &Path) -> Vec<u32> {
    let configuration = format!("SLURM_CONF={}", slurm.join("slurm.conf").display());
    let has = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let words: Vec<&[u8]> = environment.split(|&byte| byte == 0).collect();
        words.contains(&setting.as_bytes()) && words.contains(&configuration.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok()).filter(has).collect()
}

fn count_rows(store: &Path) -> usize {
    let row = store.join("row");
    if row.exists() {
        super::files(&row).iter().filter(|file| file.extension().is_some_and(|end| end == "rec")).count()
    } else {
        0
    }
}

fn wait_for(what: &str, mut child: Option<&mut Child>, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(120), "{what} took too long");
        if let Some(child) = child.as_mut() {
            assert!(child.try_wait().unwrap().is_none(), "the submission ended before {what}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_slurm_that_loses_a_machine_computes_the_same_bytes() {
    if !there("sbatch", "OHMIC_REQUIRE_SLURM") {
        return;
    }
    if !scripts().join("up2.sh").exists() {
        crate::skip::skipped(&format!("there is no {}; sweeps were NOT run under Slurm", scripts().display()));
        return;
    }
    let (directory, sweep) = directory();
    let store = directory.path().join("store");
    let slurm = Slurm::start(directory.path());
    let mut command = slurm.configured(step("submit", &sweep, &store));
    command.args(["--engine", "slurm", "--shards", "2"]);
    let mut child = command.spawn().unwrap();
    wait_for("the first rows", Some(&mut child), || count_rows(&store) >= 5);
    slurm.kill_second_and_tasks();
    let rows = count_rows(&store);
    assert!(rows < 64, "the machine was killed too late");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("submission 2: "), "{said}");
    assert_eq!(csv(&sweep, &store), undisturbed(&sweep), "killed at {rows} rows");
}
