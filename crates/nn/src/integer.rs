//! Integer inference by the definition: the result that an ideal chip must reproduce bit for bit.
//!
//! Nested loops over exact integers; no code is shared with the engines that are compared with it, and speed is no aim. With at most
//! 16 bits per code and weight and 2^20 products per sum (see [`crate::quantised::MAX_BITS`]) an accumulator stays far below 2^63, so
//! a validated network cannot overflow it.

use crate::Shape;
use crate::coding::CodeFormat;
use crate::error::{Invalid, NetworkError};
use crate::quantised::{
    MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork,
};
use crate::window::Window;

impl QuantisedNetwork {
    /// Codes of an image's pixels, as [`QuantisedNetwork::coding`] says.
    #[must_use]
    pub fn input_codes(&self, image: &[f32]) -> Vec<i32> {
        self.coding.codes(self.input, image)
    }

    /// Class scores of one image: the last layer's accumulators, or its codes if it ends in codes.
    ///
    /// # Errors
    /// If the network is not valid or the image has another number of pixels.
    pub fn infer(&self, image: &[f32]) -> Result<Vec<i64>, NetworkError> {
        self.infer_codes(&self.input_codes(image))
    }

    /// The same for an image given as input codes.
    ///
    /// # Errors
    /// If the network is not valid, the image has another number of pixels, or has a code that its format does not have.
    pub fn infer_codes(&self, codes: &[i32]) -> Result<Vec<i64>, NetworkError> {
        Ok(self.infer_layers(codes)?.pop().unwrap_or_default())
    }

    /// The results of all layers, first to last, for an image given as input codes: what calibration and layer-wise tests look at.
    ///
    /// # Errors
    /// As for [`Self::infer_codes`].
    pub fn infer_layers(&self, codes: &[i32]) -> Result<Vec<Vec<i64>>, NetworkError> {
        self.validate()?;
        self.check_codes(codes).map_err(|invalid| self.error(invalid))?;
        Ok(self.run(codes))
    }

    fn check_codes(&self, codes: &[i32]) -> Result<(), Invalid> {
        if codes.len() != self.input.len() {
            return Err(Invalid::new("number of input codes", codes.len(), format!("exactly {}", self.input.len())));
        }
        let (lowest, highest) = self.coding.format.codes();
        match codes.iter().position(|&code| !(lowest..=highest).contains(&i64::from(code))) {
            Some(index) => {
                let allowed = format!("{lowest} to {highest}");
                Err(Invalid::new(format!("input code {index}"), codes[index], allowed))
            }
            None => Ok(()),
        }
    }

    /// Runs a valid network.
    fn run(&self, codes: &[i32]) -> Vec<Vec<i64>> {
        // Result `k` is that of layer `k - 1`, result 0 the input.
        let mut results = vec![codes.iter().map(|&code| i64::from(code)).collect::<Vec<i64>>()];
        for layer in &self.layers {
            let result = self.result(layer, |source| results[source].as_slice());
            results.push(result);
        }
        results.remove(0);
        results
    }

    /// The result of one layer, from the maps of its sources.
    pub(crate) fn result<'m>(&self, layer: &QuantisedLayer, input: impl Fn(usize) -> &'m [i64]) -> Vec<i64> {
        // Nothing reads scores in a valid network.
        let format = |source: usize| self.format_of(source).unwrap_or(CodeFormat { bits: 1, signed: false });
        match layer {
            QuantisedLayer::Mvm(mvm) => mvm.requantise(&mvm.accumulate(input(mvm.input))),
            QuantisedLayer::MaxPool(pool) => pool.reduce(input(pool.input)),
            QuantisedLayer::AveragePool(pool) => pool.reduce(input(pool.input), format(pool.input).signed),
            QuantisedLayer::Add(add) => add.sum(add.inputs.map(input)),
            QuantisedLayer::Concat(concat) => {
                concat.join(&concat.inputs.iter().map(|&source| input(source)).collect::<Vec<_>>())
            }
            QuantisedLayer::Table(table) => table.look_up(input(table.input), format(table.input)),
        }
    }
}

impl QuantisedMvm {
    /// The accumulators `[output][position]` of a map of codes, biases included.
    ///
    /// # Panics
    /// If the map or the parameters do not have the layer's sizes.
    #[must_use]
    pub fn accumulate(&self, map: &[i64]) -> Vec<i64> {
        let (rows, positions) = (self.group_rows(), self.window.positions());
        let outputs_per_group = self.outputs / self.groups;
        let mut row = vec![0i64; self.window.rows()];
        let mut accumulators = vec![0i64; self.outputs * positions];
        for (position, (oy, ox)) in self.window.outputs().enumerate() {
            self.window.gather(map, oy, ox, &mut row);
            for output in 0..self.outputs {
                // Channels of a group are neighbours, and channels come first in the order of the row.
                let first = output / outputs_per_group * rows;
                let mut sum = self.bias[output];
                for (index, &value) in row[first..first + rows].iter().enumerate() {
                    sum += i64::from(self.weights[output * rows + index]) * value;
                }
                accumulators[output * positions + position] = sum;
            }
        }
        accumulators
    }

    /// What becomes of accumulators `[output][position]`: themselves, or codes.
    ///
    /// # Panics
    /// If there are not as many as the layer has.
    #[must_use]
    pub fn requantise(&self, accumulators: &[i64]) -> Vec<i64> {
        let MvmOutput::Codes { multipliers, bits, signed } = &self.output else { return accumulators.to_vec() };
        let format = CodeFormat { bits: *bits, signed: *signed };
        let positions = self.window.positions();
        // Accumulators of valid layers are exact as f64; the product is rounded once, by IEEE 754, on every machine alike.
        let code = |(index, &acc): (usize, &i64)| format.nearest(acc as f64 * multipliers[index / positions]);
        accumulators.iter().enumerate().map(code).collect()
    }
}

impl QuantisedMaxPool {
    /// The largest code under every window of every channel. Padding is no code: a window is never without one.
    ///
    /// # Panics
    /// If the map does not have the layer's size.
    #[must_use]
    pub fn reduce(&self, map: &[i64]) -> Vec<i64> {
        let largest = |values: &mut dyn Iterator<Item = i64>| values.max().unwrap_or(0);
        reduce(&self.window, map, largest)
    }
}

impl QuantisedAveragePool {
    /// The scaled sum of every window of every channel of a map of codes, which may be negative if they are `signed`.
    ///
    /// # Panics
    /// If the map does not have the layer's size.
    #[must_use]
    pub fn reduce(&self, map: &[i64], signed: bool) -> Vec<i64> {
        let format = CodeFormat { bits: self.bits, signed };
        self.averages(map).into_iter().map(|average| format.nearest(average)).collect()
    }

    /// The same before it is rounded and clamped.
    ///
    /// # Panics
    /// As [`Self::reduce`].
    #[must_use]
    pub fn averages(&self, map: &[i64]) -> Vec<f64> {
        let average = |values: &mut dyn Iterator<Item = i64>| {
            let (sum, count) = values.fold((0, 0), |(sum, count), value| (sum + value, count + 1));
            let multiplier = if self.count_padding { self.multiplier } else { self.multiplier / f64::from(count) };
            sum as f64 * multiplier
        };
        reduce(&self.window, map, average)
    }
}

/// One value `[channel][position]` from the values of every channel under every window; padding is left out.
fn reduce<T>(window: &Window, map: &[i64], one: impl Fn(&mut dyn Iterator<Item = i64>) -> T) -> Vec<T> {
    let (channel_len, channels) = (window.input.height * window.input.width, window.input.channels);
    let channel = Window { input: Shape { channels: 1, ..window.input }, ..*window };
    let of_channel = |map: &[i64]| {
        let at =
            |(oy, ox)| one(&mut channel.runs(oy, ox).flat_map(|run| map[run.map..run.map + run.len].iter().copied()));
        channel.outputs().map(at).collect::<Vec<T>>()
    };
    (0..channels).flat_map(|index| of_channel(&map[index * channel_len..(index + 1) * channel_len])).collect()
}

impl QuantisedAdd {
    /// The weighted sums of two maps of codes.
    #[must_use]
    pub fn sum(&self, maps: [&[i64]; 2]) -> Vec<i64> {
        let format = CodeFormat { bits: self.bits, signed: self.signed };
        let mut sums = Vec::with_capacity(maps[0].len());
        for (&first, &second) in maps[0].iter().zip(maps[1]) {
            let weighted = first as f64 * self.multipliers[0];
            sums.push(format.nearest(weighted + second as f64 * self.multipliers[1]));
        }
        sums
    }
}

#[cfg(test)]
#[path = "integer_tests.rs"]
mod tests;
