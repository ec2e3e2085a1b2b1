//! What a store holds of a plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::compute::read;
use super::{Plan, PointRows, RowResult};
use crate::error::ExploreError;
use crate::store::{Kind, Store, TRIES};

/// How far a sweep is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Points of the plan.
    pub points: usize,
    /// Rows of the plan; those that points share count once.
    pub rows: usize,
    /// Of them: in the store.
    pub present: usize,
    /// Of them: tried often enough, in vain.
    pub failed: usize,
    /// Why, each error once.
    pub errors: Vec<String>,
    /// Rows, trainings and programs that processes have ended at, out of memory say, and that are not there yet.
    pub ended_at: usize,
    /// Rows, trainings and programs that some process is computing, of this sweep or another one in the same store.
    pub running: usize,
    /// Trained networks in the store.
    pub trainings: usize,
    /// Compiled programs in the store.
    pub programs: usize,
    /// Results that contradict others, or are damaged.
    pub conflicts: usize,
}

impl Status {
    /// Whether every row is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.present == self.rows
    }
}

/// How far a sweep is. Files are counted or, with `check`, read: damaged ones are put aside then, and missing.
///
/// # Errors
/// If the store cannot be read.
pub fn status(plan: &Plan, store: &Store, check: bool) -> Result<Status, ExploreError> {
    let rows: BTreeSet<_> = plan.rows().iter().map(|row| row.id).collect();
    let mut present = store.ids(Kind::Row)?;
    if check {
        for id in rows.intersection(&present.clone()) {
            if read::<RowResult>(store, Kind::Row, id)?.is_none() {
                present.remove(id);
            }
        }
    }
    let (mut failed, mut ended_at, mut errors) = (0, 0, BTreeSet::new());
    for id in store.ids(Kind::Failed)? {
        let Some(failure) = store.failure(&id)? else { continue };
        ended_at += usize::from(failure.deaths > 0);
        if failure.tries >= TRIES && rows.contains(&id) && !present.contains(&id) {
            failed += 1;
            errors.insert(failure.error);
        }
    }
    Ok(Status {
        points: plan.len(),
        rows: rows.len(),
        present: rows.intersection(&present).count(),
        failed,
        ended_at,
        errors: errors.into_iter().collect(),
        running: store.locked()?.len(),
        trainings: store.ids(Kind::Training)?.len(),
        programs: store.ids(Kind::Program)?.len(),
        conflicts: store.conflicts()?.len(),
    })
}

/// How many rows have a wider interval than `target_ci` asks for, since `most_chips` did not suffice or training seeds differ by more.
#[must_use]
pub fn missed_targets(plan: &Plan, points: &[PointRows]) -> usize {
    let Some(sampling) = plan.sweep().sampling() else { return 0 };
    points.iter().flat_map(|point| &point.rows).filter(|result| sampling.is_missed(result)).count()
}

/// The rows of a plan that a store holds, by point, in the order of the plan.
///
/// # Errors
/// If rows are missing and `partial` is not set, or a file cannot be read.
pub fn collect(plan: &Plan, store: &Store, partial: bool) -> Result<Vec<PointRows>, ExploreError> {
    let mut points: Vec<PointRows> = Vec::with_capacity(plan.len());
    let (mut missing, mut first) = (0, None);
    for row in plan.rows() {
        let point = row.point as usize;
        while points.len() <= point {
            points.push(PointRows { settings: plan.settings(points.len()), rows: Vec::new() });
        }
        match read::<RowResult>(store, Kind::Row, &row.id)? {
            Some(result) => points[point].rows.push(result),
            None => {
                missing += 1;
                first.get_or_insert_with(|| plan.label(row));
            }
        }
    }
    match first {
        Some(first) if !partial => Err(ExploreError::Disagreement(format!(
            "{missing} of {} rows are not in {}, the first of them {first}; run the sweep again, or take what there is with --partial",
            plan.rows().len(),
            store.root().display()
        ))),
        _ => Ok(points),
    }
}
