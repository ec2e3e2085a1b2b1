//! Does a sweep that is killed again and again end as one that was left alone?

use super::{csv, directory, files, printed, step, undisturbed};
use crate::random::Random;
use std::process::Child;
use std::time::{Duration, Instant};

/// Kills without which the test would say little.
const KILLS: u32 = 200;
/// Processes at work at the same time.
const SHARDS: u32 = 2;

#[test]
fn a_sweep_that_is_killed_200_times_ends_as_if_it_had_not_been() {
    let (directory, sweep) = directory();
    let expected = undisturbed(&sweep);
    let store = directory.path().join("store");
    let mut random = Random(8);
    let start = |shard: u32| {
        let mut command = step("run", &sweep, &store);
        command.args(["--threads", "1", "--shard", &format!("{shard}/{SHARDS}")]);
        command.spawn().unwrap()
    };
    let mut running: Vec<(Child, Instant)> = Vec::new();
    let (mut kills, mut finished) = (0, 0);
    while kills < KILLS {
        for shard in running.len() as u32..SHARDS {
            let patience = Duration::from_millis(5 + (f64::from(random.unit()) * 120.0) as u64);
            running.push((start(shard), Instant::now() + patience));
        }
        // The next to be killed; the other one goes on meanwhile.
        running.sort_by_key(|(_, end)| *end);
        let (mut child, end) = running.remove(0);
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            finished += 1;
            // What is there is complete: some of it is lost, so that there is something to do again.
            let rows = files(&store.join("row"));
            rows.iter().filter(|_| random.unit() < 0.5).for_each(|row| std::fs::remove_file(row).unwrap());
            let more = files(&store.join("program")).into_iter().chain(files(&store.join("training")));
            more.filter(|_| random.unit() < 0.5).for_each(|file| drop(std::fs::remove_file(file)));
            continue;
        }
        // SIGKILL: the process has no chance to put anything in order.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    for (mut child, _) in running {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = Instant::now();
    printed(step("run", &sweep, &store));
    // Locks of the killed must not be waited for.
    assert!(before.elapsed() < Duration::from_secs(50), "{:?}", before.elapsed());
    assert_eq!(csv(&sweep, &store), expected, "after {kills} kills");
    let state = printed(step("status", &sweep, &store));
    assert!(!state.contains("contradict") && state.contains("0 running"), "{state}");
    printed(step("gc", &sweep, &store));
    let left = files(&store).into_iter().filter(|file| !file.to_string_lossy().ends_with(".rec"));
    let left: Vec<_> = left.collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(finished < KILLS, "the sweep was complete most of the time: not much of a test");
}
