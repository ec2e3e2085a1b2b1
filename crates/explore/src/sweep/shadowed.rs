//! Arguments of `--set` that would have no effect, because an axis sets the same key at every point.

use toml::Value;

use super::dimensions::dimensions;
use super::{Axis, Sweep};
use crate::config::{ConfigError, KeyPath, PRESET, places, with_unchecked_overrides};
use crate::error::ExploreError;
use crate::experiment::Experiment;

/// Refuses arguments of `--set` that an axis makes void: those of its own keys, and those below a table that it replaces by presets.
///
/// # Errors
/// If there is one.
pub fn refuse_shadowed(sweep: &Sweep, arguments: &[String]) -> Result<(), ExploreError> {
    let axes = dimensions(sweep);
    let firsts = axes.iter().flat_map(|dimension| dimension.axes.iter().zip(&dimension.values));
    // An axis that takes no part at some points leaves the key to the experiment there.
    let everywhere =
        firsts.map(|(&number, values)| (&sweep.axes[number], values)).filter(|(axis, _)| axis.when.is_empty());
    let claims: Vec<(&Axis, Vec<KeyPath>)> =
        everywhere.map(|(axis, values)| (axis, claims(&sweep.experiment, axis, values))).collect();
    for argument in arguments {
        let to = of_experiment(argument).and_then(|argument| places(&sweep.experiment, argument)).unwrap_or_default();
        let claimed =
            |(_, claims): &&(&Axis, Vec<KeyPath>)| to.iter().any(|to| claims.iter().any(|claim| to.starts_with(claim)));
        if let Some((axis, _)) = claims.iter().find(claimed) {
            let number = sweep.axes.iter().position(|other| other.name == axis.name).unwrap_or_default();
            let whole =
                if axis.keys.iter().any(|key| key.ends_with(PRESET)) { ", a preset its whole table" } else { "" };
            let message = format!(
                "has no effect: axis `{}` sets {} at every point{whole}; other values for it by --set axes.{number}.values=[...]",
                axis.name,
                axis.keys.join(", ")
            );
            return Err(ConfigError::Override { at: format!("--set {argument}"), message }.into());
        }
    }
    Ok(())
}

/// The argument as one of the experiment, unless it is one of the sweep itself.
fn of_experiment(argument: &str) -> Option<&str> {
    let below = argument.trim_start().strip_prefix("experiment.").unwrap_or(argument);
    let first = below.split(['.', '=']).next().unwrap_or_default().trim();
    (!["name", "doc", "axes", "samples", "target_ci", "most_chips", "plot"].contains(&first)).then_some(below)
}

/// The keys that nothing else reaches, and the tables that presets replace.
fn claims(experiment: &Experiment, axis: &Axis, values: &[Value]) -> Vec<KeyPath> {
    let first = values.first().map_or_else(Vec::new, |value| axis.key_values(value));
    let of_key = |(key, value): (&String, Value)| {
        // A table may leave keys to the experiment.
        let whole = !value.is_table() || key.ends_with(PRESET);
        let found = with_unchecked_overrides(experiment, &[(key.clone(), value)]).ok()?;
        whole.then_some(found.paths)
    };
    axis.keys.iter().zip(first).filter_map(of_key).flatten().collect()
}
