//! Which rows belong together in a figure.

use std::collections::BTreeSet;

use super::PlotError;
use super::legend::UNBROKEN;
use crate::results::{COLUMNS, Row};

/// The columns that say what was simulated; the others say what came out.
fn settings() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().take_while(|column| *column != "software_accuracy")
}

/// Refuses rows that have no place in a figure.
pub(super) fn demand_drawable(rows: &[Row]) -> Result<(), PlotError> {
    if rows.is_empty() {
        return Err(PlotError::Empty);
    }
    for (index, row) in rows.iter().enumerate() {
        let values = [
            ("software_accuracy", row.software_accuracy),
            ("accuracy_mean", row.accuracy_mean),
            ("accuracy_ci95_low", row.accuracy_ci95_low),
            ("accuracy_ci95_high", row.accuracy_ci95_high),
            ("accuracy_p5", row.accuracy_p5),
            ("energy_j", row.energy_j),
        ];
        if let Some((column, _)) = values.into_iter().find(|(_, value)| !value.is_finite()) {
            return Err(PlotError::NotFinite { column, row: index + 1 });
        }
    }
    Ok(())
}

/// The values of columns.
pub(super) fn key(row: &Row, columns: &[&str]) -> Result<Vec<String>, PlotError> {
    columns
        .iter()
        .map(|column| row.field(column).ok_or_else(|| PlotError::UnknownColumn((*column).to_owned())))
        .collect()
}

/// The settings beyond `columns` that it takes to tell all rows apart.
pub(super) fn also_needed(rows: &[Row], columns: &[&str]) -> Result<Vec<&'static str>, PlotError> {
    let mut found: Vec<&'static str> = Vec::new();
    let mut kinds = distinct(rows, columns)?;
    for column in settings() {
        if kinds == rows.len() {
            break;
        }
        let more: Vec<&str> = columns.iter().copied().chain(found.iter().copied()).chain([column]).collect();
        let with_it = distinct(rows, &more)?;
        if with_it > kinds {
            found.push(column);
            kinds = with_it;
        }
    }
    Ok(found)
}

fn distinct(rows: &[Row], columns: &[&str]) -> Result<usize, PlotError> {
    Ok(rows.iter().map(|row| key(row, columns)).collect::<Result<BTreeSet<_>, _>>()?.len())
}

/// The distinct values in the order in which they first appear.
pub(super) fn in_order<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// What all rows have in common, in words that break at commas only; `shown` are columns that the figure itself shows.
pub(super) fn common(rows: &[Row], shown: &[&str]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let same = |column: &str| {
        let value = first.field(column)?;
        let agreed = !shown.contains(&column) && rows.iter().all(|row| row.field(column).as_ref() == Some(&value));
        (agreed && !value.is_empty()).then_some(value)
    };
    let network = match (same("network"), same("dataset")) {
        (Some(network), Some(dataset)) => Some(format!("{network} on {dataset}")),
        (network, dataset) => network.or(dataset),
    };
    let both = |left: &str, right: &str, join: &str| Some(format!("{}{join}{}", same(left)?, same(right)?));
    let parts = [
        network,
        same("device").map(|device| format!("device {device}")),
        same("sigma_scale").filter(|scale| scale != "1.0").map(|scale| format!("variation × {scale}")),
        both("array_rows", "array_cols", " × ").map(|size| format!("arrays {size}")),
        same("cell_bits").map(|bits| format!("{bits}-bit cells")),
        same("weight_bits").map(|bits| format!("{bits}-bit weights")),
        same("adc_bits").map(|bits| format!("{bits}-bit ADC")),
        same("chips").map(|chips| format!("{chips} chip samples")),
    ];
    parts.into_iter().flatten().map(|part| part.replace(' ', &UNBROKEN.to_string())).collect::<Vec<_>>().join(", ")
}
