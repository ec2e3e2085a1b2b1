//! Pass `fit`: whether a network in integers is one that the chip can run.

use crate::error::CompileError;
use crate::refusals::Refusals;
use nn::Shape;
use nn::quantised::{MAX_BITS, MvmOutput, QuantisedLayer, QuantisedMvm, QuantisedNetwork};

/// Refuses a network whose windows are not over what their sources are; notes a last layer whose scores have no single order.
pub(crate) fn check_fit(network: &QuantisedNetwork, refusals: &mut Refusals) -> Result<(), CompileError> {
    network.validate()?;
    check_layers(network, refusals)
}

/// The same for a network of shapes, whose layers have no weights.
pub(crate) fn check_outline(network: &QuantisedNetwork, refusals: &mut Refusals) -> Result<(), CompileError> {
    for (index, layer) in network.layers.iter().enumerate() {
        let refuse = |what: String| CompileError::layer(layer.name(), what);
        layer.window().validate().map_err(|invalid| refuse(invalid.to_string()))?;
        if layer.inputs().iter().any(|&source| source > index) {
            return Err(refuse(format!("it reads a layer behind it; allowed is 0 to {index}")));
        }
        if let QuantisedLayer::Mvm(mvm) = layer {
            check_empty(mvm).map_err(refuse)?;
        }
    }
    check_layers(network, refusals)
}

fn check_empty(mvm: &QuantisedMvm) -> Result<(), String> {
    let multipliers = if let MvmOutput::Codes { multipliers, .. } = &mvm.output { multipliers.as_slice() } else { &[] };
    if !(mvm.weights.is_empty() && mvm.bias.is_empty() && multipliers.is_empty()) {
        return Err("it has weights, biases or multipliers; an outline has none".to_owned());
    }
    if !(1..=MAX_BITS).contains(&mvm.weight_bits) {
        return Err(format!("its weights have {} bits; allowed is 1 to {MAX_BITS}", mvm.weight_bits));
    }
    let divides = |count: usize| mvm.groups > 0 && count.is_multiple_of(mvm.groups);
    if divides(mvm.window.input.channels) && divides(mvm.outputs) {
        return Ok(());
    }
    Err(format!("it has {} groups; allowed are divisors of its channels and outputs", mvm.groups))
}

fn check_layers(network: &QuantisedNetwork, refusals: &mut Refusals) -> Result<(), CompileError> {
    for layer in &network.layers {
        for (&source, window) in layer.inputs().iter().zip(layer.input_shapes()) {
            let shape = network.shape_of(source);
            if window != shape {
                let what = format!("its window is over {window}, its source is {shape}");
                return Err(CompileError::layer(layer.name(), what));
            }
        }
    }
    if let Some(layer) = network.layers.last() {
        check_scores((layer.name(), layer.output_shape()), refusals);
    }
    Ok(())
}

/// Notes a last layer that yields scores of several pixels: the chip streams them pixel by pixel, the network numbers its classes channel by channel.
pub(crate) fn check_scores((name, shape): (&str, Shape), refusals: &mut Refusals) {
    if shape.channels > 1 && shape.len() > shape.channels {
        let problem =
            format!("the network ends in a map of {shape}, scores for every pixel, which no engine has a measure for");
        let remedy = "end it in a single pixel or a single channel, by a global pooling or a fully connected layer";
        refusals.push((name, "scores"), problem, remedy);
    }
}
