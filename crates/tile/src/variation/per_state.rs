//! A table of states: what a laboratory measures on programmed cells.

use super::{Conditions, Moments, NominalState, VariationModel, nearest_state, serves};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// Mean shift and standard deviation of each state, lowest conductance first, in units of the spacing of the table's states.
///
/// A table of N states also serves cells of fewer levels, which use the nearest state of the table each: its variation in siemens, and as part
/// of the mean shift what its place differs from the level's. Where `(N - 1) / (L - 1)` is a whole number nothing differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerState {
    /// Standard deviation of each state, in level spacings.
    pub sigma_levels: Vec<f64>,
    /// Mean shift of each state, in level spacings.
    pub mean_shift_levels: Vec<f64>,
    /// Conductances of the first and the last state as they were measured, S; then the device has exactly this range. Left out, the table
    /// belongs to any range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_range_s: Option<[f64; 2]>,
}

impl VariationModel for PerState {
    fn moments(&self, state: &NominalState) -> Moments {
        let (count, steps) = (self.sigma_levels.len(), (state.levels - 1) as f64);
        let index = nearest_state(count, state.level, state.levels);
        let table_spacing_s = state.spacing_s * steps / (count - 1) as f64;
        let entry = |table: &[f64]| table.get(index).copied().unwrap_or(0.0) * table_spacing_s;
        // Of whole numbers, so that it is exactly 0 where a level has its place in the table.
        let aside = (index * (state.levels - 1)) as f64 - (state.level * (count - 1)) as f64;
        let aside_s = aside / steps * table_spacing_s;
        Moments { mean_shift_s: entry(&self.mean_shift_levels) + aside_s, sigma_s: entry(&self.sigma_levels) }
    }

    fn check(&self, conditions: &Conditions, problems: &mut Problems) {
        if let Some([low_s, high_s]) = self.measured_range_s {
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
            let same = near(conditions.g_min_s, low_s) && near(conditions.g_max_s, high_s);
            let found = format!("{low_s:e} to {high_s:e} S");
            let allowed =
                format!("must be g_min_s to g_max_s ({:e} to {:e} S)", conditions.g_min_s, conditions.g_max_s);
            problems.require("measured_range_s", found, same, allowed);
        }
        let count = self.sigma_levels.len();
        problems.require("sigma_levels", format!("{count} values"), (2..=256).contains(&count), "2 to 256 values");
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
        serves(self.sigma_levels.len(), levels)
    }
}
