//! The error that cells and converters are expected to give the outputs of a layer.
//!
//! Looked at are windows of calibration images that were seen, so that sums are those that occur. For a window, cells of level `l` that err by
//! `mu_l + sigma_l xi` level spacings (moments after clipping) give a column driven with digits `d` a sum of mean `sum_i d_i (l_i + mu_i)` and variance
//! `sum_i d_i^2 sigma_i^2`, taken for normal. [`Conversion`] says what the converter makes of it: means add up over slices, input slices and row partitions, and so
//! do the linear parts of noise over the input slices of a column, whose cells are the same; the rests are each conversion's own. The mean square of an output is the
//! square of its mean plus its variance, mean over the windows.

use super::columns::{Cells, Column, columns};
use super::conversion::Conversion;
use super::seen::Seen;
use crate::calibrate::Sums;
use crate::mapping::Encoding;
use crate::partition::row_order;
use chip::program::MvmStage;
use nn::quantised::QuantisedMvm;

/// Most conversions that are looked at for a candidate; layers of many have fewer of their outputs looked at, evenly spread, but never fewer than
/// [`FEWEST_OUTPUTS`].
const CONVERSIONS: usize = 1 << 18;

/// Fewest outputs that are looked at.
const FEWEST_OUTPUTS: usize = 8;

/// Expected errors of a stage, given what it sees.
pub(super) struct Errors<'a> {
    stage: &'a MvmStage,
    seen: &'a Seen,
    cells: &'a Cells,
    /// Whether converters round.
    rounds: bool,
}

impl<'a> Errors<'a> {
    /// Of a stage with its converters; without `rounds` these pass sums on as they are.
    pub(super) fn new(stage: &'a MvmStage, seen: &'a Seen, cells: &'a Cells, rounds: bool) -> Self {
        Self { stage, seen, cells, rounds }
    }

    /// Mean square of the error of the outputs' sums, mean over the outputs, in squared steps of the sums.
    pub(super) fn mean_square(&self, mvm: &QuantisedMvm, encoding: &Encoding) -> f64 {
        let order = row_order(&mvm.window, mvm.groups);
        let (mut square, mut shares) = (0.0, 0.0);
        for output in outputs(self.stage, self.seen) {
            let share = self.seen.shares[output];
            square += share * self.output(output, &clipped(mvm, encoding, output, &order));
            shares += share;
        }
        if shares > 0.0 { square / shares } else { 0.0 }
    }

    /// Mean square of the error of an output whose clipped weights are off by so much, by row.
    fn output(&self, output: usize, clipped: &[(usize, f64)]) -> f64 {
        let columns = columns(self.stage, self.cells, self.seen, output);
        let window = |window: usize| {
            let mut mean: f64 = clipped.iter().map(|&(row, error)| error * self.seen.code(window, row)).sum();
            let mut variance = 0.0;
            for column in &columns {
                let of_column = self.column(column, window);
                mean += column.significance * of_column.0;
                variance += column.significance * column.significance * of_column.1;
            }
            mean * mean + variance
        };
        (0..self.seen.windows()).map(window).sum::<f64>() / self.seen.windows().max(1) as f64
    }

    /// Mean and variance of the error of a column over all input slices of a window, in level spacings.
    fn column(&self, column: &Column<'_>, window: usize) -> (f64, f64) {
        let adc = self.stage.slices[column.slice].adc;
        let (mut mean, mut variance) = (0.0, 0.0);
        let mut gains = vec![0.0; self.seen.slices];
        for (input, gain) in gains.iter_mut().enumerate() {
            let (sum, worth) = (column.sum(window, input), self.seen.worth(input));
            let sigma = (sum.variance + sum.read_variance).sqrt();
            let of = if self.rounds { Conversion::new(adc, sum.mean, sigma) } else { Conversion::exact(sum.mean) };
            mean += worth * (of.mean - sum.nominal);
            variance += worth * worth * (of.rest + of.gain * of.gain * sum.read_variance);
            *gain = worth * of.gain;
        }
        (mean, variance + column.variance_together(window, &gains))
    }
}

/// The sums of a slice that converters are likely to be calibrated with. Noise is three points with the first five moments of the normal distribution.
pub(super) fn sums(stage: &MvmStage, seen: &Seen, cells: &Cells, slice: usize) -> Sums {
    let mut sums = Sums::default();
    for output in outputs(stage, seen) {
        for column in columns(stage, cells, seen, output).iter().filter(|column| column.slice == slice) {
            for window in 0..seen.windows() {
                for input in 0..seen.slices {
                    let sum = column.sum(window, input);
                    let far = (3.0 * (sum.variance + sum.read_variance)).sqrt();
                    for (times, from_mean) in [(1, -far), (4, 0.0), (1, far)] {
                        (0..times).for_each(|_| sums.add((sum.mean + from_mean) as f32));
                    }
                }
            }
        }
    }
    sums
}

/// The outputs that are looked at.
fn outputs(stage: &MvmStage, seen: &Seen) -> impl Iterator<Item = usize> + use<> {
    let (outputs, crossbars) = (stage.outputs as usize, stage.crossbars.iter());
    let columns: u64 = crossbars.map(|placed| stage.converted_columns(placed)).sum();
    let conversions = (columns as usize / outputs.max(1)).max(1) * seen.slices * seen.windows().max(1);
    let count = (CONVERSIONS / conversions).max(FEWEST_OUTPUTS).min(outputs);
    (0..count).map(move |index| index * outputs / count)
}

/// What the encoding clips of the weights of an output: row of the chip and error.
fn clipped(mvm: &QuantisedMvm, encoding: &Encoding, output: usize, order: &[usize]) -> Vec<(usize, f64)> {
    let rows = mvm.group_rows();
    let weights = &mvm.weights[output * rows..][..rows];
    let group = output / (mvm.outputs / mvm.groups);
    let error = |row: usize| {
        let weight = weights[order[row] - group * rows];
        (row, f64::from(encoding.clip(weight) - weight))
    };
    (group * rows..(group + 1) * rows).map(error).filter(|(_, error)| *error != 0.0).collect()
}
