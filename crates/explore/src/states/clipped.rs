//! What clipping leaves of a state's error.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Root mean square of a normal error with this mean and standard deviation that is clipped to `low..=high`, all in level spacings. With
/// `a = (low - mu) / sigma` and `b = (high - mu) / sigma`, from the partial moments of the normal distribution:
///
/// ```text
/// e^2 = low^2 Phi(a) + high^2 Phi(-b) + (mu^2 + sigma^2) (Phi(b) - Phi(a)) + 2 mu sigma (phi(a) - phi(b)) + sigma^2 (a phi(a) - b phi(b))
/// ```
pub(super) fn error(mean_shift: f64, sigma: f64, (low, high): (f64, f64)) -> f64 {
    if sigma <= 0.0 {
        return mean_shift.clamp(low, high).abs();
    }
    let (a, b) = ((low - mean_shift) / sigma, (high - mean_shift) / sigma);
    // Both ends far away: the sum below would only add rounding.
    if a < -40.0 && b > 40.0 {
        return (mean_shift * mean_shift + sigma * sigma).sqrt();
    }
    let (below, above, at_a, at_b) = (cumulative(a), cumulative(-b), density(a), density(b));
    let ends = low * low * below + high * high * above;
    let inside = (mean_shift * mean_shift + sigma * sigma) * (1.0 - below - above)
        + 2.0 * mean_shift * sigma * (at_a - at_b)
        + sigma * sigma * (a * at_a - b * at_b);
    (ends + inside).max(0.0).sqrt()
}

fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / TAU.sqrt()
}

fn cumulative(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors below zero vanish: half of the mean square is left.
    #[test]
    fn a_state_at_zero_keeps_half_of_its_mean_square() {
        assert!((error(0.0, 0.08, (0.0, 4.0)) - 0.08 / 2_f64.sqrt()).abs() < 1e-15);
        assert!((error(0.0, 0.08, (-3.0, 0.0)) - 0.08 / 2_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn far_ends_change_nothing() {
        for ends in [(-2.0, 2.0), (-200.0, 200.0)] {
            assert!((error(0.03, 0.04, ends) - 0.05).abs() < 1e-15);
        }
        assert_eq!(error(-0.7, 0.0, (-0.5, 0.5)), 0.5);
        assert_eq!(error(0.2, 0.0, (-0.5, 0.5)), 0.2);
    }

    #[test]
    fn it_agrees_with_quadrature() {
        for (mean, sigma, low, high) in [(0.1, 0.4, -0.2, 0.3), (-0.6, 0.3, -0.5, 1.0), (0.9, 0.5, -1.0, 0.6)] {
            let (steps, mut sum) = (400_000, 0.0);
            for step in 0..=steps {
                let draw = -10.0 + 20.0 * f64::from(step) / f64::from(steps);
                let clipped = (mean + sigma * draw).clamp(low, high);
                sum += clipped * clipped * density(draw) * 20.0 / f64::from(steps);
            }
            let exact = error(mean, sigma, (low, high));
            assert!((exact - sum.sqrt()).abs() < 1e-9, "{exact} {}", sum.sqrt());
        }
    }
}
