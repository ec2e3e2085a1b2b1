//! What every strategy results in: digits of a non-negative number, in one array or in a pair.

/// How the sign of a weight is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One array stores `weight + offset`; `offset * sum(inputs)` is taken off digitally.
    Offset(i64),
    /// A pair of arrays stores the magnitude on the side of its sign and 0 on the other; their currents are subtracted.
    SignMagnitude,
}

/// How the weights of one layer become cells: digits of `cell_bits`, least significant slice first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Width of a weight; weights are symmetric, `-(2^(weight_bits-1)-1) ..= 2^(weight_bits-1)-1`.
    pub weight_bits: u32,
    /// Bits per cell.
    pub cell_bits: u32,
    /// How the sign is stored.
    pub form: Form,
}

impl Encoding {
    /// Number of slices.
    #[must_use]
    pub fn slices(&self) -> usize {
        let bits = match self.form {
            Form::Offset(_) => self.weight_bits,
            Form::SignMagnitude => self.weight_bits - 1,
        };
        bits.div_ceil(self.cell_bits) as usize
    }

    /// Number of arrays that hold a slice: 1, or 2 for a pair.
    #[must_use]
    pub fn polarities(&self) -> usize {
        match self.form {
            Form::Offset(_) => 1,
            Form::SignMagnitude => 2,
        }
    }

    /// Digital offset; 0 for a pair.
    #[must_use]
    pub fn offset(&self) -> i64 {
        match self.form {
            Form::Offset(offset) => offset,
            Form::SignMagnitude => 0,
        }
    }

    /// Weight of one level of a slice.
    #[must_use]
    pub fn significance(&self, slice: usize) -> i64 {
        1 << (self.cell_bits as usize * slice)
    }

    /// The nearest weight that can be stored.
    #[must_use]
    pub fn clip(&self, weight: i32) -> i32 {
        let largest = super::largest_weight(self.weight_bits);
        match self.form {
            Form::Offset(offset) => {
                let (offset, top) = (offset as i32, (1 << self.weight_bits) - 1);
                weight.clamp(-largest, largest).clamp(-offset, top - offset)
            }
            Form::SignMagnitude => weight.clamp(-largest, largest),
        }
    }

    /// Level of the cell that stores one slice of a (clipped) weight in one array.
    #[must_use]
    pub fn level(&self, weight: i32, slice: usize, polarity: usize) -> u8 {
        let number = match self.form {
            Form::Offset(offset) => i64::from(weight) + offset,
            Form::SignMagnitude if (weight < 0) == (polarity == 1) => i64::from(weight.abs()),
            Form::SignMagnitude => 0,
        };
        ((number >> (self.cell_bits as usize * slice)) & ((1 << self.cell_bits) - 1)) as u8
    }

    /// The weight that levels stand for.
    #[must_use]
    pub fn decode(&self, level: impl Fn(usize, usize) -> u8) -> i64 {
        self.decode_analog(|slice, polarity| f64::from(level(slice, polarity))) as i64
    }

    /// The weight that programmed cells stand for; `value(slice, polarity)` in level spacings.
    #[must_use]
    pub fn decode_analog(&self, value: impl Fn(usize, usize) -> f64) -> f64 {
        let mut weight = -(self.offset() as f64);
        for slice in 0..self.slices() {
            let pair = if self.polarities() == 2 { value(slice, 1) } else { 0.0 };
            weight += self.significance(slice) as f64 * (value(slice, 0) - pair);
        }
        weight
    }

    /// Variance of a stored weight, in squared weight steps: the sum over its cells of significance squared times the cell's squared
    /// error in level spacings.
    #[must_use]
    pub fn error_variance(&self, weight: i32, squared_errors: &[f64]) -> f64 {
        let weight = self.clip(weight);
        let mut variance = 0.0;
        for slice in 0..self.slices() {
            for polarity in 0..self.polarities() {
                let level = usize::from(self.level(weight, slice, polarity));
                variance += (self.significance(slice) as f64).powi(2) * squared_errors[level];
            }
        }
        variance
    }
}
