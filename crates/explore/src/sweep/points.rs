//! The points of a sweep: experiments that are resolved when they are needed.

use serde::Serialize;
use toml::Value;

use super::Sweep;
use super::dimensions::Dimension;
use crate::config::ConfigError;
use crate::error::ExploreError;
use crate::experiment::Experiment;

/// The value of one axis at a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Name of the axis.
    pub axis: String,
    /// The value.
    pub value: Value,
}

/// One point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The values of the axes that take part, in the order of the axes.
    pub settings: Vec<Setting>,
    /// The resolved experiment.
    pub experiment: Experiment,
}

impl Point {
    /// The point in words, e.g. `adc_bits = 8, array_size = 32`.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.settings)
    }
}

impl Sweep {
    /// The values of the axes of some dimensions at some choices, in the order of the axes.
    pub(super) fn settings(
        &self,
        dimensions: &[Dimension],
        choices: impl Iterator<Item = (usize, u32)>,
    ) -> Vec<Setting> {
        let mut chosen: Vec<(usize, &Value)> = Vec::new();
        for (number, choice) in choices {
            let axes = dimensions[number].axes.iter().zip(&dimensions[number].values);
            // A dimension that is left out has no such choice.
            chosen.extend(axes.filter_map(|(&axis, values)| Some((axis, values.get(choice as usize)?))));
        }
        chosen.sort_by_key(|(axis, _)| *axis);
        let setting =
            |(axis, value): (usize, &Value)| Setting { axis: self.axes[axis].name.clone(), value: value.clone() };
        chosen.into_iter().map(setting).collect()
    }

    /// The keys that settings stand for, with their values.
    pub(super) fn overrides(&self, settings: &[Setting]) -> Vec<(String, Value)> {
        let of = |setting: &Setting| self.axes.iter().find(|axis| axis.name == setting.axis);
        let with_axes = settings.iter().filter_map(|setting| Some((of(setting)?, setting)));
        with_axes.flat_map(|(axis, setting)| axis.keys.iter().cloned().zip(axis.key_values(&setting.value))).collect()
    }
}

/// Settings in words.
pub(super) fn label(settings: &[Setting]) -> String {
    settings.iter().map(|setting| format!("{} = {}", setting.axis, setting.value)).collect::<Vec<_>>().join(", ")
}

/// What the name of a point in messages begins with.
pub(super) const POINT: &str = "sweep point ";

/// What messages call a point.
pub(super) fn at(settings: &[Setting]) -> String {
    format!("{POINT}{}", label(settings))
}

/// An error of a configuration that a point brought about.
pub(super) fn explain(at: String, error: &ConfigError) -> ExploreError {
    ConfigError::Override { at, message: error.to_string() }.into()
}
