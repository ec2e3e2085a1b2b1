//! The results of a sweep as a table that also holds settings which are no column of a row.

use toml::Value;

use super::{Axis, RowResult, Setting};
use crate::error::ExploreError;
use crate::results::COLUMNS;

/// The rows of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRows {
    /// The values of the axes that take part.
    pub settings: Vec<Setting>,
    /// Mapping strategies outside, methods inside.
    pub rows: Vec<RowResult>,
}

/// Keys of an experiment that a row has a column for.
const KEYS_WITH_COLUMNS: &[&str] = &[
    "seed",
    "mappings",
    "methods",
    "chip.costs.preset",
    "chip.format.input_bits",
    "chip.format.weight_bits",
    "chip.tile.adc.bits",
    "chip.tile.adc.criterion",
    "chip.tile.adc.kind",
    "chip.tile.adc.per_column",
    "chip.tile.adc.power_of_two_step",
    "chip.tile.adc.range",
    "chip.tile.array.cols",
    "chip.tile.array.rows",
    "chip.tile.cell.bits",
    "chip.tile.cell.device.preset",
    "chip.tile.cell.device.sigma_scale",
    "chip.tile.dac.bits",
];

/// The rows as CSV: the columns of [`crate::results::to_csv`], after a column `axis_NAME` for every axis that none of them shows,
/// which is empty where the axis is left out.
///
/// # Errors
/// If the table cannot be written.
pub fn to_csv(axes: &[Axis], points: &[PointRows]) -> Result<String, ExploreError> {
    let hidden = hidden(axes);
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let header = hidden.iter().map(|name| format!("axis_{name}"));
    writer.write_record(header.chain(COLUMNS.map(str::to_owned))).map_err(failed)?;
    for point in points {
        let value = |axis: &&str| point.settings.iter().find(|setting| setting.axis == **axis);
        let settings: Vec<String> =
            hidden.iter().map(|axis| value(axis).map_or_else(String::new, |setting| plain(&setting.value))).collect();
        for RowResult { row, .. } in &point.rows {
            writer.serialize((&settings, row)).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(failed)?;
    String::from_utf8(bytes).map_err(failed)
}

/// The axes that no column shows.
pub(super) fn hidden(axes: &[Axis]) -> Vec<&str> {
    // A key may have been shortened from the left.
    let shown = |key: &String| KEYS_WITH_COLUMNS.iter().any(|full| full == key || full.ends_with(&format!(".{key}")));
    let hidden = |axis: &&Axis| !axis.keys.iter().all(shown);
    axes.iter().filter(hidden).map(|axis| axis.name.as_str()).collect()
}

/// As TOML writes it, but words without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn failed(error: impl std::fmt::Display) -> ExploreError {
    ExploreError::Table(error.to_string())
}
