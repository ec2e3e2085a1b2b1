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
use std::ops::Range;
use tile::adc::AdcKind;
use tile::kernel::{Kernel, LANES, Lanes};

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
        }
        Some(Self { parts })
    }

    /// Adds the products of all windows to the outputs.
    pub(super) fn add_products(&self, kernel: &Kernel, windows: &Windows, outputs: &mut Outputs) {
        let (mut codes, mut products) = (Vec::new(), vec![Lanes::splat(0.0); windows.count()]);
        for part in &self.parts {
            windows.part(&part.rows, &mut codes);
            for (first, matrix) in part.outputs.clone().step_by(LANES).zip(&part.blocks) {
                kernel.multiply(&codes, matrix, &mut products);
                outputs.add(first..part.outputs.end.min(first + LANES), &products);
            }
        }
    }
}

impl Part {
    fn new(stage: &MvmStage, groups: Range<usize>) -> Self {
        let all = stage.groups();
        let rows = groups.start * all.rows..groups.end * all.rows;
        let outputs = groups.start * all.outputs..groups.end * all.outputs;
        let blocks = vec![vec![Lanes::splat(0.0); rows.len()]; outputs.len().div_ceil(LANES)];
        Self { groups, rows, outputs, blocks }
    }
}
