//! The points of a sweep: resolved experiments in a fixed order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use toml::Value;

use super::Sweep;
use crate::config::{ConfigError, with_overrides};
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
    /// The values of the axes, in the order of the axes.
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

    /// An error of this point, which then says so.
    pub(super) fn error(&self, error: ExploreError) -> ExploreError {
        let at = format!("sweep point {}", self.label());
        match error {
            ExploreError::Config(error) => explain(at, &error),
            error => ExploreError::Request(format!("{at}: {error}")),
        }
    }
}

impl Sweep {
    /// All points: every combination of the values of the axes, the first axis outermost.
    ///
    /// # Errors
    /// If an axis does not fit the experiment, a point is not allowed, or two points are the same.
    pub fn points(&self) -> Result<Vec<Point>, ExploreError> {
        let points = self.combinations().into_iter().map(|values| self.point(&values));
        let points: Vec<Point> = points.collect::<Result<_, _>>()?;
        demand_distinct(&points)?;
        Ok(points)
    }

    fn combinations(&self) -> Vec<Vec<&Value>> {
        let extend = |shorter: Vec<Vec<_>>, values| {
            let longer = |start: &Vec<_>| with_each(start, values);
            shorter.iter().flat_map(longer).collect()
        };
        self.axes.iter().map(|axis| axis.values.as_slice()).fold(vec![Vec::new()], extend)
    }

    fn point(&self, values: &[&Value]) -> Result<Point, ExploreError> {
        let with_values = || self.axes.iter().zip(values);
        let setting =
            |(axis, value): (&super::Axis, &&Value)| Setting { axis: axis.name.clone(), value: (*value).clone() };
        let settings: Vec<Setting> = with_values().map(setting).collect();
        let overrides: Vec<(String, Value)> =
            with_values().flat_map(|(axis, value)| axis.keys.iter().cloned().zip(axis.key_values(value))).collect();
        match with_overrides(&self.experiment, &overrides) {
            Ok(experiment) => Ok(Point { settings, experiment }),
            Err(error) => Err(explain(format!("sweep point {}", label(&settings)), &error)),
        }
    }
}

fn with_each<'a>(start: &[&'a Value], values: &'a [Value]) -> Vec<Vec<&'a Value>> {
    values.iter().map(|value| start.iter().copied().chain([value]).collect()).collect()
}

fn label(settings: &[Setting]) -> String {
    settings.iter().map(|setting| format!("{} = {}", setting.axis, setting.value)).collect::<Vec<_>>().join(", ")
}

fn explain(at: String, error: &ConfigError) -> ExploreError {
    ConfigError::Override { at, message: error.to_string() }.into()
}

/// Two axes may set one key by two of its names; one of them then has no effect.
fn demand_distinct(points: &[Point]) -> Result<(), ExploreError> {
    let mut seen: BTreeMap<String, &Point> = BTreeMap::new();
    for point in points {
        let table = toml::Table::try_from(&point.experiment);
        let table = table.map_err(|error| ConfigError::Unwritable(error.to_string()))?;
        match seen.entry(table.to_string()) {
            Entry::Vacant(free) => drop(free.insert(point)),
            Entry::Occupied(same) => {
                let at = format!("sweep points `{}` and `{}`", same.get().label(), point.label());
                let message = "the same experiment; two axes set one key, or a value is written twice".to_owned();
                return Err(ConfigError::Override { at, message }.into());
            }
        }
    }
    Ok(())
}
