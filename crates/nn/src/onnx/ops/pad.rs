//! Borders around maps.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::{Map, Value, axis_of, shape_of};
use crate::graph::{Operation, Pad};

/// `Pad` with a constant value; sizes and value are attributes in old sets of operators and inputs in newer ones.
pub(super) fn pad(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let mode = node.text("mode", "constant")?;
    if mode != "constant" {
        return Err(Problem::new(format!("it pads with mode `{mode}`"), "pad with a constant value"));
    }
    let map = builder.real(&node.name, node.map(0)?)?;
    let pads = node.list("pads", 1)?.ok_or_else(|| Problem::broken("its sizes are missing"))?;
    let value = match node.optional(2)? {
        Some(value) => value.single().ok_or_else(|| Problem::broken("its value is not one number"))? as f32,
        None => node.float("value", 0.0)?,
    };
    let borders = borders(node, &map, &pads)?;
    if borders.iter().all(|border| *border == [0, 0]) {
        return Ok(vec![Value::Map(map)]);
    }
    let mut image: Vec<[usize; 2]> = Vec::new();
    for (axis, &border) in borders.iter().enumerate() {
        match map.image_axis(axis) {
            Some(_) => image.push(border),
            None if border != [0, 0] => return Err(Problem::new("it pads the batch", "pad single images")),
            None => {}
        }
    }
    let (channels, height, width) = match image[..] {
        [channels] => (channels, [0; 2], [0; 2]),
        [channels, width] => (channels, [0; 2], width),
        [channels, height, width] => (channels, height, width),
        _ => {
            let problem = format!("it pads a map of {} axes", image.len());
            return Err(Problem::new(problem, "pad maps of channels, rows and columns"));
        }
    };
    let source = builder.shaped(&node.name, &map, map.shape())?;
    let source = builder.push(&node.name, &[source], Operation::Pad(Pad { channels, height, width, value }))?;
    let dims = map.dims.iter().zip(&borders).map(|(&size, border)| size + border[0] + border[1]).collect();
    let result = Map { source, dims, ..map };
    debug_assert_eq!(shape_of(&result.image_dims()), builder.shape(source));
    Ok(vec![Value::Map(result)])
}

/// Border of every axis of the model.
fn borders(node: &Node<'_>, map: &Map, pads: &[i64]) -> Result<Vec<[usize; 2]>, Problem> {
    let rank = map.dims.len();
    let axes = match node.optional(3)? {
        Some(axes) => axes.integers(),
        None => (0..rank as i64).collect(),
    };
    let broken = || Problem::broken(format!("its sizes are {pads:?} for the axes {axes:?} of {:?}", map.dims));
    if pads.len() != 2 * axes.len() {
        return Err(broken());
    }
    let mut borders = vec![[0; 2]; rank];
    for (index, &axis) in axes.iter().enumerate() {
        let axis = axis_of(axis, rank).ok_or_else(broken)?;
        for (side, at) in [(0, index), (1, index + axes.len())] {
            borders[axis][side] = usize::try_from(pads[at]).map_err(|_| {
                Problem::new(format!("its sizes are {pads:?}, which cut values off"), "pad with sizes of 0 and above")
            })?;
        }
    }
    Ok(borders)
}
