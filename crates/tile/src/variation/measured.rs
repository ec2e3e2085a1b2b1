//! Raw measurements: the conductances of single cells, level by level.

use super::{Conditions, Moments, NominalState, VariationModel, serves};
use crate::check::Problems;
use crate::statistics::chi_square_quantile;
use serde::{Deserialize, Serialize};

/// Cells as they were measured. In a device file `file = "cells.csv"` stands for the table (see [`crate::variation::csv`]).
///
/// A programmed cell is drawn from a normal distribution with the mean and the standard deviation (of n - 1 degrees of freedom) of its
/// level. Levels need not be equally spaced: what a level's mean lacks to its nominal conductance is its mean shift. Like a table of
/// states, measured levels serve cells of fewer levels, which use the level with the nearest mean each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Conductances of the cells of each level, S; lowest level first, at least two cells a level.
    pub conductances_s: Vec<Vec<f64>>,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Measured {
    /// The cells of a state.
    fn cells(&self, state: &NominalState) -> &[f64] {
        if state.levels == self.conductances_s.len() {
            return self.conductances_s.get(state.level).map_or(&[], Vec::as_slice);
        }
        let distance = |cells: &&Vec<f64>| (mean(cells) - state.conductance_s).abs();
        self.conductances_s.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).map_or(&[], Vec::as_slice)
    }
}

impl Measured {
    /// The device's range must be that of the measurements: another one, or another unit, would make mean shifts of the difference.
    fn check_range(&self, conditions: &Conditions, problems: &mut Problems) {
        let (Some(first), Some(last)) = (self.conductances_s.first(), self.conductances_s.last()) else { return };
        let (g_min_s, g_max_s) = (conditions.g_min_s, conditions.g_max_s);
        let near = 0.5 * (g_max_s - g_min_s) / (self.conductances_s.len().max(2) - 1) as f64;
        let (low_s, high_s) = (mean(first), mean(last));
        let same = (low_s - g_min_s).abs() <= near && (high_s - g_max_s).abs() <= near;
        let found = format!("{low_s:.3e} to {high_s:.3e} S by the means of the outer levels");
        let allowed = format!("must be about g_min_s to g_max_s ({g_min_s:e} to {g_max_s:e} S); is the unit right?");
        problems.require("conductances_s", found, same, allowed);
    }
}

impl VariationModel for Measured {
    fn moments(&self, state: &NominalState) -> Moments {
        let cells = self.cells(state);
        let (n, mean_s) = (cells.len() as f64, mean(cells));
        let squares = cells.iter().map(|cell| (cell - mean_s) * (cell - mean_s)).sum::<f64>();
        Moments { mean_shift_s: mean_s - state.conductance_s, sigma_s: (squares / (n - 1.0)).sqrt() }
    }

    fn check(&self, conditions: &Conditions, problems: &mut Problems) {
        let count = self.conductances_s.len();
        problems.require("conductances_s", format!("{count} levels"), (2..=256).contains(&count), "2 to 256 levels");
        for (level, cells) in self.conductances_s.iter().enumerate() {
            let found = format!("{} cells of level {level}", cells.len());
            problems.require("conductances_s", found, cells.len() >= 2, "at least 2 cells a level");
            for &cell in cells {
                problems.number("conductances_s", cell, 0.0..=1.0, "S");
            }
        }
        self.check_range(conditions, problems);
        let fewest = self.conductances_s.iter().map(Vec::len).min().unwrap_or(0);
        if fewest >= 2 {
            let samples = conditions.samples_per_state;
            let wrong = format!("{samples} in the device");
            let allowed = format!("samples_per_state must be {fewest}, the fewest cells of a level");
            problems.require("conductances_s", wrong, u32::try_from(fewest) == Ok(samples), allowed);
        }
    }

    fn supports(&self, levels: usize) -> Result<(), String> {
        serves(self.conductances_s.len(), levels)
    }

    /// The mean square error `e^2 = mu^2 + sigma^2` of n normal cells is, to its first two moments, a multiple of a chi-square variable
    /// with `f = (n - 1) e^4 / (sigma^4 + 2 mu^2 sigma^2)` degrees of freedom (Patnaik, Biometrika 36, 1949); without a mean shift this is
    /// the exact interval of a standard deviation.
    fn error_factors95(&self, state: &NominalState, _: u32) -> (f64, f64) {
        let Moments { mean_shift_s, sigma_s } = self.moments(state);
        let (shift, variance) = (mean_shift_s * mean_shift_s, sigma_s * sigma_s);
        let spread = variance * (variance + 2.0 * shift);
        if spread <= 0.0 {
            return (1.0, 1.0);
        }
        let cells = self.cells(state).len() as f64;
        // So many degrees of freedom make the interval vanish; more would only take time.
        let freedom = ((cells - 1.0) * (shift + variance) * (shift + variance) / spread).min(1e6);
        let factor = |probability| (freedom / chi_square_quantile(probability, freedom)).sqrt();
        (factor(0.975), factor(0.025))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five unevenly spaced levels of two cells each, in uS.
    fn measured() -> Measured {
        Measured { conductances_s: [3.0, 14.0, 33.0, 52.0, 60.0].map(|g: f64| vec![g * 0.9e-6, g * 1.1e-6]).to_vec() }
    }

    fn problems(g_min_s: f64, g_max_s: f64) -> usize {
        let mut problems = Problems::default();
        let conditions = Conditions { g_min_s, g_max_s, read_after_s: 0.0, samples_per_state: 2 };
        measured().check(&conditions, &mut problems);
        problems.found.len()
    }

    #[test]
    fn another_range_or_another_unit_is_refused() {
        assert_eq!(problems(3e-6, 60e-6), 0);
        assert_eq!((problems(3e-6, 30e-6), problems(20e-6, 60e-6), problems(3.0e-12, 60e-12)), (1, 1, 1));
    }

    /// Of levels at 3, 22, 41 and 60 uS the nearest means are those of 3, 14, 33 and 60 uS.
    #[test]
    fn fewer_levels_use_the_nearest_means() {
        let shift = |level: usize| {
            let spacing_s = 19e-6;
            let conductance_s = 3e-6 + level as f64 * spacing_s;
            let state = NominalState { level, levels: 4, conductance_s, spacing_s, read_after_s: 0.0 };
            measured().moments(&state).mean_shift_s * 1e6
        };
        for (level, expected) in [0.0, -8.0, -8.0, 0.0].into_iter().enumerate() {
            assert!((shift(level) - expected).abs() < 1e-9, "{level}: {}", shift(level));
        }
    }
}
