//! The same sigma for every state.

use super::{Conditions, Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// `sigma = sigma_s`, whatever the conductance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Independent {
    /// Standard deviation, S.
    pub sigma_s: f64,
}

impl VariationModel for Independent {
    fn moments(&self, _: &NominalState) -> Moments {
        Moments { mean_shift_s: 0.0, sigma_s: self.sigma_s }
    }

    fn check(&self, _: &Conditions, problems: &mut Problems) {
        problems.number("sigma_s", self.sigma_s, 0.0..=1.0, "S");
    }
}
