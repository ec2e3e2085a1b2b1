//! Raw measurements: the conductances of single cells, level by level.

use super::{Conditions, Moments, NominalState, VariationModel, nearest_state, serves};
use crate::check::Problems;
use crate::statistics::chi_square_quantile;
use serde::{Deserialize, Serialize};

/// Cells as they were measured. In a device file `file = "cells.csv"` stands for the table (see [`crate::variation::csv`]).
///
/// A programmed cell is drawn from a normal distribution with the mean and the standard deviation (of n - 1 degrees of freedom) of its
/// level. Levels need not be equally spaced: what a level's mean lacks to its nominal conductance is its mean shift. Like a table of
/// states, measured levels serve cells of fewer levels, which use the nearest measured level each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Conductances of the cells of each level, S; lowest level first, at least two cells a level.
    pub conductances_s: Vec<Vec<f64>>,
}

impl Measured {
    /// The cells of a state.
    fn cells(&self, state: &NominalState) -> &[f64] {
        let index = nearest_state(self.conductances_s.len(), state.level, state.levels);
        self.conductances_s.get(index).map_or(&[], Vec::as_slice)
    }
}

impl VariationModel for Measured {
    fn moments(&self, state: &NominalState) -> Moments {
        let cells = self.cells(state);
        let n = cells.len() as f64;
        let mean_s = cells.iter().sum::<f64>() / n;
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
