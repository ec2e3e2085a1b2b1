//! What a store need not hold any longer.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::inputs::Inputs;
use super::names::Resolved;
use super::{Plan, PlannedRow, status};
use crate::error::ExploreError;
use crate::store::{Id, Kind, Store};
use crate::training::method;

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

/// Removes what killed processes left behind and, once the sweep is complete, the programs that its rows were made from, which can be compiled again, and
/// the states of its trainings. What other sweeps have in the store stays, but for programs and states that this one has in common with them. With `others`
/// it goes as well, once this sweep is complete and nobody is at work: their rows, all programs, trainings and states of trainings.
///
/// # Errors
/// If a file cannot be removed, or a data set is not there.
pub fn collect_garbage(plan: &Plan, store: &Store, others: bool) -> Result<Removed, ExploreError> {
    let mut removed = Removed { leftovers: store.tidy()?, ..Removed::default() };
    let clear = |kind: Kind, superfluous: &dyn Fn(&Id) -> bool| -> Result<usize, ExploreError> {
        let ids: Vec<Id> = store.ids(kind)?.into_iter().filter(superfluous).collect();
        ids.iter().try_for_each(|id| store.forget(kind, id))?;
        Ok(ids.len())
    };
    // Whoever is at work may need them.
    if !status(plan, store, false)?.is_complete() || !store.locked()?.is_empty() {
        return Ok(removed);
    }
    if others {
        let own: BTreeSet<Id> = plan.rows().iter().map(|row| row.id).collect();
        removed.rows = clear(Kind::Row, &|id| !own.contains(id))?;
        removed.leftovers += store.tidy_checkpoints(|_| true)?;
        removed.programs = clear(Kind::Program, &|_| true)?;
        removed.trainings = clear(Kind::Training, &|_| true)?;
    } else if !(store.ids(Kind::Program)?.is_empty() && store.interrupted_trainings()?.is_empty()) {
        let own = origins(plan)?;
        // That takes a while in large sweeps.
        if !store.locked()?.is_empty() {
            return Ok(removed);
        }
        // Where a trained network was lost, a training of it that was interrupted is not needed either.
        removed.leftovers += store.tidy_checkpoints(|id| own.contains(id))?;
        removed.programs = clear(Kind::Program, &|id| own.contains(id))?;
    }
    Ok(removed)
}

/// The names of all programs that rows are made from, and of the trainings of these.
fn origins(plan: &Plan) -> Result<BTreeSet<Id>, ExploreError> {
    let inputs = Inputs::new(plan);
    let of_row = |row: &PlannedRow| -> Result<Vec<Id>, ExploreError> {
        let (mapping, name) = plan.names(row);
        let experiment = plan.experiment(row)?;
        let images = inputs.of(&experiment)?;
        let resolved =
            Resolved { experiment: &experiment, images: &images, mapping, method: method(name)?, end: false };
        let mut ids = Vec::new();
        for seed in 0..experiment.training_seeds {
            let named = resolved.named(seed)?;
            ids.push(named.program);
            ids.extend(named.trainings.iter().map(|(id, _)| *id));
        }
        Ok(ids)
    };
    let found: Vec<Vec<Id>> = plan.rows().par_iter().map(of_row).collect::<Result<_, ExploreError>>()?;
    Ok(found.into_iter().flatten().collect())
}
