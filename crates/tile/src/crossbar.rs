//! A programmed crossbar: conductances in, column sums out.

use crate::kernel::{LANES, Lanes};

/// The cells between one set of word lines and one set of bit lines, as programmed in one chip sample.
///
/// Values are conductances above `G_min` in level spacings; the two arrays of a differential pair, whose currents are subtracted before
/// conversion, are one crossbar of differences. The baseline `G_min * sum(x)` of a single-ended array is taken off by a reference column
/// of cells at `G_min`; the reference is ideal, its read energy is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossbar {
    rows: usize,
    cols: usize,
    /// Blocks of [`LANES`] columns, one entry per row each; the last one is padded with zeros.
    cells: Vec<Lanes<f32>>,
    row_conductance_s: Vec<f64>,
}

/// A word line that is driven in one cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrivenRow {
    /// Word line, counted within the crossbar.
    pub row: u32,
    /// Digit applied by the DAC, at least 1.
    pub digit: f32,
}

impl Crossbar {
    /// A crossbar of `rows x cols` cells at `G_min`, with no conductance booked yet.
    #[must_use]
    pub fn new(rows: usize, cols: usize) -> Self {
        let cells = vec![Lanes::splat(0.0); rows * cols.div_ceil(LANES)];
        Self { rows, cols, cells, row_conductance_s: vec![0.0; rows] }
    }

    /// Number of word lines in use.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of bit lines in use.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The cell at a crossing in level spacings; of a pair, positive minus negative.
    #[must_use]
    pub fn cell(&self, row: usize, col: usize) -> f32 {
        self.cells[col / LANES * self.rows + row].0[col % LANES]
    }

    /// Adds a cell (in level spacings) to a crossing; `sign` is -1 for the negative array of a pair.
    pub fn add_cell(&mut self, row: usize, col: usize, value: f32, sign: f32) {
        self.cells[col / LANES * self.rows + row].0[col % LANES] += sign * value;
    }

    /// The cells of a block of [`LANES`] neighbouring columns, one entry per row.
    #[must_use]
    pub fn block(&self, block: usize) -> &[Lanes<f32>] {
        &self.cells[block * self.rows..(block + 1) * self.rows]
    }

    /// Books conductance (S) that a driven word line feeds: cells of both polarities and the reference column.
    pub fn book_conductance(&mut self, row: usize, conductance_s: f64) {
        self.row_conductance_s[row] += conductance_s;
    }

    /// Total conductance on each word line, S.
    #[must_use]
    pub fn row_conductance_s(&self) -> &[f64] {
        &self.row_conductance_s
    }

    /// Column sums `sum_i digit_i * cell_ij`, one per column, for any word lines: by plain loops, in the order of [`crate::kernel`], with
    /// groups of `group_rows` rows. `driven` lists rows in ascending order.
    pub fn column_sums(&self, driven: &[DrivenRow], group_rows: usize, sums: &mut Vec<f32>) {
        sums.clear();
        sums.resize(self.cols, 0.0);
        let mut of_group = vec![0.0; self.cols];
        for group in driven.chunk_by(|a, b| a.row as usize / group_rows == b.row as usize / group_rows) {
            of_group.fill(0.0);
            for &DrivenRow { row, digit } in group {
                for (col, sum) in of_group.iter_mut().enumerate() {
                    *sum += digit * self.cell(row as usize, col);
                }
            }
            sums.iter_mut().zip(&of_group).for_each(|(sum, of_group)| *sum += of_group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn column_sums_equal_the_plain_double_loop(rows in 1_usize..20, cols in 1_usize..80, seed in 0_u32..1000) {
            let value = |row: usize, col: usize| ((row * 31 + col * 17 + seed as usize) % 13) as f32 * 0.37 - 1.0;
            let mut crossbar = Crossbar::new(rows, cols);
            for row in 0..rows {
                for col in 0..cols {
                    crossbar.add_cell(row, col, value(row, col) + 1.0, 1.0);
                    crossbar.add_cell(row, col, 1.0, -1.0);
                }
            }
            let driven: Vec<DrivenRow> = (0..rows).filter(|row| !(row + seed as usize).is_multiple_of(3)).map(|row| DrivenRow { row: row as u32, digit: (row % 4 + 1) as f32 }).collect();
            let mut sums = Vec::new();
            crossbar.column_sums(&driven, 1, &mut sums);
            prop_assert_eq!(sums.len(), cols);
            for (col, &sum) in sums.iter().enumerate() {
                let expected = driven.iter().fold(0.0_f32, |s, d| s + d.digit * ((value(d.row as usize, col) + 1.0) - 1.0));
                prop_assert_eq!(sum, expected);
            }
        }
    }
}
