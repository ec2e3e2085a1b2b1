//! The output side: from a column sum to a code, by an ideal converter or by a physical one with its own errors.
//!
//! Without non-idealities every architecture is the same mid-tread quantiser, [`AdcTransfer`]. With them each architecture errs in its own
//! way: `sar` by the mismatch of its capacitors, `flash` by the offsets of its comparators, `ramp` by the bow of its ramp; all by a
//! gain, an offset and thermal noise. Whatever the architecture, a [`Converter`] is the list of the inputs at which its code changes.

mod bank;
mod converter;
mod flash;
mod nonideal;
mod ramp;
mod sar;
mod seen;
mod statistics;
mod transfer;

pub use bank::{AdcBank, AdcBlock};
pub use converter::Converter;
pub use nonideal::{MAX_NONIDEAL_BITS, NonIdealities};
pub use seen::{CodesSeen, SeenBlock};
pub use statistics::ErrorStatistics;
pub use transfer::{AdcTransfer, round_half_even};
pub(crate) use transfer::{off_scale, on_scale, rounded_on_scale, within};

use serde::{Deserialize, Serialize};

/// The architecture of a converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdcKind {
    /// No quantisation and no clipping: the sum itself is passed on, in steps. Priced as a converter of the configured bits.
    Ideal,
    /// Successive approximation with a binary-weighted capacitor array.
    Sar,
    /// One comparator per threshold.
    Flash,
    /// One comparator and a counter against a common ramp.
    Ramp,
}

impl AdcKind {
    /// The name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ideal => "ideal",
            Self::Sar => "sar",
            Self::Flash => "flash",
            Self::Ramp => "ramp",
        }
    }
}

/// Every architecture with its description, in the order they are listed to users.
pub const ADC_KINDS: &[(AdcKind, &str)] = &[
    (AdcKind::Ideal, "no quantisation and no clipping; priced as a converter of the configured bits"),
    (AdcKind::Sar, "successive approximation; errs by the mismatch of its binary-weighted capacitors"),
    (AdcKind::Flash, "one comparator per threshold; errs by their offsets, always monotone"),
    (AdcKind::Ramp, "one comparator against a ramp; errs by the ramp's bow, always monotone"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_kind_once() {
        let names: Vec<&str> = ADC_KINDS.iter().map(|(kind, _)| kind.name()).collect();
        assert_eq!(names, ["ideal", "sar", "flash", "ramp"]);
    }
}
