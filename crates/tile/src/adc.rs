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

    /// Whether a sum lies beyond the outermost codes by more than half a step.
    #[must_use]
    pub fn clips(&self, sum: f32) -> bool {
        let scaled = sum * (1.0 / self.step) as f32;
        scaled > self.max_code as f32 + 0.5 || scaled < self.min_code as f32 - 0.5
    }
}

/// The converters of all columns of one crossbar, in the layout that converts them fastest.
#[derive(Clone, Debug, Default)]
pub struct AdcBank {
    inverse_step: Vec<f32>,
    min_code: Vec<f32>,
    max_code: Vec<f32>,
}

impl AdcBank {
    /// One transfer per column.
    #[must_use]
    pub fn new(columns: impl Iterator<Item = AdcTransfer>) -> Self {
        let mut bank = Self::default();
        for adc in columns {
            bank.inverse_step.push((1.0 / adc.step) as f32);
            bank.min_code.push(adc.min_code as f32);
            bank.max_code.push(adc.max_code as f32);
        }
        bank
    }

    /// Converts the column sums of one input slice in place to codes (as whole `f32`) and books what the converters saw; the same
    /// arithmetic as [`AdcTransfer::convert`].
    pub fn convert(&self, sums: &mut [f32], seen: &mut CodesSeen) {
        let limits = self.inverse_step.iter().zip(&self.min_code).zip(&self.max_code);
        let columns = sums.iter_mut().zip(limits).zip(&mut seen.clipped).zip(&mut seen.lowest).zip(&mut seen.highest);
        for ((((sum, ((&inverse, &min), &max)), clipped), lowest), highest) in columns {
            let scaled = *sum * inverse;
            *clipped += u32::from(scaled > max + 0.5) + u32::from(scaled < min - 0.5);
            let code = round_half_even(scaled.max(min).min(max));
            *lowest = lowest.min(code);
            *highest = highest.max(code);
            *sum = code;
        }
    }
}

/// What each column's converter has seen.
#[derive(Clone, Debug)]
pub struct CodesSeen {
    /// Conversions that clipped.
    pub clipped: Vec<u32>,
    /// Lowest code.
    pub lowest: Vec<f32>,
    /// Highest code.
    pub highest: Vec<f32>,
}

impl CodesSeen {
    /// Nothing seen yet in `columns` columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            clipped: vec![0; columns],
            lowest: vec![f32::INFINITY; columns],
            highest: vec![f32::NEG_INFINITY; columns],
        }
    }
}

/// Rounds to the nearest integer, ties to even, for `|x| < 2^22`: adding and subtracting 1.5 * 2^23 leaves no fraction bits.
/// Unlike `f32::round_ties_even` this needs no SSE4.1 and vectorises on every target.
#[inline]
#[must_use]
pub fn round_half_even(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    (x + MAGIC) - MAGIC
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
        assert!(!adc.clips(7.5) && adc.clips(7.51) && adc.clips(-0.51) && !adc.clips(-0.5));
    }

    #[test]
    fn a_bipolar_converter_is_symmetric_with_a_zero_code() {
        let adc = AdcTransfer::bipolar(8, 254.0);
        assert_eq!((adc.min_code, adc.max_code, adc.step), (-127, 127, 2.0));
        assert_eq!(adc.convert(0.0), 0);
    }

    #[test]
    fn a_bank_converts_like_its_single_converters() {
        let adcs = [AdcTransfer::unipolar(4, 20.0), AdcTransfer::bipolar(5, 9.0), AdcTransfer::unipolar(8, 3.3)];
        let bank = AdcBank::new(adcs.into_iter());
        let mut seen = CodesSeen::new(3);
        for i in 0..200 {
            let sums = [i as f32 * 0.3 - 20.0, i as f32 * 0.11 - 11.0, i as f32 * 0.02];
            let mut codes = sums;
            bank.convert(&mut codes, &mut seen);
            for ((adc, sum), code) in adcs.iter().zip(sums).zip(codes) {
                assert_eq!(adc.convert(sum) as f32, code);
            }
        }
        let clipping = |adc: &AdcTransfer, f: &dyn Fn(i32) -> f32| (0..200).filter(|&i| adc.clips(f(i))).count() as u32;
        assert_eq!(seen.clipped[0], clipping(&adcs[0], &|i| i as f32 * 0.3 - 20.0));
        assert!(seen.clipped[0] > 0);
        assert_eq!((seen.lowest[0], seen.highest[0]), (0.0, 15.0));
    }

    proptest! {
        #[test]
        fn the_fast_rounding_is_round_half_even(x in -4_194_000.0_f32..4_194_000.0) {
            prop_assert_eq!(round_half_even(x), x.round_ties_even());
            prop_assert_eq!(round_half_even(x.trunc() + 0.5), (x.trunc() + 0.5).round_ties_even());
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
