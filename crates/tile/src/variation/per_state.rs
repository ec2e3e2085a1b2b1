//! A table of states: what a laboratory measures on programmed cells.

use super::{Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// Mean shift and standard deviation of each state, lowest conductance first, in units of the level spacing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerState {
    /// Standard deviation of each state, in level spacings.
    pub sigma_levels: Vec<f64>,
    /// Mean shift of each state, in level spacings.
    pub mean_shift_levels: Vec<f64>,
}

impl VariationModel for PerState {
    fn moments(&self, state: &NominalState) -> Moments {
        let entry = |table: &[f64]| table.get(state.level).copied().unwrap_or(0.0) * state.spacing_s;
        Moments { mean_shift_s: entry(&self.mean_shift_levels), sigma_s: entry(&self.sigma_levels) }
    }

    fn check(&self, _: f64, _: f64, problems: &mut Problems) {
        let count = self.sigma_levels.len();
        let power = count.is_power_of_two() && (2..=256).contains(&count);
        problems.require("sigma_levels", format!("{count} values"), power, "2, 4, 8, ... or 256 values");
        let same = self.mean_shift_levels.len() == count;
        problems.require(
            "mean_shift_levels",
            format!("{} values", self.mean_shift_levels.len()),
            same,
            format!("as many values as sigma_levels ({count})"),
        );
        for &sigma in &self.sigma_levels {
            problems.number("sigma_levels", sigma, 0.0..=10.0, "level spacings");
        }
        for &shift in &self.mean_shift_levels {
            problems.number("mean_shift_levels", shift, -10.0..=10.0, "level spacings");
        }
    }

    fn supports(&self, levels: usize) -> Result<(), String> {
        if levels == self.sigma_levels.len() {
            return Ok(());
        }
        Err(format!("{} (its table has {} states)", self.sigma_levels.len().ilog2(), self.sigma_levels.len()))
    }
}
