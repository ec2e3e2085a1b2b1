//! Power of a SAR converter fitted to circuit simulations: NeuroSim (Chen, Peng and Yu, IEEE TCAD 2018), the converter of DNN+NeuroSim V1.4.
//!
//! `P = (p1 bits + p0 + c e^(d log10 R)) (1 + t (T - 300 K))` with R the resistance of the column; a conversion takes one period for each
//! bit and one more, `E = P (bits + 1) t_bit`. Its area is a number of minimum transistors, linear in the bits.

use super::{AdcCost, check_range, covers};
use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// Coefficients and operating point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SarPowerPrices {
    /// Name of the node in `nodes`.
    pub node: String,
    /// Resistance of a column of cells as the converter sees it, Ohm, at the 0.5 V of the simulations; at another read voltage V times 0.5 / V.
    pub column_resistance_ohm: f64,
    /// Temperature, K.
    pub temperature_k: f64,
    /// Relative rise of the power per kelvin above 300 K.
    pub power_per_k: f64,
    /// Duration of one of the `bits + 1` periods, s.
    pub period_s: f64,
    /// Minimum transistors of a converter of one bit.
    pub transistors: f64,
    /// Minimum transistors of each further bit.
    pub transistors_per_bit: f64,
    /// Fewest bits.
    pub min_bits: u32,
    /// Most bits.
    pub max_bits: u32,
    /// The technology nodes.
    pub nodes: Vec<SarNode>,
}

/// One technology node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SarNode {
    /// Name.
    pub name: String,
    /// Power per bit, W.
    pub per_bit_w: f64,
    /// Power at 0 bits, W.
    pub fixed_w: f64,
    /// Power of the column current at 1 Ohm, W.
    pub column_w: f64,
    /// Its exponent: per decimal logarithm of the resistance in Ohm, a natural exponent.
    pub column_exponent: f64,
    /// Area of a minimum transistor with its share of the cell height, m2.
    pub transistor_area_m2: f64,
}

impl SarPowerPrices {
    /// Costs at a resolution; the source counts no leakage.
    ///
    /// # Errors
    /// Below `min_bits` and above `max_bits`, and for an unknown node.
    pub fn at(&self, bits: u32) -> Result<AdcCost, String> {
        covers(bits, (self.min_bits, self.max_bits))?;
        let node = self.node()?;
        let column_w = node.column_w * libm::exp(node.column_exponent * libm::log10(self.column_resistance_ohm));
        let power_w = (node.per_bit_w * f64::from(bits) + node.fixed_w + column_w)
            * (1.0 + self.power_per_k * (self.temperature_k - 300.0));
        let conversion_time_s = self.conversion_time_s(bits);
        let transistors = self.transistors + self.transistors_per_bit * (f64::from(bits) - 1.0);
        Ok(AdcCost {
            bits,
            energy_j: power_w * conversion_time_s,
            area_m2: transistors * node.transistor_area_m2,
            leakage_w: 0.0,
            conversion_time_s,
        })
    }

    /// Time of one conversion, s.
    #[must_use]
    pub fn conversion_time_s(&self, bits: u32) -> f64 {
        (f64::from(bits) + 1.0) * self.period_s
    }

    fn node(&self) -> Result<&SarNode, String> {
        let known = || self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        self.nodes.iter().find(|node| node.name == self.node).ok_or_else(|| format!("one of {}", known()))
    }
}

impl Check for SarPowerPrices {
    fn check(&self, problems: &mut Problems) {
        if let Err(allowed) = self.node() {
            problems.require("node", &self.node, false, allowed);
        }
        problems.number("column_resistance_ohm", self.column_resistance_ohm, 1.0..=1e12, "Ohm");
        problems.number("temperature_k", self.temperature_k, 200.0..=500.0, "K");
        problems.number("power_per_k", self.power_per_k, 0.0..=0.01, "per K");
        problems.number("period_s", self.period_s, 0.0..=1e-4, "s");
        problems.number("transistors", self.transistors, 0.0..=1e6, "");
        problems.number("transistors_per_bit", self.transistors_per_bit, 0.0..=1e6, "");
        check_range((self.min_bits, self.max_bits), problems);
        for node in &self.nodes {
            problems.within("nodes", |p| {
                p.number("per_bit_w", node.per_bit_w, 0.0..=1.0, "W");
                p.number("fixed_w", node.fixed_w, 0.0..=1.0, "W");
                p.number("column_w", node.column_w, 0.0..=1e3, "W");
                p.number("column_exponent", node.column_exponent, -100.0..=0.0, "");
                p.number("transistor_area_m2", node.transistor_area_m2, 0.0..=1e-6, "m2");
            });
        }
    }
}
