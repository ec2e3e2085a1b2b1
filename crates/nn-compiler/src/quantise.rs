//! Pass `quantise`: a float network becomes a network in integers.
//!
//! Weights are rounded in their layer's own scale. The range of every activation is the largest accumulator on the calibration images, so
//! activations need no float inference: each layer is run in integers as soon as the one before it is fixed.

use crate::error::CompileError;
use crate::mapping::largest_weight;
use nn::coding::InputCoding;
use nn::datasets::Split;
use nn::layers::{Conv2d, Linear, MaxPool};
use nn::network::{Network, Op, Shape};
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork};
use nn::window::Window;
use tile::adc::round_half_even;

/// Quantises a network to `weight_bits` and `input_bits`.
///
/// # Errors
/// If the network is not valid, or a layer is not one that the chip can run in integers.
pub fn quantise(
    network: &Network,
    weight_bits: u32,
    input_bits: u32,
    calibration: &Split,
) -> Result<QuantisedNetwork, CompileError> {
    network.validate()?;
    let mut result = QuantisedNetwork {
        name: network.name.clone(),
        dataset: network.dataset.clone(),
        input: network.input,
        coding: InputCoding::unsigned(input_bits),
        layers: Vec::new(),
    };
    check_order(network)?;
    let images = (0..calibration.len()).map(|index| result.input_codes(calibration.image(index)));
    let mut maps: Vec<Vec<i64>> = images.map(|codes| codes.into_iter().map(i64::from).collect()).collect();
    let mut pass = Pass { weight_bits, input_bits, input_scale: 1.0 / f64::from((1_u32 << input_bits) - 1) };
    let last = network.layers.iter().rposition(|layer| layer.op.parameters().is_some());
    let mut shape = network.input;
    for (index, (layer, next)) in network.layers.iter().zip(network.shapes()?).enumerate() {
        match &layer.op {
            Op::Linear(linear) => {
                let mvm = QuantisedMvm { input: result.layers.len(), ..pass.linear(&layer.name, linear, shape) };
                result.layers.push(pass.mvm(mvm, linear.weight_scale, Some(index) == last, &mut maps));
            }
            Op::Conv2d(conv) => {
                let mvm = QuantisedMvm { input: result.layers.len(), ..pass.conv2d(&layer.name, conv, shape) };
                result.layers.push(pass.mvm(mvm, conv.weight_scale, Some(index) == last, &mut maps));
            }
            Op::Relu => {}
            Op::MaxPool(pool) => {
                let input = result.layers.len();
                result.layers.push(max_pool(&layer.name, input, *pool, shape, &mut maps));
            }
        }
        shape = next;
    }
    Ok(result)
}

/// Codes are unsigned, so every weighted layer but the last must be followed by a ReLU before the next one; the scores end the network.
fn check_order(network: &Network) -> Result<(), CompileError> {
    let mut waiting: Option<&str> = None;
    for layer in &network.layers {
        match layer.op {
            Op::Linear(_) | Op::Conv2d(_) => {
                if let Some(name) = waiting {
                    return Err(CompileError::layer(
                        name,
                        format!("a `relu` must come between it and `{}`", layer.name),
                    ));
                }
                waiting = Some(&layer.name);
            }
            Op::Relu => waiting = None,
            Op::MaxPool(_) => {}
        }
    }
    match network.layers.last() {
        Some(layer) if matches!(layer.op, Op::Linear(_) | Op::Conv2d(_)) => Ok(()),
        Some(layer) => Err(CompileError::layer(&layer.name, "the last layer must be a linear layer or a convolution")),
        None => Ok(()),
    }
}

struct Pass {
    weight_bits: u32,
    input_bits: u32,
    /// Value of one step of the current activations.
    input_scale: f64,
}

impl Pass {
    fn linear(&self, name: &str, linear: &Linear, input: Shape) -> QuantisedMvm {
        self.round(name, &linear.weight, &linear.bias, linear.weight_scale, Window::whole(input))
    }

    fn conv2d(&self, name: &str, conv: &Conv2d, input: Shape) -> QuantisedMvm {
        let Conv2d { kernel, stride, padding, .. } = *conv;
        let window = Window::square(input, kernel, stride, padding);
        self.round(name, &conv.weight, &conv.bias, conv.weight_scale, window)
    }

    fn round(&self, name: &str, weight: &[f32], bias: &[f32], scale: f32, window: Window) -> QuantisedMvm {
        let step = f64::from(scale) * self.input_scale;
        QuantisedMvm {
            name: name.to_owned(),
            // Set where its place among the layers is known.
            input: 0,
            window,
            groups: 1,
            weights: weight.iter().map(|&w| quantise_weight(w, scale, self.weight_bits)).collect(),
            outputs: bias.len(),
            weight_bits: self.weight_bits,
            bias: bias.iter().map(|&b| (f64::from(b) / step).round_ties_even() as i64).collect(),
            output: MvmOutput::Scores,
        }
    }

    /// Fixes the range of a layer's outputs on the calibration images and moves them on.
    fn mvm(&mut self, mut mvm: QuantisedMvm, weight_scale: f32, last: bool, maps: &mut [Vec<i64>]) -> QuantisedLayer {
        let codes = f64::from((1_u32 << self.input_bits) - 1);
        // At least one accumulator step per code: accumulators are whole numbers, and a layer whose outputs are all 0 must not shrink
        // the scale of everything behind it.
        let mut largest = codes as i64;
        for map in maps.iter_mut() {
            *map = mvm.accumulate(map);
            largest = map.iter().copied().fold(largest, i64::max);
        }
        if !last {
            let multipliers = vec![codes / largest as f64; mvm.outputs];
            mvm.output = MvmOutput::Codes { multipliers, bits: self.input_bits, signed: false };
            for map in maps.iter_mut() {
                *map = mvm.requantise(map);
            }
            self.input_scale *= f64::from(weight_scale) * largest as f64 / codes;
        }
        QuantisedLayer::Mvm(mvm)
    }
}

fn max_pool(name: &str, input: usize, pool: MaxPool, shape: Shape, maps: &mut [Vec<i64>]) -> QuantisedLayer {
    let MaxPool { kernel, stride } = pool;
    let window = Window::square(shape, kernel, stride, 0);
    let layer = QuantisedMaxPool { name: name.to_owned(), input, window };
    for map in maps {
        *map = layer.reduce(map);
    }
    QuantisedLayer::MaxPool(layer)
}

/// The integer of a weight: rounded half to even in steps of `scale`, clipped to the symmetric range.
#[inline]
#[must_use]
pub fn quantise_weight(weight: f32, scale: f32, weight_bits: u32) -> i32 {
    let largest = largest_weight(weight_bits) as f32;
    round_half_even((weight / scale).max(-largest).min(largest)) as i32
}
