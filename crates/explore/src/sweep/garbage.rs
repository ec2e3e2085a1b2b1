//! What a store need not hold any longer.

use std::collections::BTreeSet;

use super::{Plan, status};
use crate::error::ExploreError;
use crate::store::{Id, Kind, Store};

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Temporary files, locks and states of trainings of processes that were killed.
    pub leftovers: usize,
    /// Compiled programs.
    pub programs: usize,
    /// Trained networks.
    pub trainings: usize,
    /// Rows.
    pub rows: usize,
}

/// Removes what killed processes left behind and, once the sweep is complete, the programs that its rows were made from: they can be compiled again.
/// With `others` also the rows that are not of this sweep and, once it is complete, the trainings.
///
/// # Errors
/// If a file cannot be removed.
pub fn collect_garbage(plan: &Plan, store: &Store, others: bool) -> Result<Removed, ExploreError> {
    let mut removed = Removed { leftovers: store.tidy()?, ..Removed::default() };
    let clear = |kind: Kind, keep: &BTreeSet<Id>| -> Result<usize, ExploreError> {
        let ids = store.ids(kind)?;
        let superfluous: Vec<&Id> = ids.difference(keep).collect();
        superfluous.iter().try_for_each(|id| store.forget(kind, id))?;
        Ok(superfluous.len())
    };
    if others {
        let own = plan.rows().iter().map(|row| row.id).collect();
        removed.rows = clear(Kind::Row, &own)?;
    }
    // Whoever is at work may need them.
    if status(plan, store, false)?.is_complete() && store.locked()?.is_empty() {
        removed.leftovers += store.tidy_checkpoints(true)?;
        removed.programs = clear(Kind::Program, &BTreeSet::new())?;
        if others {
            removed.trainings = clear(Kind::Training, &BTreeSet::new())?;
        }
    }
    Ok(removed)
}
