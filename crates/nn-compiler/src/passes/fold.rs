//! Pass `fold-batch-norm`: affine nodes become part of the weights beside them.

use super::affine::per_channel;
use super::rewrite::{only_reader, remove};
use super::{GraphPass, PassSettings};
use crate::error::CompileError;
use crate::refusals::Refusals;
use nn::Axis;
use nn::Shape;
use nn::graph::{Affine, Coefficients, Conv, Graph, Node, Operation, WeightScale};

/// Folds an affine node into the weighted node before it, or else into the one behind it, if no padding stands in between. Of an affine node at
/// the input the rest becomes the encoding of the input; elsewhere it is a depthwise convolution of 1 x 1.
#[derive(Debug)]
pub(super) struct FoldBatchNorm;

impl GraphPass for FoldBatchNorm {
    fn name(&self) -> &'static str {
        "fold-batch-norm"
    }

    fn doc(&self) -> &'static str {
        "batch normalisation and other arithmetic with constants become part of the weights beside them"
    }

    fn run(&self, graph: &mut Graph, _: &PassSettings, refusals: &mut Refusals) -> Result<(), CompileError> {
        let mut index = 0;
        while index < graph.nodes.len() {
            let folded = fold_back(graph, index)? || fold_forward(graph, index)?;
            if !folded {
                index += 1;
            }
        }
        depthwise(graph, refusals)
    }
}

/// The affine node `index`, the shape of its maps and its coefficients per channel.
fn affine_at(graph: &Graph, index: usize) -> Result<Option<(Affine, Shape)>, CompileError> {
    match &graph.nodes[index].op {
        Operation::Affine(affine) => Ok(Some((affine.clone(), graph.shapes()?[index]))),
        _ => Ok(None),
    }
}

/// Folds node `index` into the weights of its source.
fn fold_back(graph: &mut Graph, index: usize) -> Result<bool, CompileError> {
    let Some((affine, shape)) = affine_at(graph, index)? else { return Ok(false) };
    let Some(source) = graph.nodes[index].inputs[0].checked_sub(1) else { return Ok(false) };
    let channels = (per_channel(&affine.factor, shape), per_channel(&affine.shift, shape));
    let (Some(factor), Some(shift)) = channels else { return Ok(false) };
    if only_reader(graph, source) != Some(index) {
        return Ok(false);
    }
    let (weight, bias, scale) = match &mut graph.nodes[source].op {
        Operation::Conv(conv) => (&mut conv.weight, &mut conv.bias, &mut conv.weight_scale),
        Operation::Linear(linear) => (&mut linear.weight, &mut linear.bias, &mut linear.weight_scale),
        _ => return Ok(false),
    };
    let rows = weight.len() / bias.len().max(1);
    for (output, weights) in weight.chunks_exact_mut(rows.max(1)).enumerate() {
        weights.iter_mut().for_each(|weight| *weight *= factor[output]);
        let exact = f64::from(bias[output]) * f64::from(factor[output]) + f64::from(shift[output]);
        bias[output] = exact as f32;
    }
    *scale = scaled(scale, &factor);
    remove(graph, index);
    Ok(true)
}

/// The scales of weights whose outputs are multiplied by `factor`: the integers stay, up to their sign.
fn scaled(scale: &WeightScale, factor: &[f32]) -> WeightScale {
    let of = |(output, factor): (usize, &f32)| {
        scale.of(output).map(|scale| if *factor == 0.0 { scale } else { scale * factor.abs() })
    };
    match factor.iter().enumerate().map(of).collect::<Option<Vec<f32>>>() {
        Some(scales) if scales.windows(2).all(|pair| pair[0] == pair[1]) => WeightScale::Tensor(scales[0]),
        Some(scales) => WeightScale::Channel(scales),
        None => WeightScale::Free,
    }
}

/// Folds node `index` into the weights of its only reader.
fn fold_forward(graph: &mut Graph, index: usize) -> Result<bool, CompileError> {
    let Some((affine, shape)) = affine_at(graph, index)? else { return Ok(false) };
    let Some(reader) = only_reader(graph, index) else { return Ok(false) };
    // Different factors would take weights off the integers they were made for.
    let uniform = matches!(affine.factor, Coefficients::Map(_));
    let folded = match &mut graph.nodes[reader].op {
        Operation::Linear(linear) if uniform || linear.weight_scale == WeightScale::Free => {
            let at = |index: usize| (affine.factor.at(shape, index), affine.shift.at(shape, index));
            fold_inputs(&mut linear.weight, &mut linear.bias, linear.inputs, |_, input| at(input));
            rescale(&mut linear.weight_scale, &affine.factor);
            true
        }
        Operation::Conv(conv) if uniform || conv.weight_scale == WeightScale::Free => fold_conv(conv, &affine, shape),
        _ => false,
    };
    if folded {
        remove(graph, index);
    }
    Ok(folded)
}

fn fold_conv(conv: &mut Conv, affine: &Affine, shape: Shape) -> bool {
    let padded = [conv.vertical, conv.horizontal].iter().any(|axis| axis.before + axis.after > 0);
    let moves_zero = affine.shift.values().iter().any(|&shift| shift != 0.0);
    let channels = (per_channel(&affine.factor, shape), per_channel(&affine.shift, shape));
    let (Some(factor), Some(shift)) = channels else { return false };
    if padded && moves_zero {
        return false;
    }
    let pixels = conv.vertical.kernel * conv.horizontal.kernel;
    let (group_inputs, group_outputs, rows) = (conv.group_inputs(), conv.group_outputs(), conv.rows());
    let channel = |output: usize, row: usize| output / group_outputs * group_inputs + row / pixels;
    fold_inputs(&mut conv.weight, &mut conv.bias, rows, |output, row| {
        let channel = channel(output, row);
        (factor[channel], shift[channel])
    });
    rescale(&mut conv.weight_scale, &affine.factor);
    true
}

/// `sum w (a x + s) + b = sum (w a) x + (sum w s + b)`.
fn fold_inputs(weight: &mut [f32], bias: &mut [f32], rows: usize, of: impl Fn(usize, usize) -> (f32, f32)) {
    for (output, weights) in weight.chunks_exact_mut(rows.max(1)).enumerate() {
        let mut sum = f64::from(bias[output]);
        for (row, weight) in weights.iter_mut().enumerate() {
            let (factor, shift) = of(output, row);
            sum += f64::from(*weight) * f64::from(shift);
            *weight *= factor;
        }
        bias[output] = sum as f32;
    }
}

fn rescale(scale: &mut WeightScale, factor: &Coefficients) {
    if let Coefficients::Map(factor) = factor
        && *factor != 0.0
    {
        match scale {
            WeightScale::Free => {}
            WeightScale::Tensor(scale) => *scale *= factor.abs(),
            WeightScale::Channel(scales) => scales.iter_mut().for_each(|scale| *scale *= factor.abs()),
        }
    }
}

/// Makes the affine nodes that are left, but for one at the input, convolutions of one pixel.
fn depthwise(graph: &mut Graph, refusals: &mut Refusals) -> Result<(), CompileError> {
    for index in 0..graph.nodes.len() {
        let Some((affine, shape)) = affine_at(graph, index)? else { continue };
        if graph.nodes[index].inputs[0] == 0 && super::rewrite::readers(graph)[0].len() == 1 {
            continue;
        }
        let Node { name, op, .. } = &mut graph.nodes[index];
        let channels = (per_channel(&affine.factor, shape), per_channel(&affine.shift, shape));
        let (Some(weight), Some(bias)) = channels else {
            refusals.push(
                (name, op.kind()),
                "it multiplies or moves single values of a map, not channels, and no weights stand beside it that could do so",
                "put it in front of a fully connected layer, or give every channel one factor",
            );
            continue;
        };
        *op = Operation::Conv(Conv {
            in_channels: shape.channels,
            out_channels: shape.channels,
            groups: shape.channels,
            vertical: Axis::new(1, 1, 0),
            horizontal: Axis::new(1, 1, 0),
            weight,
            bias,
            weight_scale: WeightScale::Free,
            weight_offset: None,
        });
    }
    Ok(())
}
