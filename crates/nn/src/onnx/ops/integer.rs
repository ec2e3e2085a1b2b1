//! Operators that compute on codes. The graph computes on the numbers that the codes stand for, and rounds where the model does.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Grid, Kind, Tensor};
use super::super::value::{Coding, Map, Value};
use super::quantise::{Format, decode, decode_constant, encode};
use super::{conv, matmul, reduce};
use crate::graph::{Affine, Coefficients, Operation};

/// The format in inputs `first` (scale) and `first + 1` (zero point).
fn format(node: &Node<'_>, first: usize, axis: Option<usize>, rank: usize) -> Result<Format, Problem> {
    Format::new(node.fixed(first)?, Some(node.fixed(first + 1)?), axis, rank)
}

/// The numbers of the map in input `first`, whose format follows it.
fn operand(builder: &mut Builder, node: &Node<'_>, first: usize) -> Result<Map, Problem> {
    let map = node.map(first)?;
    let format = format(node, first + 1, None, map.dims.len())?;
    decode(builder, &format!("{}.input", node.name), map, &format)
}

/// The numbers of the constant in input `first`, whose format follows it.
fn weights(node: &Node<'_>, first: usize, axis: usize) -> Result<Tensor, Problem> {
    let codes = node.fixed(first)?;
    decode_constant(codes, &format(node, first + 1, Some(axis), codes.dims.len())?)
}

/// The result rounded to the format in inputs `first` and `first + 1`.
fn rounded(builder: &mut Builder, node: &Node<'_>, map: &Map, first: usize) -> Result<Vec<Value>, Problem> {
    let format = format(node, first, None, map.dims.len())?;
    Ok(vec![Value::Map(encode(builder, &format!("{}.codes", node.name), map, &format)?)])
}

/// Biases in steps of input times weights, as numbers.
fn bias(node: &Node<'_>, index: usize, input_scale: usize, weight_scale: usize) -> Result<Option<Vec<f32>>, Problem> {
    let Some(bias) = node.optional(index)? else {
        return Ok(None);
    };
    let (input, weight) = (node.fixed(input_scale)?, node.fixed(weight_scale)?);
    let broken = || Problem::broken("its scales do not fit its bias");
    let input = input.single().ok_or_else(broken)?;
    let scale = |output: usize| weight.single().or_else(|| weight.values.get(output).copied());
    let number = |(output, &code): (usize, &f64)| Some((code * input * scale(output)?) as f32);
    let values: Option<Vec<f32>> = bias.values.iter().enumerate().map(number).collect();
    values.map(Some).ok_or_else(broken)
}

pub(super) fn qlinear_conv(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = operand(builder, node, 0)?;
    let weight = weights(node, 3, 0)?;
    let map = conv::convolve(builder, node, &map, &weight, bias(node, 8, 1, 4)?)?;
    rounded(builder, node, &map, 6)
}

pub(super) fn qlinear_matmul(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = match (node.input(0), node.input(3)) {
        (Value::Map(_), Value::Constant(codes)) => {
            let map = operand(builder, node, 0)?;
            let weight = weights(node, 3, codes.dims.len().saturating_sub(1))?;
            builder.hold(weight.values.len())?;
            matmul::multiply_right(builder, &node.name, &map, &weight)?
        }
        _ => {
            let map = operand(builder, node, 3)?;
            let weight = weights(node, 0, node.fixed(0)?.dims.len().saturating_sub(2))?;
            builder.hold(weight.values.len())?;
            matmul::multiply_left(builder, &node.name, &map, &weight)?
        }
    };
    rounded(builder, node, &map, 6)
}

/// `QGemm` of onnxruntime: `alpha * A' * B' + C`, A a map; without a format of the result it yields numbers.
pub(super) fn qgemm(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    if node.float("alpha", 1.0)? != 1.0 {
        return Err(Problem::new("its alpha is not 1", "fold alpha into the scale of the weights"));
    }
    let map = operand(builder, node, 0)?;
    let weight_transposed = node.int("transB", 0)? != 0;
    let weight = weights(node, 3, usize::from(!weight_transposed))?;
    builder.hold(weight.values.len())?;
    let bias = bias(node, 6, 1, 4)?;
    let bias =
        bias.map(|bias| Tensor::new(vec![bias.len()], Kind::Float, bias.iter().map(|&value| value.into()).collect()));
    let product =
        matmul::Product { on_the_right: true, map_transposed: node.int("transA", 0)? != 0, weight_transposed };
    let map = product.of(builder, &node.name, &map, &weight, bias.as_ref())?;
    match node.input(7) {
        Value::Absent => Ok(vec![Value::Map(map)]),
        _ => rounded(builder, node, &map, 7),
    }
}

pub(super) fn qlinear_add(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let (a, b) = (operand(builder, node, 0)?, operand(builder, node, 3)?);
    if a.dims != b.dims {
        return Err(Problem::new("it adds maps of different sizes", "add maps of the same sizes"));
    }
    let shape = a.shape();
    let sources = [builder.shaped(&node.name, &a, shape)?, builder.shaped(&node.name, &b, shape)?];
    let source = builder.push(&node.name, &sources, Operation::Add)?;
    rounded(builder, node, &Map { source, ..a }, 6)
}

pub(super) fn qlinear_global_average_pool(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = operand(builder, node, 0)?;
    let axes: Vec<usize> = match node.int("channels_last", 0)? {
        0 => (2..map.dims.len()).collect(),
        _ => (1..map.dims.len().saturating_sub(1)).collect(),
    };
    let map = reduce::over(builder, &node.name, &map, &axes, true, false)?;
    rounded(builder, node, &map, 3)
}

pub(super) fn conv_integer(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let (map, coding) = centred(builder, node, 0, 2)?;
    let weight = whole(node, 1, 3, 0)?;
    let map = conv::convolve(builder, node, &map, &weight, None)?;
    Ok(vec![Value::Map(Map { coding, ..map })])
}

pub(super) fn matmul_integer(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let (map, coding) = centred(builder, node, 0, 2)?;
    let weight = whole(node, 1, 3, node.fixed(1)?.dims.len().saturating_sub(1))?;
    builder.hold(weight.values.len())?;
    let map = matmul::multiply_right(builder, &node.name, &map, &weight)?;
    Ok(vec![Value::Map(Map { coding, ..map })])
}

/// Constant codes less their zero point, as whole numbers.
fn whole(node: &Node<'_>, index: usize, zero: usize, axis: usize) -> Result<Tensor, Problem> {
    let codes = node.fixed(index)?;
    let unit = Tensor::new(vec![], Kind::Float, vec![1.0]);
    let format = Format::new(&unit, node.optional(zero)?, Some(axis), codes.dims.len())?;
    Ok(Tensor { grid: Some(Grid { scale: vec![1.0], axis: None }), ..decode_constant(codes, &format)? })
}

/// A map of codes less their zero point, on the numbers that they stand for, and how the results follow from those.
fn centred(builder: &mut Builder, node: &Node<'_>, index: usize, zero: usize) -> Result<(Map, Coding), Problem> {
    let map = node.map(index)?;
    let real = Map { coding: Coding::Real, ..map.clone() };
    match (&map.coding, node.input(zero)) {
        (Coding::Dynamic { source, centred: false }, Value::DynamicZero { source: zero }) if source == zero => {
            Ok((real, Coding::Dynamic { source: *source, centred: true }))
        }
        (Coding::Codes { scale, zero: own }, _)
            if scale.values().len() == 1 && **own == Coefficients::Map(given(node, zero)?) =>
        {
            let zero = Coefficients::Map(0.0).into();
            Ok((real, Coding::Codes { scale: scale.clone(), zero }))
        }
        _ => {
            let shift = Coefficients::Map(-given(node, zero)?);
            let map = builder.real(&node.name, map)?;
            let affine = Affine { factor: Coefficients::Map(1.0), shift };
            Ok((builder.same(&format!("{}.zero", node.name), &map, Operation::Affine(affine))?, Coding::Real))
        }
    }
}

/// The zero point that a node states.
fn given(node: &Node<'_>, index: usize) -> Result<f32, Problem> {
    match node.optional(index)? {
        None => Ok(0.0),
        Some(zero) => zero
            .single()
            .map(|zero| zero as f32)
            .ok_or_else(|| Problem::new("its map has a zero point per row", "use one zero point for the map")),
    }
}
