//! Output directories: what a command computed, and the `run.toml` that repeats it.

use crate::compare::{ComparedRow, Comparison};
use crate::config::{Kind, to_toml};
use crate::error::ExploreError;
use crate::plot::accuracy_bars;
use crate::results::{Row, to_csv};
use crate::training::TrainedPoint;
use serde::Serialize;
use std::path::Path;

/// Version of the program, part of every `run.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes a file into a directory, which is created.
///
/// # Errors
/// If it cannot be written.
pub fn write(directory: &Path, name: &str, contents: &str) -> Result<(), ExploreError> {
    let path = directory.join(name);
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ExploreError::File { path, source }
    };
    std::fs::create_dir_all(directory).map_err(fail(directory))?;
    std::fs::write(&path, contents).map_err(fail(&path))
}

/// Writes `run.toml`: the resolved configuration, with the command that repeats the result from it.
///
/// # Errors
/// If it cannot be written.
pub fn write_run<T: Serialize>(directory: &Path, kind: Kind, config: &T, repeat: &str) -> Result<(), ExploreError> {
    let text = format!("# Written by ohmic {VERSION}. Repeat with: {repeat}\n\n{}", to_toml(kind, config)?);
    write(directory, "run.toml", &text)
}

/// The rows of a comparison as CSV.
///
/// # Errors
/// If a row cannot be written.
pub fn comparison_csv(comparison: &Comparison) -> Result<String, ExploreError> {
    let rows: Vec<Row> = comparison.rows.iter().map(|compared: &ComparedRow| compared.row.clone()).collect();
    rows_csv(&rows)
}

/// Rows as CSV.
///
/// # Errors
/// If a row cannot be written.
pub fn rows_csv(rows: &[Row]) -> Result<String, ExploreError> {
    to_csv(rows).map_err(|error| ExploreError::Table(error.to_string()))
}

/// Writes `compare.csv` and `compare.svg`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_comparison(directory: &Path, comparison: &Comparison) -> Result<(), ExploreError> {
    let rows: Vec<Row> = comparison.rows.iter().map(|compared| compared.row.clone()).collect();
    write(directory, "compare.csv", &rows_csv(&rows)?)?;
    write(directory, "compare.svg", &accuracy_bars(&rows, comparison.classes as u64)?)
}

/// Writes a trained network with its learning curve, `training.csv`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_training(directory: &Path, point: &TrainedPoint) -> Result<(), ExploreError> {
    nn::files::save(&point.trained.network, directory)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let table = |error: csv::Error| ExploreError::Table(error.to_string());
    for epoch in &point.trained.epochs {
        writer.serialize(epoch).map_err(table)?;
    }
    let bytes = writer.into_inner().map_err(|error| ExploreError::Table(error.to_string()))?;
    write(directory, "training.csv", &String::from_utf8_lossy(&bytes))
}
