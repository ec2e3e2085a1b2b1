//! How much the converters of a chip differ from ideal ones and from each other.

use super::AdcKind;
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// Most bits of a converter with non-idealities: each instance keeps all its thresholds (32 KB at 12 bits).
pub const MAX_NONIDEAL_BITS: u64 = 12;

/// Spread of the converters of a chip; every sigma in codes (LSB) unless it says otherwise. A key that is left out is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NonIdealities {
    /// Sigma of the gain error, relative: a converter reads `(1 + g) * sum`.
    pub gain_sigma: f64,
    /// Sigma of the offset, codes: a converter reads `sum + o`.
    pub offset_sigma_codes: f64,
    /// Sigma of a unit capacitor, relative; `sar` only.
    pub capacitor_sigma: f64,
    /// Sigma of the offset of each comparator, codes; `flash` only.
    pub comparator_sigma_codes: f64,
    /// Sigma of the ramp's bow, codes: its integral non-linearity at mid scale; `ramp` only.
    pub ramp_curvature_sigma_codes: f64,
    /// Thermal noise, codes rms, drawn anew in every conversion.
    pub noise_sigma_codes: f64,
}

impl NonIdealities {
    /// Ideal converters.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether every sigma is 0, so that each converter is exactly its [`super::AdcTransfer`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::none()
    }

    /// Whether the thresholds of a converter of `kind` do not lie evenly.
    #[must_use]
    pub fn bends(&self, kind: AdcKind) -> bool {
        match kind {
            AdcKind::Ideal => false,
            AdcKind::Sar => self.capacitor_sigma > 0.0,
            AdcKind::Flash => self.comparator_sigma_codes > 0.0,
            AdcKind::Ramp => self.ramp_curvature_sigma_codes > 0.0,
        }
    }

    /// Adds the problems of these non-idealities in converters of `kind` with `bits` bits.
    pub fn check(&self, kind: AdcKind, bits: u32, problems: &mut Problems) {
        problems.number("gain_sigma", self.gain_sigma, 0.0..=0.2, "(relative)");
        problems.number("offset_sigma_codes", self.offset_sigma_codes, 0.0..=1e4, "codes");
        problems.number("capacitor_sigma", self.capacitor_sigma, 0.0..=0.2, "(relative)");
        problems.number("comparator_sigma_codes", self.comparator_sigma_codes, 0.0..=1e4, "codes");
        problems.number("ramp_curvature_sigma_codes", self.ramp_curvature_sigma_codes, 0.0..=1e4, "codes");
        problems.number("noise_sigma_codes", self.noise_sigma_codes, 0.0..=1e4, "codes");
        let only = |key: &str, value: f64, owner: Option<AdcKind>, problems: &mut Problems| {
            let fits = value == 0.0 || (kind != AdcKind::Ideal && owner.is_none_or(|owner| owner == kind));
            let allowed = match owner {
                Some(owner) => format!("0 unless kind = \"{}\"", owner.name()),
                None => "0 if kind = \"ideal\"".to_owned(),
            };
            problems.require(key, value, fits, allowed);
        };
        only("gain_sigma", self.gain_sigma, None, problems);
        only("offset_sigma_codes", self.offset_sigma_codes, None, problems);
        only("noise_sigma_codes", self.noise_sigma_codes, None, problems);
        only("capacitor_sigma", self.capacitor_sigma, Some(AdcKind::Sar), problems);
        only("comparator_sigma_codes", self.comparator_sigma_codes, Some(AdcKind::Flash), problems);
        only("ramp_curvature_sigma_codes", self.ramp_curvature_sigma_codes, Some(AdcKind::Ramp), problems);
        let known = self.is_none() || u64::from(bits) <= MAX_NONIDEAL_BITS;
        let allowed = format!("all 0 for converters of more than {MAX_NONIDEAL_BITS} bits");
        problems.require("gain_sigma", format!("{} and others, at {bits} bits", self.gain_sigma), known, allowed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(nonideal: NonIdealities, kind: AdcKind, bits: u32) -> Vec<String> {
        let mut problems = Problems::default();
        problems.within("nonideal", |p| nonideal.check(kind, bits, p));
        problems.found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_error_that_the_architecture_cannot_have_is_refused() {
        let sar = NonIdealities { capacitor_sigma: 0.01, gain_sigma: 0.01, ..NonIdealities::none() };
        assert!(problems(sar, AdcKind::Sar, 12).is_empty());
        assert_eq!(
            problems(sar, AdcKind::Ramp, 12),
            ["nonideal.capacitor_sigma = 0.01 is not allowed: 0 unless kind = \"sar\""]
        );
        assert_eq!(problems(sar, AdcKind::Ideal, 12).len(), 2);
        assert!(problems(sar, AdcKind::Sar, 13)[0].ends_with("all 0 for converters of more than 12 bits"));
        assert!(problems(NonIdealities::none(), AdcKind::Ideal, 21).is_empty());
    }

    #[test]
    fn what_is_no_sigma_is_refused() {
        for value in [-0.1, f64::NAN, f64::INFINITY] {
            let bad = NonIdealities { noise_sigma_codes: value, ..NonIdealities::none() };
            assert!(problems(bad, AdcKind::Sar, 8)[0].contains("noise_sigma_codes"));
        }
    }
}
