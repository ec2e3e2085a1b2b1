//! Convolution.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::Tensor;
use super::super::value::{Map, Value};
use super::window::Windows;
use crate::graph::{Conv, Operation, WeightScale};

pub(super) fn conv(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let bias = node.optional(2)?.map(|bias| bias.floats());
    Ok(vec![Value::Map(convolve(builder, node, &map, node.fixed(1)?, bias)?)])
}

/// The convolution of a map with constant weights.
pub(super) fn convolve(
    builder: &mut Builder,
    node: &Node<'_>,
    map: &Map,
    weight: &Tensor,
    bias: Option<Vec<f32>>,
) -> Result<Map, Problem> {
    let [out_channels, _, ref kernel @ ..] = weight.dims[..] else {
        return Err(Problem::broken(format!("its weights have the sizes {:?}", weight.dims)));
    };
    let windows = Windows::new(builder, node, map, kernel, false)?;
    let given = node.int("group", 1)?;
    let in_channels = windows.input(builder).channels;
    let groups = usize::try_from(given).ok().filter(|&groups| groups > 0 && in_channels.is_multiple_of(groups));
    let groups = groups.ok_or_else(|| Problem::broken(format!("group is {given} for {in_channels} channels")))?;
    if weight.dims[1] != in_channels / groups {
        let problem =
            format!("its weights see {} channels of a group, which has {}", weight.dims[1], in_channels / groups);
        return Err(Problem::broken(problem));
    }
    builder.hold(2 * weight.values.len())?;
    let conv = Conv {
        in_channels,
        out_channels,
        groups,
        vertical: windows.vertical,
        horizontal: windows.horizontal,
        weight: weight.floats(),
        bias: bias.unwrap_or_else(|| vec![0.0; out_channels]),
        weight_scale: scale_of(weight, 0),
        weight_offset: None,
    };
    let source = builder.push(&node.name, &[windows.source], Operation::Conv(conv))?;
    Ok(windows.result(source, out_channels))
}

/// The steps of weights whose outputs are along the axis `outputs`.
pub(super) fn scale_of(weight: &Tensor, outputs: usize) -> WeightScale {
    match &weight.grid {
        Some(grid) if grid.axis == Some(outputs) => WeightScale::Channel(grid.scale.clone()),
        Some(grid) if grid.axis.is_none() => {
            grid.scale.first().map_or(WeightScale::Free, |&scale| WeightScale::Tensor(scale))
        }
        _ => WeightScale::Free,
    }
}
