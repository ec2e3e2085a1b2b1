//! What makes the results of a program doubtful before any image is run: accumulators that are too narrow, weights that are clipped.

use chip::config::{Chip, Digital};
use chip::program::{MvmStage, Program, Stage};
use nn::quantised::{QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use tile::adc::AdcKind;

/// Share of clipped weights above which a layer gets a warning.
const MOST_CLIPPED: f64 = 0.05;

/// One line for every layer whose sums may not fit the accumulators of the chip, and one for every layer of which an encoding clips many weights. `program` was
/// compiled from `network`.
#[must_use]
pub fn warnings(network: &QuantisedNetwork, program: &Program) -> Vec<String> {
    let mut warnings = Vec::new();
    for (layer, stage) in network.layers.iter().zip(&program.stages) {
        if let (QuantisedLayer::Mvm(mvm), Stage::Mvm(stage)) = (layer, stage) {
            let largest = largest_sum(network, mvm).max(largest_slice(&program.chip, stage));
            warnings.extend(narrow(&program.chip, mvm, bits_of(largest)));
            warnings.extend(clipped(mvm, stage));
        }
    }
    warnings
}

/// The largest magnitude of an output, whatever the inputs.
fn largest_sum(network: &QuantisedNetwork, mvm: &QuantisedMvm) -> u64 {
    network.format_of(mvm.input).map_or(0, |format| mvm.largest_sum(format).unsigned_abs())
}

/// The largest magnitude of the codes of a column, shifted and added over the input slices. Ideal converters have no codes.
fn largest_slice(chip: &Chip, stage: &MvmStage) -> u64 {
    if chip.tile.adc.kind == AdcKind::Ideal {
        return 0;
    }
    let slices = chip.input_cycles(stage.applied_bits());
    let shifts: u64 = (0..slices).map(|slice| 1 << (slice * chip.tile.dac.bits)).sum();
    let codes = |slice: &chip::program::Slice| slice.adc.max_code.unsigned_abs().max(slice.adc.min_code.unsigned_abs());
    u64::from(stage.slices.iter().map(codes).max().unwrap_or(0)) * shifts
}

/// Bits of a signed accumulator that holds numbers of a magnitude.
fn bits_of(largest: u64) -> u32 {
    u64::BITS - largest.leading_zeros() + 1
}

fn narrow(chip: &Chip, mvm: &QuantisedMvm, needed: u32) -> Option<String> {
    let (available, widest) = (chip.tile.digital.accumulator_bits, Digital::WIDEST_ACCUMULATOR);
    let remedy = if needed > widest {
        format!("{widest} are the most: give weights or inputs fewer bits")
    } else {
        "widen it, or give weights or inputs fewer bits".to_owned()
    };
    (needed > available).then(|| {
        format!(
            "layer `{}`: its sums may need accumulators of {needed} bits; larger ones than tile.digital.accumulator_bits = {available} saturate: {remedy}",
            mvm.name
        )
    })
}

fn clipped(mvm: &QuantisedMvm, stage: &MvmStage) -> Option<String> {
    let share = stage.clipped_weights as f64 / mvm.weights.len().max(1) as f64;
    (share > MOST_CLIPPED).then(|| {
        format!(
            "layer `{}`: `{}` clips {:.0} % of its weights at the digital offset {}; choose another offset or mapping",
            mvm.name,
            stage.mapping,
            100.0 * share,
            stage.offset
        )
    })
}
