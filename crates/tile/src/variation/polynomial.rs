//! Sigma as a polynomial of the nominal conductance: the form in which published fits come.

use super::{Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// `sigma = sigma_unit_s * max(0, sum_i c_i (G / argument_unit_s)^i)`, fitted on a range of G.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Coefficients, lowest power first.
    pub coefficients: Vec<f64>,
    /// Unit of the polynomial's argument, S.
    pub argument_unit_s: f64,
    /// Unit of the polynomial's value, S.
    pub sigma_unit_s: f64,
    /// Lowest conductance of the fit, S.
    pub fitted_min_s: f64,
    /// Highest conductance of the fit, S.
    pub fitted_max_s: f64,
}

impl VariationModel for Polynomial {
    fn moments(&self, state: &NominalState) -> Moments {
        let x = state.conductance_s / self.argument_unit_s;
        let value = self.coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
        Moments { mean_shift_s: 0.0, sigma_s: self.sigma_unit_s * value.max(0.0) }
    }

    fn check(&self, g_min_s: f64, g_max_s: f64, problems: &mut Problems) {
        let count = self.coefficients.len();
        problems.require("coefficients", format!("{count} values"), (1..=12).contains(&count), "1 to 12 values");
        for &c in &self.coefficients {
            problems.require("coefficients", c, c.is_finite(), "finite numbers");
        }
        problems.number("argument_unit_s", self.argument_unit_s, 1e-12..=1.0, "S");
        problems.number("sigma_unit_s", self.sigma_unit_s, 1e-12..=1.0, "S");
        // A rounding of the last digit must not refuse a range that ends where the fit ends.
        let inside = g_min_s >= self.fitted_min_s * (1.0 - 1e-9) && g_max_s <= self.fitted_max_s * (1.0 + 1e-9);
        problems.require(
            "fitted_min_s, fitted_max_s",
            format!("{:e} to {:e} S", self.fitted_min_s, self.fitted_max_s),
            inside,
            format!("must contain g_min_s to g_max_s ({g_min_s:e} to {g_max_s:e} S)"),
        );
    }

    fn supports(&self, _: usize) -> Result<(), String> {
        Ok(())
    }
}
