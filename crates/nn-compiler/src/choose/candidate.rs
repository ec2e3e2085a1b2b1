//! One weighted layer under one mapping strategy, without simulating it.

use super::columns::Cells;
use super::error::{Errors, sums};
use super::latency::busy_cycles;
use super::seen::Seen;
use crate::calibrate::{foreseen, lossless};
use crate::emit::{Encoded, chip_window, emit_mvm, feature_map};
use crate::encode::choose_encoding;
use crate::error::CompileError;
use crate::mapping::{CellStates, Mapping};
use crate::partition::Placer;
use chip::config::{Chip, RangePolicy};
use chip::energy::{ArrayEnergy, Energy, expected_energy, price_stage};
use chip::program::{InputCoding, MvmStage, Program, Stage};
use chip::timing::stage_actions;
use nn::quantised::{QuantisedMvm, QuantisedNetwork};
use tile::adc::AdcKind;

/// What a layer is expected to be under a mapping strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The strategy.
    pub mapping: Mapping,
    /// Mean square error of the outputs' sums over the variance of these sums, at least [`LEAST_ERROR`].
    pub error: f64,
    /// Energy for an image as the chip prices it, J, without leakage and what moves from layer to layer.
    pub energy_j: f64,
    /// Base cycles for which an image keeps one copy of the layer busy, if its map is there in time.
    pub latency_cycles: u64,
    /// Cells that hold weights.
    pub cells: u64,
    /// Arrays.
    pub arrays: u64,
    /// Tiles, which layers do not share.
    pub tiles: u64,
    /// Resolution that it demands of all converters of the chip, bits; 0 where that does not depend on it.
    pub adc_bits: u32,
    /// The energy with so many bits, with one more and so on, as far as there are prices, J.
    pub(super) finer_j: Vec<f64>,
}

impl Candidate {
    /// Prices it on a chip whose converters have at least so many bits.
    pub(super) fn price_with(&mut self, adc_bits: u32) {
        let more = adc_bits.saturating_sub(self.adc_bits) as usize;
        self.energy_j = self.finer_j.get(more).or(self.finer_j.last()).copied().unwrap_or(self.energy_j);
    }
}

/// Smaller errors make no difference: a billionth of the outputs' variance.
pub const LEAST_ERROR: f64 = 1e-9;

/// A weighted layer whose mapping is to be chosen.
pub(super) struct Layer<'a> {
    pub(super) network: &'a QuantisedNetwork,
    pub(super) mvm: &'a QuantisedMvm,
    pub(super) seen: &'a Seen,
    /// The chip, with ideal lines.
    pub(super) chip: &'a Chip,
    pub(super) cells: &'a CellStates,
}

impl Layer<'_> {
    /// What the layer would be under a strategy.
    ///
    /// # Errors
    /// If it cannot be mapped that way, or a price is missing.
    pub(super) fn candidate(&self, mapping: &Mapping) -> Result<Candidate, CompileError> {
        let Self { mvm, chip, cells, .. } = *self;
        let encoding = choose_encoding(&mvm.weights, (mvm.weight_bits, mvm.weight_offset), mapping, chip, cells)?;
        let window = chip_window(self.network, mvm.input, &mvm.window, chip);
        let encoded = Encoded { mapping, encoding: &encoding, cells };
        let mut stage = emit_mvm(mvm, window, &encoded, chip, &mut Placer::default())?;
        let refuse = |what: String| CompileError::layer(&mvm.name, what);
        let of_levels = Cells::new(&stage, cells).map_err(refuse)?;
        self.set_converters(&mut stage, &of_levels)?;
        let program = self.program(stage)?;
        let Some((_, stage)) = program.mvm_stages().next() else { return Err(refuse("it has no stage".to_owned())) };
        let errors = Errors::new(stage, self.seen, &of_levels, chip.tile.adc.kind != AdcKind::Ideal);
        let error = errors.mean_square(mvm, &encoding) / self.seen.signal.max(1.0);
        let energy = expected_energy(&program, 0, &self.seen.drives).map_err(refuse)?;
        let lossless = chip.tile.adc.range == RangePolicy::Lossless;
        let (arrays, tiles) = (stage.arrays(), stage.tiles().len() as u64);
        let cells = mvm.weights.len() as u64 * stage.slices.len() as u64 * u64::from(stage.polarities);
        Ok(Candidate {
            mapping: mapping.clone(),
            error: error.max(LEAST_ERROR),
            energy_j: energy.total_j(),
            adc_bits: if lossless { program.chip.tile.adc.bits } else { 0 },
            finer_j: if lossless { finer_j(&program, energy) } else { Vec::new() },
            latency_cycles: busy_cycles(program),
            cells,
            arrays,
            tiles,
        })
    }

    /// The converters that the range policy foresees.
    fn set_converters(&self, stage: &mut MvmStage, cells: &Cells) -> Result<(), CompileError> {
        for slice in 0..stage.slices.len() {
            let seen = || sums(stage, self.seen, cells, slice);
            stage.slices[slice].adc = foreseen(self.chip, stage, slice, seen)?;
        }
        Ok(())
    }

    /// A program of this layer alone. Its chip has the resolution that exact sums of this layer take, where the range policy says so.
    fn program(&self, stage: MvmStage) -> Result<Program, CompileError> {
        let Self { network, mvm, chip, .. } = *self;
        let mut program = Program {
            network: network.name.clone(),
            dataset: network.dataset.clone(),
            training: "none".to_owned(),
            mapping: stage.mapping.clone(),
            software_accuracy: None,
            macs: mvm.weights.len() as u64 * mvm.window.positions() as u64,
            chip: chip.clone(),
            input: feature_map(network.input, network.coding.format, chip),
            coding: InputCoding::default(),
            stages: vec![Stage::Mvm(stage)],
        };
        if chip.tile.adc.range == RangePolicy::Lossless {
            lossless(&mut program)?;
        }
        Ok(program)
    }
}

/// The energy of a program's only layer with the chip's resolution, with one bit more and so on, as far as there are prices.
fn finer_j(program: &Program, energy: Energy) -> Vec<f64> {
    let mut program = program.clone();
    let Some((_, stage)) = program.mvm_stages().next() else { return Vec::new() };
    let (name, counts) = (stage.name.clone(), stage_actions(&program, stage));
    let mut finer_j = vec![energy.total_j()];
    loop {
        program.chip.tile.adc.bits += 1;
        match price_stage(&counts, &program, &name, ArrayEnergy::Exact(energy.array_j)) {
            Ok(priced) if program.chip.tile.adc.bits <= MOST_ADC_BITS => finer_j.push(priced.total_j()),
            _ => return finer_j,
        }
    }
}

/// No converter is finer.
const MOST_ADC_BITS: u32 = 32;
