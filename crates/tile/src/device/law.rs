//! The law of a programmed cell in units of the level spacing.

use crate::statistics::{cumulative, density};
use crate::variation::{Law, NominalState};

/// How one standard normal draw becomes a cell value in level spacings above level 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CellLaw {
    /// Mean shift and standard deviation.
    Normal { mean_shift: f64, sigma: f64 },
    /// Median conductance (from 0 S, not from level 0) and standard deviation of the logarithm.
    Lognormal { median: f64, log_sigma: f64 },
}

/// Mean and standard deviation of the values of every level that a byte can name, for [`on_line`]; a look-up needs no check.
pub(super) type Lines = [[f64; 2]; 256];

/// Probability, and mean of the error and of its square counted only where the error lies in some set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Partial {
    pub(super) probability: f64,
    pub(super) mean: f64,
    pub(super) square: f64,
}

impl CellLaw {
    /// The law of a state with `scale` times its variation.
    pub(super) fn new(law: Law, state: &NominalState, scale: f64) -> Self {
        match law {
            Law::Normal(moments) => {
                let scale = scale / state.spacing_s;
                Self::Normal { mean_shift: moments.mean_shift_s * scale, sigma: moments.sigma_s * scale }
            }
            Law::Lognormal { log_sigma } => {
                Self::Lognormal { median: state.conductance_s / state.spacing_s, log_sigma: log_sigma * scale }
            }
        }
    }

    /// The value of a cell of `level`.
    pub(super) fn value(self, level: f64, draw: f64) -> f64 {
        match self {
            Self::Normal { mean_shift, sigma } => on_line([level + mean_shift, sigma], draw),
            Self::Lognormal { median, log_sigma } => level + median * libm::expm1(log_sigma * draw),
        }
    }

    /// Mean and standard deviation of the values of a normal law, with which [`on_line`] gives [`Self::value`].
    pub(super) fn line(self, level: f64) -> Option<[f64; 2]> {
        match self {
            Self::Normal { mean_shift, sigma } => Some([level + mean_shift, sigma]),
            Self::Lognormal { .. } => None,
        }
    }

    /// Mean and standard deviation of the error, in level spacings.
    pub(super) fn moments(self) -> (f64, f64) {
        match self {
            Self::Normal { mean_shift, sigma } => (mean_shift, sigma),
            Self::Lognormal { median, log_sigma } => {
                let moments = Law::Lognormal { log_sigma }.moments(median);
                (moments.mean_shift_s, moments.sigma_s)
            }
        }
    }

    /// Probability and moments of the errors within `-tolerance..=tolerance`.
    pub(super) fn within(self, tolerance: f64) -> Partial {
        match self {
            Self::Normal { sigma: 0.0, mean_shift } => certain(mean_shift, tolerance),
            Self::Normal { mean_shift, sigma } => {
                let (a, b) = ((-tolerance - mean_shift) / sigma, (tolerance - mean_shift) / sigma);
                let (da, db) = (density(a), density(b));
                let probability = cumulative(b) - cumulative(a);
                let square = (mean_shift * mean_shift + sigma * sigma) * probability
                    + 2.0 * mean_shift * sigma * (da - db)
                    + sigma * sigma * (a * da - b * db);
                Partial { probability, mean: mean_shift * probability + sigma * (da - db), square }
            }
            Self::Lognormal { median, log_sigma } if median == 0.0 || log_sigma == 0.0 => certain(0.0, tolerance),
            Self::Lognormal { median, log_sigma } => lognormal_within(median, log_sigma, tolerance),
        }
    }
}

/// The value that a standard normal draw stands for.
#[inline(always)]
pub(super) fn on_line([mean, sigma]: [f64; 2], draw: f64) -> f64 {
    mean + sigma * draw
}

/// An error without spread.
fn certain(error: f64, tolerance: f64) -> Partial {
    let probability = f64::from(u8::from(error.abs() <= tolerance));
    Partial { probability, mean: probability * error, square: probability * error * error }
}

/// From the partial moments of the conductance, `E[G^k; G < g] = m^k exp(k^2 s^2 / 2) Phi(ln(g / m) / s - k s)`.
fn lognormal_within(median: f64, log_sigma: f64, tolerance: f64) -> Partial {
    let end = |value: f64| if value > 0.0 { libm::log(value / median) / log_sigma } else { f64::NEG_INFINITY };
    let (a, b) = (end(median - tolerance), end(median + tolerance));
    let moment = |k: f64| {
        let factor = libm::exp(0.5 * k * k * log_sigma * log_sigma);
        factor * (cumulative(b - k * log_sigma) - cumulative(a - k * log_sigma))
    };
    let (m0, m1, m2) = (moment(0.0), moment(1.0), moment(2.0));
    Partial { probability: m0, mean: median * (m1 - m0), square: median * median * (m2 - 2.0 * m1 + m0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trapezoidal rule over the draw.
    fn by_quadrature(law: CellLaw, tolerance: f64) -> Partial {
        let (steps, mut sum) = (400_000, Partial { probability: 0.0, mean: 0.0, square: 0.0 });
        for step in 0..=steps {
            let draw = -10.0 + 20.0 * f64::from(step) / f64::from(steps);
            let error = law.value(0.0, draw);
            if error.abs() <= tolerance {
                let weight = density(draw) * 20.0 / f64::from(steps);
                sum.probability += weight;
                sum.mean += weight * error;
                sum.square += weight * error * error;
            }
        }
        sum
    }

    #[test]
    fn partial_moments_agree_with_quadrature() {
        for law in [
            CellLaw::Normal { mean_shift: 0.0, sigma: 0.4 },
            CellLaw::Normal { mean_shift: -0.3, sigma: 0.2 },
            CellLaw::Lognormal { median: 1.5, log_sigma: 0.3 },
            CellLaw::Lognormal { median: 0.2, log_sigma: 1.0 },
        ] {
            for tolerance in [0.1, 0.5, 2.0] {
                let (exact, sum) = (law.within(tolerance), by_quadrature(law, tolerance));
                for (a, b) in [(exact.probability, sum.probability), (exact.mean, sum.mean), (exact.square, sum.square)]
                {
                    assert!((a - b).abs() < 1e-4, "{law:?} {tolerance}: {exact:?} {sum:?}");
                }
            }
            let (mean, sigma) = law.moments();
            let all = law.within(1e3);
            assert!((all.mean - mean).abs() < 1e-9 && (all.square - mean * mean - sigma * sigma).abs() < 1e-9);
        }
    }

    #[test]
    fn a_cell_without_spread_is_within_or_not() {
        let law = CellLaw::Normal { mean_shift: 0.25, sigma: 0.0 };
        assert_eq!(law.within(0.5), Partial { probability: 1.0, mean: 0.25, square: 0.0625 });
        assert_eq!(law.within(0.1), Partial { probability: 0.0, mean: 0.0, square: 0.0 });
    }
}
