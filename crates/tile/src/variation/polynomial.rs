//! Sigma as a polynomial of the nominal conductance: the form in which published fits come.

use super::{Conditions, Moments, NominalState, VariationModel};
use crate::check::Problems;
use crate::curve::{check_coefficients, polynomial};
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
        let value = polynomial(&self.coefficients, state.conductance_s / self.argument_unit_s);
        Moments { mean_shift_s: 0.0, sigma_s: self.sigma_unit_s * value.max(0.0) }
    }

    fn check(&self, conditions: &Conditions, problems: &mut Problems) {
        check_coefficients("coefficients", &self.coefficients, problems);
        problems.number("argument_unit_s", self.argument_unit_s, 1e-12..=1.0, "S");
        problems.number("sigma_unit_s", self.sigma_unit_s, 1e-12..=1.0, "S");
        conditions.demand_fitted(self.fitted_min_s, self.fitted_max_s, problems);
    }
}
