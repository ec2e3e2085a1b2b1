//! Averages and maxima over whole axes.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::{Coding, Map, Value, axis_of};
use crate::Shape;
use crate::axis::Axis;
use crate::graph::{AveragePool, MaxPool, Operation};

pub(super) fn reduce_mean(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    reduce(builder, node, false)
}

pub(super) fn reduce_max(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    reduce(builder, node, true)
}

fn reduce(builder: &mut Builder, node: &Node<'_>, maximum: bool) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let rank = map.dims.len();
    let axes = match node.list("axes", 1)? {
        Some(axes) if !axes.is_empty() => {
            let found: Option<Vec<usize>> = axes.iter().map(|&axis| axis_of(axis, rank)).collect();
            found.ok_or_else(|| Problem::broken(format!("axes are {axes:?} of {rank}")))?
        }
        _ if node.int("noop_with_empty_axes", 0)? != 0 => return Ok(vec![Value::Map(map)]),
        _ => (0..rank).collect(),
    };
    let keep = node.int("keepdims", 1)? != 0;
    Ok(vec![Value::Map(over(builder, &node.name, &map, &axes, keep, maximum)?)])
}

/// The average or maximum over the axes `axes`: one window over everything, behind a transposition if they are not the last ones.
pub(super) fn over(
    builder: &mut Builder,
    name: &str,
    map: &Map,
    axes: &[usize],
    keep: bool,
    maximum: bool,
) -> Result<Map, Problem> {
    let rank = map.dims.len();
    if map.batch.is_some_and(|batch| axes.contains(&batch)) {
        return Err(Problem::new("it mixes images", "reduce axes behind the batch only"));
    }
    let kept: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).collect();
    let gone: Vec<usize> = (0..rank).filter(|axis| axes.contains(axis)).collect();
    let moved = builder.transpose(&format!("{name}.order"), map, &[&kept[..], &gone[..]].concat())?;
    let size = |axes: &[usize]| -> usize {
        axes.iter().filter(|&&axis| Some(axis) != map.batch).map(|&axis| map.dims[axis]).product()
    };
    // Rows and columns stay what they are.
    let (height, width) = match gone[..] {
        [rows, columns] => (map.dims[rows], map.dims[columns]),
        _ => (1, size(&gone)),
    };
    let source = builder.shaped(name, &moved, Shape { channels: size(&kept), height, width })?;
    let (vertical, horizontal) = (Axis::whole(height), Axis::whole(width));
    let op = match maximum {
        true => Operation::MaxPool(MaxPool { vertical, horizontal }),
        false => Operation::AveragePool(AveragePool { vertical, horizontal, count_padding: false }),
    };
    let source = builder.push(name, &[source], op)?;
    let dims = (0..rank).filter(|axis| keep || kept.contains(axis));
    let dims = dims.map(|axis| if gone.contains(&axis) { 1 } else { map.dims[axis] }).collect();
    let before = |batch: usize| gone.iter().filter(|&&axis| !keep && axis < batch).count();
    Ok(Map { source, dims, batch: map.batch.map(|batch| batch - before(batch)), coding: Coding::Real })
}
