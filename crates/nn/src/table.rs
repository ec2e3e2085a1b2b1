//! Tables: any function of a single code.

use crate::Shape;
use crate::coding::CodeFormat;
use crate::error::{Invalid, check_length};
use crate::quantised_check::check_bits;

/// Every code of a result becomes `table[code - lowest]`, where `lowest` is the lowest code that the source may have: sigmoid, tanh, leaky or clipped
/// ReLU, and whatever else looks at one value at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedTable {
    /// Name of the layer.
    pub name: String,
    /// Its source.
    pub input: usize,
    /// Shape of the source and of the result.
    pub shape: Shape,
    /// A code of the result for each that the source may have, from the lowest on.
    pub table: Vec<i32>,
    /// Width of a code of the result, a sign not counted.
    pub bits: u32,
    /// Whether the lowest code of the result is `-(2^bits - 1)` instead of 0.
    pub signed: bool,
}

impl QuantisedTable {
    /// Whether it is one for sources of a format.
    pub(crate) fn validate(&self, source: CodeFormat) -> Result<(), Invalid> {
        check_bits("bits", self.bits, 1)?;
        let (lowest, highest) = source.codes();
        check_length("table", self.table.len(), (highest - lowest + 1) as usize)?;
        let (lowest, highest) = CodeFormat { bits: self.bits, signed: self.signed }.codes();
        match self.table.iter().position(|&code| !(lowest..=highest).contains(&i64::from(code))) {
            Some(index) => {
                Err(Invalid::new(format!("table[{index}]"), self.table[index], format!("{lowest} to {highest}")))
            }
            None => Ok(()),
        }
    }

    /// The codes of a map looked up; the map's codes are of the given format.
    ///
    /// # Panics
    /// If a code is not of the format.
    #[must_use]
    pub fn look_up(&self, map: &[i64], source: CodeFormat) -> Vec<i64> {
        let (lowest, _) = source.codes();
        map.iter().map(|&code| i64::from(self.table[(code - lowest) as usize])).collect()
    }
}

#[cfg(test)]
#[path = "vector_tests.rs"]
mod tests;
