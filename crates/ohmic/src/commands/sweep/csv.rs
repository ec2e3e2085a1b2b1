//! `ohmic sweep csv`: the table and the pictures of what a store holds.

use super::{load_plan, say_if_missing};
use crate::cli::Format;
use crate::cli::sweep::Csv as Arguments;
use crate::commands::{flag, print_json};
use explore::ExploreError;
use explore::config::Kind;
use explore::output::{write as write_file, write_run};
use explore::report::report;
use explore::results::Row;
use explore::store::Store;
use explore::sweep::{Differences, Plan, PointRows, collect, differences, missed_targets, pictures, to_csv};
use serde_json::json;
use std::path::Path;

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    let plan = load_plan(&arguments.planned)?;
    let store = Store::open(&arguments.store);
    say_if_missing(&store);
    write(&plan, &store, arguments.partial, arguments.output.as_deref(), format)
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
    let csv = to_csv(&plan.sweep().axes, &points)?;
    let rows: Vec<Row> = points.iter().flat_map(|point| &point.rows).map(|result| result.row.clone()).collect();
    let missing = plan.rows().len() - rows.len();
    if missing > 0 {
        eprintln!("warning: {missing} of {} rows are missing", plan.rows().len());
    }
    let missed = missed_targets(plan, &points);
    if missed > 0 {
        eprintln!(
            "warning: {missed} of {} rows have a wider interval than --target-ci: most_chips does not suffice, or training seeds differ by more",
            rows.len()
        );
    }
    // First the table: whatever becomes of the files, it is out.
    match format {
        Format::Text => say_raw!("{csv}"),
        Format::Json => print_json(&json!({ "rows": settled(&points), "missing": missing }))?,
    }
    output.map_or(Ok(()), |output| write_files(plan, &points, &csv, output))
}

/// The rows, each with the values of the axes that take part.
fn settled(points: &[PointRows]) -> Vec<serde_json::Value> {
    let row = |point: &PointRows, row: &Row| {
        let mut all = json!(row);
        all["settings"] = json!(point.settings);
        all
    };
    points.iter().flat_map(|point| point.rows.iter().map(move |result| row(point, &result.row))).collect()
}

fn write_files(plan: &Plan, points: &[PointRows], csv: &str, output: &Path) -> Result<(), ExploreError> {
    let sweep = plan.sweep();
    write_run(output, Kind::Sweep, sweep, &format!("ohmic sweep run.toml{} -o DIR", flag("data", plan.data())))?;
    write_file(output, "sweep.csv", csv)?;
    let mut written = vec!["run.toml", "sweep.csv"];
    match differences(plan, points) {
        Ok(found) => {
            write_file(output, "differences.csv", &found.csv)?;
            written.push("differences.csv");
            say_differences(&found);
        }
        Err(error) => eprintln!("warning: differences.csv is left out: {error}"),
    }
    let pictures = pictures(&sweep.axes, sweep.plot.as_ref(), points);
    for (name, svg) in &pictures.files {
        write_file(output, name, svg)?;
        written.push(name);
    }
    match report(plan, points) {
        Ok(page) => {
            write_file(output, "report.html", &page)?;
            written.push("report.html");
        }
        Err(error) => eprintln!("warning: report.html is left out: {error}"),
    }
    for (name, reason) in &pictures.left_out {
        eprintln!("warning: {name} is left out: {reason}");
    }
    if sweep.plot.is_none() {
        eprintln!("sweep.svg and heat.svg are left out: the sweep has no table [plot]");
    }
    eprintln!("wrote {} to {}", written.join(", "), output.display());
    Ok(())
}

/// What the table of differences says on the whole, and what it does not say.
fn say_differences(found: &Differences) {
    let Differences { count, with_interval, apart, with_interval_together, apart_together, not_compared, .. } = found;
    let by_chance = *with_interval as f64 / 20.0;
    eprintln!(
        "{count} differences, {with_interval} with a 95 % interval: {apart} of these are without 0, where {by_chance:.1} would be by chance; \
         {with_interval_together} with one that holds together with all others (Bonferroni): {apart_together} are without 0"
    );
    if with_interval_together < count {
        let more = "more training seeds or, where there is one, more chip samples";
        eprintln!("the other intervals would take {more} (column `samples`; docs/sweeps.md says how many)");
    }
    if !not_compared.is_empty() {
        eprintln!("not compared: {}", not_compared.join(", "));
    }
}
