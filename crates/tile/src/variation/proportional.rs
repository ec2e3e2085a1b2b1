//! Sigma proportional to the conductance, the customary assumption of studies without measurements.

use super::{Conditions, Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// `sigma = relative_sigma G`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proportional {
    /// Standard deviation relative to the nominal conductance.
    pub relative_sigma: f64,
}

impl VariationModel for Proportional {
    fn moments(&self, state: &NominalState) -> Moments {
        Moments { mean_shift_s: 0.0, sigma_s: self.relative_sigma * state.conductance_s }
    }

    fn check(&self, _: &Conditions, problems: &mut Problems) {
        problems.number("relative_sigma", self.relative_sigma, 0.0..=10.0, "");
    }
}
