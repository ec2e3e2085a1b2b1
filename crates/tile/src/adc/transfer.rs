//! The converter's transfer function: clip to the range, mid-tread, round half to even.

use serde::{Deserialize, Serialize};

/// How a converter turns a column sum into a code: `clamp(round(sum / step), min_code, max_code)`.
///
/// Sums are in units of one level spacing at one step of the DAC. Code 0 always stands for no current (mid-tread).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdcTransfer {
    /// Lowest code.
    pub min_code: i32,
    /// Highest code.
    pub max_code: i32,
    /// Column sum of one code step (LSB), in these units.
    pub step: f64,
}

impl AdcTransfer {
    /// A converter for sums `0..=full_scale` with `2^bits` codes.
    #[must_use]
    pub fn unipolar(bits: u32, full_scale: f64) -> Self {
        let max_code = (1_i32 << bits) - 1;
        Self { min_code: 0, max_code, step: full_scale / f64::from(max_code) }
    }

    /// A converter for sums `-full_scale..=full_scale` with `2^bits - 1` codes, symmetric with a zero code.
    #[must_use]
    pub fn bipolar(bits: u32, full_scale: f64) -> Self {
        let max_code = ((1_i32 << (bits - 1)) - 1).max(1);
        Self { min_code: -max_code, max_code, step: full_scale / f64::from(max_code) }
    }

    /// Code of one sum. `f32` as in the array; exact while `sum / step` has no more than 22 bits.
    #[must_use]
    pub fn convert(&self, sum: f32) -> i32 {
        let scaled = sum * (1.0 / self.step) as f32;
        round_half_even(scaled.max(self.min_code as f32).min(self.max_code as f32)) as i32
    }

    /// Whether a sum has its nearest code, ties to even, beyond the outermost ones.
    #[must_use]
    pub fn clips(&self, sum: f32) -> bool {
        let code = round_half_even(sum * (1.0 / self.step) as f32);
        code > self.max_code as f32 || code < self.min_code as f32
    }
}

/// Rounds to the nearest integer, ties to even, for `|x| < 2^22`: adding and subtracting 1.5 * 2^23 leaves no fraction bits.
/// Unlike `f32::round_ties_even` this needs no SSE4.1 and vectorises on every target.
#[inline]
#[must_use]
pub fn round_half_even(x: f32) -> f32 {
    (x + MAGIC) - MAGIC
}

/// 1.5 * 2^23: around it neighbouring `f32` are neighbouring integers.
const MAGIC: f32 = 12_582_912.0;

/// `x` on a scale that begins so high that only whole numbers are left: the nearest one, ties to even, for `|x| < 2^22`. Beyond, the result still
/// lies on the same side of any code within. [`on_scale`] is what codes are compared with.
#[inline(always)]
pub(crate) fn rounded_on_scale(x: f32) -> f32 {
    x + MAGIC
}

/// A code on that scale; its bits are those of code 0 plus the code.
#[inline(always)]
pub(crate) const fn on_scale(code: i32) -> f32 {
    code as f32 + MAGIC
}

/// The code at a place of the scale.
#[inline(always)]
pub(crate) fn off_scale(place: f32) -> f32 {
    place - MAGIC
}

/// `value.max(lowest).min(highest)` in one instruction each: `f32::max` and `min` also handle a second operand that is no number.
#[inline(always)]
pub(crate) fn within(value: f32, lowest: f32, highest: f32) -> f32 {
    let value = if value > lowest { value } else { lowest };
    if value < highest { value } else { highest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_to_even_and_the_ends_clip() {
        let adc = AdcTransfer::unipolar(3, 7.0);
        let codes: Vec<i32> = [-3.0, 0.5, 1.5, 2.5, 6.49, 7.6, 100.0].iter().map(|&x| adc.convert(x)).collect();
        assert_eq!(codes, [0, 0, 2, 2, 6, 7, 7]);
        // 7.5 is as near to 8 as to 7, and 8 is even; 0 is even.
        assert!(!adc.clips(7.49) && adc.clips(7.5) && adc.clips(-0.51) && !adc.clips(-0.5));
    }

    #[test]
    fn a_bipolar_converter_is_symmetric_with_a_zero_code() {
        let adc = AdcTransfer::bipolar(8, 254.0);
        assert_eq!((adc.min_code, adc.max_code, adc.step), (-127, 127, 2.0));
        assert_eq!(adc.convert(0.0), 0);
    }

    proptest! {
        #[test]
        fn the_fast_rounding_is_round_half_even(x in -4_194_000.0_f32..4_194_000.0) {
            prop_assert_eq!(round_half_even(x), x.round_ties_even());
            prop_assert_eq!(round_half_even(x.trunc() + 0.5), (x.trunc() + 0.5).round_ties_even());
        }

        /// Far sums stay on their side.
        #[test]
        fn the_scale_orders_like_the_values(x in proptest::num::f32::NORMAL, code in -1_000_000_i32..1_000_000) {
            let nearest = x.round_ties_even();
            prop_assert_eq!(rounded_on_scale(x) > on_scale(code), nearest > code as f32);
            prop_assert_eq!(rounded_on_scale(x) < on_scale(code), nearest < code as f32);
            prop_assert_eq!(on_scale(code).to_bits() as i32 - on_scale(0).to_bits() as i32, code);
            prop_assert_eq!(off_scale(on_scale(code)), code as f32);
        }

        /// Of the same range.
        #[test]
        fn more_bits_never_increase_the_error(bits in 1_u32..=11, full_scale in 0.1_f64..1000.0) {
            let mean_square = |bits: u32| {
                let adc = AdcTransfer::unipolar(bits, full_scale);
                let error = |i: u32| {
                    let sum = full_scale * f64::from(i) / 5000.0;
                    (f64::from(adc.convert(sum as f32)) * adc.step - sum).powi(2)
                };
                (0..=5000).map(error).sum::<f64>()
            };
            prop_assert!(mean_square(bits + 1) < mean_square(bits));
        }

        #[test]
        fn the_transfer_curve_is_monotone_and_within_half_a_step(bits in 2_u32..=12, scale in 0.1_f64..1000.0, a in 0.0_f32..1.0, b in 0.0_f32..1.0) {
            let adc = AdcTransfer::unipolar(bits, scale);
            let (low, high) = (a.min(b) * scale as f32, a.max(b) * scale as f32);
            prop_assert!(adc.convert(low) <= adc.convert(high));
            let error = f64::from(adc.convert(low)) * adc.step - f64::from(low);
            prop_assert!(error.abs() <= adc.step * 0.5 * (1.0 + 1e-3), "{}", error);
        }
    }
}
