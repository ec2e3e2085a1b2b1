//! `ohmic sweep gc`: a smaller store.

use super::{load_plan, say_if_missing};
use crate::cli::sweep::Gc as Arguments;
use explore::ExploreError;
use explore::store::Store;
use explore::sweep::collect_garbage;

pub fn run(arguments: &Arguments) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    let store = Store::open(&arguments.store);
    say_if_missing(&store);
    let removed = collect_garbage(&plan, &store, arguments.others)?;
    say!(
        "removed {} leftovers of killed processes, {} programs, {} trainings, {} rows",
        removed.leftovers,
        removed.programs,
        removed.trainings,
        removed.rows
    );
    Ok(())
}
