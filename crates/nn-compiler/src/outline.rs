//! A program without weights: where everything goes and what moves, for networks of which only the shapes are known.

use crate::emit::{emit, feature_map};
use crate::error::CompileError;
use crate::fit::check_outline;
use crate::mapping::Mapping;
use crate::refusals::Refusals;
use chip::config::Chip;
use chip::program::{InputCoding, Program};
use nn::quantised::{QuantisedLayer, QuantisedNetwork};

/// Places a network whose layers have empty `weights`, `bias` and `multipliers`. The program has no levels and no calibrated converters: it can be timed, and
/// nothing else (`Program::validate` refuses it). A mapping that looks at weights chooses as if there were none; it scales slices by shifts.
///
/// # Errors
/// If the shapes do not fit each other or the chip.
pub fn outline(network: &QuantisedNetwork, mapping: &Mapping, chip: &Chip) -> Result<Program, CompileError> {
    let mut refusals = Refusals::default();
    check_outline(network, &mut refusals)?;
    let program = Program {
        network: network.name.clone(),
        dataset: network.dataset.clone(),
        training: "none".to_owned(),
        mapping: mapping.name().to_owned(),
        software_accuracy: None,
        macs: macs(network),
        chip: chip.clone(),
        input: feature_map(network.input, network.coding.format, chip),
        coding: InputCoding::default(),
        stages: emit(network, mapping, chip, refusals)?,
    };
    program.validate_outline().map_err(|what| CompileError::chip(chip, what))?;
    Ok(program)
}

/// Multiply-accumulates of one inference.
fn macs(network: &QuantisedNetwork) -> u64 {
    let of_layer = |layer: &QuantisedLayer| match layer {
        QuantisedLayer::Mvm(mvm) => [mvm.outputs, mvm.group_rows(), mvm.window.positions()]
            .iter()
            .fold(1_u64, |product, &factor| product.saturating_mul(factor as u64)),
        _ => 0,
    };
    network.layers.iter().map(of_layer).fold(0, u64::saturating_add)
}
