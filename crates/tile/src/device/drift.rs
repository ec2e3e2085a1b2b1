//! How conductances move between programming and reading.

use crate::check::Problems;
use crate::curve::Curve;
use crate::statistics::cumulative;
use serde::{Deserialize, Serialize};

/// Drift of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What the chip does about it.
    pub compensation: Compensation,
    /// The law.
    pub law: DriftLaw,
}

/// Compensation of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compensation {
    /// None.
    None,
    /// All results are scaled by one factor, the sum of conductances after programming over that at reading (Joshi et al., Nature
    /// Communications 2020).
    Global,
}

/// A law of drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DriftLaw {
    /// Phase-change memory: `G(t) = G (t / t0)^-nu`, `nu = |nu_mean(x) + nu_sigma(x) xi|` with `x = G_l / reference_s` of the nominal
    /// conductance. A cell read before t0 has not drifted.
    Power {
        /// Time after programming at which the variation was measured, s.
        t0_s: f64,
        /// Conductance at which x = 1, S.
        reference_s: f64,
        /// Mean exponent.
        nu_mean: Curve,
        /// Standard deviation of the exponent over cells.
        nu_sigma: Curve,
    },
    /// Relaxation of filaments, independent of the state: `G(t) = G + mean_slope_s ln(t / 1 s) + (sigma_slope_s ln(t / 1 s) +
    /// sigma_offset_s) xi`, from 1 s on; times above 0 and below 1 s are refused, and at 0 s there is none.
    LogTime {
        /// Mean change per unit of ln t, S.
        mean_slope_s: f64,
        /// Standard deviation over cells per unit of ln t, S.
        sigma_slope_s: f64,
        /// Standard deviation over cells after 1 s, S.
        sigma_offset_s: f64,
    },
}

impl Drift {
    pub(super) fn check(&self, read_after_s: f64, problems: &mut Problems) {
        problems.within("law", |p| self.law.check(read_after_s, p));
    }
}

impl DriftLaw {
    fn check(&self, read_after_s: f64, problems: &mut Problems) {
        match self {
            Self::Power { t0_s, reference_s, nu_mean, nu_sigma } => {
                problems.number("t0_s", *t0_s, 1e-9..=1e9, "s");
                problems.number("reference_s", *reference_s, 1e-12..=1.0, "S");
                problems.within("nu_mean", |p| nu_mean.check(p));
                problems.within("nu_sigma", |p| nu_sigma.check(p));
            }
            Self::LogTime { mean_slope_s, sigma_slope_s, sigma_offset_s } => {
                problems.number("mean_slope_s", *mean_slope_s, -1.0..=1.0, "S");
                problems.number("sigma_slope_s", *sigma_slope_s, 0.0..=1.0, "S");
                problems.number("sigma_offset_s", *sigma_offset_s, 0.0..=1.0, "S");
                let early = read_after_s > 0.0 && read_after_s < 1.0;
                let allowed = "for a device read after 0 s, or after 1 s or more";
                problems.require("model", format!("log-time after {read_after_s} s"), !early, allowed);
            }
        }
    }

    /// The law at a time of reading, for levels of the given nominal conductances; none where nothing moves.
    pub(super) fn at(&self, read_after_s: f64, conductances_s: &[f64], spacing_s: f64) -> Option<Moved> {
        match self {
            Self::Power { t0_s, .. } if read_after_s <= *t0_s => None,
            Self::Power { t0_s, reference_s, nu_mean, nu_sigma } => {
                let exponent = |g: &f64| {
                    let x = g / reference_s;
                    Exponent { mean: nu_mean.at(x), sigma: nu_sigma.at(x).abs() }
                };
                let exponents = conductances_s.iter().map(exponent).collect();
                Some(Moved::Power { log_time: libm::log(read_after_s / t0_s), exponents })
            }
            Self::LogTime { .. } if read_after_s <= 0.0 => None,
            Self::LogTime { mean_slope_s, sigma_slope_s, sigma_offset_s } => {
                let log_time = libm::log(read_after_s);
                let sigma_s = (sigma_slope_s * log_time + sigma_offset_s).max(0.0);
                Some(Moved::Relaxed { mean: mean_slope_s * log_time / spacing_s, sigma: sigma_s / spacing_s })
            }
        }
    }
}

/// Distribution of a level's drift exponent before the absolute value is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exponent {
    mean: f64,
    sigma: f64,
}

/// What happens to cells until they are read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Moved {
    /// `ln(t / t0)`, and the exponents by level.
    Power { log_time: f64, exponents: Vec<Exponent> },
    /// Mean and standard deviation of the change, in level spacings.
    Relaxed { mean: f64, sigma: f64 },
}

impl Moved {
    /// The value at reading of a cell that held `value` after programming; `floor` is -G_min, in level spacings.
    pub(super) fn value(&self, level: usize, value: f64, floor: f64, draw: f64) -> f64 {
        match self {
            Self::Power { log_time, exponents } => {
                let nu = exponents.get(level).map_or(0.0, |nu| (nu.mean + nu.sigma * draw).abs());
                floor + (value - floor) * libm::exp(-nu * log_time)
            }
            Self::Relaxed { mean, sigma } => value + mean + sigma * draw,
        }
    }

    /// First and second moment of the conductance at reading, from those after programming; all in level spacings above 0 S.
    pub(super) fn moments(&self, level: usize, (first, second): (f64, f64)) -> (f64, f64) {
        match self {
            Self::Power { log_time, exponents } => {
                let factor = |k: f64| exponents.get(level).map_or(1.0, |nu| nu.mean_of_exp(k * log_time));
                (first * factor(1.0), second * factor(2.0))
            }
            Self::Relaxed { mean, sigma } => (first + mean, second + 2.0 * mean * first + mean * mean + sigma * sigma),
        }
    }
}

impl Exponent {
    /// `E[exp(-k nu)]` of the folded normal nu.
    fn mean_of_exp(self, k: f64) -> f64 {
        let Self { mean, sigma } = self;
        if sigma == 0.0 {
            return libm::exp(-k * mean.abs());
        }
        let half = 0.5 * k * k * sigma * sigma;
        let (ratio, shift) = (mean / sigma, k * sigma);
        libm::exp(half - k * mean) * cumulative(ratio - shift) + libm::exp(half + k * mean) * cumulative(-ratio - shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(nu: f64, sigma: f64) -> DriftLaw {
        let (nu_mean, nu_sigma) = (Curve::Constant { value: nu }, Curve::Constant { value: sigma });
        DriftLaw::Power { t0_s: 20.0, reference_s: 25e-6, nu_mean, nu_sigma }
    }

    #[test]
    fn a_fixed_exponent_halves_the_conductance_when_it_should() {
        // 2^(-1/2) after twice t0, 1/2 after four times t0, with nu = 1/2; level 0 at 0 S.
        for (time_s, expected) in [(40.0, 0.5_f64.sqrt()), (80.0, 0.5), (2000.0, 0.1)] {
            let moved = power(0.5, 0.0).at(time_s, &[0.0, 25e-6], 25e-6).unwrap();
            assert!((moved.value(1, 1.0, 0.0, 1.7) - expected).abs() < 1e-15);
            let (first, second) = moved.moments(1, (1.0, 1.0));
            assert!((first - expected).abs() < 1e-15 && (second - expected * expected).abs() < 1e-15);
        }
        // With G_min = 1 spacing, a cell at level 1 has two spacings of conductance; half of them is level 0.
        let moved = power(0.5, 0.0).at(80.0, &[1e-6, 2e-6], 1e-6).unwrap();
        assert!(moved.value(1, 1.0, -1.0, 0.0).abs() < 1e-15);
        assert_eq!(power(0.5, 0.0).at(20.0, &[1.0], 1.0), None);
        assert_eq!(power(0.5, 0.0).at(0.0, &[1.0], 1.0), None);
    }

    /// The trapezoidal rule over the draw.
    #[test]
    fn moments_of_a_folded_exponent_agree_with_quadrature() {
        for (mean, sigma, k) in [(0.05, 0.01, 8.0), (0.05, 0.05, 16.0), (0.0, 0.1, 3.0), (-0.2, 0.1, 5.0)] {
            let steps = 20_000;
            let term = |step: i32| {
                let draw = -10.0 + 20.0 * f64::from(step) / f64::from(steps);
                crate::statistics::density(draw) * (-k * (mean + sigma * draw).abs()).exp()
            };
            let sum = (0..=steps).map(term).sum::<f64>() * 20.0 / f64::from(steps);
            let exact = Exponent { mean, sigma }.mean_of_exp(k);
            assert!((exact - sum).abs() < 1e-6, "{exact} {sum}");
        }
    }

    #[test]
    fn relaxation_grows_with_the_logarithm_of_time() {
        let law = DriftLaw::LogTime { mean_slope_s: -2e-6, sigma_slope_s: 1e-6, sigma_offset_s: 0.5e-6 };
        let at = |time_s: f64| law.at(time_s, &[0.0], 1e-6);
        assert_eq!(at(0.0), None);
        assert_eq!(at(1.0), Some(Moved::Relaxed { mean: 0.0, sigma: 0.5 }));
        let moved = at(std::f64::consts::E.powi(3)).unwrap();
        assert!((moved.value(0, 10.0, 0.0, 2.0) - (10.0 - 6.0 + 2.0 * 3.5)).abs() < 1e-12);
    }
}
