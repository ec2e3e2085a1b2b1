//! A converter that decides one bit after the other, whose time and energy are linear in the bits: `base + step * bits`. Where it integrates the
//! pulses of the input itself, each bit of the digit that the pulses stand for costs energy, too; their time is the input's.

use super::{AdcCost, check_range, covers};
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// Time and energy per bit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerBitPrices {
    /// Time of a conversion besides its bits, s.
    pub base_time_s: f64,
    /// Time of a bit, s.
    pub bit_time_s: f64,
    /// Energy of a conversion besides its bits, J.
    pub base_energy_j: f64,
    /// Energy of a bit, J.
    pub bit_energy_j: f64,
    /// Energy of integrating one bit of an input digit before it is converted, J.
    pub digit_bit_energy_j: f64,
    /// Area of a converter, m2.
    pub area_m2: f64,
    /// Static power of a converter, W.
    pub leakage_w: f64,
    /// Fewest bits.
    pub min_bits: u32,
    /// Most bits.
    pub max_bits: u32,
}

impl PerBitPrices {
    /// Costs at a resolution.
    ///
    /// # Errors
    /// Below `min_bits` and above `max_bits`.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        covers(bits, (self.min_bits, self.max_bits))?;
        Ok(AdcCost {
            bits,
            energy_j: self.base_energy_j + self.bit_energy_j * f64::from(bits),
            area_m2: self.area_m2,
            leakage_w: self.leakage_w,
            conversion_time_s: self.conversion_time_s(bits),
        })
    }

    /// Time of one conversion, s.
    #[must_use]
    pub fn conversion_time_s(&self, bits: u32) -> f64 {
        self.base_time_s + self.bit_time_s * f64::from(bits)
    }
}

impl Check for PerBitPrices {
    fn check(&self, problems: &mut Problems) {
        problems.number("base_time_s", self.base_time_s, 0.0..=1e-3, "s");
        problems.number("bit_time_s", self.bit_time_s, 0.0..=1e-3, "s");
        problems.number("base_energy_j", self.base_energy_j, 0.0..=1e-3, "J");
        problems.number("bit_energy_j", self.bit_energy_j, 0.0..=1e-3, "J");
        problems.number("digit_bit_energy_j", self.digit_bit_energy_j, 0.0..=1e-3, "J");
        problems.number("area_m2", self.area_m2, 0.0..=1e-2, "m2");
        problems.number("leakage_w", self.leakage_w, 0.0..=1.0, "W");
        check_range((self.min_bits, self.max_bits), problems);
    }
}
