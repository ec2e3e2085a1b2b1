//! `ohmic sweep`: an experiment at many points of its configuration.

mod csv;
mod gc;
mod plan;
mod run;
mod status;

use crate::cli::Format;
use crate::cli::sweep::{Planned, Step, Sweep as Arguments, Whole};
use explore::ExploreError;
use explore::config::{Kind, load};
use explore::store::Store;
use explore::sweep::{Plan, Shard};

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    match (&arguments.step, &arguments.whole) {
        (Some(Step::Plan(arguments)), _) => plan::run(arguments, format),
        (Some(Step::Run(arguments)), _) => run::run(arguments),
        (Some(Step::Status(arguments)), _) => status::run(arguments, format),
        (Some(Step::Csv(arguments)), _) => csv::run(arguments, format),
        (Some(Step::Gc(arguments)), _) => gc::run(arguments),
        (None, Some(arguments)) => whole(arguments, format),
        (None, None) => Err(ExploreError::Request("a sweep is wanted: a name or a TOML file".to_owned())),
    }
}

fn load_plan(planned: &Planned) -> Result<Plan, ExploreError> {
    Plan::new(&load(Kind::Sweep, &planned.sweep, &planned.overrides.set)?)
}

/// All steps on this machine.
fn whole(arguments: &Whole, format: Format) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    let store = Store::open(&arguments.store.clone().unwrap_or_else(|| arguments.output.join("store")));
    plan::announce(&plan, Some(&store))?;
    run::compute(&plan, &store, Shard::default(), &arguments.computed)?;
    csv::write(&plan, &store, false, Some(&arguments.output), format)
}
