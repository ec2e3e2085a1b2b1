//! Computing what the store lacks of a plan.

use std::collections::BTreeSet;

use super::compute::{Outcome, Worker};
use super::queue::Queue;
use super::{Plan, Shard};
use crate::error::ExploreError;
use crate::progress::Progress;
use crate::store::{Id, Kind, Store, TRIES};

/// A row holds its programs and chip samples in memory while it is simulated; this many do so at a time, whatever the number of threads.
const ROWS_AT_A_TIME: usize = 16;

/// How a plan is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// What to begin with.
    pub shard: Shard,
    /// Whether what is stored is computed again, and compared.
    pub verify: bool,
    /// Whether what has failed before is tried anew.
    pub retry: bool,
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows that were there before.
    pub present: usize,
    /// Rows that are there now, and were not before.
    pub computed: usize,
    /// Why rows could not be computed, in ascending order.
    pub failed: Vec<String>,
    /// Networks that were trained here.
    pub trained: usize,
    /// Programs that were compiled here.
    pub compiled: usize,
}

/// Brings all rows of a plan into the store, together with other processes that do the same. Returns when no row is left; those that others
/// compute are waited for.
///
/// # Errors
/// If a point is not allowed, before anything runs; or if the store fails. Rows that cannot be computed do not stop the others.
pub fn run(plan: &Plan, store: &Store, options: RunOptions, progress: &dyn Progress) -> Result<Summary, ExploreError> {
    plan.check()?;
    if options.retry {
        forget_failures(plan, store)?;
    }
    let present = if options.verify { BTreeSet::new() } else { store.ids(Kind::Row)? };
    let (hopeless, mut failed) = hopeless(plan, store, &present)?;
    // Points may share rows.
    let mut listed = BTreeSet::new();
    let open: Vec<usize> = (0..plan.rows().len())
        .filter(|&row| {
            let id = &plan.rows()[row].id;
            listed.insert(*id) && !present.contains(id) && !hopeless.contains(id)
        })
        .collect();
    let order: Vec<usize> = options.shard.order(open.len()).into_iter().map(|index| open[index]).collect();
    let worker = Worker::new(plan, store, options.verify, progress);
    let queue = Queue::new(order);
    progress.begin("rows", open.len() as u64);
    let threads = rayon::current_num_threads().clamp(1, ROWS_AT_A_TIME).min(open.len());
    store.alive(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(&worker, &queue));
            }
        });
    });
    progress.end();
    let (anew, [trained, compiled]) =
        (queue.into_result()?, [Kind::Training, Kind::Program].map(|kind| worker.made(kind)));
    let computed = open.len() - anew.len();
    failed.extend(anew);
    failed.sort_unstable();
    Ok(Summary { present: listed.intersection(&present).count(), computed, failed, trained, compiled })
}

/// Forgets what has failed of a plan: its rows and, as their names are known only when they are needed, all trainings and programs; rows of other sweeps in
/// the store stay as they are.
fn forget_failures(plan: &Plan, store: &Store) -> Result<(), ExploreError> {
    let own: BTreeSet<Id> = plan.rows().iter().map(|row| row.id).collect();
    for id in store.ids(Kind::Failed)? {
        // The error of a row begins with its point, those of trainings and programs do not.
        let of_row = store.failure(&id)?.is_some_and(|failure| failure.error.starts_with(super::points::POINT));
        if own.contains(&id) || !of_row {
            store.forget(Kind::Failed, &id)?;
        }
    }
    Ok(())
}

/// Rows that were tried often enough, and why they failed.
fn hopeless(plan: &Plan, store: &Store, present: &BTreeSet<Id>) -> Result<(BTreeSet<Id>, Vec<String>), ExploreError> {
    let recorded = store.ids(Kind::Failed)?;
    let (mut found, mut errors) = (BTreeSet::new(), Vec::new());
    for row in plan.rows().iter().filter(|row| recorded.contains(&row.id) && !present.contains(&row.id)) {
        if let Some(failure) = store.failure(&row.id)?.filter(|failure| failure.tries >= TRIES)
            && found.insert(row.id)
        {
            errors.push(failure.error);
        }
    }
    Ok((found, errors))
}

fn work(worker: &Worker<'_>, queue: &Queue) {
    while let Some((row, deferred)) = queue.next() {
        match worker.advance(&worker.plan.rows()[row], deferred) {
            Ok(Outcome::Ready(())) => {
                worker.progress.advance(1);
                queue.finished(deferred, None);
            }
            Ok(Outcome::Failed(error)) => {
                worker.progress.advance(1);
                queue.finished(deferred, Some(error));
            }
            Ok(Outcome::Busy(id)) => queue.waits(row, id),
            Ok(Outcome::Deferred) => queue.deferred(row),
            Err(error) => queue.stop(error),
        }
    }
}
