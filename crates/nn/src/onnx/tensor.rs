//! Constants of a model: tensors of any rank. All numbers are held as `f64`, which is exact for every type but 64-bit integers above 2^53.

use super::error::Problem;
use super::proto::TensorProto;
use crate::error::MAX_VALUES;
use crate::short_float::{brain_float, half_precision};

/// Most axes of a tensor.
const MAX_RANK: usize = 8;

/// Types of numbers (`TensorProto.DataType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Double,
    Float16,
    BFloat16,
    Int(u32),
    Unsigned(u32),
    Bool,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) kind: Kind,
    pub(super) values: Vec<f64>,
    /// The steps of which its values are whole multiples, if it was rounded to such.
    pub(super) grid: Option<Grid>,
}

/// One step for all values, or one per index of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    pub(super) scale: Vec<f32>,
    pub(super) axis: Option<usize>,
}

impl Kind {
    pub(super) fn of(data_type: i64) -> Option<Self> {
        Some(match data_type {
            1 => Self::Float,
            2 => Self::Unsigned(8),
            3 => Self::Int(8),
            4 => Self::Unsigned(16),
            5 => Self::Int(16),
            6 => Self::Int(32),
            7 => Self::Int(64),
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Double,
            12 => Self::Unsigned(32),
            13 => Self::Unsigned(64),
            16 => Self::BFloat16,
            21 => Self::Unsigned(4),
            22 => Self::Int(4),
            _ => return None,
        })
    }

    /// Bits of a stored value.
    fn bits(self) -> usize {
        match self {
            Self::Float => 32,
            Self::Double => 64,
            Self::Float16 | Self::BFloat16 => 16,
            Self::Bool => 8,
            Self::Int(bits) | Self::Unsigned(bits) => bits as usize,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Double | Self::Float16 | Self::BFloat16)
    }

    /// The value as this type holds it.
    pub(super) fn round(self, value: f64) -> f64 {
        match self {
            Self::Float => f64::from(value as f32),
            Self::Float16 => half_precision(value),
            Self::BFloat16 => brain_float(value),
            Self::Double => value,
            Self::Bool => f64::from(u8::from(value != 0.0)),
            Self::Int(_) | Self::Unsigned(_) => value.trunc(),
        }
    }
}

impl Tensor {
    pub(super) fn new(dims: Vec<usize>, kind: Kind, values: Vec<f64>) -> Self {
        Self { dims, kind, values, grid: None }
    }

    /// A list of 64-bit integers, as shapes are.
    pub(super) fn list(values: &[usize]) -> Self {
        Self::new(vec![values.len()], Kind::Int(64), values.iter().map(|&value| value as f64).collect())
    }

    /// Reads a stored constant.
    pub(super) fn decode(proto: &TensorProto) -> Result<Self, Problem> {
        let name = &proto.name;
        if proto.data_location != 0 || !proto.external_data.is_empty() {
            let remedy = "export one file (torch.onnx.export with external_data=False), or join both (onnx.save with save_as_external_data=False)";
            return Err(Problem::new(format!("tensor `{name}` is stored in another file"), remedy));
        }
        if proto.segment.is_some() {
            return Err(Problem::new(format!("tensor `{name}` is stored in segments"), "save the model again"));
        }
        let kind = Kind::of(proto.data_type.into()).ok_or_else(|| {
            let remedy = "use floats, or integers of 4 to 64 bits";
            Problem::new(format!("tensor `{name}` has the element type {}", proto.data_type), remedy)
        })?;
        let dims = sizes(&proto.dims).ok_or_else(|| {
            Problem::broken(format!("tensor `{name}` has the sizes {:?}, allowed: {}", proto.dims, allowed()))
        })?;
        let count = dims.iter().product();
        let values =
            if proto.raw_data.is_empty() { listed(proto, kind, count) } else { raw(&proto.raw_data, kind, count) };
        if values.len() != count {
            let problem =
                format!("tensor `{name}` holds {} values, allowed: {count}, as its sizes {dims:?} claim", values.len());
            return Err(Problem::broken(problem));
        }
        Ok(Self::new(dims, kind, values))
    }

    /// The values as `f32`.
    pub(super) fn floats(&self) -> Vec<f32> {
        self.values.iter().map(|&value| value as f32).collect()
    }

    /// The values as integers; what is beyond them becomes the nearest one.
    pub(super) fn integers(&self) -> Vec<i64> {
        self.values.iter().map(|&value| value as i64).collect()
    }

    /// The only value, if there is one only.
    pub(super) fn single(&self) -> Option<f64> {
        if let [value] = self.values[..] { Some(value) } else { None }
    }
}

/// The product of `dims`, if a tensor may have them. Sizes beside a size of 0 are bounded as if it were 1, so that products of any of them
/// are as well.
pub(super) fn volume(dims: &[usize]) -> Option<usize> {
    let product = dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size.max(1)));
    product.filter(|&count| count <= MAX_VALUES && dims.len() <= MAX_RANK)?;
    Some(dims.iter().product())
}

/// What [`volume`] allows.
pub(super) fn allowed() -> String {
    format!("at most {MAX_RANK} axes and {MAX_VALUES} values")
}

fn sizes(dims: &[i64]) -> Option<Vec<usize>> {
    let sizes: Option<Vec<usize>> = dims.iter().map(|&size| usize::try_from(size).ok()).collect();
    sizes.filter(|sizes| volume(sizes).is_some())
}

/// Values stored in the list that belongs to their type.
fn listed(proto: &TensorProto, kind: Kind, count: usize) -> Vec<f64> {
    let words = || proto.int32_data.iter();
    match kind {
        Kind::Float => proto.float_data.iter().map(|&value| value.into()).collect(),
        Kind::Double => proto.double_data.clone(),
        Kind::Int(64) => proto.int64_data.iter().map(|&value| value as f64).collect(),
        Kind::Unsigned(32 | 64) => proto.uint64_data.iter().map(|&value| value as f64).collect(),
        Kind::Float16 => words().map(|&word| half(word as u16)).collect(),
        Kind::BFloat16 => words().map(|&word| brain(word as u16)).collect(),
        Kind::Int(4) | Kind::Unsigned(4) => {
            let bytes: Vec<u8> = words().map(|&word| word as u8).collect();
            raw(&bytes, kind, count)
        }
        Kind::Int(_) | Kind::Unsigned(_) | Kind::Bool => words().map(|&word| word.into()).collect(),
    }
}

/// Values stored as little-endian bytes, 4-bit ones two a byte, the lower half first. As many as there are whole ones.
fn raw(bytes: &[u8], kind: Kind, count: usize) -> Vec<f64> {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    let width = kind.bits() / 8;
    if width == 0 {
        let nibbles = bytes.iter().flat_map(|&byte| [byte & 15, byte >> 4]);
        // An odd number of values leaves half a byte over.
        let kept = if bytes.len() == count.div_ceil(2) { count } else { 2 * bytes.len() };
        return nibbles.take(kept).map(|nibble| value(kind, nibble.into())).collect();
    }
    if !bytes.len().is_multiple_of(width) {
        return Vec::new();
    }
    bytes.chunks_exact(width).map(|bytes| value(kind, word(bytes))).collect()
}

/// The number that `bits` stand for.
fn value(kind: Kind, bits: u64) -> f64 {
    match kind {
        Kind::Float => f32::from_bits(bits as u32).into(),
        Kind::Double => f64::from_bits(bits),
        Kind::Float16 => half(bits as u16),
        Kind::BFloat16 => brain(bits as u16),
        Kind::Unsigned(_) | Kind::Bool => bits as f64,
        Kind::Int(width) => ((bits << (64 - width)) as i64 >> (64 - width)) as f64,
    }
}

/// IEEE 754 half precision.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// The upper half of an `f32`.
fn brain(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precisions_are_rounded_to_the_nearest() {
        let half = |value| Kind::Float16.round(value);
        assert_eq!([half(1.0), half(0.1), half(-0.1)], [1.0, 0.099_975_585_937_5, -0.099_975_585_937_5]);
        // Ties to even, the range without leading ones, and what is beyond the largest.
        assert_eq!([half(2049.0), half(2051.0)], [2048.0, 2052.0]);
        assert_eq!([half(2f64.powi(-24)), half(2f64.powi(-26)), half(0.0)], [2f64.powi(-24), 0.0, 0.0]);
        assert_eq!([half(65_504.0), half(65_519.0), half(65_520.0)], [65_504.0, 65_504.0, f64::INFINITY]);
        let brain = |value| Kind::BFloat16.round(value);
        assert_eq!([brain(1.0), brain(257.0), brain(-259.0), brain(3.4e38)], [1.0, 256.0, -260.0, f64::INFINITY]);
        // Every number of the type is its own nearest one.
        for bits in 0..=u16::MAX {
            let (half_value, brain_value) = (super::half(bits), super::brain(bits));
            assert!(half_value.is_nan() || half(half_value) == half_value, "{bits:#x}");
            assert!(brain_value.is_nan() || brain(brain_value) == brain_value, "{bits:#x}");
        }
    }
}
