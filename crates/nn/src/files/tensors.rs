//! What stands in `weights.safetensors`: `NAME.weight` and `NAME.bias` of every weighted layer, as little-endian `f32`.

use crate::layers::{Conv2d, Linear};
use crate::network::{Network, Op};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, BTreeSet};

/// Room in the header for one tensor's entry besides its name.
const ENTRY_BYTES: usize = 512;

/// Shapes of an operation's weight and bias tensors.
fn tensor_shapes(op: &Op) -> Option<(Vec<usize>, Vec<usize>)> {
    match op {
        Op::Linear(Linear { inputs, outputs, .. }) => Some((vec![*outputs, *inputs], vec![*outputs])),
        Op::Conv2d(Conv2d { in_channels, out_channels, kernel, .. }) => {
            Some((vec![*out_channels, *in_channels, *kernel, *kernel], vec![*out_channels]))
        }
        Op::Relu | Op::MaxPool(_) => None,
    }
}

/// Names and shapes of all tensors that the network needs.
fn expected(network: &Network) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::new();
    for layer in &network.layers {
        if let Some((weight, bias)) = tensor_shapes(&layer.op) {
            shapes.insert(format!("{}.weight", layer.name), weight);
            shapes.insert(format!("{}.bias", layer.name), bias);
        }
    }
    shapes
}

/// Largest size in bytes of a file with the network's tensors; the sizes of its layers must have been checked.
pub(super) fn largest_file(network: &Network) -> usize {
    // JSON may write a character of a name in up to six bytes.
    let entry =
        |(name, shape): (&String, &Vec<usize>)| ENTRY_BYTES + 6 * name.len() + 4 * shape.iter().product::<usize>();
    ENTRY_BYTES + expected(network).iter().map(entry).sum::<usize>()
}

/// The bytes of the file, which depend on the network only.
pub(super) fn encode(network: &Network) -> Result<Vec<u8>, String> {
    let mut tensors = BTreeMap::new();
    for layer in &network.layers {
        if let Some((weight, bias)) = layer.op.parameters() {
            tensors.insert(format!("{}.weight", layer.name), to_bytes(weight));
            tensors.insert(format!("{}.bias", layer.name), to_bytes(bias));
        }
    }
    let mut views = Vec::new();
    for ((name, bytes), (_, shape)) in tensors.iter().zip(expected(network)) {
        let view = TensorView::new(Dtype::F32, shape, bytes).map_err(|error| format!("tensor `{name}`: {error}"))?;
        views.push((name, view));
    }
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

/// Reads the parameters of all layers of `network`; the tensors must be exactly those it needs.
pub(super) fn decode(bytes: &[u8], network: &mut Network) -> Result<(), String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let shapes = expected(network);
    let present: BTreeSet<&str> = tensors.names().into_iter().collect();
    if let Some(name) = present.iter().find(|name| !shapes.contains_key(**name)) {
        let known: Vec<&str> = shapes.keys().map(String::as_str).collect();
        return Err(format!("tensor `{name}` is unknown, allowed: {}", known.join(", ")));
    }
    for layer in &mut network.layers {
        if let Some((weight, bias)) = layer.op.parameters_mut() {
            *weight = read_tensor(&tensors, &format!("{}.weight", layer.name), &shapes)?;
            *bias = read_tensor(&tensors, &format!("{}.bias", layer.name), &shapes)?;
        }
    }
    Ok(())
}

/// The values of one tensor, which must be finite.
fn read_tensor(
    tensors: &SafeTensors<'_>,
    name: &str,
    shapes: &BTreeMap<String, Vec<usize>>,
) -> Result<Vec<f32>, String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("tensor `{name}` is missing"))?;
    if tensor.dtype() != Dtype::F32 {
        return Err(format!("tensor `{name}` has type {:?}, allowed: F32", tensor.dtype()));
    }
    if let Some(shape) = shapes.get(name).filter(|shape| shape.as_slice() != tensor.shape()) {
        return Err(format!("tensor `{name}` has shape {:?}, allowed: {shape:?}", tensor.shape()));
    }
    let (values, _) = tensor.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(format!("tensor `{name}`, value {index} is {}, allowed: finite numbers", values[index])),
        None => Ok(values),
    }
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
