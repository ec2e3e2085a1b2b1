use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::store::{Disk, Files, StoreError};

/// A disk on which one operation that changes something fails, having done half of it, or all from that one on.
#[derive(Debug)]
struct Faulty {
    left: AtomicU64,
    error: ErrorKind,
    /// Whether it stays so, until it is set to work.
    stays: bool,
}

impl Faulty {
    fn step(&self) -> io::Result<()> {
        // After the first failure everything works again, so that what is left behind is seen.
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(1) => Err(self.error.into()),
            Err(0) if self.stays => Err(self.error.into()),
            _ => Ok(()),
        }
    }
}

impl Files for Faulty {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Disk.read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        Disk.list(directory)
    }

    fn make_directory(&self, directory: &Path) -> io::Result<()> {
        self.step()?;
        Disk.make_directory(directory)
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step().inspect_err(|_| drop(Disk.create(path, &bytes[..bytes.len() / 2])))?;
        Disk.create(path, bytes)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.link(from, to)
    }

    fn overwrite(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        Disk.overwrite(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.sync(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Disk.remove_directory(path)
    }

    fn modified(&self, path: &Path) -> io::Result<std::time::SystemTime> {
        Disk.modified(path)
    }
}

/// A sweep that is over at once.
fn tiny() -> Sweep {
    let small =
        ["epochs=1", "images=4", r#"experiment.mappings=["isaac"]"#, "experiment.chips=1", "noise.ramp_end=1.0"];
    sweep_with(&[ADC], &small)
}

#[test]
fn a_failing_write_anywhere_tears_nothing() {
    let plan = Plan::new(&tiny()).unwrap();
    let (expected, _) = run_alone(&tiny());
    let (mut failures, mut at) = (0, 0);
    loop {
        at += 1;
        let error = [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::PermissionDenied][at as usize % 3];
        let directory = tempfile::tempdir().unwrap();
        let faulty = Arc::new(Faulty { left: AtomicU64::new(at), error, stays: false });
        let store = Store::with(directory.path(), faulty.clone(), Duration::from_secs(60));
        let first = run(&plan, &store, RunOptions::default(), &Silent);
        if let Err(error) = &first {
            assert!(matches!(error, ExploreError::Store(StoreError::Io { .. })), "write {at}: {error}");
            failures += 1;
        }
        for (kind, id) in [store::Kind::Row, store::Kind::Training, store::Kind::Program]
            .into_iter()
            .flat_map(|kind| store.ids(kind).unwrap().into_iter().map(move |id| (kind, id)))
        {
            assert!(
                store.get(kind, &id).unwrap().is_some(),
                "write {at} left {} torn",
                store.path(kind, &id).display()
            );
        }
        let again = run(&plan, &store, RunOptions::default(), &Silent).unwrap();
        assert!(again.failed.is_empty(), "write {at}: {again:?}");
        assert_eq!(collect(&plan, &store, false).unwrap(), expected, "write {at}");
        if faulty.left.load(Ordering::Relaxed) > 0 {
            assert!(failures > 30, "only {failures} of {at} operations were seen to fail");
            return;
        }
    }
}

#[test]
fn a_disk_that_stays_full_stops_the_run_and_tears_nothing() {
    let plan = Plan::new(&tiny()).unwrap();
    let (expected, _) = run_alone(&tiny());
    for at in [1, 4, 9, 17, 30] {
        let directory = tempfile::tempdir().unwrap();
        let full = Faulty { left: AtomicU64::new(at), error: ErrorKind::StorageFull, stays: true };
        let store = Store::with(directory.path(), Arc::new(full), Duration::from_secs(60));
        let error = run(&plan, &store, RunOptions::default(), &Silent).unwrap_err();
        assert!(matches!(error, ExploreError::Store(StoreError::Io { .. })), "write {at}: {error}");
        assert_eq!(store.ids(store::Kind::Failed).unwrap().len(), 0, "a full disk is no failed try");
        // This process holds its locks no longer, but could not remove them: others would wait, who tidies up need not.
        drop(store);
        for lock in Disk.list(&directory.path().join("lock")).unwrap() {
            Disk.remove(&directory.path().join("lock").join(lock)).unwrap();
        }
        assert_eq!(run_in(&Store::open(directory.path()), &tiny()).0, expected, "write {at}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // A file where the store should be: refused to any user.
    let place = directory.path().join("file");
    std::fs::write(&place, "").unwrap();
    let plan = Plan::new(&tiny()).unwrap();
    let error = run(&plan, &Store::open(&place), RunOptions::default(), &Silent).unwrap_err().to_string();
    assert!(error.starts_with("store: ") && error.contains("file/"), "{error}");
}

#[test]
fn another_result_for_the_same_row_is_kept_beside_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    let plan = Plan::new(&tiny()).unwrap();
    let (expected, _) = run_in(&store, &tiny());
    let verify = RunOptions { verify: true, ..RunOptions::default() };
    assert_eq!(run(&plan, &store, verify, &Silent).unwrap().computed, 2, "the same bytes are no contradiction");
    let id = plan.rows()[0].id;
    let record = store.get(store::Kind::Row, &id).unwrap().unwrap();
    let wrong = record.text("result").unwrap().replace("latency_cycles = ", "latency_cycles = 1");
    store.forget(store::Kind::Row, &id).unwrap();
    store.put(store::Kind::Row, &id, &store::Record::default().with("result", wrong)).unwrap();
    let error = run(&plan, &store, verify, &Silent).unwrap_err();
    let ExploreError::Store(StoreError::Conflict { first, second }) = &error else { panic!("{error}") };
    assert!(first.exists() && second.exists() && std::fs::read(first).unwrap() != std::fs::read(second).unwrap());
    assert_eq!(status(&plan, &store, false).unwrap().conflicts, 1);
    assert_ne!(collect(&plan, &store, false).unwrap(), expected);
}

#[test]
fn damage_is_put_aside_and_computed_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path());
    let plan = Plan::new(&tiny()).unwrap();
    let (expected, _) = run_in(&store, &tiny());
    let path = store.path(store::Kind::Row, &plan.rows()[1].id);
    let bytes = std::fs::read(&path).unwrap();
    for damage in [bytes[..bytes.len() / 2].to_vec(), [&bytes[..80], b"!", &bytes[81..]].concat(), Vec::new()] {
        std::fs::write(&path, damage).unwrap();
        assert_eq!(status(&plan, &store, false).unwrap().present, 2, "files are counted");
        assert_eq!(status(&plan, &store, true).unwrap().present, 1, "and read if that is asked for");
        let error = collect(&plan, &store, false).unwrap_err().to_string();
        assert!(error.starts_with("1 of 2 rows are not in"), "{error}");
        assert_eq!(run_in(&store, &tiny()).0, expected);
    }
    assert_eq!(status(&plan, &store, false).unwrap().conflicts, 3);
}

/// Rows are named after the images that there were when they were planned.
#[test]
fn images_that_have_changed_since_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (mut plan, store) = (Plan::new(&sweep(&[ADC])).unwrap(), Store::open(directory.path()));
    plan.digests.insert("digits-8x8".to_owned(), "other images".to_owned());
    let Summary { failed, computed, .. } = run(&plan, &store, RunOptions::default(), &Silent).unwrap();
    let expected = "the files of data set `digits-8x8` have changed since the sweep was planned";
    assert!(failed.len() == 4 && computed == 0 && failed.iter().all(|error| error.ends_with(expected)), "{failed:?}");
}
