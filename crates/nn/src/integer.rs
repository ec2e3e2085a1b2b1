//! Integer inference by the definition: the result that an ideal chip must reproduce bit for bit.
//!
//! Nested loops over exact integers; no code is shared with the engines that are compared with it, and speed is no aim. With at most
//! 16 bits per code and weight and 2^20 products per sum (see [`crate::quantised::MAX_BITS`]) an accumulator stays far below 2^63, so
//! a validated network cannot overflow it.

use crate::argmax::argmax;
use crate::datasets::Split;
use crate::error::{Invalid, NetworkError};
use crate::quantised::{MvmOutput, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork};

impl QuantisedNetwork {
    /// Codes of an image's pixels: `round_half_even(pixel * (2^bits - 1))`; pixels outside 0..=1 are clipped, `NaN` counts as 0.
    #[must_use]
    pub fn input_codes(&self, image: &[f32]) -> Vec<u32> {
        let largest = largest_code(self.input_bits);
        // A product of 24 and 16 significant bits is exact in f64.
        image.iter().map(|&pixel| to_code(f64::from(pixel) * f64::from(largest), largest)).collect()
    }

    /// Class scores of one image of pixels 0..=1: the last layer's accumulators, or its codes if it ends in codes.
    ///
    /// # Errors
    /// If the network is not valid or the image has another number of pixels.
    pub fn infer(&self, image: &[f32]) -> Result<Vec<i64>, NetworkError> {
        self.infer_codes(&self.input_codes(image))
    }

    /// The same for an image given as input codes.
    ///
    /// # Errors
    /// If the network is not valid, the image has another number of pixels, or a code is wider than `input_bits`.
    pub fn infer_codes(&self, codes: &[u32]) -> Result<Vec<i64>, NetworkError> {
        Ok(self.infer_layers(codes)?.pop().unwrap_or_default())
    }

    /// The results of all layers, first to last, for an image given as input codes: what calibration and layer-wise tests look at.
    ///
    /// # Errors
    /// As for [`Self::infer_codes`].
    pub fn infer_layers(&self, codes: &[u32]) -> Result<Vec<Vec<i64>>, NetworkError> {
        self.validate()?;
        self.check_codes(codes).map_err(|invalid| self.error(invalid))?;
        Ok(self.run(codes))
    }

    /// Fraction of the images whose highest score is at their label; ties go to the lowest class ([`argmax`]).
    ///
    /// # Errors
    /// If the network is not valid, or the split is empty or of another shape.
    pub fn accuracy(&self, split: &Split) -> Result<f64, NetworkError> {
        self.validate()?;
        split.check(self.input).map_err(|invalid| self.error(invalid))?;
        let predict = |index| self.run(&self.input_codes(split.image(index))).pop().map_or(0, |scores| argmax(&scores));
        let correct = (0..split.len()).filter(|&index| predict(index) == usize::from(split.labels[index])).count();
        Ok(correct as f64 / split.len() as f64)
    }

    fn check_codes(&self, codes: &[u32]) -> Result<(), Invalid> {
        if codes.len() != self.input.len() {
            return Err(Invalid::new("number of input codes", codes.len(), format!("exactly {}", self.input.len())));
        }
        let largest = largest_code(self.input_bits);
        match codes.iter().position(|&code| code > largest) {
            Some(index) => Err(Invalid::new(format!("input code {index}"), codes[index], format!("0 to {largest}"))),
            None => Ok(()),
        }
    }

    /// Runs a valid network.
    fn run(&self, codes: &[u32]) -> Vec<Vec<i64>> {
        let mut values: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
        let step = |layer: &QuantisedLayer| {
            values = match layer {
                QuantisedLayer::Mvm(mvm) => {
                    mvm.accumulate(&values).into_iter().map(|acc| mvm.output.apply(acc)).collect()
                }
                QuantisedLayer::MaxPool(pool) => pool.reduce(&values),
            };
            values.clone()
        };
        self.layers.iter().map(step).collect()
    }
}

impl QuantisedMvm {
    /// The accumulators `[output][position]` of a map of codes, biases included.
    ///
    /// # Panics
    /// If the map or the parameters do not have the layer's sizes.
    #[must_use]
    pub fn accumulate(&self, map: &[i64]) -> Vec<i64> {
        let (rows, positions) = (self.window.rows(), self.window.positions());
        let mut row = vec![0i64; rows];
        let mut accumulators = vec![0i64; self.outputs * positions];
        for (position, (oy, ox)) in self.window.outputs().enumerate() {
            self.window.gather(map, oy, ox, &mut row);
            for output in 0..self.outputs {
                let mut sum = self.bias[output];
                for (index, &value) in row.iter().enumerate() {
                    sum += i64::from(self.weights[output * rows + index]) * value;
                }
                accumulators[output * positions + position] = sum;
            }
        }
        accumulators
    }
}

impl MvmOutput {
    /// What becomes of one accumulator: itself, or `clamp(round_half_even(accumulator * multiplier), 0, 2^bits - 1)`.
    #[must_use]
    pub fn apply(self, accumulator: i64) -> i64 {
        match self {
            // Accumulators of valid layers are exact as f64; the product is rounded once, by IEEE 754, on every machine alike.
            Self::Codes { multiplier, bits } => i64::from(to_code(accumulator as f64 * multiplier, largest_code(bits))),
            Self::Scores => accumulator,
        }
    }
}

impl QuantisedMaxPool {
    /// The largest code under every window of every channel. Padding counts as code 0, which is no larger than any other.
    ///
    /// # Panics
    /// If the map does not have the layer's size.
    #[must_use]
    pub fn reduce(&self, map: &[i64]) -> Vec<i64> {
        let per_channel = self.window.kernel_height * self.window.kernel_width;
        let positions = self.window.positions();
        let mut row = vec![0i64; self.window.rows()];
        let mut maxima = vec![0i64; self.window.input.channels * positions];
        for (position, (oy, ox)) in self.window.outputs().enumerate() {
            self.window.gather(map, oy, ox, &mut row);
            for (channel, values) in row.chunks_exact(per_channel).enumerate() {
                for &value in values {
                    let maximum = &mut maxima[channel * positions + position];
                    *maximum = value.max(*maximum);
                }
            }
        }
        maxima
    }
}

/// Largest unsigned code of `bits` bits.
fn largest_code(bits: u32) -> u32 {
    1u32.checked_shl(bits).map_or(u32::MAX, |codes| codes - 1)
}

/// The code nearest to `value`, ties to even, within 0..=`largest`.
fn to_code(value: f64, largest: u32) -> u32 {
    // The cast saturates and turns NaN into 0.
    (value.round_ties_even() as u32).min(largest)
}

#[cfg(test)]
#[path = "integer_tests.rs"]
mod tests;
