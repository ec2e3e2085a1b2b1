//! Products of a map with a constant matrix.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Grid, Tensor};
use super::super::value::{Coding, Map, Value};
use super::conv::scale_of;
use super::shape::transposed;
use crate::Shape;
use crate::axis::Axis;
use crate::graph::{Affine, Coefficients, Conv, Linear, Operation};

pub(super) fn matmul(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(weight)) => {
            let map = builder.real(&node.name, map)?;
            multiply_right(builder, &node.name, &map, weight)?
        }
        (Value::Constant(weight), Value::Map(map)) => {
            let map = builder.real(&node.name, map)?;
            multiply_left(builder, &node.name, &map, weight)?
        }
        (Value::Map(_), Value::Map(_)) => {
            return Err(Problem::new("it multiplies two maps of the image", "attention layers are not supported"));
        }
        _ => return Err(Problem::new("it multiplies two constants", "fold constants before the export (onnxsim)")),
    };
    Ok(vec![Value::Map(map)])
}

/// `map x weight`: sums over the last axis of the map.
pub(super) fn multiply_right(builder: &mut Builder, name: &str, map: &Map, weight: &Tensor) -> Result<Map, Problem> {
    let weight = transposed(&matrix(weight)?, &[1, 0]);
    let axis = map.dims.len().checked_sub(1).ok_or_else(|| Problem::broken("its map has no axes"))?;
    contract(builder, name, map, axis, &weight, None)
}

/// `weight x map`: sums over the last axis but one of the map.
pub(super) fn multiply_left(builder: &mut Builder, name: &str, map: &Map, weight: &Tensor) -> Result<Map, Problem> {
    let axis = map.dims.len().saturating_sub(2);
    contract(builder, name, map, axis, &matrix(weight)?, None)
}

/// A constant with two axes, besides those of size 1 in front.
fn matrix(weight: &Tensor) -> Result<Tensor, Problem> {
    match weight.dims[..] {
        [ref front @ .., rows, columns] if front.iter().all(|&size| size == 1) => {
            let drop = front.len();
            let grid = weight.grid.as_ref().map(|grid| Grid {
                axis: grid.axis.and_then(|axis| axis.checked_sub(drop)),
                scale: grid.scale.clone(),
            });
            Ok(Tensor { dims: vec![rows, columns], kind: weight.kind, values: weight.values.clone(), grid })
        }
        _ => Err(Problem::new(format!("its constant has the sizes {:?}", weight.dims), "multiply with one matrix")),
    }
}

/// `Gemm`: `alpha * A' * B' + beta * C`, one of A and B constant, either transposed or not.
pub(super) fn gemm(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    let transposes = (node.int("transA", 0)? != 0, node.int("transB", 0)? != 0);
    let bias = node.optional(2)?.map(|bias| scaled(bias, beta));
    let (map, weight, on_the_right) = match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(weight)) => (map, weight, true),
        (Value::Constant(weight), Value::Map(map)) => (map, weight, false),
        _ => return Err(Problem::new("not one of its factors is constant", "multiply one map with one constant")),
    };
    let map = builder.real(&node.name, map)?;
    let product = Product { on_the_right, map_transposed: transposes.0, weight_transposed: transposes.1 };
    let product = match on_the_right {
        true => product,
        false => Product { map_transposed: transposes.1, weight_transposed: transposes.0, ..product },
    };
    Ok(vec![Value::Map(product.of(builder, &node.name, &map, &scaled(weight, alpha), bias.as_ref())?)])
}

/// How a map and a matrix are multiplied.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) on_the_right: bool,
    pub(super) map_transposed: bool,
    pub(super) weight_transposed: bool,
}

impl Product {
    /// The product, and what is added to it.
    pub(super) fn of(
        self,
        builder: &mut Builder,
        name: &str,
        map: &Map,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Map, Problem> {
        if map.dims.len() != 2 {
            return Err(Problem::broken(format!("its map has the sizes {:?}, allowed: two axes", map.dims)));
        }
        let weight = matrix(weight)?;
        let weight = if self.weight_transposed == self.on_the_right { weight } else { transposed(&weight, &[1, 0]) };
        let axis = usize::from(self.on_the_right != self.map_transposed);
        let outputs = weight.dims[0];
        // A bias that is the same for all images belongs to the outputs.
        let own = bias.filter(|bias| {
            let along = if self.on_the_right { bias.dims.len().checked_sub(1) } else { bias.dims.len().checked_sub(2) };
            let others = bias.dims.iter().enumerate().filter(|(axis, _)| Some(*axis) != along);
            bias.values.len() == 1
                || along.is_some_and(|axis| bias.dims[axis] == outputs)
                    && others.into_iter().all(|(_, &size)| size == 1)
        });
        let values = own.map(|bias| match bias.single() {
            Some(value) => vec![value as f32; outputs],
            None => bias.floats(),
        });
        let map = contract(builder, name, map, axis, &weight, values)?;
        let map = if self.map_transposed { builder.transpose(&format!("{name}.order"), &map, &[1, 0])? } else { map };
        match bias {
            Some(bias) if own.is_none() => {
                let shift = builder.coefficients(&map, bias)?;
                builder.same(
                    &format!("{name}.bias"),
                    &map,
                    Operation::Affine(Affine { factor: Coefficients::Map(1.0), shift }),
                )
            }
            _ => Ok(map),
        }
    }
}

/// A constant times a number.
fn scaled(tensor: &Tensor, factor: f32) -> Tensor {
    if factor == 1.0 {
        return tensor.clone();
    }
    let values = tensor.values.iter().map(|&value| tensor.kind.round(value * f64::from(factor))).collect();
    let grid = tensor.grid.as_ref().filter(|_| factor > 0.0);
    let grid =
        grid.map(|grid| Grid { scale: grid.scale.iter().map(|scale| scale * factor).collect(), axis: grid.axis });
    Tensor { dims: tensor.dims.clone(), kind: tensor.kind, values, grid }
}

/// Sums over one axis of a map with weights `outputs x size of the axis`, which becomes the axis of the outputs.
fn contract(
    builder: &mut Builder,
    name: &str,
    map: &Map,
    axis: usize,
    weight: &Tensor,
    bias: Option<Vec<f32>>,
) -> Result<Map, Problem> {
    let (outputs, inputs) = (weight.dims[0], weight.dims[1]);
    if map.dims.get(axis) != Some(&inputs) {
        let problem = format!("it multiplies a map of {:?} with a matrix that sums over {inputs} values", map.dims);
        return Err(Problem::broken(problem));
    }
    if map.batch == Some(axis) {
        return Err(Problem::new("it mixes images", "sum over values of one image only"));
    }
    builder.hold(2 * weight.values.len())?;
    let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
    let (weight_scale, weight) = (scale_of(weight, 0), weight.floats());
    let mut dims = map.dims.clone();
    dims[axis] = outputs;
    if map.image_dims().iter().product::<usize>() == inputs {
        let linear = Linear { inputs, outputs, weight, bias, weight_scale, weight_offset: None };
        let source = builder.push(name, &[map.source], Operation::Linear(linear))?;
        return Ok(Map { source, dims, batch: map.batch, coding: Coding::Real });
    }
    // Several vectors of one image are the pixels of a 1 x 1 convolution.
    let rank = map.dims.len();
    let order: Vec<usize> = std::iter::once(axis).chain((0..rank).filter(|&other| other != axis)).collect();
    let moved = builder.transpose(&format!("{name}.order"), map, &order)?;
    let pixels = map.image_dims().iter().product::<usize>() / inputs.max(1);
    let source = builder.shaped(name, &moved, Shape { channels: inputs, height: pixels, width: 1 })?;
    let axes = Axis::new(1, 1, 0);
    let conv = Conv {
        in_channels: inputs,
        out_channels: outputs,
        groups: 1,
        vertical: axes,
        horizontal: axes,
        weight,
        bias,
        weight_scale,
        weight_offset: None,
    };
    let source = builder.push(name, &[source], Operation::Conv(conv))?;
    let dims = order.iter().map(|&axis| dims[axis]).collect();
    let result = Map { source, dims, batch: moved.batch, coding: Coding::Real };
    let back: Vec<usize> = (0..rank).filter_map(|axis| order.iter().position(|&from| from == axis)).collect();
    builder.transpose(&format!("{name}.back"), &result, &back)
}
