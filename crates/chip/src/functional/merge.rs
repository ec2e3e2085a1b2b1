//! From accumulators to outputs: slices and row partitions are scaled and added, offsets taken off, results requantised.

use super::plan::{StagePlan, Unit, accumulator_limit};
use super::windows::Windows;
use crate::program::{MvmStage, Output};
use tile::actions::ActionCounts;
use tile::kernel::{Kernel, LANES, Lanes, Merge, Requantisation};

/// Windows that are requantised together.
const TOGETHER: usize = 16;

/// Results of a stage: codes for the next stages or scores, window after window.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) codes: Vec<i32>,
    pub(super) scores: Vec<f64>,
    /// Sums of the windows worked on now, `[window][output]`, and [`LANES`] more that mean nothing.
    sums: Vec<f64>,
    /// The biases of a block of windows.
    biases: Vec<f64>,
    outputs: usize,
}

impl Outputs {
    /// Of no windows yet, with room for `windows`.
    pub(super) fn with_room(stage: &MvmStage, windows: usize) -> Self {
        let values = windows * stage.outputs as usize;
        match stage.output {
            Output::Codes { .. } => Self { codes: Vec::with_capacity(values), ..Self::default() },
            Output::Scores {} => Self { scores: Vec::with_capacity(values), ..Self::default() },
        }
    }

    /// Starts a block of windows with biases and, unless a matrix product has them, digital offsets.
    pub(super) fn begin(&mut self, plan: &StagePlan<'_>, windows: &Windows) {
        let (stage, groups) = (plan.stage, plan.stage.groups());
        self.outputs = stage.outputs as usize;
        let count = windows.count() * self.outputs;
        if self.biases.len() < count {
            let biases: Vec<f64> = stage.bias.iter().map(|&bias| bias as f64).collect();
            self.biases = biases.repeat(windows.count());
        }
        self.sums.clear();
        self.sums.extend_from_slice(&self.biases[..count]);
        self.sums.extend([0.0; LANES]);
        if stage.offset == 0 || plan.merged.is_some() {
            return;
        }
        for group in 0..groups.count {
            let input_sums = windows.sums(&(group * groups.rows..(group + 1) * groups.rows));
            for (sums, input_sum) in self.sums.chunks_exact_mut(self.outputs).zip(input_sums) {
                let of_group = &mut sums[group * groups.outputs..(group + 1) * groups.outputs];
                of_group.iter_mut().for_each(|sum| *sum -= (stage.offset * input_sum) as f64);
            }
        }
    }

    /// Adds a block of columns: each output gets its slices in ascending order, because columns are ordered by slice.
    pub(super) fn merge(&mut self, kernel: &Kernel, unit: &Unit, block: usize, accumulators: &[Lanes<f64>]) {
        let (outputs, first) = (unit.outputs.len(), block * LANES);
        let columns = unit.scale.len().min(first + LANES) - first;
        let mut lane = 0;
        while lane < columns {
            // A run of neighbouring outputs of the same slice.
            let output = (first + lane) % outputs;
            let run = (outputs - output).min(columns - lane);
            let scale = &unit.scale[first + lane..first + lane + run];
            let output = unit.outputs.start + output;
            kernel.merge(Merge { accumulators, lane, scale, output, outputs: self.outputs }, &mut self.sums);
            lane += run;
        }
    }

    /// Adds what a matrix product gives for the windows from `window` and the outputs from `first` on, at most [`LANES`].
    pub(super) fn add(&mut self, window: usize, first: usize, products: &[Lanes<f64>]) {
        // All lanes are added: those behind the last output are products of no cells, that is 0.
        for (window, products) in (window..).zip(products) {
            let sums = &mut self.sums[window * self.outputs + first..][..LANES];
            sums.iter_mut().zip(&products.0).for_each(|(sum, product)| *sum += product);
        }
    }

    /// Undoes the complement of columns, given the sums of the inputs of each group in the unit, `[group][window]`.
    pub(super) fn complement(&mut self, plan: &StagePlan<'_>, unit: &Unit, input_sums: &[Vec<i64>]) {
        if unit.complement.is_empty() {
            return;
        }
        let (groups, placed) = (plan.stage.groups(), plan.placed(unit));
        for (group, input_sums) in groups.of(placed).zip(input_sums) {
            let here = groups.outputs_in(placed, group);
            for (sums, &input_sum) in self.sums.chunks_exact_mut(self.outputs).zip(input_sums) {
                let sums = &mut sums[unit.outputs.clone()][here.clone()];
                for (sum, complement) in sums.iter_mut().zip(&unit.complement[here.clone()]) {
                    *sum += complement * input_sum as f64;
                }
            }
        }
    }

    /// Limits the sums to the width of the accumulators, requantises them and writes them; returns how many were limited.
    pub(super) fn finish(&mut self, kernel: &Kernel, plan: &StagePlan<'_>) -> u64 {
        self.sums.truncate(self.sums.len() - LANES);
        let limit = accumulator_limit(plan.program);
        match plan.stage.output {
            Output::Codes { bits, signed, sign_bit: _ } => {
                let highest = f64::from((1_u32 << bits) - 1);
                let clamps = (if signed { -highest } else { 0.0 }, highest);
                let multipliers = &plan.stage.multipliers.repeat(TOGETHER);
                let by = Requantisation { limit, multipliers, clamps };
                kernel.requantise(by, &mut self.sums, Some(&mut self.codes))
            }
            Output::Scores {} => {
                let by = Requantisation { limit, multipliers: &[], clamps: (0.0, 0.0) };
                let saturated = kernel.requantise(by, &mut self.sums, None);
                self.scores.extend_from_slice(&self.sums);
                saturated
            }
        }
    }
}

/// Actions of one window of a stage beside those of its arrays and all movement.
pub(super) fn window_actions(plan: &StagePlan<'_>) -> ActionCounts {
    let stage = plan.stage;
    let outputs = u64::from(stage.outputs);
    ActionCounts {
        requantise: if matches!(stage.output, Output::Codes { .. }) { outputs } else { 0 },
        output_register_word: outputs,
        offset_subtract: if stage.offset == 0 { 0 } else { outputs },
        input_sum_add: if stage.needs_input_sums() { stage.window.rows() as u64 } else { 0 },
        ..ActionCounts::default()
    }
}

/// Actions of one window in one converted array.
pub(super) fn unit_actions(plan: &StagePlan<'_>, unit: &Unit) -> ActionCounts {
    let (stage, placed) = (plan.stage, plan.placed(unit));
    let (rows, columns) = (u64::from(placed.rows), unit.scale.len() as u64);
    let cycles = u64::from(plan.format.cycles) * u64::from(plan.program.chip.tile.dac.phases);
    let arrays = u64::from(stage.polarities) / stage.converted_arrays();
    ActionCounts {
        dac_drive: cycles * rows * arrays,
        input_register_bit: cycles * rows * arrays * u64::from(plan.format.bits),
        cell_read: cycles * rows * columns * arrays,
        sample_hold: cycles * columns,
        adc_conversion: cycles * columns,
        shift_add: cycles * columns,
        merge_add: columns,
        slice_scale: if stage.steps_are_shifts() { 0 } else { columns },
        offset_subtract: placed.flipped.iter().filter(|&&flipped| flipped).count() as u64,
        ..ActionCounts::default()
    }
}
