//! Arithmetic of constants, value by value.

use super::super::builder::{Builder, strided};
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Kind, Tensor, volume};
use super::super::value::Value;

/// `Add`, `Sub`, `Mul`, `Div`, `Pow`, `Min`, `Max` and `Equal` of two constants.
pub(super) fn binary(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    constants_only(node)?;
    let (a, b) = (node.fixed(0)?, node.fixed(1)?);
    let operation: fn(f64, f64) -> f64 = match node.proto.op_type.as_str() {
        "Add" | "Sum" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Div" if !a.kind.is_float() => |a, b| if b == 0.0 { 0.0 } else { (a / b).trunc() },
        "Div" => |a, b| a / b,
        "Pow" => libm::pow,
        "Min" => f64::min,
        "Max" => f64::max,
        _ => |a, b| f64::from(u8::from(a == b)),
    };
    let kind = if node.proto.op_type == "Equal" { Kind::Bool } else { a.kind };
    let dims = common(&a.dims, &b.dims)?;
    builder.hold(dims.iter().product())?;
    let pairs = places(a, &dims).into_iter().zip(places(b, &dims));
    let values = pairs.map(|(i, j)| kind.round(operation(a.values[i], b.values[j]))).collect();
    Ok(vec![builder.constant(Tensor::new(dims, kind, values))?])
}

/// A function of every value of a constant.
pub(super) fn unary(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    constants_only(node)?;
    let tensor = node.fixed(0)?;
    let function: fn(f64) -> f64 = match node.proto.op_type.as_str() {
        "Abs" => f64::abs,
        "Ceil" => f64::ceil,
        "Exp" => libm::exp,
        "Floor" => f64::floor,
        "Log" => libm::log,
        "Neg" => |value| -value,
        "Reciprocal" => |value| 1.0 / value,
        "Round" => f64::round_ties_even,
        _ => f64::sqrt,
    };
    let values = tensor.values.iter().map(|&value| tensor.kind.round(function(value))).collect();
    Ok(vec![builder.constant(Tensor::new(tensor.dims.clone(), tensor.kind, values))?])
}

/// `Where` of constants.
pub(super) fn choose(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    constants_only(node)?;
    let (condition, a, b) = (node.fixed(0)?, node.fixed(1)?, node.fixed(2)?);
    let dims = common(&common(&condition.dims, &a.dims)?, &b.dims)?;
    builder.hold(dims.iter().product())?;
    let conditions = places(condition, &dims).into_iter().map(|place| condition.values[place] != 0.0);
    let pairs = places(a, &dims).into_iter().zip(places(b, &dims));
    let values = conditions.zip(pairs).map(|(first, (i, j))| if first { a.values[i] } else { b.values[j] }).collect();
    Ok(vec![builder.constant(Tensor::new(dims, a.kind, values))?])
}

fn constants_only(node: &Node<'_>) -> Result<(), Problem> {
    if node.is_constant() {
        return Ok(());
    }
    let problem = "it is only folded, but works on values of the image here";
    Err(Problem::new(problem, "rewrite it with Add, Mul, Relu, Clip, Sigmoid or Tanh"))
}

/// Sizes of the result of two tensors that are repeated along axes of size 1.
pub(super) fn common(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Problem> {
    let rank = a.len().max(b.len());
    let size = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    let axis = |axis: usize| match (size(a, axis), size(b, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    let dims: Option<Vec<usize>> = (0..rank).map(axis).collect();
    let dims = dims.filter(|dims| volume(dims).is_some());
    dims.ok_or_else(|| Problem::broken(format!("sizes {a:?} and {b:?} do not fit each other")))
}

/// Place in `tensor` of every value of a result with the sizes `dims`.
pub(super) fn places(tensor: &Tensor, dims: &[usize]) -> Vec<usize> {
    let missing = dims.len() - tensor.dims.len();
    let mut steps = vec![0; dims.len()];
    let mut step = 1;
    for (axis, &size) in tensor.dims.iter().enumerate().rev() {
        steps[axis + missing] = if size == 1 { 0 } else { step };
        step *= size;
    }
    strided(dims, &steps)
}
