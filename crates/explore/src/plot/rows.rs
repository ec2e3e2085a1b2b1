//! Which rows belong together in a figure.

use std::collections::BTreeSet;

use super::PlotError;
use super::legend::UNBROKEN;
use super::words::column_name;
use crate::results::{COLUMNS, FIRST_RESULT, Row};

/// A row as figures see it: with its columns, and with settings that are no column.
pub trait Entry {
    /// The results.
    fn row(&self) -> &Row;

    /// The value of a column or setting; none if there is no such thing.
    fn field(&self, column: &str) -> Option<String>;

    /// The names of settings that no column shows.
    fn hidden(&self) -> Vec<&str>;
}

impl Entry for Row {
    fn row(&self) -> &Row {
        self
    }

    fn field(&self, column: &str) -> Option<String> {
        Row::field(self, column)
    }

    fn hidden(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A row of a sweep, with the values of its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The results.
    pub row: Row,
    /// The axes, by the names `axis_NAME`; without a value where they are left out.
    pub axes: Vec<AxisValue>,
}

/// The value of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisValue {
    /// `axis_NAME`.
    pub column: String,
    /// The value; a dash where the axis is left out.
    pub value: String,
    /// Whether columns show it too.
    pub shown: bool,
}

impl Entry for Labelled {
    fn row(&self) -> &Row {
        &self.row
    }

    fn field(&self, column: &str) -> Option<String> {
        let axis = self.axes.iter().find(|axis| axis.column == column);
        axis.map(|axis| axis.value.clone()).or_else(|| self.row.field(column))
    }

    fn hidden(&self) -> Vec<&str> {
        self.axes.iter().filter(|axis| !axis.shown).map(|axis| axis.column.as_str()).collect()
    }
}

/// The columns that say what was simulated; the others say what came out.
fn settings() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().take_while(|column| *column != FIRST_RESULT)
}

/// Refuses rows that have no place in a figure.
pub(super) fn demand_drawable<E: Entry>(rows: &[E]) -> Result<(), PlotError> {
    if rows.is_empty() {
        return Err(PlotError::Empty);
    }
    for (index, row) in rows.iter().map(Entry::row).enumerate() {
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
pub(super) fn key<E: Entry>(row: &E, columns: &[&str]) -> Result<Vec<String>, PlotError> {
    columns
        .iter()
        .map(|column| row.field(column).ok_or_else(|| PlotError::UnknownColumn((*column).to_owned())))
        .collect()
}

/// The settings beyond `columns` that it takes to tell all rows apart.
pub(super) fn also_needed<E: Entry>(rows: &[E], columns: &[&str]) -> Result<Vec<String>, PlotError> {
    let mut found: Vec<String> = Vec::new();
    let mut kinds = distinct(rows, columns)?;
    let hidden = rows.first().map(Entry::hidden).unwrap_or_default();
    let columns_of_settings: Vec<&str> = settings().collect();
    for column in columns_of_settings.into_iter().chain(hidden) {
        if kinds == rows.len() {
            break;
        }
        let more: Vec<&str> = columns.iter().copied().chain(found.iter().map(String::as_str)).chain([column]).collect();
        let with_it = distinct(rows, &more)?;
        if with_it > kinds {
            found.push(column.to_owned());
            kinds = with_it;
        }
    }
    Ok(found)
}

fn distinct<E: Entry>(rows: &[E], columns: &[&str]) -> Result<usize, PlotError> {
    Ok(rows.iter().map(|row| key(row, columns)).collect::<Result<BTreeSet<_>, _>>()?.len())
}

/// Columns beside `used`, that divide rows into panels: the mapping strategy and training method and what else tells rows apart.
pub(super) fn dividing<E: Entry>(rows: &[E], used: &[&str]) -> Result<Vec<String>, PlotError> {
    let names = ["mapping", "training"];
    let base: Vec<&str> = names.into_iter().chain(used.iter().copied()).collect();
    let also = also_needed(rows, &base)?;
    Ok(names.map(str::to_owned).into_iter().filter(|name| !used.contains(&name.as_str())).chain(also).collect())
}

/// Mapping and training by their values, anything else with its name.
pub(super) fn labels(columns: &[String], values: &[String]) -> Vec<String> {
    let plain = |column: &str| column == "mapping" || column == "training";
    let both = columns.iter().zip(values);
    let first: Vec<&str> = both.clone().filter(|(column, _)| plain(column)).map(|(_, value)| value.as_str()).collect();
    let rest =
        both.filter(|(column, _)| !plain(column)).map(|(column, value)| format!("{}: {value}", column_name(column)));
    [first.join(", ")].into_iter().filter(|text| !text.is_empty()).chain(rest).collect()
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
pub(super) fn common<E: Entry>(rows: &[E], shown: &[&str]) -> String {
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
