//! What the converters of a crossbar have seen.

use super::statistics::ErrorStatistics;
use crate::kernel::{LANES, Lanes};

/// What each column's converter has seen.
#[derive(Clone, Debug)]
pub struct CodesSeen {
    pub(crate) blocks: Vec<SeenBlock>,
}

/// The same for a block of neighbouring columns.
#[derive(Clone, Debug)]
pub struct SeenBlock {
    /// Conversions that clipped: whose nearest code lies beyond the outermost ones.
    pub(crate) clipped: Lanes<u64>,
    pub(crate) lowest: Lanes<f32>,
    pub(crate) highest: Lanes<f32>,
    /// Sums over conversions in steps, if they are wanted.
    errors: Option<Errors>,
}

/// Exact as long as all sums are whole numbers of steps.
#[derive(Clone, Debug)]
struct Errors {
    count: u64,
    sums: Lanes<f64>,
    squares: Lanes<f64>,
    errors: Lanes<f64>,
}

impl CodesSeen {
    /// Nothing seen yet in `columns` columns. Statistics of errors are optional, because they take a third of a conversion's time.
    #[must_use]
    pub fn new(columns: usize, with_errors: bool) -> Self {
        let zero = Lanes::splat(0.0);
        let errors = with_errors.then_some(Errors { count: 0, sums: zero, squares: zero, errors: zero });
        let block = SeenBlock {
            clipped: Lanes::splat(0),
            lowest: Lanes::splat(f32::INFINITY),
            highest: Lanes::splat(f32::NEG_INFINITY),
            errors,
        };
        Self { blocks: vec![block; columns.div_ceil(LANES)] }
    }

    /// Adds what the same converters saw afterwards.
    pub fn add(&mut self, next: &Self) {
        self.blocks.iter_mut().zip(&next.blocks).for_each(|(block, next)| block.add(next));
    }

    /// What each block of columns has seen, to be added to.
    pub fn blocks_mut(&mut self) -> &mut [SeenBlock] {
        &mut self.blocks
    }

    /// Conversions of a column that clipped.
    #[must_use]
    pub fn clipped(&self, column: usize) -> u64 {
        self.blocks[column / LANES].clipped.0[column % LANES]
    }

    /// Lowest and highest code of a column; infinite if it has seen none.
    #[must_use]
    pub fn codes(&self, column: usize) -> (f32, f32) {
        let block = &self.blocks[column / LANES];
        (block.lowest.0[column % LANES], block.highest.0[column % LANES])
    }

    /// Statistics of a column whose converter has a step of `step`, in the unit of `step`; none were counted if they were not wanted.
    #[must_use]
    pub fn statistics(&self, column: usize, step: f64) -> ErrorStatistics {
        let (block, lane) = (&self.blocks[column / LANES], column % LANES);
        block.errors.as_ref().map_or_else(ErrorStatistics::default, |errors| ErrorStatistics {
            count: errors.count,
            sum: errors.sums.0[lane] * step,
            sum_squares: errors.squares.0[lane] * step * step,
            error_squares: errors.errors.0[lane] * step * step,
        })
    }
}

impl Errors {
    fn add(&mut self, next: &Self) {
        let add = |sums: &mut Lanes<f64>, next: Lanes<f64>| *sums = sums.zip(next, |sum, next| sum + next);
        self.count += next.count;
        add(&mut self.sums, next.sums);
        add(&mut self.squares, next.squares);
        add(&mut self.errors, next.errors);
    }
}

impl SeenBlock {
    fn add(&mut self, next: &Self) {
        self.clipped = self.clipped.zip(next.clipped, |count, clipped| count + clipped);
        self.lowest = self.lowest.zip(next.lowest, f32::min);
        self.highest = self.highest.zip(next.highest, f32::max);
        if let (Some(errors), Some(next)) = (&mut self.errors, &next.errors) {
            errors.add(next);
        }
    }

    /// Whether statistics of errors are wanted.
    pub(crate) fn measures_errors(&self) -> bool {
        self.errors.is_some()
    }

    /// Books conversions whose errors are not wanted: how many clipped, and the lowest and the highest code.
    pub(crate) fn book_range(&mut self, clipped: Lanes<u32>, lowest: Lanes<f32>, highest: Lanes<f32>) {
        self.clipped = self.clipped.zip(clipped, |count, clipped| count + u64::from(clipped));
        self.lowest = self.lowest.zip(lowest, f32::min);
        self.highest = self.highest.zip(highest, f32::max);
    }

    /// Books a conversion of every column: its sum in steps, its code, and whether it clipped.
    #[inline(always)]
    pub(crate) fn book(&mut self, scaled: Lanes<f32>, codes: Lanes<f32>, clipped: Lanes<bool>) {
        self.clipped = self.clipped.zip(clipped, |count, clipped| count + u64::from(clipped));
        self.lowest = self.lowest.zip(codes, |lowest, code| if code < lowest { code } else { lowest });
        self.highest = self.highest.zip(codes, |highest, code| if code > highest { code } else { highest });
        let Some(errors) = &mut self.errors else { return };
        errors.count += 1;
        let error = codes.zip(scaled, |code, scaled| f64::from(code - scaled));
        let scaled = scaled.map(f64::from);
        errors.sums = errors.sums.zip(scaled, |sum, scaled| sum + scaled);
        errors.squares = errors.squares.zip(scaled, |sum, scaled| sum + scaled * scaled);
        errors.errors = errors.errors.zip(error, |sum, error| sum + error * error);
    }
}
