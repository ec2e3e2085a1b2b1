//! Rounding of values to the codes of a number format and back, as quantised and quantisation-aware networks prescribe it.

use super::affine::Coefficients;
use super::weights::check_scales;
use crate::Shape;
use crate::error::Invalid;

/// Widest code of a prescribed format.
pub(crate) const MAX_BITS: u32 = 16;

/// `scale * (clamp(round(x / scale) + zero_point, lowest, highest) - zero_point)`, as ONNX has it, or with `round(x / scale + zero_point)`, as
/// QONNX has it. They differ in ties with an odd zero point, and in roundings that depend on the sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantise {
    /// Value of one step, for the whole map or per channel.
    pub scale: Coefficients,
    /// The code of the value 0, a whole number, for the whole map or per channel.
    pub zero_point: Coefficients,
    /// Width of a code, its sign included.
    pub bits: u32,
    /// Whether codes are two's complement.
    pub signed: bool,
    /// Whether a signed format does without its lowest code and an unsigned one without its highest.
    pub narrow: bool,
    /// How a code becomes whole.
    pub rounding: Rounding,
    /// Whether `zero_point` is added before a code becomes whole, not behind.
    pub zero_before_rounding: bool,
}

/// How a number becomes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to even.
    HalfEven,
    /// To the nearest, ties away from zero.
    HalfUp,
    /// To the nearest, ties towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards positive infinity.
    Ceil,
    /// Towards negative infinity.
    Floor,
}

/// Rounding to `2^bits` unsigned codes over the range of each image's map, which is widened to hold 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicQuantise {
    /// Width of a code.
    pub bits: u32,
}

/// `scale` where `x >= 0`, `-scale` elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// Size of the result, for the whole map or per channel.
    pub scale: Coefficients,
}

impl Quantise {
    /// Lowest and highest code.
    #[must_use]
    pub fn codes(&self) -> (i32, i32) {
        let narrow = i32::from(self.narrow);
        match self.signed {
            true => (narrow - (1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
            false => (0, (1 << self.bits) - 1 - narrow),
        }
    }

    /// Checks the format.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_bits(self.bits)?;
        check_scales("scale", self.scale.values())?;
        match self.zero_point.values().iter().find(|zero| !(zero.fract() == 0.0 && zero.abs() <= 65_536.0)) {
            Some(zero) => Err(Invalid::new("zero_point", zero, "whole numbers of at most 65536")),
            None => Ok(()),
        }
    }

    /// Shape of the result: that of the input.
    ///
    /// # Errors
    /// If there is not one scale or zero point per channel.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        self.scale.fits("scale", input)?;
        self.zero_point.fits("zero_point", input)?;
        Ok(input)
    }
}

impl DynamicQuantise {
    /// Checks the width.
    ///
    /// # Errors
    /// If it is not allowed.
    pub fn validate(self) -> Result<(), Invalid> {
        check_bits(self.bits)
    }
}

impl Sign {
    /// Checks that scales are positive.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_scales("scale", self.scale.values())
    }

    /// Shape of the result: that of the input.
    ///
    /// # Errors
    /// If there is not one scale per channel.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, Invalid> {
        self.scale.fits("scale", input)?;
        Ok(input)
    }
}

fn check_bits(bits: u32) -> Result<(), Invalid> {
    if (1..=MAX_BITS).contains(&bits) {
        return Ok(());
    }
    Err(Invalid::new("bits", bits, format!("1 to {MAX_BITS}")))
}

impl Rounding {
    /// The whole number for `value`.
    pub(crate) fn of(self, value: f32) -> f32 {
        match self {
            Self::HalfEven => value.round_ties_even(),
            Self::HalfUp => value.round(),
            Self::HalfDown if value.fract().abs() == 0.5 => value.trunc(),
            Self::HalfDown => value.round(),
            Self::Up => value.abs().ceil().copysign(value),
            Self::Down => value.trunc(),
            Self::Ceil => value.ceil(),
            Self::Floor => value.floor(),
        }
    }
}

impl Quantise {
    /// The result for every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let (lowest, highest) = self.codes();
        let format: Vec<(f32, f32)> = self.scale.expand(shape).into_iter().zip(self.zero_point.expand(shape)).collect();
        let round = |(&value, &(scale, zero)): (&f32, &(f32, f32))| {
            let code = match self.zero_before_rounding {
                true => self.rounding.of(value / scale + zero),
                false => self.rounding.of(value / scale) + zero,
            };
            (code.clamp(lowest as f32, highest as f32) - zero) * scale
        };
        values.chunks_exact(shape.len()).flat_map(|map| map.iter().zip(&format).map(round)).collect()
    }
}

impl DynamicQuantise {
    /// The result for every image of a batch; shapes must have been checked.
    pub(super) fn forward(self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let highest = ((1u32 << self.bits) - 1) as f32;
        let image = |map: &[f32]| -> Vec<f32> {
            let (low, high) =
                map.iter().fold((0.0f32, 0.0f32), |(low, high), &value| (low.min(value), high.max(value)));
            let scale = (high - low) / highest;
            if !(scale.is_finite() && scale > 0.0) {
                return map.to_vec();
            }
            let zero = (-low / scale).clamp(0.0, highest).round_ties_even();
            let code = |value: f32| ((value / scale).round_ties_even() + zero).clamp(0.0, highest);
            map.iter().map(|&value| (code(value) - zero) * scale).collect()
        };
        values.chunks_exact(shape.len()).flat_map(image).collect()
    }
}

impl Sign {
    /// The result for every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, shape: Shape, values: &[f32]) -> Vec<f32> {
        let scale = self.scale.expand(shape);
        let sign = |(&value, &scale): (&f32, &f32)| if value >= 0.0 { scale } else { -scale };
        values.chunks_exact(shape.len()).flat_map(|map| map.iter().zip(&scale).map(sign)).collect()
    }
}
