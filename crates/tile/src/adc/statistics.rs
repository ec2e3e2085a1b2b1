//! How well converters render what they see: signal power over error power, as an effective number of bits.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Sums over conversions, in `f64`; merged by adding, in an order that the caller must fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorStatistics {
    /// Conversions.
    pub count: u64,
    /// Sum of the column sums, in any unit, e.g. level spacings.
    pub sum: f64,
    /// Sum of their squares, in that unit squared.
    pub sum_squares: f64,
    /// Sum of the squares of `code * step - sum`, in that unit squared: quantisation, clipping, non-idealities and noise.
    pub error_squares: f64,
}

impl AddAssign for ErrorStatistics {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.sum_squares += other.sum_squares;
        self.error_squares += other.error_squares;
    }
}

impl ErrorStatistics {
    /// Adds one conversion of `sum` to `converted`, in the same unit.
    pub fn add(&mut self, sum: f64, converted: f64) {
        *self += Self { count: 1, sum, sum_squares: sum * sum, error_squares: (converted - sum) * (converted - sum) };
    }

    /// Signal-to-noise-and-distortion ratio, as a ratio of powers: variance of the sums over the mean squared error. `None` where there is
    /// no signal (all sums equal) or no error.
    #[must_use]
    pub fn sndr(&self) -> Option<f64> {
        let count = self.count as f64;
        let mean = self.sum / count;
        let variance = self.sum_squares / count - mean * mean;
        (self.count > 0 && variance > 0.0 && self.error_squares > 0.0).then(|| variance / (self.error_squares / count))
    }

    /// Effective number of bits, `(SNDR_dB - 1.76) / 6.02` (IEEE Std 1241; 1.76 dB is the factor 1.5 that a full-scale sine has over
    /// uniform quantisation noise, 6.02 dB a factor of 4). Below 0 where the error exceeds the signal; `None` as [`Self::sndr`].
    #[must_use]
    pub fn effective_bits(&self) -> Option<f64> {
        self.sndr().map(|sndr| 0.5 * libm::log2(sndr / 1.5))
    }
}

#[cfg(test)]
mod tests {
    use super::super::AdcTransfer;
    use super::*;

    /// A sine over all codes, half a step beyond the outermost, sampled at phases that do not repeat.
    fn sine(bits: u32) -> ErrorStatistics {
        let adc = AdcTransfer { min_code: 0, max_code: (1 << bits) - 1, step: 0.25 };
        let amplitude = f64::from(1_u32 << bits) / 2.0;
        let mut statistics = ErrorStatistics::default();
        for index in 0..200_000 {
            let phase = f64::from(index) * 0.618_033_988_749_895 * std::f64::consts::TAU;
            let sum = (amplitude - 0.5 + amplitude * libm::sin(phase)) * adc.step;
            statistics.add(sum, f64::from(adc.convert(sum as f32)) * adc.step);
        }
        statistics
    }

    /// Mean squared error of rounding such a sine of amplitude A steps, by the Fourier series of the squared rounding error and the integral
    /// of Bessel's function: `1/12 + 1/pi^2 sum_m J0(2 pi m A) / m^2`. A sine dwells at its ends, where the error is largest.
    fn rounding_error(amplitude: f64) -> f64 {
        let term = |m: f64| libm::j0(std::f64::consts::TAU * m * amplitude) / (m * m);
        (1..10_000).map(|m| term(f64::from(m))).sum::<f64>() / std::f64::consts::PI.powi(2) + 1.0 / 12.0
    }

    #[test]
    fn a_full_scale_sine_has_as_many_effective_bits_as_the_converter() {
        for bits in 2..=12 {
            let found = sine(bits).effective_bits().unwrap();
            let expected = f64::from(bits) - 0.5 * libm::log2(12.0 * rounding_error(f64::from(1_u32 << bits) / 2.0));
            assert!((found - expected).abs() < 0.005, "{bits} bits: {found}, expected {expected}");
            assert!(bits < 6 || (found - f64::from(bits)).abs() < 0.05, "{bits} bits: {found}");
        }
    }

    #[test]
    fn the_parts_add_up_to_the_whole() {
        let (mut whole, mut parts) = (ErrorStatistics::default(), [ErrorStatistics::default(); 3]);
        for index in 0..99 {
            let sum = f64::from(index % 17) - 3.0;
            whole.add(sum, sum + 0.25);
            parts[index as usize % 3].add(sum, sum + 0.25);
        }
        let merged = parts.iter().fold(ErrorStatistics::default(), |mut all, &part| {
            all += part;
            all
        });
        assert_eq!(merged, whole);
        assert_eq!(whole.error_squares, 99.0 / 16.0);
    }

    #[test]
    fn nothing_seen_no_signal_or_no_error_has_no_effective_bits() {
        let of = |pairs: &[(f64, f64)]| {
            let mut statistics = ErrorStatistics::default();
            pairs.iter().for_each(|&(sum, converted)| statistics.add(sum, converted));
            statistics.effective_bits()
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(4.0, 4.5), (4.0, 3.5)]), None);
        assert_eq!(of(&[(1.0, 1.0), (2.0, 2.0)]), None);
        // Variance 1/4, error 1/4: a ratio of 1 is 1.76 dB too little for 0 bits.
        assert!((of(&[(1.0, 1.5), (2.0, 1.5)]).unwrap() + 1.76 / 6.02).abs() < 1e-3);
    }
}
