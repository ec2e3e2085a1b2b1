//! Empirical functions of a relative conductance `x = G / reference`: the forms in which published drift and read noise laws come.

use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// A function of the relative conductance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Curve {
    /// The same value everywhere.
    Constant {
        /// The value.
        value: f64,
    },
    /// `min(coefficient / max(x^exponent, floor), high)`.
    Power {
        /// Value at `x = 1`, unless limited.
        coefficient: f64,
        /// Exponent of the relative conductance.
        exponent: f64,
        /// Least value of the denominator.
        floor: f64,
        /// Largest value.
        high: f64,
    },
    /// `clamp(slope ln(x) + offset, low, high)`.
    Log {
        /// Factor of the logarithm.
        slope: f64,
        /// Value at `x = 1`, unless limited.
        offset: f64,
        /// Least value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// As `log` below `threshold`, from there on `sum_i coefficients_i x^i`.
    LogThenPolynomial {
        /// Factor of the logarithm.
        slope: f64,
        /// Value of the logarithmic branch at `x = 1`, unless limited.
        offset: f64,
        /// Least value of the logarithmic branch.
        low: f64,
        /// Largest value of the logarithmic branch.
        high: f64,
        /// Where the polynomial begins.
        threshold: f64,
        /// Coefficients, lowest power first.
        coefficients: Vec<f64>,
    },
}

impl Curve {
    /// The value at `x`; that at a vanishing conductance where `x` is not positive.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let x = x.max(f64::MIN_POSITIVE);
        let log = |slope: f64, offset: f64, low: f64, high: f64| (slope * libm::log(x) + offset).max(low).min(high);
        match self {
            Self::Constant { value } => *value,
            Self::Power { coefficient, exponent, floor, high } => {
                (coefficient / libm::pow(x, *exponent).max(*floor)).min(*high)
            }
            Self::Log { slope, offset, low, high } => log(*slope, *offset, *low, *high),
            Self::LogThenPolynomial { slope, offset, low, high, threshold, .. } if x < *threshold => {
                log(*slope, *offset, *low, *high)
            }
            Self::LogThenPolynomial { coefficients, .. } => polynomial(coefficients, x),
        }
    }

    /// Adds the problems of the parameters.
    pub fn check(&self, problems: &mut Problems) {
        let mut number = |key: &str, value: f64| problems.number(key, value, -1e6..=1e6, "");
        match self {
            Self::Constant { value } => number("value", *value),
            Self::Power { coefficient, exponent, floor, high } => {
                number("coefficient", *coefficient);
                number("exponent", *exponent);
                number("high", *high);
                problems.number("floor", *floor, 1e-12..=1e6, "");
            }
            Self::Log { slope, offset, low, high } => {
                number("slope", *slope);
                number("offset", *offset);
                limits(*low, *high, problems);
            }
            Self::LogThenPolynomial { slope, offset, low, high, threshold, coefficients } => {
                number("slope", *slope);
                number("offset", *offset);
                number("threshold", *threshold);
                limits(*low, *high, problems);
                check_coefficients("coefficients", coefficients, problems);
            }
        }
    }
}

fn limits(low: f64, high: f64, problems: &mut Problems) {
    problems.number("low", low, -1e6..=1e6, "");
    problems.number("high", high, -1e6..=1e6, "");
    problems.require("high", high, high >= low, "at least low");
}

/// `sum_i coefficients_i x^i` by Horner's rule.
pub(crate) fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// One to twelve finite coefficients.
pub(crate) fn check_coefficients(key: &str, coefficients: &[f64], problems: &mut Problems) {
    let count = coefficients.len();
    problems.require(key, format!("{count} values"), (1..=12).contains(&count), "1 to 12 values");
    for &c in coefficients {
        problems.require(key, c, c.is_finite(), "finite numbers");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_value_and_its_limits() {
        let log = Curve::Log { slope: -0.5, offset: 0.25, low: 0.1, high: 1.0 };
        assert!((log.at(0.5) - (0.25 + 0.5 * std::f64::consts::LN_2)).abs() < 1e-15);
        assert_eq!((log.at(100.0), log.at(1e-9), log.at(0.0), log.at(-1.0)), (0.1, 1.0, 1.0, 1.0));
        let power = Curve::Power { coefficient: 0.5, exponent: 2.0, floor: 0.25, high: 1.5 };
        assert_eq!((power.at(1.0), power.at(2.0), power.at(0.1), power.at(0.0)), (0.5, 0.125, 1.5, 1.5));
        let both = Curve::LogThenPolynomial {
            slope: -1.0,
            offset: 0.0,
            low: 0.0,
            high: 9.0,
            threshold: 0.5,
            coefficients: vec![1.0, 2.0, 3.0],
        };
        assert!((both.at(0.25) - 2.0 * std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!((both.at(0.5), both.at(1.0)), (2.75, 6.0));
        assert_eq!(Curve::Constant { value: 3.0 }.at(7.0), 3.0);
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        let mut problems = Problems::default();
        Curve::Log { slope: f64::NAN, offset: 0.0, low: 2.0, high: 1.0 }.check(&mut problems);
        let keys: Vec<&str> = problems.found.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["slope", "high"]);
    }
}
