//! Functions of every value by itself.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::value::Value;
use crate::graph::{Activation, Affine, Coefficients, Operation};

pub(super) fn relu(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    apply(builder, node, Activation::Relu)
}

pub(super) fn sigmoid(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    apply(builder, node, Activation::Sigmoid)
}

pub(super) fn tanh(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    apply(builder, node, Activation::Tanh)
}

pub(super) fn leaky_relu(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    apply(builder, node, Activation::LeakyRelu { slope: node.float("alpha", 0.01)? })
}

/// `PRelu` with one slope for the whole map.
pub(super) fn prelu(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let slopes = node.fixed(1)?.floats();
    match slopes[..] {
        [slope, ref rest @ ..] if rest.iter().all(|other| *other == slope) => {
            apply(builder, node, Activation::LeakyRelu { slope })
        }
        _ => Err(Problem::new("it has a slope per channel", "use one slope for all channels")),
    }
}

/// `Clip`, whose bounds are attributes in old sets of operators and inputs in newer ones.
pub(super) fn clip(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let bound = |name: &str, index: usize, default: f32| match node.opset < 11 {
        true => node.float(name, default),
        false => match node.optional(index)? {
            None => Ok(default),
            Some(tensor) => {
                let single = tensor.single().map(|value| value as f32);
                single.ok_or_else(|| Problem::broken(format!("bound `{name}` is not one number")))
            }
        },
    };
    let low = bound("min", 1, f32::NEG_INFINITY)?;
    let high = bound("max", 2, f32::INFINITY)?;
    // The default bounds of old sets of operators are the largest finite numbers.
    let low = if low == f32::MIN { f32::NEG_INFINITY } else { low };
    let high = if high == f32::MAX { f32::INFINITY } else { high };
    match (low, high) {
        (0.0, f32::INFINITY) => apply(builder, node, Activation::Relu),
        // The upper bound is applied last.
        _ if low > high => {
            let map = builder.real(&node.name, node.map(0)?)?;
            let upper = Affine { factor: Coefficients::Map(0.0), shift: Coefficients::Map(high) };
            Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Affine(upper))?)])
        }
        _ => apply(builder, node, Activation::Clip { low, high }),
    }
}

fn apply(builder: &mut Builder, node: &Node<'_>, activation: Activation) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Activation(activation))?)])
}
