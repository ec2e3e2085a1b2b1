//! Operators that make, choose and join tensors.

use super::super::builder::{Builder, strided};
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Kind, Tensor, volume};
use super::super::value::{Coding, Map, Value, axis_of};
use super::fold;
use crate::axis::Axis;
use crate::graph::{MaxPool, Operation};

pub(super) fn constant(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    Ok(vec![builder.constant(node.constant()?)?])
}

pub(super) fn constant_of_shape(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let sizes = node.fixed(0)?.integers();
    let value = node.tensor("value")?.unwrap_or_else(|| Tensor::new(vec![1], Kind::Float, vec![0.0]));
    let dims: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let dims = dims.filter(|dims| volume(dims).is_some());
    let (Some(dims), Some(number)) = (dims, value.single()) else {
        return Err(Problem::broken(format!("it makes a tensor of the sizes {sizes:?}")));
    };
    let count = dims.iter().product();
    builder.hold(count)?;
    Ok(vec![Value::Constant(Tensor::new(dims, value.kind, vec![number; count]).into())])
}

pub(super) fn range(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let number = |index: usize| {
        node.fixed(index)?.single().ok_or_else(|| Problem::broken(format!("input {index} is not one number")))
    };
    let (start, limit, step) = (number(0)?, number(1)?, number(2)?);
    let count = ((limit - start) / step).ceil().max(0.0);
    if !(count.is_finite() && count <= crate::error::MAX_VALUES as f64) {
        return Err(Problem::broken(format!("it counts from {start} to {limit} by {step}")));
    }
    let count = count as usize;
    builder.hold(count)?;
    let values = (0..count).map(|index| start + index as f64 * step).collect();
    Ok(vec![Value::Constant(Tensor::new(vec![count], node.fixed(0)?.kind, values).into())])
}

/// `Expand` of a constant, or of a map to the sizes that it has.
pub(super) fn expand(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let wanted = node.fixed(1)?.integers();
    let sizes: Option<Vec<usize>> = wanted.iter().map(|&size| usize::try_from(size).ok()).collect();
    let sizes = sizes.ok_or_else(|| Problem::broken(format!("it expands to {wanted:?}")))?;
    match node.input(0) {
        Value::Constant(tensor) => {
            let dims = fold::common(&tensor.dims, &sizes)?;
            builder.hold(dims.iter().product())?;
            let values = fold::places(tensor, &dims).into_iter().map(|place| tensor.values[place]).collect();
            Ok(vec![Value::Constant(Tensor::new(dims, tensor.kind, values).into())])
        }
        _ => {
            let map = node.map(0)?;
            if fold::common(&map.dims, &sizes)? == map.dims {
                return Ok(vec![Value::Map(map.clone())]);
            }
            let problem = format!("it repeats a map of {:?} to {sizes:?}", map.dims);
            Err(Problem::new(problem, "do without repeating maps"))
        }
    }
}

/// `Gather` of a constant along one axis.
pub(super) fn gather(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    if let Value::Map(_) = node.input(0) {
        return Err(Problem::new("it picks parts of a map", "pick them before the network, or by a 1 x 1 convolution"));
    }
    let (tensor, index) = (node.fixed(0)?, node.fixed(1)?);
    let broken = |what: &str| Problem::broken(format!("{what} does not fit the sizes {:?}", tensor.dims));
    let axis = axis_of(node.int("axis", 0)?, tensor.dims.len()).ok_or_else(|| broken("its axis"))?;
    let size = tensor.dims[axis];
    let picks: Option<Vec<usize>> = index.integers().iter().map(|&pick| axis_of(pick, size)).collect();
    let picks = picks.ok_or_else(|| broken("an index"))?;
    let (before, after) = (&tensor.dims[..axis], &tensor.dims[axis + 1..]);
    let dims = [before, &index.dims, after].concat();
    builder.hold(volume(&dims).ok_or_else(|| broken("its number of indices"))?)?;
    let inner: usize = after.iter().product();
    let mut values = Vec::new();
    for block in tensor.values.chunks((size * inner).max(1)) {
        for &pick in &picks {
            values.extend_from_slice(&block[pick * inner..(pick + 1) * inner]);
        }
    }
    Ok(vec![Value::Constant(Tensor::new(dims, tensor.kind, values).into())])
}

/// One axis of a `Slice`: first index, number of indices, step.
#[derive(Clone, Copy)]
struct Cut {
    first: usize,
    count: usize,
    step: i64,
}

/// `Slice` of a constant; of a map only every n-th row and column from the first on.
pub(super) fn slice(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match node.input(0) {
        Value::Map(map) => slice_map(builder, node, map),
        _ => {
            let tensor = node.fixed(0)?;
            let cuts = cuts(node, &tensor.dims)?;
            let dims: Vec<usize> = cuts.iter().map(|cut| cut.count).collect();
            builder.hold(dims.iter().product())?;
            let mut values = Vec::new();
            for place in strided(&dims, &steps(&dims)) {
                values.push(tensor.values[source_of(place, &cuts, &tensor.dims)]);
            }
            Ok(vec![Value::Constant(Tensor::new(dims, tensor.kind, values).into())])
        }
    }
}

/// Distances of neighbours along the axes of a tensor.
fn steps(dims: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        steps[axis - 1] = steps[axis] * dims[axis];
    }
    steps
}

/// Place in a tensor of the sizes `dims` of value `place` of its slice.
fn source_of(place: usize, cuts: &[Cut], dims: &[usize]) -> usize {
    let (mut place, mut source) = (place, 0);
    for ((cut, step), _) in cuts.iter().zip(steps(dims)).zip(dims).rev() {
        let index = place % cut.count;
        place /= cut.count;
        let index = cut.first as i64 + index as i64 * cut.step;
        source += index as usize * step;
    }
    source
}

fn slice_map(builder: &mut Builder, node: &Node<'_>, map: &Map) -> Result<Vec<Value>, Problem> {
    let cuts = cuts(node, &map.dims)?;
    let whole = |axis: usize| cuts[axis].step == 1 && cuts[axis].count == map.dims[axis];
    if (0..map.dims.len()).all(whole) {
        return Ok(vec![Value::Map(map.clone())]);
    }
    let pixels = map.dims.len() == 4 && map.batch == Some(0) && whole(0) && whole(1);
    let from_first = |axis: usize| {
        let cut = cuts[axis];
        cut.first == 0 && cut.step >= 1 && cut.count == map.dims[axis].div_ceil(cut.step as usize)
    };
    if !(pixels && from_first(2) && from_first(3)) {
        let remedy = "take every n-th row and column from the first on, or slice before the network";
        return Err(Problem::new("it cuts parts out of a map", remedy));
    }
    // The maximum over one place is that place.
    let axis = |axis: usize| Axis::new(1, cuts[axis].step as usize, 0);
    let map = builder.real(&node.name, map)?;
    let source = builder.shaped(&node.name, &map, map.shape())?;
    let pool = MaxPool { vertical: axis(2), horizontal: axis(3) };
    let source = builder.push(&node.name, &[source], Operation::MaxPool(pool))?;
    Ok(vec![Value::Map(Map { source, dims: cuts.iter().map(|cut| cut.count).collect(), ..map })])
}

/// What is kept of every axis.
fn cuts(node: &Node<'_>, dims: &[usize]) -> Result<Vec<Cut>, Problem> {
    let missing = || Problem::broken("its starts or ends are missing");
    let starts = node.list("starts", 1)?.ok_or_else(missing)?;
    let ends = node.list("ends", 2)?.ok_or_else(missing)?;
    let axes = node.list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = node.optional(4)?.map_or_else(|| vec![1; starts.len()], |tensor| tensor.integers());
    let mut cuts: Vec<Cut> = dims.iter().map(|&size| Cut { first: 0, count: size, step: 1 }).collect();
    let broken = || {
        Problem::broken(format!("starts {starts:?}, ends {ends:?}, axes {axes:?}, steps {steps:?} do not fit {dims:?}"))
    };
    if [ends.len(), axes.len(), steps.len()].iter().any(|&count| count != starts.len()) {
        return Err(broken());
    }
    for (index, &axis) in axes.iter().enumerate() {
        let axis = axis_of(axis, dims.len()).ok_or_else(broken)?;
        cuts[axis] = cut(starts[index], ends[index], steps[index], dims[axis] as i64).ok_or_else(broken)?;
    }
    Ok(cuts)
}

fn cut(start: i64, end: i64, step: i64, size: i64) -> Option<Cut> {
    let place = |value: i64| if value < 0 { value.saturating_add(size) } else { value };
    let (first, distance) = match step {
        0 => return None,
        1.. => {
            let first = place(start).clamp(0, size);
            (first, place(end).clamp(0, size) - first)
        }
        _ => {
            let first = place(start).clamp(-1, size - 1);
            (first, first - place(end).clamp(-1, size - 1))
        }
    };
    let count = distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
    // A single index needs no step, which may be beyond all bounds.
    let step = if count <= 1 { 1 } else { step };
    Some(Cut { first: first.max(0) as usize, count, step })
}

pub(super) fn concat(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let axis = node.int("axis", 1)?;
    if node.is_constant() {
        return concat_constants(builder, node, axis);
    }
    if node.inputs.iter().any(|input| matches!(input, Value::Constant(_))) {
        let remedy = "join maps only; a convolution of weights 0 makes a map of constant channels, its biases";
        return Err(Problem::new("it joins a map with a constant", remedy));
    }
    let mut maps = Vec::new();
    for index in 0..node.inputs.len() {
        maps.push(builder.real(&node.name, node.map(index)?)?);
    }
    let first = maps[0].clone();
    let rank = first.dims.len();
    let axis = axis_of(axis, rank).ok_or_else(|| Problem::broken(format!("axis is {axis} of {rank}")))?;
    let fits = |map: &Map| {
        map.batch == first.batch
            && map.dims.len() == rank
            && (0..rank).all(|other| other == axis || map.dims[other] == first.dims[other])
    };
    if !maps.iter().all(fits) {
        return Err(Problem::broken("its inputs do not have the same sizes"));
    }
    let Some(image_axis) = first.image_axis(axis) else {
        return Err(Problem::new("it joins images", "join channels only"));
    };
    // Axes of the image that the joined one comes behind must be single places for channels to follow each other.
    if first.image_dims()[..image_axis].iter().any(|&size| size != 1) {
        return Err(Problem::new(format!("it joins maps along axis {axis}"), "join channels only"));
    }
    let mut sources = Vec::new();
    for map in &maps {
        let dims = map.image_dims();
        let shape = super::super::value::shape_of(&dims[image_axis..]);
        sources.push(builder.shaped(&node.name, map, shape)?);
    }
    let source = builder.push(&node.name, &sources, Operation::Concat)?;
    let mut dims = first.dims.clone();
    dims[axis] = maps.iter().map(|map| map.dims[axis]).sum();
    Ok(vec![Value::Map(Map { source, dims, batch: first.batch, coding: Coding::Real })])
}

fn concat_constants(builder: &mut Builder, node: &Node<'_>, axis: i64) -> Result<Vec<Value>, Problem> {
    let first = node.fixed(0)?;
    let rank = first.dims.len();
    let axis = axis_of(axis, rank).ok_or_else(|| Problem::broken(format!("axis is {axis} of {rank}")))?;
    let mut dims = first.dims.clone();
    dims[axis] = 0;
    let mut parts = Vec::new();
    for index in 0..node.inputs.len() {
        let part = node.fixed(index)?;
        if part.dims.len() != rank || (0..rank).any(|other| other != axis && part.dims[other] != dims[other]) {
            return Err(Problem::broken("its inputs do not have the same sizes"));
        }
        dims[axis] += part.dims[axis];
        parts.push(part);
    }
    builder.hold(volume(&dims).ok_or_else(|| Problem::broken("its result is too large"))?)?;
    let mut values = Vec::new();
    // Parts without values would take time, one for every block, but add nothing.
    parts.retain(|part| !part.values.is_empty());
    let blocks = if parts.is_empty() { 0 } else { dims[..axis].iter().product() };
    for block in 0..blocks {
        for part in &parts {
            let size: usize = part.dims[axis..].iter().product();
            values.extend_from_slice(&part.values[block * size..(block + 1) * size]);
        }
    }
    Ok(vec![Value::Constant(Tensor::new(dims, first.kind, values).into())])
}
