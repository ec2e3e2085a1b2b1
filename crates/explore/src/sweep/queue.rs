//! Who does what next within one process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::ExploreError;
use crate::store::Id;

/// How often to look whether others have finished what rows wait for.
const LOOK: Duration = Duration::from_millis(200);

/// The rows that are left, for all threads.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    rows: VecDeque<usize>,
    /// Rows that wait for something that is being computed, here or elsewhere.
    waiting: BTreeMap<Id, Vec<usize>>,
    /// Rows at which a process has ended. It may happen again, so that this one must have nothing else to do.
    deferred: VecDeque<usize>,
    running: usize,
    failed: Vec<String>,
    stopped: Option<ExploreError>,
}

impl Queue {
    pub(super) fn new(rows: Vec<usize>) -> Self {
        Self { state: Mutex::new(State { rows: rows.into(), ..State::default() }), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next row, and whether it was deferred; none if nothing is left to do.
    pub(super) fn next(&self) -> Option<(usize, bool)> {
        let mut state = self.state();
        loop {
            if state.stopped.is_some() {
                return None;
            }
            if let Some(row) = state.rows.pop_front() {
                state.running += 1;
                return Some((row, false));
            }
            if state.running == 0 {
                if let Some(row) = state.deferred.pop_front() {
                    state.running += 1;
                    return Some((row, true));
                }
                if state.waiting.is_empty() {
                    return None;
                }
            }
            let (after, waited) = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if waited.timed_out() {
                state.look_again();
            }
        }
    }

    /// A row is there, or has failed. What a process had ended at is behind a deferred one: the others that had waited for it need not be alone.
    pub(super) fn finished(&self, deferred: bool, failure: Option<String>) {
        let mut state = self.state();
        state.failed.extend(failure);
        if deferred {
            let others = std::mem::take(&mut state.deferred);
            state.rows.extend(others);
        }
        state.done();
        self.changed.notify_all();
    }

    /// A row waits for something.
    pub(super) fn waits(&self, row: usize, for_this: Id) {
        let mut state = self.state();
        state.waiting.entry(for_this).or_default().push(row);
        state.running -= 1;
        self.changed.notify_all();
    }

    /// A row is to be tried at the end.
    pub(super) fn deferred(&self, row: usize) {
        let mut state = self.state();
        state.deferred.push_back(row);
        state.done();
        self.changed.notify_all();
    }

    /// Nobody begins anything any more.
    pub(super) fn stop(&self, error: ExploreError) {
        let mut state = self.state();
        state.stopped.get_or_insert(error);
        state.running -= 1;
        self.changed.notify_all();
    }

    /// What has failed.
    pub(super) fn into_result(self) -> Result<Vec<String>, ExploreError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.stopped.map_or(Ok(state.failed), Err)
    }
}

impl State {
    /// What others wait for may be there now.
    fn done(&mut self) {
        self.running -= 1;
        self.look_again();
    }

    /// One row for each thing that is waited for has a look; the others follow it.
    fn look_again(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (id, mut rows) in waiting {
            if let Some(first) = rows.pop() {
                self.rows.push_back(first);
            }
            if !rows.is_empty() {
                self.waiting.insert(id, rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that a process had ended at are tried alone, but only until the first of them is there: all may have waited for the same training.
    #[test]
    fn deferred_rows_run_side_by_side_once_one_is_there() {
        let queue = Queue::new(vec![0, 1, 2]);
        for row in 0..3 {
            assert_eq!(queue.next(), Some((row, false)));
        }
        (0..3).for_each(|row| queue.deferred(row));
        assert_eq!(queue.next(), Some((0, true)));
        queue.finished(true, None);
        assert_eq!((queue.next(), queue.next()), (Some((1, false)), Some((2, false))));
        // One that is deferred again comes when nothing else is left.
        queue.deferred(1);
        queue.finished(false, Some("fails".to_owned()));
        assert_eq!(queue.next(), Some((1, true)));
        queue.finished(true, None);
        assert_eq!(queue.next(), None);
        assert_eq!(queue.into_result().unwrap(), ["fails"]);
    }
}
