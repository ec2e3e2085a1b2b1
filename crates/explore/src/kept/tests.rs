use super::*;
use crate::progress::Progress;
use std::sync::atomic::{AtomicU32, Ordering};

/// Panics at one of the steps of a stage, as if the process was stopped.
pub(crate) struct StopsAt {
    stage: &'static str,
    left: AtomicU32,
    steps: u32,
}

impl StopsAt {
    /// Stops at step number `steps`, from 1 on, of the first stage whose name begins with `stage`.
    pub(crate) fn new(stage: &'static str, steps: u32) -> Self {
        Self { stage, left: AtomicU32::new(0), steps }
    }
}

impl Progress for StopsAt {
    fn begin(&self, stage: &str, _: u64) {
        self.left.store(if stage.starts_with(self.stage) { self.steps } else { 0 }, Ordering::SeqCst);
    }

    fn advance(&self, _: u64) {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert_ne!(left, Ok(1), "stopped");
    }

    fn note(&self, _: &str) {}

    fn end(&self) {}
}

/// Counts steps: one for every batch of a training and every chip sample that is simulated, one for whatever was there.
#[derive(Default)]
pub(crate) struct Counts(AtomicU32);

impl Counts {
    pub(crate) fn steps(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Progress for Counts {
    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, _: u64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn note(&self, _: &str) {}

    fn end(&self) {}
}

#[test]
fn a_damaged_result_is_put_aside_and_computed_again() {
    let directory = tempfile::tempdir().unwrap();
    let keeping = Keeping { directory: directory.path(), every: 1, resume: true };
    let computed = || keeping.result("key", || Ok(vec![0.5]));
    let there = || keeping.result::<Vec<f64>>("key", || panic!("it is there"));
    assert_eq!(computed().unwrap(), (vec![0.5], false));
    assert_eq!(there().unwrap(), (vec![0.5], true));
    let store = Store::open(directory.path());
    let id = store.ids(Kind::Evaluation).unwrap().into_iter().next().unwrap();
    std::fs::write(store.path(Kind::Evaluation, &id), "[\"x\"").unwrap();
    assert_eq!(computed().unwrap(), (vec![0.5], false));
    assert_eq!(store.conflicts().unwrap().len(), 1);
    // Sound, but of something else.
    assert_eq!(keeping.result("key", || Ok("text".to_owned())).unwrap(), ("text".to_owned(), false));
}

#[test]
fn what_is_there_is_not_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let keeping = |resume| Keeping { directory: directory.path(), every: 1, resume };
    let error = keeping(false).begin().unwrap_err().to_string();
    assert!(error.contains("--resume"), "{error}");
    keeping(true).begin().unwrap();
}
