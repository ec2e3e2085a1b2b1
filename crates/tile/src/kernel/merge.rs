//! Accumulators into sums of outputs.

use super::lanes::{LANES, Lanes};

/// Neighbouring lanes that belong to neighbouring outputs.
#[derive(Clone, Copy, Debug)]
pub struct Merge<'a> {
    /// One entry per vector.
    pub accumulators: &'a [Lanes<f64>],
    /// First lane.
    pub lane: usize,
    /// Weight of each lane in its output.
    pub scale: &'a [f64],
    /// First output.
    pub output: usize,
    /// Outputs of a vector.
    pub outputs: usize,
}

impl Merge<'_> {
    /// `sums[vector][output + i] += scale[i] * accumulators[vector][lane + i]`.
    #[inline(always)]
    pub(super) fn run(&self, sums: &mut [f64]) {
        let &Self { accumulators, lane, scale, output, outputs } = self;
        // Whole blocks have a length that the compiler knows.
        if let (Ok(scale), 0) = (<&[f64; LANES]>::try_from(scale), lane) {
            for (sums, accumulators) in sums.chunks_exact_mut(outputs).zip(accumulators) {
                add(&mut sums[output..][..LANES], scale, &accumulators.0);
            }
            return;
        }
        for (sums, accumulators) in sums.chunks_exact_mut(outputs).zip(accumulators) {
            add(&mut sums[output..][..scale.len()], scale, &accumulators.0[lane..]);
        }
    }
}

#[inline(always)]
fn add(sums: &mut [f64], scale: &[f64], accumulators: &[f64]) {
    for ((sum, scale), accumulator) in sums.iter_mut().zip(scale).zip(accumulators) {
        *sum += scale * accumulator;
    }
}
