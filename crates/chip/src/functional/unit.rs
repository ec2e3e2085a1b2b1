//! The digital side of one converted array: accumulators behind its converters, and what a code weighs in an output.

use super::converters::transfers;
use super::sample::StageSample;
use crate::program::{MvmStage, Program};
use tile::adc::{AdcKind, AdcTransfer, CodesSeen};

/// One converted array: the columns behind one set of converters.
pub(super) struct Unit {
    /// Index of its crossbar in the program.
    pub(super) crossbar: usize,
    /// 1 for the negative array of a pair that is subtracted after conversion.
    pub(super) array: usize,
    /// Column sum of one code of each column.
    pub(super) steps: Vec<f64>,
    /// Weight of one code of each column in an output.
    pub(super) scale: Vec<f64>,
    /// Of a column stored complemented: weight of the sum of inputs in an output; else 0.
    pub(super) complement: Vec<f64>,
    pub(super) seen: CodesSeen,
    pub(super) conversions: u64,
    /// Per column: codes of all input slices, shifted and added. Whole numbers below 2^53, so `f64` is exact.
    pub(super) accumulators: Vec<f64>,
    /// Largest magnitude of an accumulator, where one could reach it.
    pub(super) limit: Option<f64>,
    /// Additions that saturated, per slice.
    pub(super) saturated: Vec<u64>,
}

impl Unit {
    pub(super) fn shift_and_add(&mut self, codes: &[f32], shift: f64, slices: usize) {
        for (accumulator, &code) in self.accumulators.iter_mut().zip(codes) {
            *accumulator += f64::from(code) * shift;
        }
        if let Some(limit) = self.limit {
            for (column, accumulator) in self.accumulators.iter_mut().enumerate() {
                if accumulator.abs() > limit {
                    *accumulator = accumulator.clamp(-limit, limit);
                    self.saturated[column % slices] += 1;
                }
            }
        }
    }
}

/// Largest magnitude of a signed accumulator.
pub(super) fn accumulator_limit(program: &Program) -> f64 {
    ((1_u64 << (program.chip.tile.digital.accumulator_bits - 1)) - 1) as f64
}

/// The converted arrays of a stage in the order of its crossbars.
pub(super) fn units(program: &Program, stage: &MvmStage, sample: &StageSample) -> Vec<Unit> {
    let arrays = stage.converted_arrays() as usize;
    let unit = |(index, transfers): (usize, Vec<AdcTransfer>)| {
        let (crossbar, array) = (index / arrays, index % arrays);
        let placed = &stage.crossbars[crossbar];
        let slice = |column: usize| stage.slices[column % stage.slices.len()];
        let flipped = |column: usize| placed.flipped.get(column).copied().unwrap_or(false);
        let scale = |(column, adc): (usize, &AdcTransfer)| {
            let sign = if flipped(column) != (array == 1) { -1.0 } else { 1.0 };
            let gain = placed.column_adcs.get(array * transfers.len() + column).map_or(1.0, |own| own.gain);
            slice(column).significance as f64 * adc.step * (sign * gain * sample.drift_gain)
        };
        let complement = |column: usize| {
            let top = f64::from(stage.top_level(column % stage.slices.len()));
            if flipped(column) { slice(column).significance as f64 * top } else { 0.0 }
        };
        let codes = transfers.iter().map(|adc| adc.max_code.max(-adc.min_code)).max().unwrap_or(0);
        let largest = f64::from(codes) * f64::from((1_u32 << program.chip.format.input_bits) - 1);
        let limit = accumulator_limit(program);
        Unit {
            crossbar,
            array,
            steps: transfers.iter().map(|adc| adc.step).collect(),
            scale: transfers.iter().enumerate().map(scale).collect(),
            complement: (0..transfers.len()).map(complement).collect(),
            seen: CodesSeen::new(transfers.len()),
            conversions: 0,
            accumulators: vec![0.0; transfers.len()],
            limit: (largest > limit || program.chip.tile.adc.kind == AdcKind::Ideal).then_some(limit),
            saturated: vec![0; stage.slices.len()],
        }
    };
    transfers(stage).into_iter().enumerate().map(unit).collect()
}
