//! Pass `fit`: whether a network in integers is one that the chip can run.

use crate::error::CompileError;
use chip::config::Chip;
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedMvm, QuantisedNetwork};

/// Refuses a network whose codes are not those of the chip's inputs where arrays read them, or whose scores have no single order.
pub(crate) fn check_fit(network: &QuantisedNetwork, chip: &Chip) -> Result<(), CompileError> {
    network.validate()?;
    check_widths(network, chip)
}

/// The same for a network of shapes, whose layers have no weights.
pub(crate) fn check_outline(network: &QuantisedNetwork, chip: &Chip) -> Result<(), CompileError> {
    for (index, layer) in network.layers.iter().enumerate() {
        let refuse = |what: String| CompileError::layer(layer.name(), what);
        layer.window().validate().map_err(|invalid| refuse(invalid.to_string()))?;
        if layer.inputs().iter().any(|&source| source > index) {
            return Err(refuse(format!("it reads a layer behind it; allowed is 0 to {index}")));
        }
        if let QuantisedLayer::Mvm(QuantisedMvm { weights, bias, .. }) = layer
            && !(weights.is_empty() && bias.is_empty())
        {
            return Err(refuse("it has weights; an outline has none".to_owned()));
        }
    }
    check_widths(network, chip)
}

fn check_widths(network: &QuantisedNetwork, chip: &Chip) -> Result<(), CompileError> {
    let width = chip.magnitude_bits();
    if network.input_bits != width {
        let what =
            format!("it applies {width} bits of an input, the network's have {} (input_bits)", network.input_bits);
        return Err(CompileError::chip(chip, what));
    }
    for layer in &network.layers {
        check_layer(network, layer, chip).map_err(|what| CompileError::layer(layer.name(), what))?;
    }
    match network.layers.last() {
        Some(layer) => check_scores(layer).map_err(|what| CompileError::layer(layer.name(), what)),
        None => Ok(()),
    }
}

fn check_layer(network: &QuantisedNetwork, layer: &QuantisedLayer, chip: &Chip) -> Result<(), String> {
    for &source in layer.inputs() {
        let shape = network.shape_of(source);
        if layer.window().input != shape {
            return Err(format!("its window is over {}, its source is {shape}", layer.window().input));
        }
    }
    if let QuantisedLayer::Mvm(mvm) = layer { check_inputs(network, mvm, chip) } else { Ok(()) }
}

fn check_inputs(network: &QuantisedNetwork, mvm: &QuantisedMvm, chip: &Chip) -> Result<(), String> {
    let (width, weight_bits) = (chip.magnitude_bits(), chip.format.weight_bits);
    if mvm.weight_bits > weight_bits {
        return Err(format!(
            "its weights have {} bits, the chip's {weight_bits} (format.weight_bits)",
            mvm.weight_bits
        ));
    }
    match network.format_of(mvm.input) {
        Some(format) if format.bits != width => {
            Err(format!("its inputs have {} bits, the chip applies {width}", format.bits))
        }
        Some(format) if format.signed && !chip.signed_inputs() => {
            Err("its inputs may be negative, which takes tile.dac.format = \"sign-magnitude\"".to_owned())
        }
        _ => Ok(()),
    }
}

/// The chip streams scores pixel by pixel, the network numbers its classes channel by channel.
fn check_scores(last: &QuantisedLayer) -> Result<(), String> {
    let shape = last.output_shape();
    match last {
        QuantisedLayer::Mvm(QuantisedMvm { output: MvmOutput::Scores, .. }) => {
            if shape.channels > 1 && shape.len() > shape.channels {
                return Err("as the last layer it must yield a single pixel or a single channel".to_owned());
            }
            Ok(())
        }
        _ => Err("the last layer must be a linear layer or a convolution that yields scores".to_owned()),
    }
}
