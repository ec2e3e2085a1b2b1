//! Where two fits of the same measurements differ, and by how much.

use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// Another fit of the same measurements, beside this device's: what the choice of a fitted form is worth. A record for the reader; the
/// tests recompute its numbers from the two files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitUncertainty {
    /// Name of the preset with the other fit.
    pub other: String,
    /// What the two have in common and where they differ.
    pub note: String,
    /// Conductances that are compared, S; they may lie outside the fitted ranges where that shows how the fits part.
    pub conductances_s: Vec<f64>,
    /// Sigma of this fit there, S.
    pub sigma_s: Vec<f64>,
    /// Sigma of the other fit there, S.
    pub other_sigma_s: Vec<f64>,
}

impl FitUncertainty {
    /// Adds the problems of the table.
    pub(super) fn check(&self, problems: &mut Problems) {
        let count = self.conductances_s.len();
        problems.require("conductances_s", format!("{count} values"), count >= 1, "at least 1 value");
        for (key, values) in [("sigma_s", &self.sigma_s), ("other_sigma_s", &self.other_sigma_s)] {
            let same = values.len() == count;
            problems.require(
                key,
                format!("{} values", values.len()),
                same,
                format!("as many as conductances_s ({count})"),
            );
        }
        for (key, values) in [
            ("conductances_s", &self.conductances_s),
            ("sigma_s", &self.sigma_s),
            ("other_sigma_s", &self.other_sigma_s),
        ] {
            for &value in values {
                problems.number(key, value, 0.0..=1.0, "S");
            }
        }
    }
}
