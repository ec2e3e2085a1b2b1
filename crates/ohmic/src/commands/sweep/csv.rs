//! `ohmic sweep csv`: the table and the pictures of what a store holds.

use super::load_plan;
use crate::cli::Format;
use crate::cli::sweep::Csv as Arguments;
use crate::commands::print_json;
use explore::ExploreError;
use explore::config::Kind;
use explore::output::{write as write_file, write_run};
use explore::plot::lines;
use explore::results::Row;
use explore::store::Store;
use explore::sweep::{Plan, collect, to_csv};
use serde_json::json;
use std::path::Path;

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    write(&plan, &Store::open(&arguments.store), arguments.partial, arguments.output.as_deref(), format)
}

/// Prints the table, and writes it with its pictures.
pub fn write(
    plan: &Plan,
    store: &Store,
    partial: bool,
    output: Option<&Path>,
    format: Format,
) -> Result<(), ExploreError> {
    let points = collect(plan, store, partial)?;
    let sweep = plan.sweep();
    let csv = to_csv(&sweep.axes, &points)?;
    let rows: Vec<Row> = points.into_iter().flat_map(|point| point.rows).map(|result| result.row).collect();
    let missing = plan.rows().len() - rows.len();
    if missing > 0 {
        eprintln!("warning: {missing} of {} rows are missing", plan.rows().len());
    }
    if let Some(output) = output {
        write_run(output, Kind::Sweep, sweep, "ohmic sweep run.toml -o DIR")?;
        write_file(output, "sweep.csv", &csv)?;
        let plot = sweep.plot.as_ref().filter(|_| !rows.is_empty());
        if let Some(plot) = plot {
            let series: Vec<&str> = plot.series.iter().map(String::as_str).collect();
            write_file(output, "sweep.svg", &lines(&rows, &plot.x, &series)?)?;
        }
        let picture = if plot.is_some() { "sweep.svg, " } else { "" };
        eprintln!("wrote sweep.csv, {picture}run.toml to {}", output.display());
    }
    match format {
        Format::Text => say_raw!("{csv}"),
        Format::Json => print_json(&json!({ "rows": rows }))?,
    }
    Ok(())
}
