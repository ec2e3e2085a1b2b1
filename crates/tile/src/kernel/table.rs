//! Tables of the sums that groups of rows can contribute to a block of columns.

use super::digits::DigitFormat;
use super::lanes::Lanes;
use crate::crossbar::Crossbar;

/// What the cells of a block of columns contribute at a digit, in level spacings times DAC steps.
#[derive(Clone, Copy, Debug)]
pub enum BlockCells<'a> {
    /// Linear cells, one entry per row: `digit * cell`.
    Linear(&'a [Lanes<f32>]),
    /// Non-linear cells: those of a block of columns of the matrix of the digit's magnitude, with the digit's sign. One matrix for each of the
    /// magnitudes 1, 2, ....
    PerDigit(&'a [Crossbar], usize),
    /// Variances, one entry per row: `digit^2 * variance`.
    Variance(&'a [Lanes<f32>]),
}

impl BlockCells<'_> {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Linear(cells) | Self::Variance(cells) => cells.len(),
            Self::PerDigit(matrices, _) => matrices.first().map_or(0, Crossbar::rows),
        }
    }

    /// Contribution of a row at a digit other than 0.
    #[inline(always)]
    fn at(&self, row: usize, digit: i32) -> Lanes<f32> {
        match self {
            Self::Linear(cells) => cells[row].map(|cell| digit as f32 * cell),
            Self::Variance(cells) => cells[row].map(|cell| (digit * digit) as f32 * cell),
            Self::PerDigit(matrices, block) => {
                matrices[digit.unsigned_abs() as usize - 1].block(*block)[row].map(|cell| digit.signum() as f32 * cell)
            }
        }
    }
}

/// The sums of all combinations of digits of every group: `group * group_entries + index`. Within a group the contributions of rows with a
/// digit other than 0 are added to 0 in ascending order of the rows.
#[inline(always)]
pub(super) fn fill(cells: &BlockCells<'_>, format: DigitFormat, table: &mut Vec<Lanes<f32>>) {
    let (radix, group_rows, group_entries) = (format.radix(), format.group_rows(), format.group_entries());
    let rows = cells.rows();
    table.resize(rows.div_ceil(group_rows) * group_entries, Lanes::splat(0.0));
    for (group, entries) in table.chunks_exact_mut(group_entries).enumerate() {
        entries[0] = Lanes::splat(0.0);
        let mut known = 1;
        for row in group * group_rows..rows.min((group + 1) * group_rows) {
            for index in 1..radix {
                let contribution = cells.at(row, format.digit_of(index));
                for lower in 0..known {
                    entries[index * known + lower] = entries[lower].plus(contribution);
                }
            }
            known *= radix;
        }
    }
}
