//! No variation: the device of the exactness laws.

use super::{Conditions, Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// Every cell has exactly its nominal conductance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ideal {}

impl VariationModel for Ideal {
    fn moments(&self, _: &NominalState) -> Moments {
        Moments { mean_shift_s: 0.0, sigma_s: 0.0 }
    }

    fn check(&self, _: &Conditions, _: &mut Problems) {}
}
