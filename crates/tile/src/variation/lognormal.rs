//! Lognormal conductances, as filamentary cells near their high-resistance state show.

use super::{Conditions, Law, Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// `G = G_l exp(log_sigma xi)`: the median is the target, so that the mean lies above it by the factor `exp(log_sigma^2 / 2)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Standard deviation of `ln G`.
    pub log_sigma: f64,
}

impl VariationModel for Lognormal {
    fn moments(&self, state: &NominalState) -> Moments {
        self.law(state).moments(state.conductance_s)
    }

    fn law(&self, _: &NominalState) -> Law {
        Law::Lognormal { log_sigma: self.log_sigma }
    }

    fn check(&self, _: &Conditions, problems: &mut Problems) {
        problems.number("log_sigma", self.log_sigma, 0.0..=5.0, "");
    }
}
