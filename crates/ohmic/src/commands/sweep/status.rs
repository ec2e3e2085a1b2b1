//! `ohmic sweep status`: how far it is.

use super::{load_plan, say_if_missing};
use crate::cli::Format;
use crate::cli::sweep::Status as Arguments;
use crate::commands::print_json;
use explore::ExploreError;
use explore::store::Store;
use explore::sweep::status;
use serde_json::json;

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    let store = Store::open(&arguments.store);
    say_if_missing(&store);
    let status = status(&plan, &store, arguments.check)?;
    match format {
        Format::Text => {
            let missing = status.rows - status.present;
            say!("{} of {} rows, {missing} missing, {} of them failed", status.present, status.rows, status.failed);
            say!("{} trainings, {} programs, {} running", status.trainings, status.programs, status.running);
            if status.ended_at > 0 {
                say!(
                    "{} results are missing at which processes have ended (out of memory, say); they are tried again last, alone",
                    status.ended_at
                );
            }
            if status.conflicts > 0 {
                say!("{} results that contradict others or are damaged, in conflict/", status.conflicts);
            }
            status.errors.iter().for_each(|error| say!("failed: {error}"));
        }
        Format::Json => print_json(&json!(status))?,
    }
    if status.is_complete() {
        return Ok(());
    }
    Err(ExploreError::Disagreement(format!("{} rows are missing", status.rows - status.present)))
}
