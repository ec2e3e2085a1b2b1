//! Does a sweep that is killed again and again end as one that was left alone?

use super::{csv, directory, files, printed, step, undisturbed};
use crate::random::Random;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// Kills of processes that are at work, without which the test would say little.
const KILLS: u32 = 200;
/// Of them: while a network is trained, a program compiled and a row simulated.
const KILLS_OF_A_KIND: u32 = 20;
/// What is computed.
const KINDS: [&str; 3] = ["training", "program", "row"];
/// Processes at work at the same time.
const SHARDS: u32 = 2;

/// The kinds of all that a complete store holds, by name.
fn kinds(store: &Path) -> BTreeMap<String, &'static str> {
    let of_kind = |kind: &'static str| {
        let name = |file: &std::path::PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
        files(&store.join(kind)).iter().map(name).map(|name| (name, kind)).collect::<Vec<_>>()
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

/// The names of what a process is computing: those of its locks, which also hold its number.
fn computing(store: &Path, process: u32) -> Vec<String> {
    let Ok(locks) = std::fs::read_dir(store.join("lock")) else { return Vec::new() };
    let names = locks.filter_map(|lock| lock.ok()?.file_name().into_string().ok());
    let own = names.filter(|name| name.ends_with(".lock") && name.contains(&format!("-{process}-")));
    own.filter_map(|name| Some(name.split_once('.')?.0.to_owned())).collect()
}

/// A process at work on a part of a sweep.
struct Worker {
    child: Child,
    /// The kind of work at which it is to be killed, and for how long it is left at it.
    kind: &'static str,
    patience: Duration,
}

impl Worker {
    fn start(sweep: &Path, store: &Path, shard: u32, random: &mut Random) -> Self {
        let mut command = step("run", sweep, store);
        command.args(["--threads", "1", "--shard", &format!("{shard}/{SHARDS}")]);
        let kind = KINDS[(random.unit() * 3.0) as usize % 3];
        // Most things take some milliseconds, trainings more.
        let patience = Duration::from_micros((f64::from(random.unit()).powi(2) * 30_000.0) as u64);
        Self { child: command.spawn().unwrap(), kind, patience }
    }

    /// Kills it at its kind of work, or at any after a while. Returns at which it was, if at any; nothing if it has come to its end.
    fn kill(mut self, store: &Path, kinds: &BTreeMap<String, &'static str>) -> Option<Option<&'static str>> {
        let begin = Instant::now();
        let at_work = |child: &Child| computing(store, child.id()).first().and_then(|name| kinds.get(name).copied());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return None;
            }
            let found = at_work(&self.child);
            if found == Some(self.kind) || (found.is_some() && begin.elapsed() > Duration::from_millis(400)) {
                std::thread::sleep(self.patience);
                break;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        let found = at_work(&self.child);
        // SIGKILL: the process has no chance to put anything in order.
        self.child.kill().unwrap();
        let killed = self.child.wait().unwrap().signal() == Some(9);
        killed.then_some(found)
    }
}

/// Loses half of what is there, so that there is something to do again.
fn lose_some(store: &Path, random: &mut Random) {
    let all = KINDS.map(|kind| files(&store.join(kind))).concat();
    all.iter().filter(|_| random.unit() < 0.5).for_each(|file| drop(std::fs::remove_file(file)));
}

#[test]
fn a_sweep_that_is_killed_200_times_ends_as_if_it_had_not_been() {
    let (directory, sweep) = directory();
    let expected = undisturbed(&sweep);
    let [alone, store] = ["alone", "store"].map(|name| directory.path().join(name));
    printed(step("run", &sweep, &alone));
    let kinds = kinds(&alone);
    let mut random = Random(8);
    let mut kills = BTreeMap::from(KINDS.map(|kind| (kind, 0_u32)));
    let mut running: Vec<(u32, Worker)> =
        (0..SHARDS).map(|shard| (shard, Worker::start(&sweep, &store, shard, &mut random))).collect();
    let mut finished = 0;
    while kills.values().sum::<u32>() < KILLS || kills.values().any(|&count| count < KILLS_OF_A_KIND) {
        // The other one goes on meanwhile.
        let (shard, worker) = running.remove(0);
        match worker.kill(&store, &kinds) {
            Some(Some(kind)) => *kills.entry(kind).or_default() += 1,
            // Between two things, which does not count.
            Some(None) => {}
            None => {
                finished += 1;
                lose_some(&store, &mut random);
            }
        }
        assert!(finished < 1000, "the sweep is complete most of the time: not much of a test; killed: {kills:?}");
        running.push((shard, Worker::start(&sweep, &store, shard, &mut random)));
    }
    for (_, mut worker) in running {
        worker.child.kill().unwrap();
        worker.child.wait().unwrap();
    }
    let before = Instant::now();
    printed(step("run", &sweep, &store));
    // Locks of the killed must not be waited for.
    assert!(before.elapsed() < Duration::from_secs(50), "{:?}", before.elapsed());
    assert_eq!(csv(&sweep, &store), expected, "after {kills:?} kills");
    let state = printed(step("status", &sweep, &store));
    assert!(!state.contains("contradict") && state.contains("0 running"), "{state}");
    printed(step("gc", &sweep, &store));
    let left = files(&store).into_iter().filter(|file| !file.to_string_lossy().ends_with(".rec"));
    let left: Vec<_> = left.collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
