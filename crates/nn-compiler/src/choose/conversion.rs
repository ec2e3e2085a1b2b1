//! What a converter makes of a noisy column sum.

use tile::adc::AdcTransfer;
use tile::statistics::{cumulative, density};

/// A conversion of a normal sum: its mean, and its noise as a linear part of that of the sum and a rest that is uncorrelated with it (Bussgang's
/// decomposition): conversions that share cells err alike in the first part and each on its own in the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Conversion {
    /// Mean of what the code stands for, level spacings.
    pub(super) mean: f64,
    /// Factor on the noise of the sum.
    pub(super) gain: f64,
    /// Variance of the rest, in squared level spacings.
    pub(super) rest: f64,
}

/// Deviations beyond which a normal sum is not looked for: less than 2e-9 of its draws lie there.
const REACH: f64 = 6.0;

impl Conversion {
    /// Of a converter that passes sums on as they are.
    pub(super) fn exact(mean: f64) -> Self {
        Self { mean, gain: 1.0, rest: 0.0 }
    }

    /// Of a sum with this mean and standard deviation `sigma`, level spacings. Where noise is wide against the step and far from the outermost codes,
    /// rounding adds a uniform error of `step^2 / 12`: the mean is then off by less than a step times 1e-8.
    pub(super) fn new(adc: AdcTransfer, mean: f64, sigma: f64) -> Self {
        let AdcTransfer { min_code, max_code, step } = adc;
        let (low, high) = (step * f64::from(min_code), step * f64::from(max_code));
        let within = mean - REACH * sigma > low - 0.5 * step && mean + REACH * sigma < high + 0.5 * step;
        if sigma >= step && within {
            return Self { mean, gain: 1.0, rest: step * step / 12.0 };
        }
        let code = |sum: f64| ((sum / step).round_ties_even() as i32).clamp(min_code, max_code);
        if sigma < 1e-9 * step {
            return Self { mean: step * f64::from(code(mean)), gain: 0.0, rest: 0.0 };
        }
        by_code(adc, (mean, sigma), code(mean - REACH * sigma)..=code(mean + REACH * sigma))
    }
}

/// From the probability of each code.
fn by_code(adc: AdcTransfer, (mean, sigma): (f64, f64), codes: std::ops::RangeInclusive<i32>) -> Conversion {
    let (first, last, step) = (*codes.start(), *codes.end(), adc.step);
    let (mut sum, mut square, mut gain, mut below) = (0.0, 0.0, 0.0, 0.0);
    for code in codes {
        // Noise from here on gives the next code; there is none behind the last.
        let threshold = (step * (f64::from(code) + 0.5) - mean) / sigma;
        let up_to = if code == last { 1.0 } else { cumulative(threshold) };
        // Counted from the first code, so that squares are small.
        let value = step * f64::from(code - first);
        sum += (up_to - below) * value;
        square += (up_to - below) * value * value;
        if code < last {
            gain += step * density(threshold) / sigma;
        }
        below = up_to;
    }
    let rest = square - sum * sum - gain * gain * sigma * sigma;
    Conversion { mean: step * f64::from(first) + sum, gain, rest: rest.max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by quadrature over the noise.
    fn by_quadrature(adc: AdcTransfer, mean: f64, sigma: f64) -> Conversion {
        let steps = 400_000;
        let (mut first, mut product, mut square) = (0.0, 0.0, 0.0);
        for at in 0..=steps {
            let draw = -9.0 + 18.0 * f64::from(at) / f64::from(steps);
            let code = ((mean + sigma * draw) / adc.step).round_ties_even();
            let error = adc.step * code.clamp(f64::from(adc.min_code), f64::from(adc.max_code)) - mean;
            let weight = density(draw) * 18.0 / f64::from(steps);
            first += weight * error;
            product += weight * error * draw;
            square += weight * error * error;
        }
        let gain = product / sigma;
        Conversion { mean: mean + first, gain, rest: square - first * first - product * product }
    }

    /// Within the range, at both of its ends and beyond, for noise that is narrow and wide against the step.
    #[test]
    fn it_agrees_with_quadrature() {
        for (min_code, max_code, step) in [(0, 15, 1.0), (-7, 7, 1.0), (0, 3, 3.7), (-31, 31, 0.25)] {
            let adc = AdcTransfer { min_code, max_code, step };
            for mean in [-0.2, 0.0, 0.3, 0.5, 3.0, 7.4, 15.0, 40.0] {
                for sigma in [0.02, 0.1, 0.45, 0.9, 3.0] {
                    let (found, expected) = (Conversion::new(adc, mean, sigma), by_quadrature(adc, mean, sigma));
                    let near = |found: f64, expected: f64| (found - expected).abs() < 2e-3 * (step * step).max(0.1);
                    let case = format!("{adc:?} {mean} {sigma}: {found:?}, expected {expected:?}");
                    assert!(near(found.mean, expected.mean), "{case}");
                    assert!(near(found.gain * sigma, expected.gain * sigma), "{case}");
                    assert!(near(found.rest, expected.rest), "{case}");
                }
            }
        }
    }

    /// A step of one level takes away noise far below it and adds to noise far above it.
    #[test]
    fn rounding_cleans_small_noise_and_adds_to_large() {
        let adc = AdcTransfer { min_code: 0, max_code: 255, step: 1.0 };
        let small = Conversion::new(adc, 20.0, 0.05);
        assert!(small.gain < 1e-9 && small.rest < 1e-9 && (small.mean - 20.0).abs() < 1e-9, "{small:?}");
        assert_eq!(Conversion::new(adc, 100.0, 5.0), Conversion { mean: 100.0, gain: 1.0, rest: 1.0 / 12.0 });
    }

    /// Sums well below half of a step are lost as they are: their error is the sum, not `step^2 / 12`.
    #[test]
    fn sums_below_half_a_step_are_lost() {
        let coarse = AdcTransfer { min_code: -127, max_code: 127, step: 12.0 };
        for sum in [0.0, 1.0, -3.0] {
            assert_eq!(Conversion::new(coarse, sum, 0.0), Conversion { mean: 0.0, gain: 0.0, rest: 0.0 });
            assert!(Conversion::new(coarse, sum, 0.3).mean.abs() < 1e-9);
        }
        let clipped = AdcTransfer { min_code: 0, max_code: 3, step: 1.0 };
        assert_eq!(Conversion::new(clipped, 9.0, 0.0).mean, 3.0);
        assert_eq!(Conversion::new(clipped, -9.0, 0.0).mean, 0.0);
    }
}
