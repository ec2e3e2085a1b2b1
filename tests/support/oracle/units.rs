//! CrossSim's normalised units and the product's.

use super::case::Case;

/// Conversions of one case. Normalised: `G_max` and full-scale inputs are 1, `G_min` is `g_min`.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    g_min: f64,
    /// Highest level of a cell.
    top_level: f64,
    /// Highest digit that stands for full scale in a conversion.
    top_digit: f64,
}

impl Units {
    /// Inputs that are converted digit by digit reach full scale with the highest digit; what is accumulated in analog before the one
    /// conversion does with the highest code.
    pub(crate) fn new(case: &Case) -> Self {
        let bits = if case.params.adc_per_ibit { case.dac_bits() } else { case.magnitude_bits() };
        let levels = (1_u32 << case.cell_bits()) - 1;
        Self { g_min: case.params.gmin, top_level: f64::from(levels), top_digit: f64::from((1_u32 << bits) - 1) }
    }

    /// Level spacings above `G_min` of a conductance.
    pub(crate) fn level(&self, conductance: f64) -> f64 {
        (conductance - self.g_min) / (1.0 - self.g_min) * self.top_level
    }

    /// Conductance of a level.
    pub(crate) fn conductance(&self, level: f64) -> f64 {
        self.g_min + (1.0 - self.g_min) * level / self.top_level
    }

    /// `G_min` in level spacings.
    pub(crate) fn baseline_levels(&self) -> f64 {
        self.g_min / (1.0 - self.g_min) * self.top_level
    }

    /// Column sum (level spacings times DAC steps) of a current.
    pub(crate) fn sum(&self, current: f64) -> f64 {
        current / (1.0 - self.g_min) * self.top_level * self.top_digit
    }

    /// Current of a column sum.
    pub(crate) fn current(&self, sum: f64) -> f64 {
        sum * (1.0 - self.g_min) / (self.top_level * self.top_digit)
    }
}
