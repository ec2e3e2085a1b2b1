//! Rounding to codes and back: `QuantizeLinear`, `DequantizeLinear`, `DynamicQuantizeLinear`, and `Quant` and `BipolarQuant` of QONNX.

use super::super::builder::Builder;
use super::super::error::Problem;
use super::super::node::Node;
use super::super::tensor::{Grid, Kind, Tensor};
use super::super::value::{Coding, Map, Value, axis_of};
use super::arithmetic::raise;
use super::fold;
use crate::graph::{Affine, Coefficients, DynamicQuantise, MAX_BITS, Operation, Quantise, Rounding, Sign};
use std::rc::Rc;

/// Scale and zero point of codes, as tensors that fit the sizes of what they belong to.
pub(super) struct Format {
    scale: Tensor,
    zero: Tensor,
    kind: Kind,
}

impl Format {
    /// The format that two constants prescribe for a tensor of `rank` axes; one number per index of `axis`, or one for all.
    pub(super) fn new(
        scale: &Tensor,
        zero: Option<&Rc<Tensor>>,
        axis: Option<usize>,
        rank: usize,
    ) -> Result<Self, Problem> {
        let kind = zero.map_or(Kind::Unsigned(8), |zero| zero.kind);
        let spread = |tensor: &Tensor| -> Result<Tensor, Problem> {
            let mut dims = vec![1; rank];
            match (axis, tensor.values.len()) {
                (_, 1) => {}
                (Some(axis), count) if tensor.dims.len() == 1 && axis < rank => dims[axis] = count,
                _ => {
                    let problem = format!("its scale or zero point has the sizes {:?}", tensor.dims);
                    return Err(Problem::new(problem, "quantise per tensor or per axis"));
                }
            }
            Ok(Tensor::new(dims, tensor.kind, tensor.values.clone()))
        };
        let none = Tensor::new(vec![], kind, vec![0.0]);
        if let Some(bad) = scale.values.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            return Err(Problem::broken(format!("its scale is {bad}, allowed: positive finite numbers")));
        }
        Ok(Self { scale: spread(scale)?, zero: spread(zero.map_or(&none, |zero| zero))?, kind })
    }

    /// That of a node with a scale and a zero point behind input `first`.
    fn of_node(node: &Node<'_>, first: usize, rank: usize) -> Result<Self, Problem> {
        if node.int("block_size", 0)? != 0 {
            return Err(Problem::new("it quantises in blocks", "quantise per tensor or per axis"));
        }
        let axis = axis_of(node.int("axis", 1)?, rank);
        let mut format = Self::new(node.fixed(first)?, node.optional(first + 1)?, axis, rank)?;
        if let Some(output) = node.optional_int("output_dtype")?.filter(|&output| output != 0) {
            let kind = Kind::of(output);
            format.kind =
                kind.ok_or_else(|| Problem::new(format!("it quantises to the type {output}"), "use integers"))?;
        }
        Ok(format)
    }

    fn bits(&self) -> Result<(u32, bool), Problem> {
        match self.kind {
            Kind::Int(bits) => Ok((bits, true)),
            Kind::Unsigned(bits) => Ok((bits, false)),
            _ => Err(Problem::new("it does not quantise to integers", "use integers of 4, 8 or 16 bits")),
        }
    }

    fn coefficients(&self, builder: &mut Builder, map: &Map) -> Result<(Coefficients, Coefficients), Problem> {
        Ok((builder.coefficients(map, &self.scale)?, builder.coefficients(map, &self.zero)?))
    }
}

pub(super) fn quantize_linear(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match node.input(0) {
        Value::Constant(tensor) => {
            let format = Format::of_node(node, 1, tensor.dims.len())?;
            let (bits, signed) = format.bits()?;
            let (lowest, highest) = bounds(bits, signed);
            let code = |value: f64, scale: f64, zero: f64| {
                (f64::from((value as f32 / scale as f32).round_ties_even()) + zero).clamp(lowest, highest)
            };
            Ok(vec![builder.constant(each(builder_dims(tensor, &format)?, tensor, &format, format.kind, code))?])
        }
        _ => {
            let map = builder.real(&node.name, node.map(0)?)?;
            let format = Format::of_node(node, 1, map.dims.len())?;
            Ok(vec![Value::Map(encode(builder, &node.name, &map, &format)?)])
        }
    }
}

fn bounds(bits: u32, signed: bool) -> (f64, f64) {
    let highest = 2f64.powi(bits as i32 - i32::from(signed)) - 1.0;
    (if signed { -highest - 1.0 } else { 0.0 }, highest)
}

/// Checks that a format fits a constant, and returns the sizes of the result.
fn builder_dims(tensor: &Tensor, format: &Format) -> Result<Vec<usize>, Problem> {
    for part in [&format.scale, &format.zero] {
        if fold::common(&tensor.dims, &part.dims)? != tensor.dims {
            return Err(Problem::broken(format!("its scale does not fit the sizes {:?}", tensor.dims)));
        }
    }
    Ok(tensor.dims.clone())
}

/// Every value with its scale and zero point turned into another.
fn each(
    dims: Vec<usize>,
    tensor: &Tensor,
    format: &Format,
    kind: Kind,
    change: impl Fn(f64, f64, f64) -> f64,
) -> Tensor {
    let formats = fold::places(&format.scale, &dims).into_iter().zip(fold::places(&format.zero, &dims));
    let pairs = tensor.values.iter().zip(formats);
    let values = pairs.map(|(&value, (i, j))| change(value, format.scale.values[i], format.zero.values[j])).collect();
    Tensor::new(dims, kind, values)
}

/// A map rounded to codes.
pub(super) fn encode(builder: &mut Builder, name: &str, map: &Map, format: &Format) -> Result<Map, Problem> {
    let (bits, signed) = format.bits()?;
    let (scale, zero_point) = format.coefficients(builder, map)?;
    let coding = Coding::Codes { scale: Rc::new(scale.clone()), zero: Rc::new(zero_point.clone()) };
    let quantise = Quantise {
        scale,
        zero_point,
        bits,
        signed,
        narrow: false,
        rounding: Rounding::HalfEven,
        zero_before_rounding: false,
    };
    let map = builder.same(name, map, Operation::Quantise(quantise))?;
    Ok(Map { coding, ..map })
}

pub(super) fn dequantize_linear(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    match node.input(0) {
        Value::Constant(tensor) => {
            let format = Format::of_node(node, 1, tensor.dims.len())?;
            Ok(vec![builder.constant(decode_constant(tensor, &format)?)?])
        }
        _ => {
            let map = node.map(0)?;
            if let (Coding::Dynamic { source, centred: false }, Value::DynamicScale { source: scale, factor }) =
                (&map.coding, node.input(1))
            {
                let zero = matches!(node.input(2), Value::DynamicZero { source: zero } if zero == source);
                if scale == source && zero && factor.single() == Some(1.0) {
                    return Ok(vec![Value::Map(Map { coding: Coding::Real, ..map.clone() })]);
                }
            }
            let format = Format::of_node(node, 1, map.dims.len())?;
            Ok(vec![Value::Map(decode(builder, &node.name, map, &format)?)])
        }
    }
}

/// The numbers that constant codes stand for; they keep their steps.
pub(super) fn decode_constant(tensor: &Tensor, format: &Format) -> Result<Tensor, Problem> {
    let number = |code: f64, scale: f64, zero: f64| f64::from(((code - zero) * scale) as f32);
    let mut result = each(builder_dims(tensor, format)?, tensor, format, Kind::Float, number);
    result.grid =
        Some(Grid { scale: format.scale.floats(), axis: format.scale.dims.iter().position(|&size| size > 1) });
    Ok(result)
}

/// The numbers that codes of a map stand for.
pub(super) fn decode(builder: &mut Builder, name: &str, map: &Map, format: &Format) -> Result<Map, Problem> {
    let (scale, zero) = format.coefficients(builder, map)?;
    match &map.coding {
        Coding::Codes { scale: own, zero: own_zero } if **own == scale && **own_zero == zero => {
            return Ok(Map { coding: Coding::Real, ..map.clone() });
        }
        _ => {}
    }
    // Numbers of the model in another format than the one they were rounded to, or that come as integers.
    let map = builder.real(name, map)?;
    let centred = Affine { factor: Coefficients::Map(1.0), shift: zero.map(|zero| -zero) };
    let map = builder.same(&format!("{name}.zero"), &map, Operation::Affine(centred))?;
    builder.same(name, &map, Operation::Affine(Affine { factor: scale, shift: Coefficients::Map(0.0) }))
}

pub(super) fn dynamic_quantize_linear(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let map = builder.real(&node.name, node.map(0)?)?;
    let map = builder.same(&node.name, &map, Operation::DynamicQuantise(DynamicQuantise { bits: 8 }))?;
    let source = map.source;
    let factor = Rc::new(Tensor::new(vec![], Kind::Float, vec![1.0]));
    let codes = Map { coding: Coding::Dynamic { source, centred: false }, ..map };
    Ok(vec![Value::Map(codes), Value::DynamicScale { source, factor }, Value::DynamicZero { source }])
}

/// `Quant` of QONNX: any width, scale and rounding.
pub(super) fn quant(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let (scale, zero, width) = (node.fixed(1)?, node.fixed(2)?, node.fixed(3)?);
    // Constants, among them biases, may be wider than the codes of a map.
    let widest = if matches!(node.input(0), Value::Constant(_)) { 32 } else { MAX_BITS };
    let width = width.single().filter(|width| width.fract() == 0.0 && (1.0..=widest.into()).contains(width));
    let bits = width.ok_or_else(|| {
        Problem::new(format!("its width is not a whole number of 1 to {widest} bits"), "use one width for the tensor")
    })?;
    let mode = node.text("rounding_mode", "ROUND")?;
    let rounding = rounding(&mode)
        .ok_or_else(|| Problem::new(format!("it rounds by `{mode}`"), "round to the nearest (ROUND)"))?;
    let (signed, narrow) = (node.int("signed", 1)? != 0, node.int("narrow", 0)? != 0);
    match node.input(0) {
        Value::Constant(tensor) => {
            let (mut lowest, mut highest) = bounds(bits as u32, signed);
            match signed {
                true => lowest += f64::from(u8::from(narrow)),
                false => highest -= f64::from(u8::from(narrow)),
            }
            let format = Format { scale: (**scale).clone(), zero: (**zero).clone(), kind: Kind::Float };
            let round = |value: f64, scale: f64, zero: f64| {
                let code = f64::from(rounding.of((value / scale + zero) as f32)).clamp(lowest, highest);
                f64::from(((code - zero) * scale) as f32)
            };
            let dims = builder_dims(tensor, &format)?;
            let mut result = each(dims, tensor, &format, Kind::Float, round);
            result.grid = grid_of(&format, tensor.dims.len());
            Ok(vec![builder.constant(result)?])
        }
        _ => {
            let mut map = builder.real(&node.name, node.map(0)?)?;
            raise(&mut map, scale.dims.len().max(zero.dims.len()));
            let scale = builder.coefficients(&map, scale)?;
            let zero_point = builder.coefficients(&map, zero)?;
            let bits = bits as u32;
            let quantise = Quantise { scale, zero_point, bits, signed, narrow, rounding, zero_before_rounding: true };
            Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Quantise(quantise))?)])
        }
    }
}

/// The steps of a constant, if they differ along one axis at most and its zero is a whole number of them.
fn grid_of(format: &Format, rank: usize) -> Option<Grid> {
    let whole = format.zero.values.iter().all(|zero| zero.fract() == 0.0);
    let positive = format.scale.values.iter().all(|&scale| scale.is_finite() && scale > 0.0);
    let mut axes = (0..format.scale.dims.len()).filter(|&axis| format.scale.dims[axis] > 1);
    let (axis, others) = (axes.next(), axes.next());
    let missing = rank.checked_sub(format.scale.dims.len())?;
    let grid = Grid { scale: format.scale.floats(), axis: axis.map(|axis| axis + missing) };
    Some(grid).filter(|_| whole && positive && others.is_none())
}

fn rounding(mode: &str) -> Option<Rounding> {
    Some(match mode.to_ascii_uppercase().as_str() {
        "ROUND" | "HALF_EVEN" => Rounding::HalfEven,
        "HALF_UP" => Rounding::HalfUp,
        "HALF_DOWN" => Rounding::HalfDown,
        "UP" => Rounding::Up,
        "DOWN" | "ROUND_TO_ZERO" => Rounding::Down,
        "CEIL" => Rounding::Ceil,
        "FLOOR" => Rounding::Floor,
        _ => return None,
    })
}

/// `BipolarQuant` of QONNX: the sign times a scale.
pub(super) fn bipolar_quant(builder: &mut Builder, node: &Node<'_>) -> Result<Vec<Value>, Problem> {
    let scale = node.fixed(1)?;
    match node.input(0) {
        Value::Constant(tensor) => {
            let none = Tensor::new(vec![], Kind::Float, vec![0.0]);
            let format = Format { scale: (**scale).clone(), zero: none, kind: Kind::Float };
            let sign = |value: f64, scale: f64, _: f64| if value >= 0.0 { scale } else { -scale };
            let mut result = each(builder_dims(tensor, &format)?, tensor, &format, Kind::Float, sign);
            result.grid = grid_of(&format, tensor.dims.len());
            Ok(vec![builder.constant(result)?])
        }
        _ => {
            let mut map = builder.real(&node.name, node.map(0)?)?;
            raise(&mut map, scale.dims.len());
            let scale = builder.coefficients(&map, scale)?;
            Ok(vec![Value::Map(builder.same(&node.name, &map, Operation::Sign(Sign { scale }))?)])
        }
    }
}
