//! What clipping leaves of a state's error.

use super::States;
use crate::statistics::{cumulative, density};

/// First moments of an error, in level spacings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedError {
    /// Mean.
    pub mean: f64,
    /// Mean square.
    pub mean_square: f64,
}

impl ClippedError {
    /// Moments of a normal error with mean `mu` and standard deviation `sigma` that is clipped to `low..=high`. With `a = (low - mu) / sigma` and
    /// `b = (high - mu) / sigma`, from the partial moments of the normal distribution:
    ///
    /// ```text
    /// E[e]   = low Phi(a) + high Phi(-b) + mu (Phi(b) - Phi(a)) + sigma (phi(a) - phi(b))
    /// E[e^2] = low^2 Phi(a) + high^2 Phi(-b) + (mu^2 + sigma^2) (Phi(b) - Phi(a)) + 2 mu sigma (phi(a) - phi(b)) + sigma^2 (a phi(a) - b phi(b))
    /// ```
    #[must_use]
    pub fn of_normal(mu: f64, sigma: f64, (low, high): (f64, f64)) -> Self {
        if sigma <= 0.0 {
            let error = mu.clamp(low, high);
            return Self { mean: error, mean_square: error * error };
        }
        let (a, b) = ((low - mu) / sigma, (high - mu) / sigma);
        // Both ends far away: the sums below would only add rounding.
        if a < -40.0 && b > 40.0 {
            return Self { mean: mu, mean_square: mu * mu + sigma * sigma };
        }
        let (below, above, at_a, at_b) = (cumulative(a), cumulative(-b), density(a), density(b));
        let inside = 1.0 - below - above;
        let mean = low * below + high * above + mu * inside + sigma * (at_a - at_b);
        let ends = low * low * below + high * high * above;
        let squares = (mu * mu + sigma * sigma) * inside
            + 2.0 * mu * sigma * (at_a - at_b)
            + sigma * sigma * (a * at_a - b * at_b);
        Self { mean, mean_square: (ends + squares).max(0.0) }
    }

    /// Root mean square.
    #[must_use]
    pub fn root_mean_square(&self) -> f64 {
        self.mean_square.sqrt()
    }

    /// Variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        (self.mean_square - self.mean * self.mean).max(0.0)
    }
}

impl States {
    /// Moments of the error of a level's cells after values are clipped to 0 S and to the device's highest conductance, as if they were normal before.
    #[must_use]
    pub fn clipped_error(&self, level: usize) -> ClippedError {
        let (state, nominal) = (&self.states[level], level as f64);
        ClippedError::of_normal(state.mean_shift, state.sigma, (self.clip.0 - nominal, self.clip.1 - nominal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(mu: f64, sigma: f64, ends: (f64, f64)) -> f64 {
        ClippedError::of_normal(mu, sigma, ends).root_mean_square()
    }

    /// Errors below zero vanish: half of the mean square is left, and a mean of `sigma / sqrt(2 pi)`.
    #[test]
    fn a_state_at_zero_keeps_half_of_its_mean_square() {
        assert!((error(0.0, 0.08, (0.0, 4.0)) - 0.08 / 2_f64.sqrt()).abs() < 1e-15);
        assert!((error(0.0, 0.08, (-3.0, 0.0)) - 0.08 / 2_f64.sqrt()).abs() < 1e-15);
        let mean = 0.08 / std::f64::consts::TAU.sqrt();
        let half = ClippedError::of_normal(0.0, 0.08, (0.0, 4.0));
        assert!((half.mean - mean).abs() < 1e-15 && (half.variance() - (0.0032 - mean * mean)).abs() < 1e-15);
    }

    #[test]
    fn far_ends_change_nothing() {
        for ends in [(-2.0, 2.0), (-200.0, 200.0)] {
            assert!((error(0.03, 0.04, ends) - 0.05).abs() < 1e-15);
            assert!((ClippedError::of_normal(0.03, 0.04, ends).mean - 0.03).abs() < 1e-15);
        }
        for (mu, clipped) in [(-0.7, -0.5_f64), (0.2, 0.2)] {
            let certain = ClippedError::of_normal(mu, 0.0, (-0.5, 0.5));
            assert_eq!((certain.mean, certain.root_mean_square(), certain.variance()), (clipped, clipped.abs(), 0.0));
        }
    }

    #[test]
    fn it_agrees_with_quadrature() {
        for (mu, sigma, low, high) in [(0.1, 0.4, -0.2, 0.3), (-0.6, 0.3, -0.5, 1.0), (0.9, 0.5, -1.0, 0.6)] {
            let (steps, mut mean, mut square) = (400_000, 0.0, 0.0);
            for step in 0..=steps {
                let draw = -10.0 + 20.0 * f64::from(step) / f64::from(steps);
                let clipped = (mu + sigma * draw).clamp(low, high);
                let weight = density(draw) * 20.0 / f64::from(steps);
                mean += weight * clipped;
                square += weight * clipped * clipped;
            }
            let exact = ClippedError::of_normal(mu, sigma, (low, high));
            assert!((exact.mean - mean).abs() < 1e-9, "{exact:?} {mean}");
            assert!((exact.mean_square - square).abs() < 1e-9, "{exact:?} {square}");
        }
    }
}
