//! The results of a sweep as a table that also holds settings which are no column of a row.

use toml::Value;

use super::PointRows;
use crate::error::ExploreError;
use crate::results::COLUMNS;

/// The rows as CSV: a column `axis_NAME` for every axis, then the columns of [`crate::results::to_csv`].
///
/// # Errors
/// If the table cannot be written.
pub fn to_csv(points: &[PointRows]) -> Result<String, ExploreError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let axes = points.first().map(|point| point.settings.as_slice()).unwrap_or_default();
    let axes = axes.iter().map(|setting| format!("axis_{}", setting.axis));
    writer.write_record(axes.chain(COLUMNS.map(str::to_owned))).map_err(failed)?;
    for point in points {
        let settings: Vec<String> = point.settings.iter().map(|setting| plain(&setting.value)).collect();
        for row in &point.rows {
            writer.serialize((&settings, row)).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(failed)?;
    String::from_utf8(bytes).map_err(failed)
}

/// As TOML writes it, but words without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn failed(error: impl std::fmt::Display) -> ExploreError {
    ExploreError::Table(error.to_string())
}
