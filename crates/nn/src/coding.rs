//! Codes: what an activation may be in integers, and how the pixels of an image become codes.

use crate::Shape;
use crate::error::{Invalid, check_finite, check_length};
use crate::quantised_check::check_bits;

/// The codes that a result may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeFormat {
    /// Width, a sign not counted.
    pub bits: u32,
    /// Whether codes may be negative.
    pub signed: bool,
}

impl CodeFormat {
    /// Lowest and highest code: `-(2^bits - 1)`, or 0, and `2^bits - 1`. `bits` must be at most 62.
    #[must_use]
    pub fn codes(self) -> (i64, i64) {
        let highest = (1 << self.bits) - 1;
        (if self.signed { -highest } else { 0 }, highest)
    }

    /// The code nearest to `value`, ties to even, among those of the format; `NaN` counts as 0.
    #[must_use]
    pub fn nearest(self, value: f64) -> i64 {
        let (lowest, highest) = self.codes();
        // The cast saturates and turns NaN into 0.
        (round_half_even(value) as i64).clamp(lowest, highest)
    }
}

/// `f64::round_ties_even`, without a call where that is a library's: numbers as large as `WHOLE` have no fraction bits, so that adding it to a
/// smaller one rounds that, ties to even.
fn round_half_even(value: f64) -> f64 {
    const WHOLE: f64 = 1.5 * (1_u64 << 52) as f64;
    if value.abs() < (1_u64 << 51) as f64 { (value + WHOLE) - WHOLE } else { value.round_ties_even() }
}

/// How pixels become input codes: `clamp(round_half_even(pixel * multiplier + offset), lowest, 2^bits - 1)`, in `f64`, the product and the sum
/// rounded each. Pixels of data sets are 0..=1; a normalisation by mean and standard deviation is part of multiplier and offset.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCoding {
    /// The codes.
    pub format: CodeFormat,
    /// Factors from pixel to code: one for all pixels, one per channel, or one per value of an image (channel, row, column).
    pub multipliers: Vec<f64>,
    /// What is added, in codes; as many as there are multipliers.
    pub offsets: Vec<f64>,
}

impl InputCoding {
    /// Pixels 0..=1 as codes `0..=2^bits - 1`.
    #[must_use]
    pub fn unsigned(bits: u32) -> Self {
        let highest = 2_f64.powi(bits as i32) - 1.0;
        Self { format: CodeFormat { bits, signed: false }, multipliers: vec![highest], offsets: vec![0.0] }
    }

    /// The codes of an image `[channel][row][column]`.
    #[must_use]
    pub fn codes(&self, shape: Shape, image: &[f32]) -> Vec<i32> {
        self.values(shape, image).map(|value| self.format.nearest(value) as i32).collect()
    }

    /// Values of an image `[channel][row][column]` that are clipped: their nearest whole number is no code.
    #[must_use]
    pub fn clipped(&self, shape: Shape, image: &[f32]) -> usize {
        let (lowest, highest) = self.format.codes();
        let codes = lowest as f64..=highest as f64;
        self.values(shape, image).filter(|&value| !codes.contains(&round_half_even(value))).count()
    }

    /// The values of an image in codes, before they are rounded.
    fn values(&self, shape: Shape, image: &[f32]) -> impl Iterator<Item = f64> {
        // As many neighbouring values share a factor.
        let stretch = shape.len() / self.multipliers.len().max(1);
        let affine = self.multipliers.iter().zip(&self.offsets);
        let parts = image.chunks(stretch.max(1)).zip(affine.cycle());
        parts.flat_map(|(pixels, (multiplier, offset))| {
            pixels.iter().map(move |&pixel| f64::from(pixel) * multiplier + offset)
        })
    }

    /// Whether it is one for images of a shape.
    pub(crate) fn validate(&self, shape: Shape) -> Result<(), Invalid> {
        check_bits("input bits", self.format.bits, 1)?;
        let count = self.multipliers.len();
        if ![1, shape.channels, shape.len()].contains(&count) {
            let allowed = format!("1, {} (one per channel) or {} (one per value)", shape.channels, shape.len());
            return Err(Invalid::new("number of input multipliers", count, allowed));
        }
        check_length("input offsets", self.offsets.len(), count)?;
        check_finite("input multipliers", &self.multipliers)?;
        check_finite("input offsets", &self.offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_code_is_even_among_two_and_within_the_format() {
        let unsigned = CodeFormat { bits: 3, signed: false };
        let signed = CodeFormat { signed: true, ..unsigned };
        let values = [-9.0, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 6.6, 7.5, f64::NAN, f64::INFINITY];
        assert_eq!(values.map(|value| unsigned.nearest(value)), [0, 0, 0, 0, 0, 2, 2, 7, 7, 0, 7]);
        assert_eq!(values.map(|value| signed.nearest(value)), [-7, -2, -2, 0, 0, 2, 2, 7, 7, 0, 7]);
    }

    proptest! {
        /// Also around the largest numbers with fraction bits, and beyond them.
        #[test]
        fn rounding_is_that_of_the_standard_library(mantissa in -2.0..2.0, exponent in 0..60, halves in -1_i64 << 53..1 << 53) {
            for value in [mantissa * f64::from(exponent).exp2(), halves as f64 / 2.0, (halves >> exponent) as f64 / 2.0] {
                prop_assert_eq!(round_half_even(value), value.round_ties_even());
            }
        }
    }

    /// 0.5 +- 0.25 per channel, and a mean of every value.
    #[test]
    fn channels_and_values_have_factors_of_their_own() {
        let shape = Shape { channels: 2, height: 1, width: 2 };
        let format = CodeFormat { bits: 4, signed: true };
        let image = [0.0, 1.0, 0.25, 0.75];
        let per_channel = InputCoding { format, multipliers: vec![20.0, 40.0], offsets: vec![-10.0, -20.0] };
        assert_eq!(per_channel.codes(shape, &image), [-10, 10, -10, 10]);
        let per_value = InputCoding { format, multipliers: vec![10.0; 4], offsets: vec![1.0, 2.0, 3.0, -7.0] };
        assert_eq!(per_value.codes(shape, &image), [1, 12, 6, 0]);
        assert_eq!(InputCoding::unsigned(4).codes(shape, &image), [0, 15, 4, 11]);
        // What is rounded to the last code is not clipped.
        let beyond = [15.4 / 15.0, 15.6 / 15.0, -0.4 / 15.0, -0.6 / 15.0];
        assert_eq!(InputCoding::unsigned(4).clipped(shape, &beyond), 2);
        assert_eq!((per_channel.clipped(shape, &[1.3, -0.3, 0.8, 0.9]), per_value.clipped(shape, &image)), (3, 0));
        assert!([&per_channel, &per_value, &InputCoding::unsigned(4)].iter().all(|c| c.validate(shape).is_ok()));
    }

    #[test]
    fn what_is_no_coding_is_named() {
        let shape = Shape { channels: 2, height: 1, width: 2 };
        let message = |change: fn(&mut InputCoding)| {
            let mut coding = InputCoding::unsigned(4);
            change(&mut coding);
            coding.validate(shape).unwrap_err().to_string()
        };
        let count = message(|coding| coding.multipliers = vec![1.0; 3]);
        assert_eq!(count, "number of input multipliers is 3, allowed: 1, 2 (one per channel) or 4 (one per value)");
        assert!(message(|coding| coding.offsets.clear()).contains("input offsets is 0, allowed: exactly 1"));
        assert!(message(|coding| coding.multipliers[0] = f64::INFINITY).contains("input multipliers[0] is inf"));
        assert!(message(|coding| coding.offsets[0] = f64::NAN).contains("input offsets[0] is NaN"));
        assert!(message(|coding| coding.format.bits = 17).contains("input bits is 17, allowed: 1 to 16"));
    }
}
