//! The report as CSV tables.

use serde::Serialize;

use super::levels::binary;
use super::{MappingReport, StatesReport};
use crate::error::ExploreError;

/// A line of the table of weights.
#[derive(Serialize)]
struct WeightLine<'a> {
    mapping: &'a str,
    weight: i32,
    error_variance: f64,
    complemented_error_variance: Option<f64>,
    levels: String,
    stored_weight: i32,
}

impl StatesReport {
    /// A line per level, with the fields of [`super::LevelReport`]; an empty field is a relative error of a cell at 0 S.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn levels_csv(&self) -> Result<String, ExploreError> {
        table(self.levels.iter())
    }

    /// A line per mapping strategy and weight: `mapping`, `weight`, `error_variance` in squared weight steps (`complemented_error_variance` in
    /// columns stored complemented), `levels`
    /// in binary, most significant slice first, the arrays of a pair apart by `/`, and `stored_weight`, which differs
    /// from `weight` where the encoding clips.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn weights_csv(&self) -> Result<String, ExploreError> {
        let lines = |mapping| weight_lines(mapping, self.cell_bits);
        table(self.mappings.iter().flat_map(lines))
    }
}

fn weight_lines(mapping: &MappingReport, cell_bits: u32) -> impl Iterator<Item = WeightLine<'_>> {
    mapping.weights.iter().map(move |weight| WeightLine {
        mapping: &mapping.mapping,
        weight: weight.weight,
        error_variance: weight.error_variance,
        complemented_error_variance: weight.complemented_error_variance,
        levels: digits(&weight.levels, cell_bits),
        stored_weight: weight.stored_weight,
    })
}

/// Levels by array as text, e.g. `10 00 00 00`, or `00 01 10 11/00 00 00 00` for a pair.
#[must_use]
pub fn digits(levels: &[Vec<usize>], cell_bits: u32) -> String {
    let slices = |array: &Vec<usize>| array.iter().map(|&level| binary(level, cell_bits)).collect::<Vec<_>>().join(" ");
    levels.iter().map(slices).collect::<Vec<_>>().join("/")
}

/// Serialisable lines as CSV with a header.
pub(super) fn table<T: Serialize>(lines: impl Iterator<Item = T>) -> Result<String, ExploreError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.serialize(line).map_err(failed)?;
    }
    String::from_utf8(writer.into_inner().map_err(failed)?).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> ExploreError {
    ExploreError::Table(error.to_string())
}
