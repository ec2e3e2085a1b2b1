//! Rounding of values to the codes of a number format and back, as quantised and quantisation-aware networks prescribe it.

use super::affine::Coefficients;
use super::weights::check_scales;
use crate::error::Invalid;
use crate::network::Shape;

/// Widest code of a prescribed format.
const MAX_BITS: u32 = 16;

/// `scale * (clamp(round(x / scale) + zero_point, lowest, highest) - zero_point)`.
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
    /// How `x / scale` becomes whole.
    pub rounding: Rounding,
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
