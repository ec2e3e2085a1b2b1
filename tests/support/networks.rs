//! Random networks and images, small enough for oracles and odd enough for every branch of the engines.

use super::random::Random;
use nn::datasets::{Dataset, Split};
use nn::graph::{Activation, Conv, Linear, MaxPool, Node, Operation, WeightScale};
use nn::{Axis, Graph, Shape};

/// Images of a made-up data set: `train` calibrates, `test` is new to the network and may leave the calibrated ranges.
pub(crate) fn dataset(random: &mut Random, shape: Shape, classes: usize, train: usize, test: usize) -> Dataset {
    let train = split(random, shape, classes, train);
    Dataset {
        name: "random",
        shape,
        classes,
        validation: train.clone(),
        train,
        test: split(random, shape, classes, test),
    }
}

/// Random images; the first two are all black and all white.
pub(crate) fn split(random: &mut Random, shape: Shape, classes: usize, count: usize) -> Split {
    let pixels = shape.len();
    let value = |random: &mut Random, image: usize| match image {
        0 => 0.0,
        1 => 1.0,
        // Half of the pixels dark, so that not every word line is driven.
        _ => (random.unit() * 2.0 - 1.0).max(0.0),
    };
    let images = (0..count * pixels).map(|index| value(random, index / pixels)).collect();
    Split { features: pixels, images, labels: (0..count).map(|image| (image % classes) as u8).collect() }
}

/// A chain under construction.
pub(crate) struct Builder<'r> {
    random: &'r mut Random,
    weight_bits: u32,
    shape: Shape,
    nodes: Vec<Node>,
    input: Shape,
}

impl<'r> Builder<'r> {
    pub(crate) fn new(random: &'r mut Random, weight_bits: u32, input: Shape) -> Self {
        Self { random, weight_bits, shape: input, nodes: Vec::new(), input }
    }

    fn push(&mut self, op: Operation) {
        self.shape = op.output_shape(&[self.shape]).unwrap();
        let source = self.nodes.len();
        self.nodes.push(Node { name: format!("layer{source}"), inputs: vec![source], op });
    }

    /// Weights over the whole range, the two ends more often than chance would have them.
    fn weights(&mut self, count: usize, scale: f32) -> Vec<f32> {
        let largest = ((1 << (self.weight_bits - 1)) - 1) as f32;
        let spread = self.random.pick(&[0.3, 1.1]);
        let draw = |random: &mut Random| match random.within(0, 9) {
            0 => largest * random.pick(&[-1.0, 1.0]),
            _ => ((random.unit() * 2.0 - 1.0) * largest * spread).clamp(-largest, largest),
        };
        (0..count).map(|_| draw(self.random) * scale).collect()
    }

    /// Rather positive, so that few layers are dead.
    fn bias(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.random.unit() * 1.5 - 0.25).collect()
    }

    pub(crate) fn linear(&mut self, outputs: usize) {
        let (inputs, scale) = (self.shape.len(), 1.0 / 64.0);
        let weight = self.weights(inputs * outputs, scale);
        let bias = self.bias(outputs);
        let weight_scale = WeightScale::Tensor(scale);
        self.push(Operation::Linear(Linear { inputs, outputs, weight, bias, weight_scale, weight_offset: None }));
    }

    pub(crate) fn conv2d(&mut self, out_channels: usize, kernel: usize, stride: usize, padding: usize) {
        let (in_channels, scale) = (self.shape.channels, 1.0 / 32.0);
        let weight = self.weights(out_channels * in_channels * kernel * kernel, scale);
        let bias = self.bias(out_channels);
        let axis = Axis::new(kernel, stride, padding);
        self.push(Operation::Conv(Conv {
            in_channels,
            out_channels,
            groups: 1,
            vertical: axis,
            horizontal: axis,
            weight,
            bias,
            weight_scale: WeightScale::Tensor(scale),
            weight_offset: None,
        }));
    }

    pub(crate) fn relu(&mut self) {
        self.push(Operation::Activation(Activation::Relu));
    }

    pub(crate) fn max_pool(&mut self, kernel: usize, stride: usize) {
        let axis = Axis::new(kernel, stride, 0);
        self.push(Operation::MaxPool(MaxPool { vertical: axis, horizontal: axis }));
    }

    pub(crate) fn finish(self) -> Graph {
        let network =
            Graph { name: "random".to_owned(), dataset: "random".to_owned(), input: self.input, nodes: self.nodes };
        network.validate().unwrap();
        network
    }
}

/// One to three linear layers.
pub(crate) fn linear_chain(random: &mut Random, weight_bits: u32) -> Graph {
    let inputs = if random.once_in(8) { random.within(129, 200) } else { random.within(1, 40) };
    let hidden: Vec<usize> = (0..random.within(0, 2)).map(|_| random.within(1, 20)).collect();
    let outputs = random.within(1, 12);
    let mut chain = Builder::new(random, weight_bits, Shape { channels: inputs, height: 1, width: 1 });
    for size in hidden {
        chain.linear(size);
        chain.relu();
    }
    chain.linear(outputs);
    chain.finish()
}

/// One or two convolutions with pooling before, between and behind them, then one or two linear layers.
pub(crate) fn convolutions(random: &mut Random, weight_bits: u32) -> Graph {
    let input = Shape { channels: random.within(1, 3), height: random.within(4, 7), width: random.within(4, 7) };
    let [pooled_first, relu_first, one_more] = [5, 2, 2].map(|n| random.once_in(n));
    let blocks = random.within(1, 2);
    let outputs = random.within(2, 6);
    let mut chain = Builder::new(random, weight_bits, input);
    if pooled_first {
        chain.max_pool(2, 1);
    }
    for _ in 0..blocks {
        convolution(&mut chain, relu_first);
    }
    if one_more {
        chain.linear(5);
        chain.relu();
    }
    chain.linear(outputs);
    chain.finish()
}

/// A convolution that fits what is there, followed by pooling and ReLU in either order (they commute).
fn convolution(chain: &mut Builder<'_>, relu_first: bool) {
    let smaller = chain.shape.height.min(chain.shape.width);
    let kernel = chain.random.within(1, smaller.min(3));
    let padding = chain.random.within(0, (kernel - 1).min(2));
    let (channels, stride) = (chain.random.within(1, 5), chain.random.within(1, 2));
    chain.conv2d(channels, kernel, stride, padding);
    if relu_first {
        chain.relu();
    }
    if chain.shape.height.min(chain.shape.width) >= 2 && chain.random.once_in(2) {
        let stride = chain.random.within(1, 2);
        chain.max_pool(2, stride);
    }
    if !relu_first {
        chain.relu();
    }
}

/// A single linear layer with given weights (in integer steps) and biases.
pub(crate) fn single_layer(inputs: usize, outputs: usize, weight: impl Fn(usize, usize) -> i32, bias: f32) -> Graph {
    let weight_scale = 1.0 / 64.0;
    let steps = (0..outputs).flat_map(|output| (0..inputs).map(move |input| (output, input)));
    let weight = steps.map(|(output, input)| weight(output, input) as f32 * weight_scale).collect();
    let (bias, weight_scale) = (vec![bias; outputs], WeightScale::Tensor(weight_scale));
    let linear = Linear { inputs, outputs, weight, bias, weight_scale, weight_offset: None };
    Graph {
        name: "single".to_owned(),
        dataset: "random".to_owned(),
        input: Shape { channels: inputs, height: 1, width: 1 },
        nodes: vec![Node { name: "fc".to_owned(), inputs: vec![0], op: Operation::Linear(linear) }],
    }
}
