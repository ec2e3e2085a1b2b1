//! What the converters of a crossbar have seen.

use super::statistics::ErrorStatistics;

/// Conversions that are summed in `f32` before they are added to the totals: sums of squares of whole numbers up to 511, which lossless
/// conversions see, are then still exact (64 * 511^2 < 2^24).
const BLOCK: u32 = 64;

/// What each column's converter has seen.
#[derive(Clone, Debug)]
pub struct CodesSeen {
    /// Conversions that clipped: beyond the outermost code by more than half a step.
    pub clipped: Vec<u32>,
    /// Lowest code.
    pub lowest: Vec<f32>,
    /// Highest code.
    pub highest: Vec<f32>,
    pub(super) block: Block<f32>,
    /// Conversions of each column in `block`.
    pending: u32,
    /// Everything before `block`.
    totals: Block<f64>,
    /// Conversions of each column in `totals`.
    count: u64,
}

/// Sums over conversions in steps, per column.
#[derive(Clone, Debug)]
pub(super) struct Block<T> {
    pub(super) sums: Vec<T>,
    pub(super) squares: Vec<T>,
    pub(super) errors: Vec<T>,
}

impl<T: Clone> Block<T> {
    fn of(zero: &T, columns: usize) -> Self {
        let zeros = || vec![zero.clone(); columns];
        Self { sums: zeros(), squares: zeros(), errors: zeros() }
    }
}

impl CodesSeen {
    /// Nothing seen yet in `columns` columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            clipped: vec![0; columns],
            lowest: vec![f32::INFINITY; columns],
            highest: vec![f32::NEG_INFINITY; columns],
            block: Block::of(&0.0, columns),
            pending: 0,
            totals: Block::of(&0.0, columns),
            count: 0,
        }
    }

    /// Makes room for one more conversion of every column in the block.
    pub(super) fn begin(&mut self) {
        if self.pending == BLOCK {
            let (totals, block) = (&mut self.totals, &mut self.block);
            move_into(&mut totals.sums, &mut block.sums);
            move_into(&mut totals.squares, &mut block.squares);
            move_into(&mut totals.errors, &mut block.errors);
            self.count += u64::from(BLOCK);
            self.pending = 0;
        }
        self.pending += 1;
    }

    /// Statistics of a column whose converter has a step of `step`, in the unit of `step`. The order of the conversions matters to the last
    /// bits of an `f32` only, and not at all where sums are small whole numbers.
    #[must_use]
    pub fn statistics(&self, column: usize, step: f64) -> ErrorStatistics {
        let all = |total: &[f64], block: &[f32]| total[column] + f64::from(block[column]);
        ErrorStatistics {
            count: self.count + u64::from(self.pending),
            sum: all(&self.totals.sums, &self.block.sums) * step,
            sum_squares: all(&self.totals.squares, &self.block.squares) * step * step,
            error_squares: all(&self.totals.errors, &self.block.errors) * step * step,
        }
    }
}

fn move_into(totals: &mut [f64], block: &mut [f32]) {
    for (total, value) in totals.iter_mut().zip(block) {
        *total += f64::from(*value);
        *value = 0.0;
    }
}
