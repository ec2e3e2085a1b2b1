//! `ohmic sweep plan`: what there is to do.

use super::load_plan;
use crate::cli::Format;
use crate::cli::sweep::Plan as Arguments;
use crate::commands::print_json;
use explore::ExploreError;
use explore::store::Store;
use explore::sweep::{Plan, PlannedRow, estimate};
use serde_json::{Value, json};

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    plan.check()?;
    let store = arguments.store.as_deref().map(Store::open);
    announce(&plan, store.as_ref())?;
    let rows = if arguments.rows { plan.rows() } else { &[] };
    match format {
        Format::Text => rows.iter().for_each(|row| say!("{} {}", row.id, plan.label(row))),
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(|row| described(&plan, row)).collect();
            print_json(&json!({ "points": plan.len(), "rows": plan.rows().len(), "listed": rows }))?;
        }
    }
    Ok(())
}

fn described(plan: &Plan, row: &PlannedRow) -> Value {
    let (mapping, method) = plan.names(row);
    json!({ "id": row.id.to_string(), "settings": plan.settings(row.point as usize), "mapping": mapping, "training": method })
}

/// Says how much there is to do, before it begins.
pub fn announce(plan: &Plan, store: Option<&Store>) -> Result<(), ExploreError> {
    let work = estimate(plan, store)?;
    let there = if work.present > 0 { format!(", {} of them there already", work.present) } else { String::new() };
    let time = match work.most_seconds {
        _ if work.present == plan.rows().len() => "nothing to do".to_owned(),
        Some(most) => format!("{} on this machine, at most {} for --target-ci", about(work.seconds), about(most)),
        None => format!("{} on this machine", about(work.seconds)),
    };
    eprintln!("{} points, {} rows{there}: {time}", plan.len(), plan.rows().len());
    if plan.dropped() > 0 {
        eprintln!("{} of the draws gave a point twice, which counts once", plan.dropped());
    }
    Ok(())
}

/// A time in words, no more exact than it is known.
fn about(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "about a second".to_owned(),
        s if s < 100.0 => format!("about {s:.0} s"),
        s if s < 6000.0 => format!("about {:.0} minutes", s / 60.0),
        s if s < 200_000.0 => format!("about {:.0} hours", s / 3600.0),
        s => format!("about {:.0} days", s / 86_400.0),
    }
}
