//! Builds networks in integers layer by layer, with random weights.

use crate::Failure;
use nn::Window;
use nn::coding::{CodeFormat, InputCoding};
use nn::quantised::{
    MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork,
};
use tile::address::{Purpose, standard_normals, stream};

const SEED: u64 = 2;
const BITS: u32 = 8;
const LARGEST_CODE: f64 = 255.0;
/// Standard deviation of a weight, in steps: the largest of a layer lie at 127, as symmetric quantisation puts them.
const WEIGHT_SIGMA: f32 = 32.0;
/// Share of the values that the codes of a result reach; the others are clipped.
const REACHED: f64 = 0.995;

/// A network in the making. It is run on an image while it grows, so that every result can be scaled to fill its codes.
pub(crate) struct Builder {
    network: QuantisedNetwork,
    /// Result of every source on the image, source 0 being the image.
    maps: Vec<Vec<i64>>,
}

/// A square kernel.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Builder {
    pub(crate) fn new(name: &str, dataset: &str, input: nn::Shape, image: &[f32]) -> Self {
        let (name, dataset) = (name.to_owned(), dataset.to_owned());
        let network =
            QuantisedNetwork { name, dataset, input, coding: InputCoding::unsigned(BITS), layers: Vec::new() };
        let codes = network.input_codes(image).into_iter().map(i64::from).collect();
        Self { network, maps: vec![codes] }
    }

    pub(crate) fn finish(self) -> Result<QuantisedNetwork, Failure> {
        self.network.validate()?;
        Ok(self.network)
    }

    /// A convolution with a ReLU; returns its number as a source.
    pub(crate) fn conv(&mut self, name: &str, input: usize, channels: usize, kernel: Kernel) -> usize {
        let window = self.window(input, kernel);
        self.mvm(name, input, (window, channels), Some(false))
    }

    /// A convolution without a ReLU.
    pub(crate) fn signed_conv(&mut self, name: &str, input: usize, channels: usize, kernel: Kernel) -> usize {
        let window = self.window(input, kernel);
        self.mvm(name, input, (window, channels), Some(true))
    }

    /// A linear layer over a whole map, with a ReLU.
    pub(crate) fn linear(&mut self, name: &str, input: usize, outputs: usize) -> usize {
        let window = Window::whole(self.network.shape_of(input));
        self.mvm(name, input, (window, outputs), Some(false))
    }

    /// The last layer.
    pub(crate) fn scores(&mut self, name: &str, input: usize, classes: usize) -> usize {
        let window = Window::whole(self.network.shape_of(input));
        self.mvm(name, input, (window, classes), None)
    }

    pub(crate) fn max_pool(&mut self, name: &str, input: usize) -> usize {
        let window = self.window(input, Kernel { size: 2, stride: 2, padding: 0 });
        let pool = QuantisedMaxPool { name: name.to_owned(), input, window };
        let map = pool.reduce(&self.maps[input]);
        self.push(QuantisedLayer::MaxPool(pool), map)
    }

    pub(crate) fn global_average(&mut self, name: &str, input: usize) -> usize {
        let shape = self.network.shape_of(input);
        let pixels = shape.height * shape.width;
        let sums: Vec<i64> = self.maps[input].chunks_exact(pixels).map(|channel| channel.iter().sum()).collect();
        let (name, window, multiplier) = (name.to_owned(), Window::whole(shape), multiplier(&sums));
        let map = sums.iter().map(|&sum| requantised(sum, multiplier, false)).collect();
        self.push(
            QuantisedLayer::AveragePool(QuantisedAveragePool {
                name,
                input,
                window,
                multiplier,
                count_padding: true,
                bits: BITS,
            }),
            map,
        )
    }

    /// The sum of two results with a ReLU.
    pub(crate) fn add(&mut self, name: &str, inputs: [usize; 2]) -> usize {
        let [first, second] = inputs.map(|input| &self.maps[input]);
        let sums: Vec<i64> = first.iter().zip(second).map(|(a, b)| a + b).collect();
        let (shape, multiplier) = (self.network.shape_of(inputs[0]), multiplier(&sums));
        let (name, multipliers) = (name.to_owned(), [multiplier; 2]);
        let add = QuantisedAdd { name, inputs, shape, multipliers, bits: BITS, signed: false };
        let map = add.sum(inputs.map(|input| self.maps[input].as_slice()));
        self.push(QuantisedLayer::Add(add), map)
    }

    /// Shape of a source.
    pub(crate) fn shape_of(&self, source: usize) -> nn::Shape {
        self.network.shape_of(source)
    }

    fn window(&self, input: usize, kernel: Kernel) -> Window {
        let Kernel { size, stride, padding } = kernel;
        Window::square(self.network.shape_of(input), size, stride, padding)
    }

    /// `signed` says whether codes may be negative; without it the accumulators are the scores.
    fn mvm(&mut self, name: &str, input: usize, (window, outputs): (Window, usize), signed: Option<bool>) -> usize {
        let layer = self.network.layers.len() as u64;
        let mut mvm = QuantisedMvm {
            name: name.to_owned(),
            input,
            window,
            groups: 1,
            weights: weights(layer, outputs * window.rows()),
            outputs,
            weight_bits: BITS,
            weight_offset: None,
            bias: vec![0; outputs],
            output: MvmOutput::Scores,
        };
        let sums = mvm.accumulate(&self.maps[input]);
        if let Some(signed) = signed {
            mvm.output = MvmOutput::Codes { multipliers: vec![multiplier(&sums); outputs], bits: BITS, signed };
        }
        let map = mvm.requantise(&sums);
        self.push(QuantisedLayer::Mvm(mvm), map)
    }

    fn push(&mut self, layer: QuantisedLayer, map: Vec<i64>) -> usize {
        self.network.layers.push(layer);
        self.maps.push(map);
        self.network.layers.len()
    }
}

/// Gaussian weights of a layer.
fn weights(layer: u64, count: usize) -> Vec<i32> {
    let mut draws = Vec::new();
    standard_normals(&mut stream(SEED, Purpose::Initialisation, &[layer]), count, &mut draws);
    draws.iter().map(|draw| (WEIGHT_SIGMA * draw).round_ties_even().clamp(-127.0, 127.0) as i32).collect()
}

/// The factor with which nearly all sums that are not negative fit the codes; at least one sum step a code.
fn multiplier(sums: &[i64]) -> f64 {
    let mut sizes: Vec<i64> = sums.iter().copied().filter(|&sum| sum > 0).collect();
    sizes.sort_unstable();
    let largest = sizes.get((sizes.len() as f64 * REACHED) as usize).or(sizes.last()).copied().unwrap_or(1);
    LARGEST_CODE / (largest as f64).max(1.0)
}

/// Code of a sum of codes.
fn requantised(sum: i64, multiplier: f64, signed: bool) -> i64 {
    CodeFormat { bits: BITS, signed }.nearest(sum as f64 * multiplier)
}
