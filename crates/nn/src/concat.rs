//! Concatenation: maps of the same height and width beside each other, channel behind channel.

use crate::Shape;
use crate::coding::CodeFormat;
use crate::error::{Invalid, check_length};
use crate::quantised::MAX_SOURCES;
use crate::quantised_check::{check_bits, check_multiplier};

/// The channels of several results, source by source, as codes of one scale: `clamp(round_half_even(code * multiplier), lowest, 2^bits - 1)` with a
/// multiplier per source.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedConcat {
    /// Name of the layer.
    pub name: String,
    /// Its sources, in the order of their channels in the result.
    pub inputs: Vec<usize>,
    /// Shapes of the sources, which differ in channels only.
    pub shapes: Vec<Shape>,
    /// Factors from the codes of the sources to those of the result; 1 copies a code that the result can have.
    pub multipliers: Vec<f64>,
    /// Width of a code of the result, a sign not counted.
    pub bits: u32,
    /// Whether the lowest code is `-(2^bits - 1)` instead of 0.
    pub signed: bool,
}

impl QuantisedConcat {
    /// Shape of the result; of no sources it is empty.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let channels = self.shapes.iter().map(|shape| shape.channels).fold(0, usize::saturating_add);
        let (height, width) = self.shapes.first().map_or((0, 0), |shape| (shape.height, shape.width));
        Shape { channels, height, width }
    }

    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let count = self.inputs.len();
        if !(2..=MAX_SOURCES).contains(&count) {
            return Err(Invalid::new("number of inputs", count, format!("2 to {MAX_SOURCES}")));
        }
        check_length("shapes", self.shapes.len(), count)?;
        check_length("multipliers", self.multipliers.len(), count)?;
        let joined = self.shape();
        for (index, (shape, &multiplier)) in self.shapes.iter().zip(&self.multipliers).enumerate() {
            if (shape.height, shape.width) != (joined.height, joined.width) {
                let allowed = format!("maps of {} x {} pixels, as the first", joined.height, joined.width);
                return Err(Invalid::new(format!("shapes[{index}]"), shape, allowed));
            }
            check_multiplier(&format!("multipliers[{index}]"), multiplier)?;
        }
        check_bits("bits", self.bits, 1)
    }

    /// The joined map of maps of codes.
    #[must_use]
    pub fn join(&self, maps: &[&[i64]]) -> Vec<i64> {
        let format = CodeFormat { bits: self.bits, signed: self.signed };
        let mut joined = Vec::new();
        // Maps are channel by channel, so that whole maps follow each other.
        for (map, multiplier) in maps.iter().zip(&self.multipliers) {
            joined.extend(map.iter().map(|&code| format.nearest(code as f64 * multiplier)));
        }
        joined
    }
}
