//! Sums and products of maps and constants.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Kind, Tensor};
use super::super::value::{Coding, Map, Value};
use super::fold;
use crate::graph::{Activation, Affine, Coefficients, Operation};
use std::rc::Rc;

const NOTHING: Coefficients = Coefficients::Map(0.0);
const UNIT: Coefficients = Coefficients::Map(1.0);

pub(super) fn add(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(constant)) | (Value::Constant(constant), Value::Map(map)) => {
            affine(builder, node, map, None, Some(constant))
        }
        (Value::Map(a), Value::Map(b)) => sum_of(builder, &node.name, a, b),
        _ => fold::binary(builder, node),
    }
}

pub(super) fn sub(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(constant)) => {
            let negative = changed(constant, |value| -value);
            affine(builder, node, map, None, Some(&negative))
        }
        (Value::Constant(constant), Value::Map(map)) => affine(builder, node, map, Some(&number(-1.0)), Some(constant)),
        (Value::Map(a), Value::Map(b)) => {
            let b = builder.real(&node.name, b)?;
            let negative = Affine { factor: Coefficients::Map(-1.0), shift: NOTHING };
            let b = builder.same(&format!("{}.negative", node.name), &b, Operation::Affine(negative))?;
            sum_of(builder, &node.name, a, &b)
        }
        _ => fold::binary(builder, node),
    }
}

pub(super) fn mul(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(constant)) | (Value::Constant(constant), Value::Map(map)) => {
            affine(builder, node, map, Some(constant), None)
        }
        (Value::Map(map), Value::DynamicScale { source, factor })
        | (Value::DynamicScale { source, factor }, Value::Map(map)) => scaled_back(builder, node, map, *source, factor),
        (Value::DynamicScale { source, factor }, Value::Constant(constant))
        | (Value::Constant(constant), Value::DynamicScale { source, factor }) => {
            let factor = product(builder, factor, constant)?;
            Ok(vec![Value::DynamicScale { source: *source, factor }])
        }
        (Value::Map(_), Value::Map(_)) => Err(Problem::new(
            "it multiplies two maps of the image",
            "replace gates and attention by additions or concatenations and train again",
        )),
        _ => fold::binary(builder, node),
    }
}

pub(super) fn div(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(constant)) => {
            let inverse = changed(constant, |value| 1.0 / value);
            affine(builder, node, map, Some(&inverse), None)
        }
        (Value::Constant(_) | Value::Map(_), Value::Map(_)) => {
            Err(Problem::new("it divides by a map of the image", "divide by constants only"))
        }
        _ => fold::binary(builder, node),
    }
}

pub(super) fn neg(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match node.input(0) {
        Value::Map(map) => affine(builder, node, map, Some(&number(-1.0)), None),
        _ => fold::unary(builder, node),
    }
}

/// `Sum` of one or several maps of the same shape.
pub(super) fn sum(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match node.inputs.len() {
        1 => Ok(vec![node.input(0).clone()]),
        2 => add(builder, node),
        _ if node.inputs.iter().any(|input| matches!(input, Value::Constant(_))) => {
            Err(Problem::new("it sums maps and constants", "add the constants with nodes of their own (Add)"))
        }
        _ => {
            let mut total = node.map(0)?.clone();
            for index in 1..node.inputs.len() {
                match sum_of(builder, &node.name, &total, node.map(index)?)?.into_iter().next() {
                    Some(Value::Map(map)) => total = map,
                    _ => return Err(Problem::broken("it has no inputs")),
                }
            }
            Ok(vec![Value::Map(total)])
        }
    }
}

pub(super) fn min(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    bounded(builder, node, |bound| Activation::Clip { low: f32::NEG_INFINITY, high: bound })
}

pub(super) fn max(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    bounded(builder, node, |bound| match bound {
        0.0 => Activation::Relu,
        low => Activation::Clip { low, high: f32::INFINITY },
    })
}

/// The smaller or larger one of a map's values and one number.
fn bounded(builder: &mut Builder, node: &Node<'_>, bound: fn(f32) -> Activation) -> Result<Vec<Value>, Problem> {
    match (node.input(0), node.input(1)) {
        (Value::Map(map), Value::Constant(constant)) | (Value::Constant(constant), Value::Map(map)) => {
            let Some(value) = constant.single().filter(|_| node.inputs.len() == 2) else {
                return Err(Problem::new("its bound is not one number", "use one bound for the whole map"));
            };
            let map = builder.real(&node.name, map)?;
            Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Activation(bound(value as f32)))?)])
        }
        (Value::Constant(_), Value::Constant(_)) if node.inputs.len() == 2 => fold::binary(builder, node),
        _ => Err(Problem::new("it compares maps of the image", "compare with one number only")),
    }
}

/// `factor * map + shift`.
fn affine(
    builder: &mut Builder,
    node: &Node<'_>,
    map: &Map,
    factor: Option<&Rc<Tensor>>,
    shift: Option<&Rc<Tensor>>,
) -> Result<Vec<Value>, Problem> {
    let mut map = builder.real(&node.name, map)?;
    for constant in [factor, shift].into_iter().flatten() {
        raise(&mut map, constant.dims.len());
    }
    let factor = factor.map_or(Ok(UNIT), |constant| builder.coefficients(&map, constant))?;
    let shift = shift.map_or(Ok(NOTHING), |constant| builder.coefficients(&map, constant))?;
    let op = Operation::Affine(Affine { factor, shift });
    Ok(vec![Value::Map(builder.same(&node.name, &map, op)?)])
}

/// Puts axes of size 1 in front, until there are `rank` of them.
pub(super) fn raise(map: &mut Map, rank: usize) {
    let missing = rank.saturating_sub(map.dims.len());
    map.dims.splice(0..0, std::iter::repeat_n(1, missing));
    map.batch = map.batch.map(|batch| batch + missing);
}

/// The sum of two maps.
fn sum_of(builder: &mut Builder, name: &str, a: &Map, b: &Map) -> Result<Vec<Value>, Problem> {
    let (mut a, mut b) = (builder.real(name, a)?, builder.real(name, b)?);
    let rank = a.dims.len().max(b.dims.len());
    raise(&mut a, rank);
    raise(&mut b, rank);
    // With one image the axis of the batch is one of size 1, wherever it is.
    if a.dims != b.dims || (a.batch != b.batch && builder.images != 1) {
        let problem = format!("it adds maps of the sizes {:?} and {:?}", a.dims, b.dims);
        return Err(Problem::new(problem, "add maps of the same sizes"));
    }
    let shape = a.shape();
    let sources = [builder.shaped(name, &a, shape)?, builder.shaped(name, &b, shape)?];
    let source = builder.push(name, &sources, Operation::Add)?;
    Ok(vec![Value::Map(Map { source, coding: Coding::Real, ..a })])
}

/// Codes of a dynamic range times its step: the values of the graph, times a constant.
fn scaled_back(
    builder: &mut Builder,
    node: &Node<'_>,
    map: &Map,
    source: usize,
    factor: &Rc<Tensor>,
) -> Result<Vec<Value>, Problem> {
    if map.coding != (Coding::Dynamic { source, centred: true }) {
        let problem = "it multiplies a map with the step of a range that the map does not have";
        return Err(Problem::new(problem, "use it with the codes of the same range only"));
    }
    let map = Map { coding: Coding::Real, ..map.clone() };
    match factor.single() {
        Some(1.0) => Ok(vec![Value::Map(map)]),
        _ => affine(builder, node, &map, Some(factor), None),
    }
}

fn product(builder: &mut Builder, a: &Rc<Tensor>, b: &Rc<Tensor>) -> Result<Rc<Tensor>, Problem> {
    let dims = fold::common(&a.dims, &b.dims)?;
    builder.hold(dims.iter().product())?;
    let pairs = fold::places(a, &dims).into_iter().zip(fold::places(b, &dims));
    let values = pairs.map(|(i, j)| Kind::Float.round(a.values[i] * b.values[j])).collect();
    Ok(Rc::new(Tensor::new(dims, Kind::Float, values)))
}

fn changed(tensor: &Tensor, change: impl Fn(f64) -> f64) -> Rc<Tensor> {
    let values = tensor.values.iter().map(|&value| change(value)).collect();
    Rc::new(Tensor { values, grid: None, dims: tensor.dims.clone(), kind: tensor.kind })
}

fn number(value: f64) -> Rc<Tensor> {
    Rc::new(Tensor::new(vec![], Kind::Float, vec![value]))
}
