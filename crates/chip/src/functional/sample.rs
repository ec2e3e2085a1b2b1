//! One draw of a chip: its programmed cells as arrays that multiply, and its converters.

use super::array::{Array, Parts};
use super::cells::{Cells, SampleAddress, StageCells, slice_states};
use super::converters::converter_banks;
use crate::program::{MvmStage, Program};
use rayon::prelude::*;
use tile::adc::AdcBank;
use tile::address::Purpose;
use tile::crossbar::Crossbar;

/// The arrays and converters of every MVM stage in one chip sample.
#[derive(Clone, Debug)]
pub struct ChipSample {
    pub(super) address: SampleAddress,
    pub(super) stages: Vec<StageSample>,
}

/// One MVM stage of a chip sample; of a pair that is subtracted after conversion, both arrays of a crossbar follow each other.
#[derive(Clone, Debug)]
pub(super) struct StageSample {
    pub(super) arrays: Vec<Array>,
    /// Variances of the read noise at each crossing, where the device has any.
    pub(super) noise: Vec<Option<Crossbar>>,
    /// The converters of each array.
    pub(super) banks: Vec<AdcBank>,
    /// Digital factor that global drift compensation puts on every code.
    pub(super) drift_gain: f64,
    /// Bound on the error that solving the wires leaves in a column sum of full-scale inputs, in level spacings.
    pub(super) wire_error_bound: f64,
}

impl ChipSample {
    /// Programs all cells of a chip and assembles its arrays.
    ///
    /// # Errors
    /// If the device cannot have cells of the chip's number of bits, or the currents behind the wires cannot be solved.
    pub fn program(program: &Program, seed: u64, purpose: Purpose, chip_sample: u64) -> Result<Self, String> {
        Self::from_cells(program, &Cells::program(program, SampleAddress { seed, purpose, chip_sample })?)
    }

    /// Assembles the arrays from programmed cells, stages in parallel.
    ///
    /// # Errors
    /// As [`ChipSample::program`].
    pub fn from_cells(program: &Program, cells: &Cells) -> Result<Self, String> {
        let stages: Vec<((u64, &MvmStage), &StageCells)> = program.mvm_stages().zip(&cells.stages).collect();
        let stage = |((layer, stage), of_stage)| assemble_stage(program, layer, stage, of_stage, cells.address);
        // As in `Cells::program`: the first error in the order of the stages.
        let assembled: Vec<Result<StageSample, String>> = stages.into_par_iter().map(stage).collect();
        Ok(Self { address: cells.address, stages: assembled.into_iter().collect::<Result<_, _>>()? })
    }

    /// The linear crossbars of each MVM stage, in the order of the program; stages of nonlinear cells have none.
    pub fn crossbars(&self) -> impl Iterator<Item = Vec<&Crossbar>> {
        self.stages.iter().map(|stage| stage.arrays.iter().filter_map(Array::linear).collect())
    }
}

fn assemble_stage(
    program: &Program,
    layer: u64,
    stage: &MvmStage,
    cells: &StageCells,
    address: SampleAddress,
) -> Result<StageSample, String> {
    let states = slice_states(program, stage)?;
    let together = stage.polarities as usize / stage.converted_arrays() as usize;
    let drift_gain = cells.drift_gain;
    let banks = converter_banks(program, layer, stage, address);
    let mut sample = StageSample { arrays: Vec::new(), noise: Vec::new(), banks, drift_gain, wire_error_bound: 0.0 };
    for (placed, polarities) in stage.crossbars.iter().zip(&cells.values) {
        for cells in polarities.chunks(together) {
            let cells = cells.iter().map(Vec::as_slice).collect();
            let assembled = Parts { program, stage, placed, states: &states, cells }.assemble()?;
            sample.arrays.push(assembled.array);
            sample.noise.push(assembled.noise);
            sample.wire_error_bound = sample.wire_error_bound.max(assembled.bound);
        }
    }
    Ok(sample)
}
