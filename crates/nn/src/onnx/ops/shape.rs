//! Operators that see the same values in the same or another order as tensors of other sizes, and those that ask for sizes.

use super::super::builder::{Builder, permuted};
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Grid, Kind, Tensor, volume};
use super::super::value::{Coding, Map, Value, axis_of};
use crate::graph::{Activation, Operation};

pub(super) fn identity(_: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    Ok(vec![node.input(0).clone()])
}

pub(super) fn dropout(_: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    if node.optional(2)?.is_some_and(|training| training.values.first().is_some_and(|&value| value != 0.0)) {
        return Err(Problem::new("it is in training mode", "export the model in evaluation mode"));
    }
    Ok(vec![node.input(0).clone()])
}

/// `Cast`: of constants to the values that the type can hold; of maps between floats, which rounds to those of 16 bits, and of codes.
pub(super) fn cast(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let to = node.int("to", 1)?;
    let kind = Kind::of(to).ok_or_else(|| Problem::new(format!("it casts to the type {to}"), "cast to a number"))?;
    match node.input(0) {
        Value::Constant(tensor) => {
            let values = tensor.values.iter().map(|&value| kind.round(value)).collect();
            let grid = if kind.is_float() { tensor.grid.clone() } else { None };
            Ok(vec![builder.constant(Tensor { dims: tensor.dims.clone(), kind, values, grid })?])
        }
        Value::Map(map) if !kind.is_float() && map.coding == Coding::Real => {
            Err(Problem::new("it rounds a map to integers", "quantise with QuantizeLinear or Quant"))
        }
        Value::Map(map) if map.coding == Coding::Real => {
            let rounding = match kind {
                Kind::Float16 => Activation::Half,
                Kind::BFloat16 => Activation::BrainFloat,
                _ => return Ok(vec![Value::Map(map.clone())]),
            };
            Ok(vec![Value::Map(builder.same(&node.name, map, Operation::Activation(rounding))?)])
        }
        value => Ok(vec![value.clone()]),
    }
}

pub(super) fn shape(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let dims = dims_of(node.input(0))?;
    let rank = dims.len() as i64;
    let place = |value: i64| if value < 0 { value.saturating_add(rank) } else { value }.clamp(0, rank) as usize;
    let start = place(node.int("start", 0)?);
    let end = place(node.int("end", i64::MAX)?).max(start);
    Ok(vec![builder.constant(Tensor::list(&dims[start..end]))?])
}

pub(super) fn size(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let size: usize = dims_of(node.input(0))?.iter().product();
    Ok(vec![builder.constant(Tensor::new(vec![], Kind::Int(64), vec![size as f64]))?])
}

fn dims_of(value: &Value) -> Result<&[usize], Problem> {
    match value {
        Value::Constant(tensor) => Ok(&tensor.dims),
        Value::Map(map) => Ok(&map.dims),
        _ => Err(Problem::broken("input 0 has no sizes")),
    }
}

pub(super) fn reshape(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let wanted = node.list("shape", 1)?.ok_or_else(|| Problem::broken("its shape is missing"))?;
    let keeps_zero = node.int("allowzero", 0)? != 0;
    let from = dims_of(node.input(0))?;
    let broken = || Problem::broken(format!("it reshapes {from:?} to {wanted:?}"));
    let mut dims = Vec::new();
    for (axis, &size) in wanted.iter().enumerate() {
        dims.push(match size {
            0 if !keeps_zero => *from.get(axis).ok_or_else(broken)?,
            -1 => 1,
            size => usize::try_from(size).map_err(|_| broken())?,
        });
    }
    let free: Vec<usize> = (0..dims.len()).filter(|&axis| wanted[axis] == -1).collect();
    if let [axis] = free[..] {
        let rest = volume(&dims).filter(|&rest| rest > 0).ok_or_else(broken)?;
        dims[axis] = from.iter().product::<usize>() / rest;
    }
    if free.len() > 1 || volume(&dims) != Some(from.iter().product()) {
        return Err(broken());
    }
    resized(builder, node.input(0), dims)
}

/// `Flatten`: all axes before one, and all from it on.
pub(super) fn flatten(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let dims = dims_of(node.input(0))?;
    let given = node.int("axis", 1)?;
    let axis = if given == dims.len() as i64 { Some(dims.len()) } else { axis_of(given, dims.len()) };
    let axis = axis.ok_or_else(|| Problem::broken(format!("axis is {given} of {}", dims.len())))?;
    let dims = vec![dims[..axis].iter().product(), dims[axis..].iter().product()];
    resized(builder, node.input(0), dims)
}

pub(super) fn squeeze(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let dims = dims_of(node.input(0))?;
    let dropped = match node.list("axes", 1)? {
        Some(axes) => axes_of(&axes, dims.len())?,
        None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect(),
    };
    if let Some(axis) = dropped.iter().find(|&&axis| dims[axis] != 1) {
        return Err(Problem::broken(format!("it drops axis {axis} of {dims:?}, which is not of size 1")));
    }
    let kept = (0..dims.len()).filter(|axis| !dropped.contains(axis)).map(|axis| dims[axis]).collect();
    resized(builder, node.input(0), kept)
}

pub(super) fn unsqueeze(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let dims = dims_of(node.input(0))?;
    let axes = node.list("axes", 1)?.ok_or_else(|| Problem::broken("its axes are missing"))?;
    let rank = dims.len() + axes.len();
    let added = axes_of(&axes, rank)?;
    let mut rest = dims.iter();
    let size = |axis: usize| if added.contains(&axis) { Some(1) } else { rest.next().copied() };
    let dims: Option<Vec<usize>> = (0..rank).map(size).collect();
    let dims = dims.filter(|dims| volume(dims).is_some());
    let dims = dims.ok_or_else(|| Problem::broken(format!("its axes {axes:?} repeat or are too many")))?;
    resized(builder, node.input(0), dims)
}

/// Different axes of a tensor of `rank` axes.
fn axes_of(axes: &[i64], rank: usize) -> Result<Vec<usize>, Problem> {
    let found: Option<Vec<usize>> = axes.iter().map(|&axis| axis_of(axis, rank)).collect();
    let distinct = |axes: &Vec<usize>| axes.iter().enumerate().all(|(index, axis)| !axes[..index].contains(axis));
    found.filter(distinct).ok_or_else(|| Problem::broken(format!("axes are {axes:?} of {rank}")))
}

/// The same values in the same order as a tensor of other sizes, whose product must be the same.
pub(super) fn resized(builder: &mut Builder, value: &Value, dims: Vec<usize>) -> Result<Vec<Value>, Problem> {
    match value {
        Value::Constant(tensor) => {
            let grid = tensor.grid.as_ref().and_then(|grid| grid_of(grid, &tensor.dims, &dims));
            let values = tensor.values.clone();
            Ok(vec![builder.constant(Tensor { dims, kind: tensor.kind, values, grid })?])
        }
        Value::Map(map) => {
            let batch = match builder.images {
                1 => dims.first().filter(|&&size| size == 1).map(|_| 0),
                images if map.batch == Some(0) && dims.first() == Some(&images) => Some(0),
                images => {
                    let problem = format!("it turns {:?} into {dims:?}, which mixes the {images} images", map.dims);
                    return Err(Problem::new(problem, "keep the batch as first axis, or export with one image"));
                }
            };
            if let Coding::Codes { scale, zero } = &map.coding
                && (scale.values().len() > 1 || zero.values().len() > 1)
            {
                return Err(Problem::new("it reshapes codes with a scale per channel", "use one scale for the map"));
            }
            Ok(vec![Value::Map(Map { dims, batch, ..map.clone() })])
        }
        _ => Err(Problem::broken("input 0 has no sizes")),
    }
}

/// The steps of values whose sizes change from `from` to `to`, if they can still be said.
fn grid_of(grid: &Grid, from: &[usize], to: &[usize]) -> Option<Grid> {
    let Some(axis) = grid.axis else {
        return Some(grid.clone());
    };
    let before = |dims: &[usize], axis: usize| dims[..axis].iter().product::<usize>();
    let same = |&other: &usize| to[other] == from[axis] && before(to, other) == before(from, axis);
    (0..to.len()).find(same).map(|axis| Grid { axis: Some(axis), ..grid.clone() })
}

pub(super) fn transpose(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let dims = dims_of(node.input(0))?;
    let order = match node.ints("perm")? {
        Some(order) => axes_of(&order, dims.len())?,
        None => (0..dims.len()).rev().collect(),
    };
    if order.len() != dims.len() {
        return Err(Problem::broken(format!("perm is {order:?} for the sizes {dims:?}")));
    }
    match node.input(0) {
        Value::Constant(tensor) => {
            builder.hold(2 * tensor.values.len())?;
            Ok(vec![Value::Constant(transposed(tensor, &order).into())])
        }
        _ => {
            let map = node.map(0)?;
            // Codes with a scale per channel would have to move their scales.
            let map = match &map.coding {
                Coding::Codes { scale, zero } if scale.values().len() + zero.values().len() > 2 => {
                    builder.real(&node.name, map)?
                }
                _ => map.clone(),
            };
            Ok(vec![Value::Map(builder.transpose(&node.name, &map, &order)?)])
        }
    }
}

/// A constant with its axes in another order.
pub(super) fn transposed(tensor: &Tensor, order: &[usize]) -> Tensor {
    let values = permuted(&tensor.dims, order).into_iter().map(|place| tensor.values[place]).collect();
    let grid = tensor.grid.as_ref().map(|grid| Grid {
        axis: grid.axis.and_then(|axis| order.iter().position(|&from| from == axis)),
        ..grid.clone()
    });
    let dims = order.iter().map(|&axis| tensor.dims[axis]).collect();
    Tensor { dims, kind: tensor.kind, values, grid }
}
