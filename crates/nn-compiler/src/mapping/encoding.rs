//! What every strategy results in: slices of a number, in one array or in a pair.

use super::CellStates;
pub use chip::program::Subtraction;

/// One slice of a weight: which cells hold it and what one level of it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceCode {
    /// Bits of its cells, at most those of the chip's cells; fewer levels span the same conductance range with wider spacings.
    pub bits: u32,
    /// Weight of one level; negative for the sign bit of two's complement.
    pub significance: i64,
}

impl SliceCode {
    /// Highest level.
    #[must_use]
    pub fn top(&self) -> i64 {
        (1 << self.bits) - 1
    }
}

/// How the sign of a weight is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// One array stores `weight + offset`; `offset * sum(inputs)` is taken off digitally.
    Offset(i64),
    /// One array stores the bits of the weight's two's complement; the sign bit is a slice of its own.
    TwosComplement,
    /// A pair of arrays stores the digits of the magnitude as differences: digit `d` of a positive weight as the levels `pairs[d]`, of
    /// a negative weight with the arrays exchanged.
    Pair {
        /// Levels in the positive and in the negative array of each digit; their difference is the digit.
        pairs: Vec<(u8, u8)>,
        /// Where the two arrays are subtracted.
        subtraction: Subtraction,
    },
}

/// How a number is cut into slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// Positional digits: each slice holds its bits of the number.
    Positional,
    /// Thermometer: slices of equal significance are filled one after the other.
    Thermometer,
}

/// Which columns store their levels complemented (`top - level`), to be undone digitally by `top * sum(inputs) - sum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// Columns whose levels add up to more than half of the highest sum: no sum is larger than half, which saves one ADC bit.
    LargeSums,
    /// Columns whose cells then have the smaller expected squared error.
    LeastError,
}

/// How the weights of one layer become cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Width of a weight; weights are symmetric, `-(2^(weight_bits-1)-1) ..= 2^(weight_bits-1)-1`, or of 1 bit -1 and 1.
    pub weight_bits: u32,
    /// Slices, least significant first.
    pub slices: Vec<SliceCode>,
    /// How a number is cut into the slices.
    pub digits: Digits,
    /// How the sign is stored.
    pub form: Form,
    /// Which columns are stored complemented.
    pub flip: Option<Flip>,
}

/// Positional slices of at most `cell_bits` that hold `bits` bits, from the least significant; the last one holds what remains, in cells
/// of `cell_bits`.
#[must_use]
pub(super) fn even_slices(bits: u32, cell_bits: u32) -> Vec<SliceCode> {
    let slice = |index: u32| SliceCode { bits: cell_bits, significance: 1 << (index * cell_bits) };
    (0..bits.div_ceil(cell_bits)).map(slice).collect()
}

impl Encoding {
    /// Number of arrays that hold a slice: 1, or 2 for a pair.
    #[must_use]
    pub fn polarities(&self) -> usize {
        if matches!(self.form, Form::Pair { .. }) { 2 } else { 1 }
    }

    /// Digital offset; 0 for a pair and for two's complement.
    #[must_use]
    pub fn offset(&self) -> i64 {
        if let Form::Offset(offset) = self.form { offset } else { 0 }
    }

    /// Where the arrays of a pair are subtracted.
    #[must_use]
    pub fn subtraction(&self) -> Subtraction {
        if let Form::Pair { subtraction, .. } = self.form { subtraction } else { Subtraction::BeforeAdc }
    }

    /// Columns of one weight that are converted.
    #[must_use]
    pub fn converted_columns(&self) -> usize {
        self.slices.len() * if self.subtraction() == Subtraction::AfterAdc { self.polarities() } else { 1 }
    }

    /// The nearest weight that can be stored.
    #[must_use]
    pub fn clip(&self, weight: i32) -> i32 {
        let largest = super::largest_weight(self.weight_bits);
        let weight = weight.clamp(-largest, largest);
        if self.weight_bits == 1 {
            // There is no 0.
            return if weight < 0 { -1 } else { 1 };
        }
        match self.form {
            Form::Offset(offset) => {
                let (offset, top) = (offset as i32, (1 << self.weight_bits) - 1);
                weight.clamp(-offset, top - offset)
            }
            Form::TwosComplement | Form::Pair { .. } => weight,
        }
    }

    /// Level of the cell that stores one slice of a (clipped) weight in one array.
    #[must_use]
    pub fn level(&self, weight: i32, slice: usize, polarity: usize) -> u8 {
        match &self.form {
            Form::Offset(offset) => self.digit(i64::from(weight) + offset, slice) as u8,
            Form::TwosComplement => self.digit(i64::from(weight) & ((1 << self.weight_bits) - 1), slice) as u8,
            Form::Pair { pairs, .. } => {
                let (positive, negative) = pairs[self.digit(i64::from(weight.abs()), slice) as usize];
                if (weight < 0) == (polarity == 1) { positive } else { negative }
            }
        }
    }

    /// One digit of a non-negative number.
    fn digit(&self, number: i64, slice: usize) -> i64 {
        let code = self.slices[slice];
        match self.digits {
            Digits::Positional => (number >> code.significance.unsigned_abs().trailing_zeros()) & code.top(),
            Digits::Thermometer => (number - slice as i64 * code.top()).clamp(0, code.top()),
        }
    }

    /// The weight that levels stand for.
    #[must_use]
    pub fn decode(&self, level: impl Fn(usize, usize) -> u8) -> i64 {
        self.decode_analog(|slice, polarity| f64::from(level(slice, polarity))) as i64
    }

    /// The weight that programmed cells stand for; `value(slice, polarity)` in level spacings of the slice.
    #[must_use]
    pub fn decode_analog(&self, value: impl Fn(usize, usize) -> f64) -> f64 {
        let mut weight = -(self.offset() as f64);
        for (slice, code) in self.slices.iter().enumerate() {
            let pair = if self.polarities() == 2 { value(slice, 1) } else { 0.0 };
            weight += code.significance as f64 * (value(slice, 0) - pair);
        }
        weight
    }

    /// Variance `v(q)` of a stored weight, in squared weight steps: the sum over its cells of significance squared times the cell's
    /// squared error in level spacings. Where columns may be stored complemented, this is the variance in those that are not.
    #[must_use]
    pub fn error_variance(&self, weight: i32, cells: &CellStates) -> f64 {
        self.variance(weight, |bits, level| cells.squared_error(bits, level))
    }

    /// The same in columns stored complemented, where levels change places with their complements.
    #[must_use]
    pub fn complemented_error_variance(&self, weight: i32, cells: &CellStates) -> f64 {
        self.variance(weight, |bits, level| cells.squared_error(bits, (1 << bits) - 1 - level))
    }

    fn variance(&self, weight: i32, squared_error: impl Fn(u32, usize) -> f64) -> f64 {
        let weight = self.clip(weight);
        let mut variance = 0.0;
        for (slice, code) in self.slices.iter().enumerate() {
            for polarity in 0..self.polarities() {
                let level = usize::from(self.level(weight, slice, polarity));
                variance += (code.significance as f64).powi(2) * squared_error(code.bits, level);
            }
        }
        variance
    }
}
