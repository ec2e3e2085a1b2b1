//! `ohmic sweep`: an experiment at many points of its configuration.

mod csv;
mod gc;
mod plan;
mod run;
mod status;
mod submit;

use super::with_short_forms;
use crate::cli::network::Data;
use crate::cli::sweep::{Planned, Step, Sweep as Arguments, Whole};
use crate::cli::{Format, Overrides};
use explore::ExploreError;
use explore::config::{Kind, load};
use explore::store::Store;
use explore::sweep::{Plan, Shard, Sweep, refuse_shadowed, status};

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    match &arguments.step {
        None => whole(&arguments.whole, format),
        Some(Step::Plan(arguments)) => plan::run(arguments, format),
        Some(Step::Run(arguments)) => run::run(arguments),
        Some(Step::Status(arguments)) => status::run(arguments, format),
        Some(Step::Csv(arguments)) => csv::run(arguments, format),
        Some(Step::Submit(arguments)) => submit::run(arguments),
        Some(Step::Gc(arguments)) => gc::run(arguments),
    }
}

fn load_plan(planned: &Planned) -> Result<Plan, ExploreError> {
    plan_of(&planned.sweep, &planned.overrides, &planned.target_ci, &planned.data)
}

fn plan_of(sweep: &str, overrides: &Overrides, target_ci: &Option<String>, data: &Data) -> Result<Plan, ExploreError> {
    let sweep: Sweep = load(Kind::Sweep, sweep, &with_short_forms(&overrides.set, &[("target_ci", target_ci)]))?;
    refuse_shadowed(&sweep, &overrides.set)?;
    Plan::with_data(&sweep, data.data.as_deref())
}

/// All steps on this machine.
fn whole(arguments: &Whole, format: Format) -> Result<(), ExploreError> {
    let Whole { sweep: Some(sweep), overrides, target_ci, data, computed, store, output: Some(output) } = arguments
    else {
        return Err(ExploreError::Request("a sweep and its output directory are wanted".to_owned()));
    };
    let plan = plan_of(sweep, overrides, target_ci, data)?;
    let store = Store::open(&store.clone().unwrap_or_else(|| output.join("store")));
    plan::announce(&plan, Some(&store))?;
    match run::compute(&plan, &store, Shard::default(), computed) {
        // Rows that fail do not take the others with them.
        Err(failed @ ExploreError::Disagreement(_)) => {
            csv::write(&plan, &store, true, Some(output), format)?;
            return Err(failed);
        }
        other => other?,
    }
    // Rows that were there by name may turn out to be damaged when they are read.
    if !status(&plan, &store, true)?.is_complete() {
        eprintln!("warning: damaged rows are computed again");
        run::compute(&plan, &store, Shard::default(), computed)?;
    }
    csv::write(&plan, &store, false, Some(output), format)
}

/// A mistyped directory looks like one in which nothing was computed yet.
fn say_if_missing(store: &Store) {
    let root = store.root();
    if !root.exists() {
        eprintln!("warning: there is no store at {} yet", root.display());
    } else if !store.is_begun() && root.read_dir().is_ok_and(|mut found| found.next().is_some()) {
        eprintln!("warning: {} holds something, but nothing of a store", root.display());
    }
}
