//! What stays the same from image to image in one MVM stage of a chip sample.

use super::cells::SampleAddress;
use super::converters::transfers;
use super::merged::Merged;
use super::sample::{ChipSample, StageSample};
use crate::program::{MvmStage, PlacedCrossbar, Program};
use std::ops::Range;
use tile::adc::{AdcKind, AdcTransfer};
use tile::kernel::{DigitFormat, LANES, Lanes};

/// One MVM stage of a chip sample, ready to run.
pub(super) struct StagePlan<'a> {
    pub(super) program: &'a Program,
    pub(super) stage: &'a MvmStage,
    pub(super) sample: &'a StageSample,
    pub(super) layer: usize,
    pub(super) address: SampleAddress,
    pub(super) format: DigitFormat,
    pub(super) units: Vec<Unit>,
    pub(super) partitions: Vec<Partition>,
    /// The matrix product that does it all, where nothing but linear parts lie between.
    pub(super) merged: Option<Merged>,
    pub(super) read_noise: bool,
    pub(super) thermal_noise: bool,
}

/// Arrays that are driven by the same rows.
pub(super) struct Partition {
    pub(super) rows: Range<usize>,
    /// Indices of its units.
    pub(super) units: Vec<usize>,
}

/// One converted array: the columns behind one set of converters. Its columns are computed slice by slice, all outputs of a slice side by side:
/// column `slice * outputs + output`.
pub(super) struct Unit {
    /// Index of its crossbar in the stage.
    pub(super) crossbar: usize,
    /// 1 for the negative array of a pair that is subtracted after conversion.
    pub(super) array: usize,
    /// First output and number of outputs.
    pub(super) outputs: Range<usize>,
    /// Column sum of one code of each column.
    pub(super) steps: Vec<f64>,
    /// Weight of the sum of each column in an output, per level spacing.
    pub(super) weight: Vec<f64>,
    /// Weight of one code of each column in an output.
    pub(super) scale: Vec<f64>,
    /// Weight of the sum of inputs in each output, from columns stored complemented; empty without.
    pub(super) complement: Vec<f64>,
    /// Largest magnitude of an accumulator, where one could reach it.
    pub(super) limit: Option<f64>,
    /// Per block of columns: number of each column among all of the layer, which its noise is drawn by.
    pub(super) draws: Vec<Lanes<u32>>,
}

/// Column in the order of computation -> column in the order of the program, `output * slices + slice`.
pub(super) fn program_column(column: usize, outputs: usize, slices: usize) -> usize {
    column % outputs * slices + column / outputs
}

/// The inverse of [`program_column`].
pub(super) fn computed_column(column: usize, outputs: usize, slices: usize) -> usize {
    column % slices * outputs + column / slices
}

impl<'a> StagePlan<'a> {
    pub(super) fn new(program: &'a Program, layer: usize, stage: &'a MvmStage, sample: &'a ChipSample) -> Self {
        let address = sample.address;
        let sample = &sample.stages[layer];
        let units = units(program, stage, sample);
        let chip = &program.chip;
        Self {
            program,
            stage,
            sample,
            layer,
            address,
            format: DigitFormat {
                bits: chip.tile.dac.bits,
                cycles: chip.input_cycles(stage.applied_bits()),
                signed: stage.applies_sign(),
            },
            partitions: partitions(stage, &units),
            merged: Merged::of(chip, stage, sample, &units),
            units,
            read_noise: sample.noise.iter().any(Option::is_some),
            thermal_noise: sample.banks.iter().flat_map(|bank| bank.blocks()).any(tile::adc::AdcBlock::is_noisy),
        }
    }

    /// The crossbar of a unit.
    pub(super) fn placed(&self, unit: &Unit) -> &'a PlacedCrossbar {
        &self.stage.crossbars[unit.crossbar]
    }
}

/// Largest magnitude of a signed accumulator.
pub(super) fn accumulator_limit(program: &Program) -> f64 {
    ((1_u64 << (program.chip.tile.digital.accumulator_bits - 1)) - 1) as f64
}

/// The converted arrays of a stage in the order of its crossbars.
fn units(program: &Program, stage: &MvmStage, sample: &StageSample) -> Vec<Unit> {
    let arrays = stage.converted_arrays() as usize;
    let unit = |(index, transfers): (usize, Vec<AdcTransfer>)| {
        let (crossbar, array) = (index / arrays, index % arrays);
        let parts = UnitParts { stage, placed: &stage.crossbars[crossbar], array, transfers: &transfers };
        Unit {
            crossbar,
            array,
            outputs: parts.outputs(),
            steps: (0..transfers.len()).map(|column| parts.step(column)).collect(),
            weight: (0..transfers.len()).map(|column| parts.scale(column, 1.0, sample.drift_gain)).collect(),
            scale: (0..transfers.len())
                .map(|column| parts.scale(column, parts.step(column), sample.drift_gain))
                .collect(),
            complement: parts.complement(),
            limit: parts.limit(program),
            draws: parts.draws(),
        }
    };
    transfers(stage).into_iter().enumerate().map(unit).collect()
}

/// What a unit is made from; `transfers` are in the order of the program, columns otherwise in that of computation.
struct UnitParts<'a> {
    stage: &'a MvmStage,
    placed: &'a PlacedCrossbar,
    array: usize,
    transfers: &'a [AdcTransfer],
}

impl UnitParts<'_> {
    fn outputs(&self) -> Range<usize> {
        let start = self.placed.output_start as usize;
        start..start + self.placed.outputs as usize
    }

    fn program_column(&self, column: usize) -> usize {
        program_column(column, self.placed.outputs as usize, self.stage.slices.len())
    }

    fn step(&self, column: usize) -> f64 {
        self.transfers[self.program_column(column)].step
    }

    fn flipped(&self, program_column: usize) -> bool {
        self.placed.flipped.get(program_column).copied().unwrap_or(false)
    }

    /// Weight in an output of `step` level spacings of a column.
    fn scale(&self, column: usize, step: f64, drift_gain: f64) -> f64 {
        let own = self.program_column(column);
        let slice = self.stage.slices[own % self.stage.slices.len()];
        let sign = if self.flipped(own) != (self.array == 1) { -1.0 } else { 1.0 };
        let gain = self.placed.column_adcs.get(self.array * self.transfers.len() + own).map_or(1.0, |own| own.gain);
        slice.significance as f64 * step * (sign * gain * drift_gain)
    }

    fn complement(&self) -> Vec<f64> {
        if self.placed.flipped.is_empty() {
            return Vec::new();
        }
        let slices = self.stage.slices.len();
        let weight = |column: usize| {
            let (slice, top) = (self.stage.slices[column % slices], self.stage.top_level(column % slices));
            if self.flipped(column) { slice.significance as f64 * f64::from(top) } else { 0.0 }
        };
        (0..self.placed.outputs as usize)
            .map(|output| (0..slices).map(|slice| weight(output * slices + slice)).sum())
            .collect()
    }

    fn limit(&self, program: &Program) -> Option<f64> {
        let codes = self.transfers.iter().map(|adc| adc.max_code.max(-adc.min_code)).max().unwrap_or(0);
        let largest = f64::from(codes) * f64::from((1_u32 << self.stage.applied_bits()) - 1);
        let limit = accumulator_limit(program);
        (largest > limit || program.chip.tile.adc.kind == AdcKind::Ideal).then_some(limit)
    }

    fn draws(&self) -> Vec<Lanes<u32>> {
        let first =
            (self.array * self.stage.outputs as usize + self.placed.output_start as usize) * self.stage.slices.len();
        let columns: Vec<usize> = (0..self.transfers.len()).collect();
        let block = |columns: &[usize]| {
            let mut draws = Lanes::splat(u32::MAX);
            for (draw, &column) in draws.0.iter_mut().zip(columns) {
                *draw = (first + self.program_column(column)) as u32;
            }
            draws
        };
        columns.chunks(LANES).map(block).collect()
    }
}

/// The row partitions of a stage in the order of its crossbars.
fn partitions(stage: &MvmStage, units: &[Unit]) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let placed = &stage.crossbars[unit.crossbar];
        let rows = placed.row_start as usize..(placed.row_start + placed.rows) as usize;
        match partitions.iter_mut().find(|partition| partition.rows == rows) {
            Some(partition) => partition.units.push(index),
            None => partitions.push(Partition { rows, units: vec![index] }),
        }
    }
    partitions
}
