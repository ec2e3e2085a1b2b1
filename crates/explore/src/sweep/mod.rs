//! Sweeps: one experiment at every point of a plan over its configuration.
//!
//! ```text
//!  [experiment] x [[axes]] --> [plan] rows by name --> [run] what the store lacks, on any number of machines --> [store] --> [table]
//! ```
//!
//! Trainings and compiled programs are results of their own in the store, so that rows which do not differ in them share them. The table is a function
//! of plan and store. Random numbers are addressed, so that points which differ in one setting share all others, also their device draws.

mod axes;
mod canonical;
mod chips;
mod compute;
mod coordinates;
mod differences;
mod dimensions;
mod estimate;
mod factors;
mod garbage;
mod inputs;
mod names;
mod pictures;
mod plan;
mod points;
mod queue;
mod run;
mod samples;
mod shadowed;
mod shard;
mod status;
mod stored;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

pub use self::axes::{Axis, Range, RangeScale};
pub use self::differences::{Differences, differences};
pub use self::estimate::{Work, estimate};
pub use self::garbage::{Removed, collect_garbage};
pub use self::pictures::{Pictures, pictures};
pub use self::plan::{Plan, PlannedRow};
pub use self::points::{Point, Setting};
pub use self::run::{RunOptions, Summary, run};
pub use self::samples::{SampleMethod, Samples};
pub use self::shadowed::refuse_shadowed;
pub use self::shard::Shard;
pub use self::status::{Status, collect, missed_targets, status};
pub use self::stored::RowResult;
pub use self::table::{PointRows, to_csv};
use crate::experiment::Experiment;
use crate::results::{COLUMNS, FIRST_RESULT};

/// The most chip samples per network where a sweep does not say.
const MOST_CHIPS: u32 = 1000;

/// More points are a typing error.
const MAX_POINTS: u64 = 1_000_000;

/// A plan of many experiments, as its file in `configs/sweeps` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// What it is, in one line.
    #[serde(default)]
    pub doc: String,
    /// What all points have in common.
    pub experiment: Experiment,
    /// What they differ in; the first axis is the outermost.
    pub axes: Vec<Axis>,
    /// How the values of sampled axes are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
    /// Half the width of the 95 % interval of the mean accuracy: rows simulate more chip samples than `experiment.chips` until it is no wider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ci: Option<f64>,
    /// The most chip samples per network for that; 1000 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_chips: Option<u32>,
    /// How the results are drawn; not at all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plot: Option<Plot>,
}

/// A figure of a sweep, in columns of [`crate::results::Row`] and axes, which are named `axis_NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// Column or axis across.
    pub x: String,
    /// Columns and axes that tell lines apart.
    pub series: Vec<String>,
    /// Columns of the results that are drawn below the accuracy; the energy of an inference without it.
    #[serde(default = "energy")]
    pub measures: Vec<String>,
}

fn energy() -> Vec<String> {
    vec!["energy_j".to_owned()]
}

impl Check for Sweep {
    fn check(&self, problems: &mut Problems) {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.name.is_empty() && self.name.chars().all(letter);
        problems.require("name", &self.name, named, "lower-case letters, digits, `_` and `-`");
        problems.within("experiment", |p| {
            self.experiment.check(p);
            let of_compare = "nothing in a sweep: `ohmic compare` searches it; sigma_scale can be an axis here";
            p.require("operating_point", "there", self.experiment.operating_point.is_none(), of_compare);
            p.require("sigma_axis", "there", self.experiment.sigma_axis.is_none(), of_compare);
        });
        problems.require("axes", "no axes", !self.axes.is_empty(), "at least one axis");
        for (index, axis) in self.axes.iter().enumerate() {
            problems.within(&format!("axes[{index}]"), |p| axis.check(&self.axes[..index], p));
        }
        let sampled = self.axes.iter().any(|axis| axis.sampled);
        let allowed = "a table `samples` if, and only if, an axis is sampled";
        problems.require(
            "samples",
            if sampled { "missing" } else { "there" },
            sampled == self.samples.is_some(),
            allowed,
        );
        if let Some(samples) = &self.samples {
            problems.within("samples", |p| samples.check(p));
        }
        if let Some(target) = self.target_ci {
            problems.require("target_ci", target, target > 0.0 && target < 1.0, "a number above 0 and below 1");
        }
        if let Some(most) = self.most_chips {
            let allowed = "a number of chip samples beside `target_ci`, not below `experiment.chips`";
            problems.require("most_chips", most, self.target_ci.is_some() && most >= self.experiment.chips, allowed);
        }
        let points = self.most_points();
        let allowed = format!("at most {MAX_POINTS} combinations of values");
        problems.require("axes", format!("{points} points"), points <= MAX_POINTS, allowed);
        if let Some(plot) = &self.plot {
            problems.within("plot", |p| plot.check(&self.axes, p));
        }
    }
}

impl Sweep {
    /// What rows depend on beside their experiments.
    fn sampling(&self) -> Option<Sampling> {
        self.target_ci.map(|half_width| Sampling { half_width, most: self.most_chips.unwrap_or(MOST_CHIPS) })
    }

    /// Number of points, if no axis is left out anywhere.
    fn most_points(&self) -> u64 {
        let first = |index: usize, axis: &Axis| {
            let earlier = &mut self.axes[..index].iter();
            !earlier.any(|other| (other.sampled && axis.sampled) || (other.zip.is_some() && other.zip == axis.zip))
        };
        let alone = self.axes.iter().enumerate().filter(|(index, axis)| first(*index, axis));
        let drawn = self.samples.as_ref().map_or(1, |samples| u64::from(samples.points));
        alone.map(|(_, axis)| if axis.sampled { drawn } else { axis.len() }).fold(1, u64::saturating_mul)
    }
}

/// When there are enough chip samples.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sampling {
    half_width: f64,
    most: u32,
}

impl Plot {
    fn check(&self, axes: &[Axis], problems: &mut Problems) {
        let axes: Vec<String> = axes.iter().map(|axis| format!("axis_{}", axis.name)).collect();
        let known = |column: &str| COLUMNS.contains(&column) || axes.iter().any(|axis| axis == column);
        let allowed = || format!("an axis ({}) or a column of the results: {}", axes.join(", "), COLUMNS.join(", "));
        problems.require("x", &self.x, known(&self.x), allowed());
        for (index, column) in self.series.iter().enumerate() {
            problems.require("series", column, known(column), allowed());
            let once = *column != self.x && !self.series[..index].contains(column);
            problems.require("series", column, once, "each column once, and not that of x");
        }
        let results = &COLUMNS[COLUMNS.iter().position(|column| *column == FIRST_RESULT).unwrap_or(0)..];
        for (index, column) in self.measures.iter().enumerate() {
            let allowed = format!("a result, each once: {}", results.join(", "));
            let new = !self.measures[..index].contains(column);
            problems.require("measures", column, new && results.contains(&column.as_str()), allowed);
        }
    }
}
