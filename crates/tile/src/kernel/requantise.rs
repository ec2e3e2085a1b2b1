//! From sums of outputs to codes.

/// Adding it to a number below 2^51 leaves the nearest integer, ties to even, in the low bits: it has no bits left for fractions.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// How sums become codes.
#[derive(Clone, Copy, Debug)]
pub struct Requantisation<'a> {
    /// Largest magnitude of an accumulator.
    pub limit: f64,
    /// Factors from sum to code, one per output, or those of several windows side by side: then loops are long where outputs are few.
    pub multipliers: &'a [f64],
    /// Lowest and highest code, of at most 17 bits beside the sign.
    pub clamps: (f64, f64),
}

impl Requantisation<'_> {
    /// Replaces sums by what an accumulator holds of them; returns how many are others.
    #[inline(always)]
    pub(super) fn saturate(&self, sums: &mut [f64]) -> u64 {
        let mut saturated = 0;
        for sum in sums {
            saturated += u64::from(sum.abs() > self.limit);
            *sum = sum.max(-self.limit).min(self.limit);
        }
        saturated
    }

    /// The codes of sums.
    #[inline(always)]
    pub(super) fn run(&self, sums: &[f64], codes: &mut [i32]) {
        let together = self.multipliers.len().max(1);
        for (sums, codes) in sums.chunks(together).zip(codes.chunks_mut(together)) {
            for ((code, sum), multiplier) in codes.iter_mut().zip(sums).zip(self.multipliers) {
                let value = (sum * multiplier).clamp(self.clamps.0, self.clamps.1);
                *code = (value + MAGIC).to_bits() as i32;
            }
        }
    }
}

/// Bytes as numbers that are multiplied.
#[inline(always)]
pub(super) fn widen(bytes: &[u8], numbers: &mut [f64]) {
    numbers.iter_mut().zip(bytes).for_each(|(number, &byte)| *number = byte.into());
}

/// Rounds to the nearest integer, ties to even, for `|x| < 2^51`. Unlike `f64::round_ties_even` this vectorises on every target.
#[must_use]
pub fn round_half_even(x: f64) -> f64 {
    (x + MAGIC) - MAGIC
}
