//! What becomes of column sums: they are converted, shifted and added, or kept.

use super::digits::DigitFormat;
use super::lanes::{LANES, Lanes};
use super::packed::SLICES;
use super::{BlockResults, Conversions, ReadNoise};
use crate::adc::{AdcBlock, SeenBlock, off_scale, on_scale, rounded_on_scale, within};
use crate::normal::normals;

/// Takes the sums of vector after vector, each in the order of its input slices.
pub(super) trait Sink {
    /// A new vector begins.
    fn begin(&mut self);
    /// Sums of the `count` input slices of a set that begins with slice `first`.
    fn take(&mut self, vector: usize, first: usize, sums: &[Lanes<f32>; SLICES], count: usize);
    /// The vector is complete.
    fn end(&mut self, vector: usize);
    /// All vectors are complete.
    fn finish(self);
}

/// Keeps the sums, `[vector][cycle]`.
pub(super) struct Keep<'a> {
    pub(super) sums: &'a mut [Lanes<f32>],
    pub(super) cycles: usize,
}

impl Sink for Keep<'_> {
    #[inline(always)]
    fn begin(&mut self) {}

    #[inline(always)]
    fn take(&mut self, vector: usize, first: usize, sums: &[Lanes<f32>; SLICES], count: usize) {
        let start = vector * self.cycles + first;
        self.sums[start..start + count].copy_from_slice(&sums[..count]);
    }

    #[inline(always)]
    fn end(&mut self, _vector: usize) {}

    #[inline(always)]
    fn finish(self) {}
}

#[inline(always)]
fn bits(place: f32) -> i32 {
    place.to_bits() as i32
}

/// Ideal quantisers, accumulators that cannot saturate, no noise, no statistics of errors: everything stays in integer registers.
pub(super) struct Quantisers<'a> {
    inverse_step: Lanes<f32>,
    lowest: Lanes<f32>,
    highest: Lanes<f32>,
    /// The same in every lane, which shifts cheaper.
    digit_bits: Lanes<u32>,
    /// What the accumulators hold if all codes are 0: codes are added as the bits of their places on the scale.
    zero: i32,
    accumulators: Lanes<i32>,
    clipped: Lanes<u32>,
    /// As the limits, on the scale of [`rounded_on_scale`].
    seen_lowest: Lanes<f32>,
    seen_highest: Lanes<f32>,
    seen: &'a mut SeenBlock,
    out: &'a mut [Lanes<f64>],
}

impl<'a> Quantisers<'a> {
    #[inline(always)]
    pub(super) fn new(adc: &AdcBlock, format: DigitFormat, results: BlockResults<'a>) -> Self {
        let DigitFormat { cycles, bits: digit_bits, .. } = format;
        let BlockResults { accumulators: out, seen, .. } = results;
        let zero = (0..cycles).fold(0_i32, |sum, cycle| sum.wrapping_add(bits(on_scale(0)) << (digit_bits * cycle)));
        Self {
            inverse_step: adc.inverse_step,
            lowest: adc.lowest,
            highest: adc.highest,
            digit_bits: Lanes::splat(digit_bits),
            zero,
            accumulators: Lanes::splat(0),
            clipped: Lanes::splat(0),
            seen_lowest: Lanes::splat(f32::INFINITY),
            seen_highest: Lanes::splat(f32::NEG_INFINITY),
            seen,
            out,
        }
    }
}

impl Quantisers<'_> {
    /// Converts the sums of an input slice and adds them to those of the next higher slices of its set.
    #[inline(always)]
    fn convert(&mut self, sums: &Lanes<f32>, set: &mut Lanes<i32>) {
        // One loop: chains of loops over lanes, and lanes of truth values above all, are not turned into wide instructions.
        for lane in 0..LANES {
            let rounded = rounded_on_scale(sums.0[lane] * self.inverse_step.0[lane]);
            let held = within(rounded, self.lowest.0[lane], self.highest.0[lane]);
            self.clipped.0[lane] += u32::from(rounded != held);
            let (lowest, highest) = (self.seen_lowest.0[lane], self.seen_highest.0[lane]);
            self.seen_lowest.0[lane] = if held < lowest { held } else { lowest };
            self.seen_highest.0[lane] = if held > highest { held } else { highest };
            set.0[lane] = (set.0[lane] << self.digit_bits.0[lane]).wrapping_add(bits(held));
        }
    }
}

impl Sink for Quantisers<'_> {
    #[inline(always)]
    fn begin(&mut self) {
        self.accumulators = Lanes::splat(0);
    }

    #[inline(always)]
    fn take(&mut self, _vector: usize, first: usize, sums: &[Lanes<f32>; SLICES], count: usize) {
        let mut set = Lanes::splat(0);
        // Constant places, so that the sums need not leave their registers.
        for slice in (0..SLICES).rev() {
            if slice < count {
                self.convert(&sums[slice], &mut set);
            }
        }
        let shift = self.digit_bits.0[0] * first as u32;
        self.accumulators = self.accumulators.zip(set, |sum, set| sum.wrapping_add(set << shift));
    }

    #[inline(always)]
    fn end(&mut self, vector: usize) {
        self.out[vector] = self.accumulators.map(|sum| f64::from(sum.wrapping_sub(self.zero)));
    }

    #[inline(always)]
    fn finish(self) {
        self.seen.book_range(self.clipped, self.seen_lowest.map(off_scale), self.seen_highest.map(off_scale));
    }
}

/// Any converters, with any noise, in accumulators that may saturate. Accumulators are `f64`, which is exact for whole codes.
pub(super) struct Converters<'a> {
    by: &'a Conversions<'a>,
    cycles: usize,
    digit_bits: u32,
    limit: f64,
    accumulators: Lanes<f64>,
    results: BlockResults<'a>,
}

impl<'a> Converters<'a> {
    #[inline(always)]
    pub(super) fn new(by: &'a Conversions<'a>, format: DigitFormat, results: BlockResults<'a>) -> Self {
        Self {
            by,
            cycles: format.cycles as usize,
            digit_bits: format.bits,
            limit: by.limit.unwrap_or(f64::INFINITY),
            accumulators: Lanes::splat(0.0),
            results,
        }
    }
}

impl Converters<'_> {
    /// Converts the sums of an input slice, shifts and adds.
    #[inline(always)]
    fn convert(&mut self, vector: usize, cycle: usize, sums: Lanes<f32>) {
        let draws = match self.by.thermal_keys.get(vector * self.cycles + cycle) {
            Some(&key) => normals_of(key, &self.by.columns),
            None => Lanes::splat(0.0),
        };
        let codes = self.by.adc.convert(sums, draws, self.results.seen);
        let weight = f64::from(1_u32 << (self.digit_bits * cycle as u32));
        let (limit, mut saturated) = (self.limit, Lanes::splat(false));
        for lane in 0..LANES {
            let sum = self.accumulators.0[lane] + f64::from(codes.0[lane]) * weight;
            saturated.0[lane] = sum.abs() > limit;
            self.accumulators.0[lane] = sum.max(-limit).min(limit);
        }
        *self.results.saturated =
            self.results.saturated.zip(saturated, |count, saturated| count + u64::from(saturated));
    }
}

impl Sink for Converters<'_> {
    #[inline(always)]
    fn begin(&mut self) {
        self.accumulators = Lanes::splat(0.0);
    }

    #[inline(always)]
    fn take(&mut self, vector: usize, first: usize, sums: &[Lanes<f32>; SLICES], count: usize) {
        for (cycle, sums) in (first..).zip(&sums[..count]) {
            self.convert(vector, cycle, *sums);
        }
    }

    #[inline(always)]
    fn end(&mut self, vector: usize) {
        self.results.accumulators[vector] = self.accumulators;
    }

    #[inline(always)]
    fn finish(self) {}
}

/// Adds read noise to sums, given their variances.
#[inline(always)]
pub(super) fn add_noise(sums: &mut [Lanes<f32>], variances: &[Lanes<f32>], noise: &ReadNoise<'_>) {
    for ((sums, &variances), &key) in sums.iter_mut().zip(variances).zip(noise.keys) {
        let draws = normals_of(key, &noise.columns);
        *sums = sums.plus(variances.zip(draws, |variance, draw| variance.sqrt() * draw));
    }
}

#[inline(always)]
fn normals_of(key: u64, columns: &Lanes<u32>) -> Lanes<f32> {
    Lanes(normals(key, &columns.0))
}
