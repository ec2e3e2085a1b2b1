//! A flash converter: `2^bits - 1` comparators decide at once.

use super::{AdcCost, check_range, covers};
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// The price of a comparator; the encoder behind them is not priced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparatorPrices {
    /// Energy of one comparison, J.
    pub comparator_energy_j: f64,
    /// Area of one comparator, m2.
    pub comparator_area_m2: f64,
    /// Leakage power of one comparator, W.
    pub comparator_leakage_w: f64,
    /// Time of one conversion, which is one comparison, s.
    pub conversion_time_s: f64,
    /// Fewest bits.
    pub min_bits: u32,
    /// Most bits.
    pub max_bits: u32,
}

impl ComparatorPrices {
    /// Costs at a resolution.
    ///
    /// # Errors
    /// Below `min_bits` and above `max_bits`.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        covers(bits, (self.min_bits, self.max_bits))?;
        let comparators = ((1_u64 << bits.min(63)) - 1) as f64;
        Ok(AdcCost {
            bits,
            energy_j: comparators * self.comparator_energy_j,
            area_m2: comparators * self.comparator_area_m2,
            leakage_w: comparators * self.comparator_leakage_w,
            conversion_time_s: self.conversion_time_s,
        })
    }
}

impl Check for ComparatorPrices {
    fn check(&self, problems: &mut Problems) {
        problems.number("comparator_energy_j", self.comparator_energy_j, 0.0..=1e-6, "J");
        problems.number("comparator_area_m2", self.comparator_area_m2, 0.0..=1e-6, "m2");
        problems.number("comparator_leakage_w", self.comparator_leakage_w, 0.0..=1e-3, "W");
        problems.number("conversion_time_s", self.conversion_time_s, 0.0..=1e-3, "s");
        check_range((self.min_bits, self.max_bits), problems);
    }
}
