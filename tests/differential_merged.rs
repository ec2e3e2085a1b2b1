//! The reference of converters that do not quantise.

use crate::differential_arrays::Array;
use crate::differential_converters::Column;
use crate::differential_reference::{Layer, applied_bits};
use chip::program::Program;
use tile::adc::AdcKind;

/// Stages whose converters do not quantise: digits and slices merge in double precision.
impl Layer<'_> {
    /// Whether everything between cells and outputs is linear, no accumulator being able to saturate.
    pub(crate) fn merges(&self, program: &Program) -> bool {
        let limit = ((1_u64 << (program.chip.tile.digital.accumulator_bits - 1)) - 1) as f64;
        let largest_code = f64::from((1_i32 << applied_bits(program, self.stage)) - 1);
        let fits = |(array, columns): (&Array, &Vec<Column>)| {
            array.is_linear()
                && columns.iter().enumerate().all(|(column, adc)| {
                    let largest: f64 = (0..array.rows).map(|row| largest_code * array.cell(row, column).abs()).sum();
                    largest / adc.step <= limit
                })
        };
        program.chip.tile.adc.kind == AdcKind::Ideal && self.arrays.iter().zip(&self.columns).all(fits)
    }

    /// `sum_row code * W[row]` for every output.
    pub(crate) fn product(&self, codes: &[i32]) -> Vec<f64> {
        let slices = self.stage.slices.len();
        let mut products = vec![0.0; self.stage.outputs as usize];
        for (row, &code) in codes.iter().enumerate() {
            for (output, product) in products.iter_mut().enumerate() {
                let mut weight = 0.0;
                for (array, columns) in self.arrays.iter().zip(&self.columns) {
                    let placed = &self.stage.crossbars[array.crossbar];
                    let row = row.wrapping_sub(placed.row_start as usize);
                    let output = output.wrapping_sub(placed.output_start as usize);
                    if row >= placed.rows as usize || output >= placed.outputs as usize {
                        continue;
                    }
                    for (slice, of_slice) in self.stage.slices.iter().enumerate() {
                        let column = output * slices + slice;
                        let flipped = placed.flipped.get(column) == Some(&true);
                        let sign = if (array.array == 1) != flipped { -1.0 } else { 1.0 };
                        let factor = sign * columns[column].gain * self.drift_gain;
                        weight += of_slice.significance as f64 * factor * array.cell(row, column);
                    }
                }
                *product += f64::from(code) * weight;
            }
        }
        products
    }
}
