//! Column sums of packed vectors: look-ups and adds, or products and adds.

use super::lanes::{LANES, Lanes};
use super::packed::{Factors, Packed, SLICES};

/// Where the column sums of a vector in a set of input slices come from.
pub(super) trait Sums {
    /// Sums in each slice of the set whose list ends at `ends[at]`.
    fn of(&self, at: usize) -> [Lanes<f32>; SLICES];
}

/// Sums of table entries, with every access checked: the twin of [`super::simd::Unchecked`].
pub(super) struct Checked<'a> {
    pub(super) packed: &'a Packed,
    pub(super) table: &'a [Lanes<f32>],
}

impl Sums for Checked<'_> {
    #[inline(always)]
    fn of(&self, at: usize) -> [Lanes<f32>; SLICES] {
        let mut sums = [Lanes::splat(0.0); SLICES];
        for pair in self.packed.list(at) {
            for (slice, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus(self.table[place(pair, slice) / LANES]);
            }
        }
        sums
    }
}

/// Place of a group's sum in a slice, in `f32` from the start of the table.
#[inline(always)]
pub(super) fn place(pair: &[u64; 2], slice: usize) -> usize {
    (pair[slice / 2] >> (32 * (slice % 2))) as u32 as usize
}

/// Products of digits and cells.
pub(super) struct Products<'a> {
    pub(super) packed: &'a Packed,
    pub(super) cells: &'a [Lanes<f32>],
    /// Whether digits count squared: variances.
    pub(super) squared: bool,
}

impl Sums for Products<'_> {
    #[inline(always)]
    fn of(&self, at: usize) -> [Lanes<f32>; SLICES] {
        let mut sums = [Lanes::splat(0.0); SLICES];
        for Factors { digits, row } in self.packed.rows_driven(at) {
            let cells = self.cells[*row as usize];
            for (sum, &digit) in sums.iter_mut().zip(digits) {
                let factor = if self.squared { digit * digit } else { digit };
                *sum = sum.zip(cells, |sum, cell| sum + factor * cell);
            }
        }
        sums
    }
}

/// Sums that are already known, `[vector][cycle]`.
pub(super) struct Given<'a> {
    pub(super) sums: &'a [Lanes<f32>],
    pub(super) cycles: usize,
    pub(super) sets: usize,
}

impl Sums for Given<'_> {
    #[inline(always)]
    fn of(&self, at: usize) -> [Lanes<f32>; SLICES] {
        let (vector, first) = (at / self.sets, at % self.sets * SLICES);
        std::array::from_fn(|slice| match first + slice < self.cycles {
            true => self.sums[vector * self.cycles + first + slice],
            false => Lanes::splat(0.0),
        })
    }
}
