//! Batch normalisation, and shares of exponentials.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::{Coding, Map, Value, axis_of};
use crate::Shape;
use crate::graph::{Affine, Coefficients, Operation, Softmax};

/// `scale * (x - mean) / sqrt(variance + epsilon) + bias` per channel.
pub(super) fn batch_normalization(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    // Before the attribute, outputs said so.
    if node.int("training_mode", 0)? != 0
        || (7..14).contains(&node.opset) && node.proto.output.iter().filter(|name| !name.is_empty()).count() > 1
    {
        return Err(Problem::new("it is in training mode", "export the model in evaluation mode"));
    }
    if node.opset < 9 && node.int("spatial", 1)? != 1 {
        return Err(Problem::new("it has statistics per pixel (spatial = 0)", "use statistics per channel"));
    }
    let map = builder.real(&node.name, node.map(0)?)?;
    let epsilon = f64::from(node.float("epsilon", 1e-5)?);
    let parts = [node.fixed(1)?, node.fixed(2)?, node.fixed(3)?, node.fixed(4)?];
    let channels = map.dims.get(1).copied().filter(|_| map.batch == Some(0)).unwrap_or(0);
    if parts.iter().any(|part| part.values.len() != channels) {
        let problem = format!("its constants do not have one number per channel of a map of {:?}", map.dims);
        return Err(Problem::broken(problem));
    }
    builder.hold(2 * channels)?;
    let [scale, bias, mean, variance] = parts.map(|part| &part.values);
    let factor = |channel: usize| scale[channel] / (variance[channel] + epsilon).sqrt();
    let factors = (0..channels).map(|channel| factor(channel) as f32).collect();
    let shifts = (0..channels).map(|channel| (bias[channel] - mean[channel] * factor(channel)) as f32).collect();
    let affine = Affine { factor: Coefficients::Channel(factors), shift: Coefficients::Channel(shifts) };
    Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Affine(affine))?)])
}

/// `Softmax` and `LogSoftmax`: over one axis, or, in old sets of operators, over all axes from one on.
pub(super) fn softmax(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let rank = map.dims.len();
    let (default, several) = if node.opset < 13 { (1, true) } else { (-1, false) };
    let given = node.int("axis", default)?;
    let axis = axis_of(given, rank).ok_or_else(|| Problem::broken(format!("axis is {given} of {rank}")))?;
    let end = if several { rank } else { axis + 1 };
    if map.batch.is_some_and(|batch| (axis..end).contains(&batch)) {
        return Err(Problem::new("it mixes images", "take the shares over classes"));
    }
    // What the shares are taken over comes first, as the channels of a map.
    let over: Vec<usize> = (axis..end).collect();
    let others = (0..rank).filter(|axis| !over.contains(axis));
    let order: Vec<usize> = over.iter().copied().chain(others).collect();
    let moved = builder.transpose(&format!("{}.order", node.name), &map, &order)?;
    let channels = over.iter().map(|&axis| map.dims[axis]).product();
    let pixels = map.image_dims().iter().product::<usize>() / usize::max(channels, 1);
    let shape = Shape { channels, height: pixels, width: 1 };
    let source = builder.shaped(&node.name, &moved, shape)?;
    let source =
        builder.push(&node.name, &[source], Operation::Softmax(Softmax { log: node.proto.op_type == "LogSoftmax" }))?;
    let result = Map { source, coding: Coding::Real, ..moved };
    let back: Vec<usize> = (0..rank).filter_map(|axis| order.iter().position(|&from| from == axis)).collect();
    Ok(vec![Value::Map(builder.transpose(&format!("{}.back", node.name), &result, &back)?)])
}
