//! Integer inference of many images, fast: the same numbers as the definition in [`crate::integer`], from `f32` matrix products.
//!
//! A sum of integers in `f32` is exact as long as no partial sum can exceed 2^24. Rows are cut where one could, and the parts are added as
//! integers; so nothing is ever rounded.

use crate::Shape;
use crate::argmax::argmax;
use crate::datasets::Split;
use crate::error::{Invalid, NetworkError};
use crate::gemm::{GemmSize, gemm_nt};
use crate::quantised::{QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use crate::window::Window;
use rayon::prelude::*;

/// Largest magnitude up to which every integer is an `f32`.
const EXACT: u64 = 1 << 24;

/// Images that are run at a time: their maps are in memory together.
const BLOCK: usize = 64;

/// A weighted layer at work on some images.
#[derive(Clone, Copy, Debug)]
pub struct LayerRun<'a> {
    /// The layer.
    pub layer: &'a QuantisedMvm,
    /// The maps of codes that it reads, one per image.
    pub maps: &'a [Vec<i64>],
    /// Its accumulators `[output][position]`, one list per image, biases included.
    pub sums: &'a [Vec<i64>],
}

impl QuantisedNetwork {
    /// The class scores of many images of pixels `[image][channel][row][column]`: [`Self::infer`] of each.
    ///
    /// # Errors
    /// If the network is not valid or the pixels are not those of whole images.
    pub fn infer_all(&self, images: &[f32]) -> Result<Vec<Vec<i64>>, NetworkError> {
        self.observe_all(images, &mut |_| {})
    }

    /// The same, with a view of every weighted layer at work: of one block of images after the other, and in each of the layers in their order.
    ///
    /// # Errors
    /// As [`Self::infer_all`].
    pub fn observe_all(
        &self,
        images: &[f32],
        observe: &mut dyn FnMut(LayerRun<'_>),
    ) -> Result<Vec<Vec<i64>>, NetworkError> {
        self.validate()?;
        let features = self.input.len();
        if !images.len().is_multiple_of(features) {
            let allowed = format!("multiples of {features}, the values of one image");
            return Err(self.error(Invalid::new("number of values of the images", images.len(), allowed)));
        }
        let block = |images: &[f32]| {
            let codes = |image| self.input_codes(image).into_iter().map(i64::from).collect();
            self.run_all(images.chunks_exact(features).map(codes).collect(), observe)
        };
        Ok(images.chunks(BLOCK * features).flat_map(block).collect())
    }

    /// Fraction of the images whose highest score is at their label; ties go to the lowest class ([`argmax`]).
    ///
    /// # Errors
    /// If the network is not valid, or the split is empty or of another shape.
    pub fn accuracy(&self, split: &Split) -> Result<f64, NetworkError> {
        split.check(self.input).map_err(|invalid| self.error(invalid))?;
        let scores = self.infer_all(&split.images)?;
        let correct = scores.iter().zip(&split.labels).filter(|(scores, label)| argmax(scores) == usize::from(**label));
        Ok(correct.count() as f64 / split.len() as f64)
    }

    /// Runs a valid network on the maps of many images; a map is kept until the last layer has read it.
    fn run_all(&self, codes: Vec<Vec<i64>>, observe: &mut dyn FnMut(LayerRun<'_>)) -> Vec<Vec<i64>> {
        let images = codes.len();
        let mut results = vec![codes];
        for (index, layer) in self.layers.iter().enumerate() {
            results.push(match layer {
                QuantisedLayer::Mvm(mvm) => {
                    let sums = mvm.accumulate_all(&results[mvm.input]);
                    observe(LayerRun { layer: mvm, maps: &results[mvm.input], sums: &sums });
                    sums.par_iter().map(|sums| mvm.requantise(sums)).collect()
                }
                layer => {
                    let image = |image: usize| self.result(layer, |source: usize| results[source][image].as_slice());
                    (0..images).into_par_iter().map(image).collect()
                }
            });
            let read_again =
                |source: &usize| self.layers[index + 1..].iter().any(|layer| layer.inputs().contains(source));
            for &source in layer.inputs().iter().filter(|source| !read_again(source)) {
                results[source] = Vec::new();
            }
        }
        results.pop().unwrap_or_default()
    }
}

impl QuantisedMvm {
    /// The accumulators `[output][position]` of many maps: [`Self::accumulate`] of each, in parallel.
    ///
    /// # Panics
    /// If a map or the parameters do not have the layer's sizes.
    #[must_use]
    pub fn accumulate_all(&self, maps: &[Vec<i64>]) -> Vec<Vec<i64>> {
        let largest = maps.iter().flatten().map(|code| code.unsigned_abs()).max().unwrap_or(0);
        match self.parts(largest) {
            Some(parts) => maps.par_iter().map(|map| self.multiply(map, &parts)).collect(),
            None => maps.par_iter().map(|map| self.accumulate(map)).collect(),
        }
    }

    /// Where the rows of a group are cut, so that sums over codes of at most `largest` stay exact; none if single products would not.
    fn parts(&self, largest: u64) -> Option<Vec<usize>> {
        let rows = self.group_rows();
        let heaviest = |row: usize| {
            let weights = self.weights.iter().skip(row).step_by(rows);
            weights.map(|weight| u64::from(weight.unsigned_abs())).max().unwrap_or(0) * largest
        };
        let (mut ends, mut sum) = (Vec::new(), 0);
        for row in 0..rows {
            let product = heaviest(row);
            if product > EXACT {
                return None;
            }
            if sum + product > EXACT {
                ends.push(row);
                sum = 0;
            }
            sum += product;
        }
        ends.push(rows);
        Some(ends)
    }

    fn multiply(&self, map: &[i64], parts: &[usize]) -> Vec<i64> {
        let (positions, rows, groups) = (self.window.positions(), self.group_rows(), self.groups);
        let (channels, outputs) = (self.window.input.channels / groups, self.outputs / groups);
        let window = Window { input: Shape { channels, ..self.window.input }, ..self.window };
        let mut accumulators: Vec<i64> =
            self.bias.iter().flat_map(|&bias| std::iter::repeat_n(bias, positions)).collect();
        for group in 0..groups {
            let codes: Vec<f32> =
                map[group * window.input.len()..][..window.input.len()].iter().map(|&code| code as f32).collect();
            let matrix = window.im2col(&codes);
            let weights = &self.weights[group * outputs * rows..][..outputs * rows];
            let sums = &mut accumulators[group * outputs * positions..][..outputs * positions];
            let mut start = 0;
            for &end in parts {
                add_products(weights, &matrix, (rows, start..end), sums);
                start = end;
            }
        }
        accumulators
    }
}

/// Adds the products of some of the `rows` of weights and windows.
fn add_products(weights: &[i32], matrix: &[f32], (rows, part): (usize, std::ops::Range<usize>), sums: &mut [i64]) {
    let (outputs, positions) = (weights.len() / rows, matrix.len() / rows);
    let weights: Vec<f32> =
        weights.chunks_exact(rows).flat_map(|row| row[part.clone()].iter().map(|&weight| weight as f32)).collect();
    let cut: Vec<f32>;
    let matrix = if part.len() == rows {
        matrix
    } else {
        cut = matrix.chunks_exact(rows).flat_map(|row| row[part.clone()].iter().copied()).collect();
        &cut
    };
    let mut products = vec![0.0; outputs * positions];
    gemm_nt(GemmSize { m: outputs, n: positions, k: part.len() }, &weights, matrix, &mut products);
    sums.iter_mut().zip(&products).for_each(|(sum, &product)| *sum += product as i64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Axis;
    use crate::quantised::MvmOutput;
    use proptest::prelude::*;

    proptest! {
        /// Weights and codes of up to 16 bits, so that rows are cut, or single products are too large.
        #[test]
        fn the_numbers_are_those_of_the_definition(
            (groups, channels, outputs) in (1_usize..4, 1_usize..4, 1_usize..4),
            (size, kernel, padding) in (1_usize..6, 1_usize..4, 0_usize..2),
            (weight_bits, bits) in (1_u32..=16, 1_u32..=16),
            seed: u64,
        ) {
            prop_assume!(kernel <= size + 2 * padding && padding < kernel);
            let mut state = seed | 1;
            let mut draw = |bits: u32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as i64 % (1 << bits)
            };
            let input = Shape { channels: channels * groups, height: size, width: size };
            let axis = Axis::new(kernel, 1, padding);
            let window = Window { input, vertical: axis, horizontal: axis };
            let outputs = outputs * groups;
            let weights = (0..outputs * channels * kernel * kernel).map(|_| (draw(weight_bits) - (1 << (weight_bits - 1))).max(1 - (1 << (weight_bits - 1))) as i32).collect();
            let bias = (0..outputs).map(|_| draw(20) - (1 << 19)).collect();
            let mvm = QuantisedMvm {
                name: "layer".to_owned(), input: 0, window, groups, weights, outputs, weight_bits, weight_offset: None, bias, output: MvmOutput::Scores,
            };
            let maps: Vec<Vec<i64>> = (0..2).map(|_| (0..input.len()).map(|_| draw(bits) - draw(bits)).collect()).collect();
            let expected: Vec<Vec<i64>> = maps.iter().map(|map| mvm.accumulate(map)).collect();
            prop_assert_eq!(mvm.accumulate_all(&maps), expected);
        }
    }
}
