//! Noise of single conversions: read noise of the cells, drawn at the column, and thermal noise of the converters.

use super::cells::SampleAddress;
use tile::address::{Purpose, standard_normals, stream};
use tile::crossbar::{Crossbar, DrivenRow};

/// Address of one input slice of one window in one chip sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    pub(super) sample: SampleAddress,
    pub(super) image: u64,
    pub(super) layer: u64,
    pub(super) window: u64,
    pub(super) cycle: u64,
}

/// Standard normal draws of one conversion: one for every logical column of a layer, in their order, so that a column keeps its draws
/// whatever the size of the arrays.
#[derive(Debug, Default)]
pub(super) struct ColumnDraws {
    draws: Vec<f32>,
}

impl ColumnDraws {
    /// Draws for all `columns` columns that a set of rows (from logical row `row_start`) feeds.
    pub(super) fn draw(&mut self, purpose: Purpose, at: Conversion, row_start: u64, columns: usize) {
        let Conversion { sample, image, layer, window, cycle } = at;
        let kind = sample.purpose as u64;
        let address = [kind, sample.chip_sample, image, layer, window, cycle, row_start];
        let mut stream = stream(sample.seed, purpose, &address);
        standard_normals(&mut stream, columns, &mut self.draws);
    }

    /// The draws of a crossbar whose first logical column is `first`.
    pub(super) fn of(&self, first: usize, columns: usize) -> &[f32] {
        self.draws.get(first..first + columns).unwrap_or_default()
    }
}

/// Adds read noise to column sums. The cells' noises are independent and normal, so that their sum at the column is normal with the
/// variance `sum_i digit_i^2 variance_ij`: one draw is exact in distribution.
pub(super) fn add_read_noise(
    variances: &Crossbar,
    driven: &[DrivenRow],
    draws: &[f32],
    squared: &mut Vec<DrivenRow>,
    of_column: &mut Vec<f32>,
    sums: &mut [f32],
) {
    squared.clear();
    squared.extend(driven.iter().map(|row| DrivenRow { digit: row.digit * row.digit, ..*row }));
    variances.column_sums(squared, of_column);
    for ((sum, variance), draw) in sums.iter_mut().zip(of_column.iter()).zip(draws) {
        *sum += variance.sqrt() * draw;
    }
}
