//! Non-linear current-voltage relations.

use crate::check::Problems;
use crate::curve::{check_coefficients, polynomial};
use serde::{Deserialize, Serialize};

/// Current of a cell by its small-signal conductance G and its voltage V: odd in V, and 0 where G is 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CurrentVoltage {
    /// `I = G V + c2(G) V^2 + c3(G) V^3` for V > 0, with polynomials c2 and c3 of log10(G / S): CrossSim's fit of Milo et al., IRPS 2021. Below
    /// the fitted conductances, c2 and c3 shrink in proportion to G; above them they stay; beyond the largest voltage the current goes
    /// on along its tangent.
    Polynomial {
        /// Coefficients of c2 in A/V^2, lowest power of log10(G / S) first.
        quadratic: Vec<f64>,
        /// Coefficients of c3 in A/V^3, lowest power of log10(G / S) first.
        cubic: Vec<f64>,
        /// Largest voltage of the fit, V.
        max_voltage_v: f64,
        /// Lowest conductance of the fit, S.
        fitted_min_s: f64,
        /// Highest conductance of the fit, S.
        fitted_max_s: f64,
    },
    /// `I = G v0 sinh(V / v0)`: the customary compact form of tunnelling and hopping conduction.
    Sinh {
        /// Voltage v0 of the onset of the non-linearity, V.
        onset_v: f64,
        /// Largest voltage at which the form is used, V; beyond it the current goes on along its tangent.
        max_voltage_v: f64,
    },
}

impl CurrentVoltage {
    /// Current in A of a cell with small-signal conductance `conductance_s` at `voltage_v`.
    #[must_use]
    pub fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        let magnitude = voltage_v.abs();
        let v = magnitude.min(self.max_voltage_v());
        let current = match self {
            Self::Polynomial { .. } => {
                let (c2, c3) = self.coefficients(conductance_s);
                ((c3 * v + c2) * v + conductance_s) * v
            }
            Self::Sinh { onset_v, .. } => conductance_s * onset_v * libm::sinh(v / onset_v),
        };
        let beyond = self.conductance_at_s(conductance_s, v) * (magnitude - v);
        (current + beyond).copysign(voltage_v) * f64::from(u8::from(voltage_v != 0.0))
    }

    /// Differential conductance dI/dV in S at `voltage_v`.
    #[must_use]
    pub fn conductance_at_s(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        let v = voltage_v.abs().min(self.max_voltage_v());
        match self {
            Self::Polynomial { .. } => {
                let (c2, c3) = self.coefficients(conductance_s);
                (3.0 * c3 * v + 2.0 * c2) * v + conductance_s
            }
            Self::Sinh { onset_v, .. } => conductance_s * libm::cosh(v / onset_v),
        }
    }

    /// Largest voltage for which the relation is known, V.
    #[must_use]
    pub fn max_voltage_v(&self) -> f64 {
        match self {
            Self::Polynomial { max_voltage_v, .. } | Self::Sinh { max_voltage_v, .. } => *max_voltage_v,
        }
    }

    /// Coefficients of V, V |V| and V^3 (A/V, A/V^2, A/V^3) of a cell, where the relation is such a polynomial.
    #[must_use]
    pub fn cubic(&self, conductance_s: f64) -> Option<[f64; 3]> {
        let (c2, c3) = self.coefficients(conductance_s);
        matches!(self, Self::Polynomial { .. }).then_some([conductance_s, c2, c3])
    }

    /// c2 and c3 of the polynomial form at a conductance; 0 of the other form.
    fn coefficients(&self, conductance_s: f64) -> (f64, f64) {
        let Self::Polynomial { quadratic, cubic, fitted_min_s, fitted_max_s, .. } = self else { return (0.0, 0.0) };
        let log = libm::log10(conductance_s.max(*fitted_min_s).min(*fitted_max_s));
        let share = (conductance_s / fitted_min_s).clamp(0.0, 1.0);
        (share * polynomial(quadratic, log), share * polynomial(cubic, log))
    }

    pub(super) fn check(&self, g_min_s: f64, g_max_s: f64, problems: &mut Problems) {
        problems.number("max_voltage_v", self.max_voltage_v(), 1e-3..=10.0, "V");
        match self {
            Self::Polynomial { quadratic, cubic, fitted_min_s, fitted_max_s, .. } => {
                check_coefficients("quadratic", quadratic, problems);
                check_coefficients("cubic", cubic, problems);
                problems.number("fitted_min_s", *fitted_min_s, 1e-12..=1.0, "S");
                problems.number("fitted_max_s", *fitted_max_s, 1e-12..=1.0, "S");
                // A rounding of the last digit must not refuse a range that ends where the fit ends.
                let inside = g_min_s >= fitted_min_s * (1.0 - 1e-9) && g_max_s <= fitted_max_s * (1.0 + 1e-9);
                let allowed = format!("must contain g_min_s to g_max_s ({g_min_s:e} to {g_max_s:e} S)");
                let found = format!("{fitted_min_s:e} to {fitted_max_s:e} S");
                problems.require("fitted_min_s, fitted_max_s", found, inside, allowed);
                self.check_slope(g_min_s, g_max_s, problems);
            }
            Self::Sinh { onset_v, .. } => {
                problems.number("onset_v", *onset_v, 1e-3..=10.0, "V");
                let bends = self.max_voltage_v() <= 20.0 * onset_v;
                problems.require("max_voltage_v", self.max_voltage_v(), bends, "at most 20 onset_v");
            }
        }
    }

    /// A current that falls with the voltage would leave the circuit without a unique solution.
    fn check_slope(&self, g_min_s: f64, g_max_s: f64, problems: &mut Problems) {
        let steps = |i: i32| f64::from(i) / 20.0;
        let falls = |&(g, v): &(f64, f64)| self.conductance_at_s(g, v) <= 0.0;
        let grid = (0..=20).flat_map(|i| (0..=20).map(move |j| (i, j)));
        let points = grid.map(|(i, j)| (g_min_s + (g_max_s - g_min_s) * steps(i), self.max_voltage_v() * steps(j)));
        let falling = points.filter(|(g, _)| *g > 0.0).find(falls);
        let found = falling.map_or(String::new(), |(g, v)| format!("dI/dV <= 0 at {g:e} S and {v} V"));
        problems.require("quadratic, cubic", found, falling.is_none(), "currents that rise with the voltage");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms() -> [CurrentVoltage; 2] {
        let polynomial = CurrentVoltage::Polynomial {
            quadratic: vec![1e-5, 2e-6],
            cubic: vec![4e-5, 1e-6],
            max_voltage_v: 0.5,
            fitted_min_s: 1e-5,
            fitted_max_s: 1e-4,
        };
        [polynomial, CurrentVoltage::Sinh { onset_v: 0.25, max_voltage_v: 1.0 }]
    }

    #[test]
    fn currents_have_their_closed_forms() {
        let [polynomial, sinh] = forms();
        // log10(1e-5) = -5: c2 = 0, c3 = 3.5e-5.
        let expected = 1e-5 * 0.4 + 3.5e-5 * 0.064;
        assert!((polynomial.current_a(1e-5, 0.4) / expected - 1.0).abs() < 1e-12);
        assert!(
            (polynomial.current_a(0.5e-5, 0.4) / (0.5 * expected) - 1.0).abs() < 1e-12,
            "in proportion below the fit"
        );
        assert!((sinh.current_a(2e-6, 0.25) / (2e-6 * 0.25 * 1.0_f64.sinh()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn currents_are_odd_and_their_slope_is_the_derivative() {
        for form in forms() {
            for g in [0.0, 3e-6, 1e-5, 5e-5, 3e-4] {
                assert_eq!(form.current_a(g, 0.0), 0.0);
                for v in [0.05, 0.3, 0.49, 0.7, 1.4] {
                    assert_eq!(form.current_a(g, -v), -form.current_a(g, v));
                    let step = 1e-6;
                    let slope = (form.current_a(g, v + step) - form.current_a(g, v - step)) / (2.0 * step);
                    let exact = form.conductance_at_s(g, v);
                    assert!((slope - exact).abs() <= 1e-6 * exact, "{form:?} {g} {v}: {slope} {exact}");
                }
                assert_eq!(form.conductance_at_s(g, 0.0), g, "the small-signal conductance");
            }
        }
    }

    #[test]
    fn a_falling_current_is_refused() {
        let mut problems = Problems::default();
        let falling = CurrentVoltage::Polynomial {
            quadratic: vec![-1e-3],
            cubic: vec![0.0],
            max_voltage_v: 0.5,
            fitted_min_s: 1e-5,
            fitted_max_s: 1e-4,
        };
        falling.check(1e-5, 1e-4, &mut problems);
        assert_eq!(problems.found.len(), 1);
        assert!(problems.found[0].to_string().contains("dI/dV <= 0 at 1e-5 S"), "{}", problems.found[0]);
    }
}
