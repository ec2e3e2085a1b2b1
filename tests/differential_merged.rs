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

    /// `sum_row code * W[row]` for every output, where `W` has 36 significant bits.
    pub(crate) fn product(&self, codes: &[i32]) -> Vec<f64> {
        let (slices, (rows, outputs)) = (self.stage.slices.len(), self.of_group());
        let mut products = vec![0.0; self.stage.outputs as usize];
        for (row, &code) in codes.iter().enumerate() {
            for (output, product) in products.iter_mut().enumerate() {
                let same_group = row / rows == output / outputs;
                let mut weight = if same_group { -(self.stage.offset as f64) } else { 0.0 };
                for (array, columns) in self.arrays.iter().zip(&self.columns) {
                    let placed = &self.stage.crossbars[array.crossbar];
                    let row = row.wrapping_sub(placed.row_start as usize);
                    let output = output.wrapping_sub(placed.output_start as usize);
                    if row >= placed.rows as usize || output >= placed.outputs as usize {
                        continue;
                    }
                    let mut complement = 0.0;
                    for (slice, of_slice) in self.stage.slices.iter().enumerate() {
                        let column = output * slices + slice;
                        let flipped = placed.flipped.get(column) == Some(&true);
                        let sign = if (array.array == 1) != flipped { -1.0 } else { 1.0 };
                        let factor = sign * columns[column].gain * self.drift_gain;
                        weight += of_slice.significance as f64 * factor * array.cell(row, column);
                        // A complemented column holds `top - level`.
                        let top = ((1_i64 << of_slice.bits) - 1) as f64;
                        complement += if flipped && same_group { of_slice.significance as f64 * top } else { 0.0 };
                    }
                    weight += complement;
                }
                *product += f64::from(code) * rounded(weight);
            }
        }
        products
    }
}

/// The nearest number of 36 significant bits, ties to even.
fn rounded(weight: f64) -> f64 {
    const DROPPED: u32 = 53 - 36;
    let bits = weight.to_bits();
    let even = (bits >> DROPPED) & 1;
    f64::from_bits((bits + (1 << (DROPPED - 1)) - 1 + even) & !((1 << DROPPED) - 1))
}
