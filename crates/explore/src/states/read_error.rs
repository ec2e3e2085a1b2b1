//! How often a cell that is read on its own is taken for another state.

use std::f64::consts::FRAC_1_SQRT_2;

/// Probability that a normal error with this mean and standard deviation (level spacings) carries a cell across a threshold, half a level
/// spacing away from its nominal value on each side that has a neighbouring state:
///
/// ```text
/// p = [state below] erfc((1/2 + mu) / (sqrt(2) sigma)) / 2  +  [state above] erfc((1/2 - mu) / (sqrt(2) sigma)) / 2
/// ```
///
/// So without a mean shift `erfc(1 / (2 sqrt(2) sigma))` inside the range and half of it at its ends. Clipping does not change it: it moves
/// no cell across a threshold.
pub(super) fn probability(mean_shift: f64, sigma: f64, level: usize, levels: usize) -> f64 {
    let below = if level > 0 { beyond(0.5 + mean_shift, sigma) } else { 0.0 };
    let above = if level + 1 < levels { beyond(0.5 - mean_shift, sigma) } else { 0.0 };
    below + above
}

/// `P(sigma xi > distance)`.
fn beyond(distance: f64, sigma: f64) -> f64 {
    if sigma > 0.0 { 0.5 * libm::erfc(FRAC_1_SQRT_2 * distance / sigma) } else { f64::from(u8::from(distance < 0.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of the normal distribution: `P(|xi| > 1.959964) = 5 %`, `P(xi > 1) = 15.8655 %`.
    #[test]
    fn the_ends_of_the_range_err_inwards_only() {
        let sigma = 0.5 / 1.959_963_984_540_054;
        for (level, expected) in [(0, 0.025), (1, 0.05), (2, 0.05), (3, 0.025)] {
            assert!((probability(0.0, sigma, level, 4) - expected).abs() < 1e-14, "{level}");
        }
        assert!((probability(0.0, 0.5, 0, 2) - 0.158_655_253_931_457).abs() < 1e-14);
        assert!((probability(0.0, 0.5, 1, 2) - 0.158_655_253_931_457).abs() < 1e-14);
    }

    #[test]
    fn a_mean_shift_brings_one_threshold_nearer() {
        // Half way to the upper threshold: 1 sigma above, 3 sigma below.
        let (near, far) = (0.158_655_253_931_457, 0.001_349_898_031_630_1);
        for (shift, level, expected) in
            [(0.25, 0, near), (0.25, 1, near + far), (0.25, 3, far), (-0.25, 0, far), (-0.25, 3, near)]
        {
            assert!((probability(shift, 0.25, level, 4) - expected).abs() < 1e-14, "{shift} {level}");
        }
    }

    #[test]
    fn without_spread_the_shift_decides() {
        for (shift, level, expected) in [(0.0, 1, 0.0), (0.6, 1, 1.0), (0.6, 3, 0.0), (-0.6, 1, 1.0), (-0.6, 0, 0.0)] {
            assert_eq!(probability(shift, 0.0, level, 4), expected);
        }
    }
}
