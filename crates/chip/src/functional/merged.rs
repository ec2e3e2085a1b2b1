//! Stages whose converters do not quantise: slices and input bits merge into one matrix product.
//!
//! An output is then `sum_row code * W[row]` with `W[row]` the sum over arrays and slices of significance times cell, both in `f64`: the sums of
//! single input slices and columns, which hardware would see, are not rounded to `f32` on the way.

use super::array::Array;
use super::merge::Outputs;
use super::plan::Unit;
use super::sample::StageSample;
use super::windows::Windows;
use crate::config::Chip;
use crate::program::MvmStage;
use tile::adc::AdcKind;
use tile::kernel::{Kernel, LANES, Lanes};

/// The merged matrix of a stage, per block of outputs one entry per logical row.
#[derive(Debug)]
pub(super) struct Merged {
    blocks: Vec<Vec<Lanes<f64>>>,
}

impl Merged {
    /// The matrix, if nothing that is not linear stands between cells and outputs: no quantisation, no read noise, no curved cells, and no
    /// accumulator that could saturate.
    pub(super) fn of(chip: &Chip, stage: &MvmStage, sample: &StageSample, units: &[Unit]) -> Option<Self> {
        if chip.tile.adc.kind != AdcKind::Ideal || sample.noise.iter().any(Option::is_some) {
            return None;
        }
        let largest_code = f64::from((1_u32 << chip.magnitude_bits()) - 1);
        let mut blocks = vec![vec![Lanes::splat(0.0); stage.window.rows()]; (stage.outputs as usize).div_ceil(LANES)];
        for (unit, array) in units.iter().zip(&sample.arrays) {
            let Array::Linear(cells) = array else { return None };
            let first = stage.crossbars[unit.crossbar].row_start as usize;
            for column in 0..unit.scale.len() {
                let output = unit.outputs.start + column % unit.outputs.len();
                let mut largest_sum = 0.0;
                for row in 0..cells.rows() {
                    let cell = f64::from(cells.cell(row, column));
                    largest_sum += largest_code * cell.abs();
                    blocks[output / LANES][first + row].0[output % LANES] += unit.weight[column] * cell;
                }
                if unit.limit.is_some_and(|limit| largest_sum / unit.steps[column] > limit) {
                    return None;
                }
            }
        }
        Some(Self { blocks })
    }

    /// Adds the products of all windows to the outputs.
    pub(super) fn add_products(&self, kernel: &Kernel, windows: &Windows, outputs: &mut Outputs) {
        let codes = windows.all();
        let mut products = vec![Lanes::splat(0.0); windows.count()];
        for (block, matrix) in self.blocks.iter().enumerate() {
            kernel.multiply(&codes, matrix, &mut products);
            outputs.add(block, &products);
        }
    }
}
