//! Sweeps: one experiment at every point of a grid over its configuration.
//!
//! ```text
//!  [experiment] x [[axes]] --> [points] --> [networks] each trained once --> [run] rows, points outside
//! ```
//!
//! All points are resolved and checked before anything runs. Random numbers are addressed, so that points which differ
//! in one setting share all others, also their device draws.

mod networks;
mod points;
mod run;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};
use toml::Value;

pub use self::points::{Point, Setting};
pub use self::run::{PointRows, run, run_points};
pub use self::table::to_csv;
use crate::experiment::Experiment;
use crate::results::COLUMNS;

/// More points are a typing error.
const MAX_POINTS: u64 = 100_000;

/// A plan of many experiments, as its file in `configs/sweeps` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Name, kebab-case.
    pub name: String,
    /// What it is, in one line.
    #[serde(default)]
    pub doc: String,
    /// What all points have in common.
    pub experiment: Experiment,
    /// What they differ in; the first axis is the outermost.
    pub axes: Vec<Axis>,
    /// How the results are drawn; not at all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plot: Option<Plot>,
}

/// Keys of the experiment that change together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Name, for messages and tables.
    pub name: String,
    /// Dotted keys relative to the experiment, e.g. `chip.tile.adc.bits`; all are set to the same value, or each to its own. A key that
    /// ends in `.preset` replaces its table by that preset, before all other keys are set.
    pub keys: Vec<String>,
    /// The values, in their order. Of several keys, a value that is an array holds one value for each.
    pub values: Vec<Value>,
}

/// A figure of a sweep, in columns of [`crate::results::Row`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// Column of the horizontal axis.
    pub x: String,
    /// Columns that tell lines apart.
    pub series: Vec<String>,
}

impl Check for Sweep {
    fn check(&self, problems: &mut Problems) {
        problems.within("experiment", |p| self.experiment.check(p));
        problems.require("axes", "no axes", !self.axes.is_empty(), "at least one axis");
        for (index, axis) in self.axes.iter().enumerate() {
            problems.within(&format!("axes[{index}]"), |p| axis.check(&self.axes[..index], p));
        }
        let lengths = self.axes.iter().map(|axis| axis.values.len() as u64);
        let points = lengths.fold(1, u64::saturating_mul);
        let allowed = format!("at most {MAX_POINTS} combinations of values");
        problems.require("axes", format!("{points} points"), points <= MAX_POINTS, allowed);
        if let Some(plot) = &self.plot {
            problems.within("plot", |p| plot.check(p));
        }
    }
}

impl Axis {
    /// The value of each key at one value of the axis.
    fn key_values(&self, value: &Value) -> Vec<Value> {
        match value {
            Value::Array(own) if self.keys.len() > 1 => own.clone(),
            same => vec![same.clone(); self.keys.len()],
        }
    }

    fn check(&self, before: &[Self], problems: &mut Problems) {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.name.is_empty() && self.name.chars().all(letter);
        problems.require("name", &self.name, named, "lower-case letters, digits, `_` and `-`");
        let new = before.iter().all(|other| other.name != self.name);
        problems.require("name", &self.name, new, "a name that no other axis has");
        problems.require("keys", "no keys", !self.keys.is_empty(), "at least one key of the experiment");
        problems.require("values", "no values", !self.values.is_empty(), "at least one value");
        for (index, key) in self.keys.iter().enumerate() {
            let others = before.iter().flat_map(|other| &other.keys).chain(&self.keys[..index]);
            let once = !others.into_iter().any(|other| other == key);
            problems.require("keys", key, once, "each key once, in one axis only");
        }
        for value in self.values.iter().filter_map(Value::as_array).filter(|_| self.keys.len() > 1) {
            let allowed = format!("one value for each of the {} keys", self.keys.len());
            problems.require("values", format!("{} values", value.len()), value.len() == self.keys.len(), allowed);
        }
        for (index, value) in self.values.iter().enumerate() {
            problems.require("values", value, !self.values[..index].contains(value), "each value once");
        }
    }
}

impl Check for Plot {
    fn check(&self, problems: &mut Problems) {
        let known = |column: &str| COLUMNS.contains(&column);
        let allowed = || format!("a column of the results: {}", COLUMNS.join(", "));
        problems.require("x", &self.x, known(&self.x), allowed());
        for (index, column) in self.series.iter().enumerate() {
            problems.require("series", column, known(column), allowed());
            let once = *column != self.x && !self.series[..index].contains(column);
            problems.require("series", column, once, "each column once, and not that of x");
        }
    }
}
