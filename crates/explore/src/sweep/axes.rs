//! The axes of a sweep: what its points differ in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tile::check::Problems;
use toml::Value;

use super::MAX_POINTS;

/// Keys of the experiment that change together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Name, for messages and tables.
    pub name: String,
    /// Dotted keys relative to the experiment, e.g. `chip.tile.adc.bits`; all are set to the same value, or each to its own. A key that
    /// ends in `.preset` replaces its table by that preset, before all other keys are set.
    pub keys: Vec<String>,
    /// The values, in their order. Of several keys, a value that is an array holds one value for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Numbers, instead of values one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Whether the values are drawn, as [`super::Samples`] says, instead of taken one after the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled: bool,
    /// Axes with the same word here take their first values together, then their second, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// The axis is left out, and its keys stay as the experiment has them, where an earlier axis has none of the values that stand here beside its
    /// name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Vec<Value>>,
}

/// Numbers from `low` to `high`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The lowest number.
    pub low: f64,
    /// The highest number.
    pub high: f64,
    /// How many numbers, both ends included; none for a sampled axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
    /// What is the same from one number to the next: the difference, or the ratio.
    #[serde(default)]
    pub scale: RangeScale,
    /// Whether to round to integers.
    #[serde(default)]
    pub integer: bool,
}

/// How the numbers of a range lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeScale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios.
    Logarithmic,
}

impl Range {
    /// The number at `share`, 0 to 1, of the way from the lowest to the highest.
    pub(super) fn at(&self, share: f64) -> Value {
        let number = match self.scale {
            _ if share <= 0.0 => self.low,
            _ if share >= 1.0 => self.high,
            RangeScale::Linear => self.low + share * (self.high - self.low),
            RangeScale::Logarithmic => self.low * libm::pow(self.high / self.low, share),
        };
        if self.integer { Value::Integer(libm::rint(number) as i64) } else { Value::Float(number) }
    }

    /// The number drawn at `share`, 0 to below 1: each of several integers from an equal part of the range.
    pub(super) fn drawn(&self, share: f64) -> Value {
        if !self.integer {
            return self.at(share);
        }
        let (low, high) = (libm::rint(self.low), libm::rint(self.high));
        let number = match self.scale {
            RangeScale::Linear => low + share * (high - low + 1.0),
            // Parts of equal ratios, each rounded at the middle between two integers.
            RangeScale::Logarithmic => {
                let first = (low - 0.5).max(0.5 * self.low);
                libm::rint(first * libm::pow((high + 0.5) / first, share))
            }
        };
        Value::Integer((libm::floor(number) as i64).clamp(low as i64, high as i64))
    }

    fn check(&self, sampled: bool, problems: &mut Problems) {
        // Beyond, sums of both ends overflow and integers are no longer exact.
        let usable = |number: f64| number.is_finite() && number.abs() < if self.integer { 9e15 } else { 1e300 };
        problems.require("low", short(self.low), usable(self.low), "a number that fits");
        let above = usable(self.high) && (self.low.is_nan() || self.low < self.high);
        problems.require("high", short(self.high), above, "a number above low that fits");
        let positive = self.scale == RangeScale::Linear || self.low > 0.0;
        problems.require("low", self.low, positive, "a number above 0 where the scale is logarithmic");
        match self.points {
            None => problems.require("points", "no number", sampled, "how many values; only sampled axes need none"),
            Some(points) => {
                problems.require(
                    "points",
                    points,
                    !sampled,
                    "no points beside `sampled`: `samples.points` says how many",
                );
                problems.integer("points", points.into(), 2..=MAX_POINTS);
            }
        }
    }
}

/// A number in a message: without its zeros if it has many.
fn short(number: f64) -> String {
    if number.abs() < 1e9 { number.to_string() } else { format!("{number:e}") }
}

impl Axis {
    /// The values it takes one after the other; none if they are drawn from a range.
    pub(super) fn listed(&self) -> Vec<Value> {
        match (&self.range, self.range.as_ref().and_then(|range| range.points)) {
            (Some(range), Some(points)) => {
                let last = f64::from(points.saturating_sub(1).max(1));
                (0..points).map(|index| range.at(f64::from(index) / last)).collect()
            }
            _ => self.values.clone(),
        }
    }

    /// Number of its values, before anything is drawn.
    pub(super) fn len(&self) -> u64 {
        self.range.as_ref().and_then(|range| range.points).map_or(self.values.len() as u64, u64::from)
    }

    /// The value of each key at one value of the axis.
    pub(super) fn key_values(&self, value: &Value) -> Vec<Value> {
        match value {
            Value::Array(own) if self.keys.len() > 1 => own.clone(),
            same => vec![same.clone(); self.keys.len()],
        }
    }

    pub(super) fn check(&self, before: &[Self], problems: &mut Problems) {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.name.is_empty() && self.name.chars().all(letter);
        problems.require("name", &self.name, named, "lower-case letters, digits, `_` and `-`");
        let new = before.iter().all(|other| other.name != self.name);
        problems.require("name", &self.name, new, "a name that no other axis has");
        problems.require("keys", "no keys", !self.keys.is_empty(), "at least one key of the experiment");
        for (index, key) in self.keys.iter().enumerate() {
            let mut others = before.iter().flat_map(|other| &other.keys).chain(&self.keys[..index]);
            // Keys may be shortened from the left.
            let same = |other: &String| {
                other == key || other.ends_with(&format!(".{key}")) || key.ends_with(&format!(".{other}"))
            };
            problems.require("keys", key, !others.any(same), "each key once, in one axis only");
            let relative = !key.starts_with("experiment.");
            problems.require("keys", key, relative, "a key below [experiment], without that word");
        }
        self.check_values(problems);
        self.check_company(before, problems);
    }

    fn check_values(&self, problems: &mut Problems) {
        let given = !self.values.is_empty() || self.range.is_some();
        problems.require("values", "no values", given, "at least one value");
        let both = !self.values.is_empty() && self.range.is_some();
        problems.require("range", "a range beside values", !both, "either `values` or `range`");
        if let Some(range) = &self.range {
            problems.within("range", |p| range.check(self.sampled, p));
        }
        for value in self.values.iter().filter_map(Value::as_array).filter(|_| self.keys.len() > 1) {
            let allowed = format!("one value for each of the {} keys", self.keys.len());
            problems.require("values", format!("{} values", value.len()), value.len() == self.keys.len(), allowed);
        }
        for (index, value) in self.values.iter().enumerate() {
            // Zipped axes are told apart by their company.
            let once = self.zip.is_some() || !self.values[..index].contains(value);
            problems.require("values", value, once, "each value once");
        }
    }

    fn check_company(&self, before: &[Self], problems: &mut Problems) {
        let alone = self.zip.is_none() || !self.sampled;
        problems.require(
            "zip",
            self.zip.as_deref().unwrap_or(""),
            alone,
            "no zip beside `sampled`, which is one already",
        );
        let together = |other: &&Self| (self.zip.is_some() && other.zip == self.zip) || (self.sampled && other.sampled);
        if let Some(first) = before.iter().find(together) {
            let allowed = format!("the conditions of `{}`, which it goes together with", first.name);
            problems.require("when", "other conditions", self.when == first.when, allowed);
            if self.zip.is_some() {
                let allowed = format!("as many values as `{}`: {}", first.name, first.len());
                problems.require("values", format!("{} values", self.len()), self.len() == first.len(), allowed);
            }
        }
        for (name, values) in &self.when {
            let axis = before.iter().find(|other| other.name == *name && !together(other) && !other.sampled);
            let allowed = "the name of an axis before it that is neither sampled nor zipped with it";
            problems.require("when", name, axis.is_some(), allowed);
            let known = axis.map(Self::listed).unwrap_or_default();
            for value in values.iter().filter(|_| axis.is_some()) {
                problems.require("when", value, known.contains(value), format!("a value of the axis `{name}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws of a thousand shares that lie evenly: every integer of a linear range comes as often, and in a logarithmic one as often as its part is wide.
    #[test]
    fn integers_are_drawn_from_equal_parts() {
        let counts = |scale, low: f64, high: f64| {
            let range = Range { low, high, points: None, scale, integer: true };
            let mut counts = vec![0; (high - low) as usize + 1];
            for share in 0..1000 {
                let number = range.drawn(f64::from(share) / 1000.0).as_integer().unwrap();
                counts[(number - low as i64) as usize] += 1;
            }
            counts
        };
        assert_eq!(counts(RangeScale::Linear, 4.0, 8.0), [200; 5]);
        assert_eq!(counts(RangeScale::Linear, 0.0, 1.0), [500; 2]);
        for (place, count) in counts(RangeScale::Logarithmic, 1.0, 8.0).into_iter().enumerate() {
            let middle = place as f64 + 1.0;
            let expected = 1000.0 * ((middle + 0.5) / (middle - 0.5)).ln() / 17.0_f64.ln();
            assert!((f64::from(count) - expected).abs() <= 1.0, "{middle}: {count}, expected are {expected}");
        }
    }
}
