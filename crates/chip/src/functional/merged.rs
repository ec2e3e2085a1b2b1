//! Stages whose converters do not quantise: slices and input bits merge into one matrix product.
//!
//! An output is then `sum_row code * W[row]` with `W[row]` the sum over arrays and slices of significance times cell, both in `f64`: the sums of
//! single input slices and columns, which hardware would see, are not rounded to `f32` on the way. What is subtracted digitally, a multiple of the
//! sum of the inputs, is a part of `W` as well.

use super::array::Array;
use super::merge::Outputs;
use super::plan::Unit;
use super::sample::StageSample;
use super::windows::Windows;
use crate::config::Chip;
use crate::program::{MvmStage, PlacedCrossbar};
use std::ops::Range;
use tile::adc::AdcKind;
use tile::kernel::{Kernel, LANES, Lanes, exact_factor};

/// The merged matrices of a stage.
#[derive(Debug)]
pub(super) struct Merged {
    parts: Vec<Part>,
}

/// The merged matrix of neighbouring groups that share arrays.
#[derive(Debug)]
struct Part {
    groups: Range<usize>,
    rows: Range<usize>,
    outputs: Range<usize>,
    /// Per block of outputs one entry per row.
    blocks: Vec<Vec<Lanes<f64>>>,
}

impl Merged {
    /// The matrices, if nothing that is not linear stands between cells and outputs: no quantisation, no read noise, no curved cells, and no
    /// accumulator that could saturate.
    pub(super) fn of(chip: &Chip, stage: &MvmStage, sample: &StageSample, units: &[Unit]) -> Option<Self> {
        if chip.tile.adc.kind != AdcKind::Ideal || sample.noise.iter().any(Option::is_some) {
            return None;
        }
        let largest_code = f64::from((1_u32 << stage.applied_bits()) - 1);
        let mut parts: Vec<Part> = Vec::new();
        for (unit, array) in units.iter().zip(&sample.arrays) {
            let Array::Linear(cells) = array else { return None };
            let placed = &stage.crossbars[unit.crossbar];
            let groups = stage.groups().of(placed);
            let at = parts.iter().position(|part| part.groups == groups).unwrap_or(parts.len());
            if at == parts.len() {
                parts.push(Part::new(stage, groups));
            }
            let part = &mut parts[at];
            let first = placed.row_start as usize - part.rows.start;
            for column in 0..unit.scale.len() {
                let output = unit.outputs.start + column % unit.outputs.len() - part.outputs.start;
                let mut largest_sum = 0.0;
                for row in 0..cells.rows() {
                    let cell = f64::from(cells.cell(row, column));
                    largest_sum += largest_code * cell.abs();
                    part.blocks[output / LANES][first + row].0[output % LANES] += unit.weight[column] * cell;
                }
                if unit.limit.is_some_and(|limit| largest_sum / unit.steps[column] > limit) {
                    return None;
                }
            }
            part.add_complements(stage, unit, placed);
        }
        parts.iter_mut().for_each(Part::make_exact);
        Some(Self { parts })
    }

    /// Adds the products of all windows to the outputs, as many windows at a time as the first-level cache has room for.
    pub(super) fn add_products(
        &self,
        kernel: &Kernel,
        windows: &Windows,
        Factors { codes, products }: &mut Factors,
        outputs: &mut Outputs,
    ) {
        for part in &self.parts {
            let together = (CODES / part.rows.len()).next_multiple_of(TOGETHER).max(TOGETHER);
            for start in (0..windows.count()).step_by(together) {
                let here = start..windows.count().min(start + together);
                products.resize(here.len(), Lanes::splat(0.0));
                windows.numbers(kernel, here, &part.rows, codes);
                for (block, matrix) in part.blocks.iter().enumerate() {
                    let columns = part.outputs.len() - block * LANES;
                    kernel.multiply(codes, matrix, columns, products);
                    outputs.add(start, part.outputs.start + block * LANES, products);
                }
            }
        }
    }
}

/// Codes of windows and what a block of outputs makes of them; kept from block to block.
#[derive(Debug, Default)]
pub(super) struct Factors {
    codes: Vec<f64>,
    products: Vec<Lanes<f64>>,
}

/// Codes that are multiplied together, about.
const CODES: usize = 2048;
/// Of so many windows a multiple: the kernel takes four or six at a time.
const TOGETHER: usize = 12;

impl Part {
    fn new(stage: &MvmStage, groups: Range<usize>) -> Self {
        let all = stage.groups();
        let rows = groups.start * all.rows..groups.end * all.rows;
        let outputs = groups.start * all.outputs..groups.end * all.outputs;
        let blocks = vec![vec![Lanes::splat(0.0); rows.len()]; outputs.len().div_ceil(LANES)];
        let mut part = Self { groups, rows, outputs, blocks };
        for group in 0..part.groups.len() {
            let (rows, outputs) =
                (group * all.rows..(group + 1) * all.rows, group * all.outputs..(group + 1) * all.outputs);
            for output in outputs {
                part.add(rows.clone(), output, -(stage.offset as f64));
            }
        }
        part
    }

    /// Adds a number to the cells of an output in some rows, both counted within the part.
    fn add(&mut self, rows: Range<usize>, output: usize, value: f64) {
        for cells in &mut self.blocks[output / LANES][rows] {
            cells.0[output % LANES] += value;
        }
    }

    /// Undoes the complement of columns.
    fn add_complements(&mut self, stage: &MvmStage, unit: &Unit, placed: &PlacedCrossbar) {
        let groups = stage.groups();
        let first = (placed.row_start as usize - self.rows.start, unit.outputs.start - self.outputs.start);
        for group in groups.of(placed) {
            let (rows, outputs) = (groups.rows_in(placed, group), groups.outputs_in(placed, group));
            let rows = first.0 + rows.start..first.0 + rows.end;
            for (output, &complement) in outputs.clone().zip(unit.complement.get(outputs).unwrap_or_default()) {
                self.add(rows.clone(), first.1 + output, complement);
            }
        }
    }

    /// Rounds cells so that products are exact.
    fn make_exact(&mut self) {
        self.blocks.iter_mut().flatten().for_each(|cells| *cells = cells.map(exact_factor));
    }
}
