//! Converted columns of a stage and their sums over windows that were seen.

use super::seen::Seen;
use crate::mapping::CellStates;
use chip::program::{MvmStage, PlacedCrossbar};

/// Moments of the cells of a level, in level spacings of its slice.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    /// Nominal and mean value.
    level: f64,
    mean: f64,
    /// Variance from cell to cell, and of a single read.
    variance: f64,
    read_variance: f64,
}

/// The cells of a stage by slice and level.
pub(super) struct Cells {
    of_slices: Vec<Vec<Cell>>,
}

impl Cells {
    /// # Errors
    /// If the device does not have the cells of a slice.
    pub(super) fn new(stage: &MvmStage, cells: &CellStates) -> Result<Self, String> {
        let of_slice = |bits: u32| -> Result<Vec<Cell>, String> {
            let states = cells.states(bits)?;
            let cell = |level: usize| {
                let error = states.clipped_error(level);
                let read_variance = f64::from(states.read_noise_variance(level as f32));
                let mean = level as f64 + error.mean;
                Cell { level: level as f64, mean, variance: error.variance(), read_variance }
            };
            Ok((0..states.levels()).map(cell).collect())
        };
        Ok(Self { of_slices: stage.slices.iter().map(|slice| of_slice(slice.bits)).collect::<Result<_, _>>()? })
    }
}

/// The moments of a column sum while a window's input slice is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    /// Of nominal levels.
    pub(super) nominal: f64,
    /// Mean over chip samples.
    pub(super) mean: f64,
    /// Variances over chip samples and over reads.
    pub(super) variance: f64,
    pub(super) read_variance: f64,
}

/// A converted column: one array's, or the difference of a pair's.
pub(super) struct Column<'a> {
    seen: &'a Seen,
    first_row: usize,
    /// Slice that it holds.
    pub(super) slice: usize,
    /// What one level spacing of its conversion is worth in the output's sum.
    pub(super) significance: f64,
    /// By row.
    nominal: Vec<f64>,
    mean: Vec<f64>,
    variance: Vec<f64>,
    read_variance: Vec<f64>,
}

impl Column<'_> {
    /// Its sum in an input slice of a window.
    pub(super) fn sum(&self, window: usize, input: usize) -> Sum {
        let mut sum = Sum::default();
        for (row, &digit) in self.digits(window, input).iter().enumerate().filter(|(_, digit)| **digit != 0) {
            let digit = f64::from(digit);
            sum.nominal += digit * self.nominal[row];
            sum.mean += digit * self.mean[row];
            sum.variance += digit * digit * self.variance[row];
            sum.read_variance += digit * digit * self.read_variance[row];
        }
        sum
    }

    /// Variance over chip samples of a weighted sum over the input slices, whose conversions see the same cells.
    pub(super) fn variance_together(&self, window: usize, weights: &[f64]) -> f64 {
        let mut of_rows = vec![0.0; self.variance.len()];
        for (input, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            for (of_row, digit) in of_rows.iter_mut().zip(self.digits(window, input)) {
                *of_row += weight * f64::from(*digit);
            }
        }
        of_rows.iter().zip(&self.variance).map(|(of_row, variance)| of_row * of_row * variance).sum()
    }

    fn digits(&self, window: usize, input: usize) -> &[i16] {
        &self.seen.digits(window, input)[self.first_row..][..self.nominal.len()]
    }
}

/// The converted columns of an output, in a fixed order: crossbars, arrays of a pair that are converted on their own, slices.
pub(super) fn columns<'a>(stage: &MvmStage, cells: &Cells, seen: &'a Seen, output: usize) -> Vec<Column<'a>> {
    let together = stage.polarities as usize / stage.converted_arrays() as usize;
    let holds = |placed: &&PlacedCrossbar| {
        let first = placed.output_start as usize;
        (first..first + placed.outputs as usize).contains(&output)
    };
    let mut columns = Vec::new();
    for placed in stage.crossbars.iter().filter(holds) {
        for (arrays, sign) in placed.levels.chunks(together).zip([1.0, -1.0]) {
            for slice in 0..stage.slices.len() {
                columns.push(column((stage, placed), (arrays, sign), (output, slice), cells, seen));
            }
        }
    }
    columns
}

fn column<'a>(
    (stage, placed): (&MvmStage, &PlacedCrossbar),
    (arrays, sign): (&[Vec<u8>], f64),
    (output, slice): (usize, usize),
    cells: &Cells,
    seen: &'a Seen,
) -> Column<'a> {
    let at = (output - placed.output_start as usize) * stage.slices.len() + slice;
    let (rows, count) = (placed.rows as usize, stage.columns(placed) as usize);
    // A complemented column is taken from what all of it could be.
    let sign = if placed.flipped.get(at).is_some_and(|&flipped| flipped) { -sign } else { sign };
    let mut column = Column {
        seen,
        first_row: placed.row_start as usize,
        slice,
        significance: sign * stage.slices[slice].significance as f64,
        nominal: vec![0.0; rows],
        mean: vec![0.0; rows],
        variance: vec![0.0; rows],
        read_variance: vec![0.0; rows],
    };
    for (levels, sign) in arrays.iter().zip([1.0, -1.0]) {
        for (row, level) in levels.iter().skip(at).step_by(count).enumerate() {
            let cell = cells.of_slices[slice][usize::from(*level)];
            column.nominal[row] += sign * cell.level;
            column.mean[row] += sign * cell.mean;
            column.variance[row] += cell.variance;
            column.read_variance[row] += cell.read_variance;
        }
    }
    column
}
