//! The input of a model.

use super::Layout;
use super::builder::{Builder, permuted};
use super::error::Problem;
use super::proto::ValueInfoProto;
use super::tensor::{allowed, volume};
use super::value::{Coding, Map, shape_of};
use crate::Shape;
use crate::graph::{Operation, Reorder};

/// The input as a map, in a graph that is empty but for the order of channels.
pub(super) fn start(input: &ValueInfoProto, layout: Layout, bytes: usize) -> Result<(Builder, Map), String> {
    let (dims, images) = input_dims(input)?;
    let batch = if dims.len() > 1 { Some(0) } else { None };
    let mut map = Map { source: 0, dims, batch, coding: Coding::Real };
    if layout == Layout::ChannelsFirst {
        let shape = map.shape();
        shape.validate().map_err(|invalid| format!("input `{}`: {invalid}", input.name))?;
        return Ok((Builder::new(shape, images, bytes), map));
    }
    let [height, width, channels] = map.image_dims()[..] else {
        return Err(format!("input `{}` has the sizes {:?}, allowed with channels last: four", input.name, map.dims));
    };
    let shape = Shape { channels, height, width };
    shape.validate().map_err(|invalid| format!("input `{}`: {invalid}", input.name))?;
    let mut builder = Builder::new(shape, images, bytes);
    let order = || {
        builder.hold(shape.len())?;
        let order = permuted(&[channels, height, width], &[1, 2, 0]).into_iter().map(|place| place as u32).collect();
        let reorder = Reorder { shape: shape_of(&[height, width, channels]), order };
        builder.push("channels-last", &[0], Operation::Reorder(reorder))
    };
    map.source = { order }().map_err(|problem: Problem| problem.problem)?;
    Ok((builder, map))
}

/// Sizes of the input, and how many images they count; one if that is not fixed.
fn input_dims(input: &ValueInfoProto) -> Result<(Vec<usize>, usize), String> {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
    let shape = shape.ok_or_else(|| format!("input `{}` is no tensor of known sizes", input.name))?;
    let mut dims = Vec::new();
    for (axis, dim) in shape.dim.iter().enumerate() {
        let fixed = dim.dim_value.filter(|&size| size > 0).and_then(|size| usize::try_from(size).ok());
        dims.push(match fixed {
            Some(size) => size,
            None if axis == 0 && shape.dim.len() > 1 => 1,
            None => {
                let size = dim.dim_value.map(|size| size.to_string()).or_else(|| dim.dim_param.clone());
                let size = size.unwrap_or_else(|| "unknown".to_owned());
                return Err(format!(
                    "axis {axis} of input `{}` is `{size}`, allowed: a fixed size of 1 or more (export with fixed sizes)",
                    input.name
                ));
            }
        });
    }
    volume(&dims).ok_or_else(|| format!("input `{}` has the sizes {dims:?}, allowed: {}", input.name, allowed()))?;
    let images = if dims.len() > 1 { dims[0] } else { 1 };
    Ok((dims, images))
}
