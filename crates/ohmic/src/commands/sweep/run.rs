//! `ohmic sweep run`: computing what the store lacks.

use super::load_plan;
use crate::bar::Bar;
use crate::cli::sweep::{Computed, Run as Arguments};
use explore::ExploreError;
use explore::store::Store;
use explore::sweep::{Plan, RunOptions, Shard, Summary, run as run_plan};

pub fn run(arguments: &Arguments) -> Result<(), ExploreError> {
    let shard = match arguments.shard {
        Some(shard) => shard,
        None => Shard::from_environment(|name| std::env::var(name).ok())?,
    };
    compute(&load_plan(&arguments.planned)?, &Store::open(&arguments.store), shard, &arguments.computed)
}

/// Computes, and says what became of it.
pub fn compute(plan: &Plan, store: &Store, shard: Shard, how: &Computed) -> Result<(), ExploreError> {
    let options = RunOptions { shard, verify: how.verify, retry: how.retry };
    let summary = run_plan(plan, store, options, &Bar::default())?;
    let Summary { present, computed, failed, trained, compiled } = &summary;
    let there = match how.verify {
        true => format!("{computed} rows were computed, and those that were there are the same"),
        false => format!("{present} rows were there, {computed} are new"),
    };
    let failures = failed.len();
    eprintln!("{there}, {failures} failed; {trained} networks were trained and {compiled} programs compiled here");
    summary.failed.iter().for_each(|error| eprintln!("failed: {error}"));
    match summary.failed.first() {
        None => Ok(()),
        Some(first) => {
            let what = format!("{} rows failed, the first of them {first}; --retry tries again", summary.failed.len());
            Err(ExploreError::Disagreement(what))
        }
    }
}
