//! `ohmic sweep`: a grid over configuration keys.

use super::print_json;
use crate::bar::Bar;
use crate::cli::{Format, Sweep as Arguments};
use explore::ExploreError;
use explore::config::{Kind, load};
use explore::output::{write, write_run};
use explore::plot::lines;
use explore::results::Row;
use explore::sweep::{Sweep, run_points, to_csv};
use serde_json::json;

pub fn run(arguments: &Arguments, format: Format) -> Result<(), ExploreError> {
    let sweep: Sweep = load(Kind::Sweep, &arguments.sweep, &arguments.overrides.set)?;
    let points = sweep.points()?.len();
    eprintln!("{points} points, {} rows", points * sweep.experiment.mappings.len() * sweep.experiment.methods.len());
    write_run(&arguments.output, Kind::Sweep, &sweep, "ohmic sweep run.toml -o DIR")?;
    let results = run_points(&sweep, &Bar::default())?;
    let csv = to_csv(&sweep.axes, &results)?;
    write(&arguments.output, "sweep.csv", &csv)?;
    let rows: Vec<Row> = results.into_iter().flat_map(|point| point.rows).collect();
    if let Some(plot) = &sweep.plot {
        let series: Vec<&str> = plot.series.iter().map(String::as_str).collect();
        write(&arguments.output, "sweep.svg", &lines(&rows, &plot.x, &series)?)?;
    }
    match format {
        Format::Text => say_raw!("{csv}"),
        Format::Json => print_json(&json!({ "rows": rows }))?,
    }
    eprintln!(
        "wrote sweep.csv, {}run.toml to {}",
        if sweep.plot.is_some() { "sweep.svg, " } else { "" },
        arguments.output.display()
    );
    Ok(())
}
