//! A table over the resolution.

use super::{AdcCost, MAX_ADC_BITS};
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// A price for each resolution that the source covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePrices {
    /// Time of one conversion, s.
    pub conversion_time_s: f64,
    /// The rows.
    pub costs: Vec<TableRow>,
}

/// Costs at one resolution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// Resolution, bits.
    pub bits: u32,
    /// Energy of one conversion, J.
    pub energy_j: f64,
    /// Area of one converter, m2.
    pub area_m2: f64,
    /// Leakage power of one converter, W.
    pub leakage_w: f64,
}

impl TablePrices {
    /// Costs at a resolution.
    ///
    /// # Errors
    /// If no row has it; the text says which have.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        let known = || self.costs.iter().map(|row| row.bits.to_string()).collect::<Vec<_>>().join(", ");
        let row = self.costs.iter().find(|row| row.bits == bits).ok_or_else(|| format!("one of {}", known()))?;
        let TableRow { bits, energy_j, area_m2, leakage_w } = *row;
        Ok(AdcCost { bits, energy_j, area_m2, leakage_w, conversion_time_s: self.conversion_time_s })
    }
}

impl Check for TablePrices {
    fn check(&self, problems: &mut Problems) {
        problems.number("conversion_time_s", self.conversion_time_s, 0.0..=1e-3, "s");
        problems.require("costs", "no rows", !self.costs.is_empty(), "at least one resolution");
        for row in &self.costs {
            problems.within("costs", |p| {
                p.integer("bits", u64::from(row.bits), 1..=MAX_ADC_BITS);
                p.number("energy_j", row.energy_j, 0.0..=1e-3, "J");
                p.number("area_m2", row.area_m2, 0.0..=1e-2, "m2");
                p.number("leakage_w", row.leakage_w, 0.0..=1.0, "W");
            });
        }
    }
}
