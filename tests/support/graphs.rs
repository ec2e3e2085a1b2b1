//! Random residual networks in integers: branches, projections without ReLU, additions, concatenations, tables, pooling of both kinds.

use super::networks::split;
use super::random::Random;
use chip::config::Chip;
use nn::Axis;
use nn::Shape;
use nn::coding::{CodeFormat, InputCoding};
use nn::datasets::Dataset;
use nn::quantised::{
    MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedConcat, QuantisedLayer, QuantisedMaxPool, QuantisedMvm,
    QuantisedNetwork, QuantisedTable,
};
use nn::window::Window;
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile_quantised};

use super::compiled::{Compiled, SEED};

/// A network under construction for a chip.
struct Graph<'r> {
    random: &'r mut Random,
    chip: &'r Chip,
    network: QuantisedNetwork,
}

/// One to three residual blocks between a first convolution and the scores.
pub(crate) fn residual(random: &mut Random, chip: &Chip) -> QuantisedNetwork {
    let input = Shape { channels: random.within(1, 3), height: random.within(3, 6), width: random.within(3, 6) };
    let network = QuantisedNetwork {
        name: "residual".to_owned(),
        dataset: "random".to_owned(),
        input,
        coding: coding(random, input, chip.magnitude_bits()),
        layers: Vec::new(),
    };
    let mut graph = Graph { random, chip, network };
    // Sometimes a branch starts at the image itself.
    let mut at = if graph.random.once_in(3) { 0 } else { graph.convolution(0, 4) };
    for _ in 0..graph.random.within(1, 3) {
        at = graph.block(at);
        if graph.random.once_in(3) {
            at = graph.joined(at);
        }
        if graph.random.once_in(4) {
            at = graph.table(at);
        }
        let input = graph.shape(at);
        if input.height.min(input.width) > 1 && graph.random.once_in(4) {
            let (stride, padding) = (graph.random.within(1, 2), graph.random.within(0, 1));
            at = graph.pool(at, Window::square(input, 2, stride, padding));
        }
    }
    graph.head(at);
    graph.network.validate().unwrap();
    graph.network
}

/// Pixels as they are, or normalised to codes of both signs, all alike, channel by channel or value by value.
fn coding(random: &mut Random, input: Shape, bits: u32) -> InputCoding {
    if !random.once_in(3) {
        return InputCoding::unsigned(bits);
    }
    let largest = f64::from((1_u32 << bits) - 1);
    let count = random.pick(&[1, input.channels, input.len()]);
    // Some pixels are clipped.
    let multipliers = (0..count).map(|_| largest * (1.0 + 2.0 * f64::from(random.unit()))).collect();
    let offsets = (0..count).map(|_| largest * (f64::from(random.unit()) - 1.0)).collect();
    InputCoding { format: CodeFormat { bits, signed: true }, multipliers, offsets }
}

impl Graph<'_> {
    /// Codes as wide as the chip's, or of any other width.
    fn bits(&mut self) -> u32 {
        let own = self.chip.magnitude_bits();
        if self.random.once_in(4) { self.random.pick(&[2, 4, 7, 11]) } else { own }
    }

    /// Groups that channels and outputs allow: mostly one, else any number, one per channel most often.
    fn groups(&mut self, channels: usize, outputs: usize) -> usize {
        if !self.random.once_in(2) {
            return 1;
        }
        if outputs.is_multiple_of(channels) && self.random.once_in(2) {
            return channels;
        }
        let divisors: Vec<usize> =
            (1..=channels).filter(|&n| channels.is_multiple_of(n) && outputs.is_multiple_of(n)).collect();
        self.random.pick(&divisors)
    }

    fn shape(&self, source: usize) -> Shape {
        self.network.shape_of(source)
    }

    fn push(&mut self, layer: QuantisedLayer) -> usize {
        self.network.layers.push(layer);
        self.network.layers.len()
    }

    fn name(&self) -> String {
        format!("layer{}", self.network.layers.len())
    }

    /// Weighted sums, in groups or not; about half of the codes of the result are neither clamped to 0 nor to the highest.
    fn mvm(&mut self, input: usize, window: Window, outputs: usize, output: Option<(u32, bool)>) -> usize {
        let own = self.chip.format.weight_bits;
        let weight_bits = if self.random.once_in(4) { self.random.within(2, own as usize) as u32 } else { own };
        let groups = self.groups(window.input.channels, outputs);
        let rows = window.rows() / groups;
        let largest = (1_usize << (weight_bits - 1)) - 1;
        let weight = |random: &mut Random| random.within(0, 2 * largest) as i32 - largest as i32;
        let weights = (0..outputs * rows).map(|_| weight(self.random)).collect();
        let bits = self.network.format_of(input).unwrap().bits;
        let reach = (largest * ((1 << bits) - 1)) as f64 * (rows as f64).sqrt();
        let bias = (0..outputs).map(|_| (reach * f64::from(self.random.unit() * 0.5 - 0.1)) as i64).collect();
        let output = match output {
            // Some of those with a sign reach both ends.
            Some((bits, signed)) => {
                let gain = if signed { self.random.pick(&[1.0, 8.0]) } else { 1.0 };
                let all = gain * f64::from(1 << bits) / reach;
                let own = self.random.once_in(2);
                let multiplier = |random: &mut Random| if own { all * (0.5 + f64::from(random.unit())) } else { all };
                MvmOutput::Codes { multipliers: (0..outputs).map(|_| multiplier(self.random)).collect(), bits, signed }
            }
            None => MvmOutput::Scores,
        };
        let name = self.name();
        self.push(QuantisedLayer::Mvm(QuantisedMvm {
            name,
            input,
            window,
            groups,
            weights,
            outputs,
            weight_bits,
            weight_offset: None,
            bias,
            output,
        }))
    }

    /// Any windows that fit an axis: of any stride, dilation and padding of either side.
    fn axis(&mut self, size: usize) -> Axis {
        let kernel = self.random.within(1, size.min(3));
        let dilation = if size > (kernel - 1) * 2 { self.random.within(1, 2) } else { 1 };
        let most = (kernel - 1) * dilation;
        let (before, after) = (self.random.within(0, most), self.random.within(0, most));
        Axis { kernel, stride: self.random.within(1, 2), dilation, before, after }
    }

    /// A convolution that fits its source, with its ReLU.
    fn convolution(&mut self, input: usize, channels: usize) -> usize {
        let shape = self.shape(input);
        let (vertical, horizontal) = (self.axis(shape.height), self.axis(shape.width));
        let window = Window { input: shape, vertical, horizontal };
        let bits = self.bits();
        self.mvm(input, window, channels, Some((bits, false)))
    }

    /// A convolution of kernel 1 or 3 whose result has the size that a stride gives.
    fn same(&mut self, input: usize, channels: usize, stride: usize, kernel: usize, signed: bool) -> usize {
        let shape = self.shape(input);
        let window = Window::square(shape, kernel, stride, kernel / 2);
        let bits = (self.bits() + if signed { self.random.within(0, 2) as u32 } else { 0 }).min(16);
        self.mvm(input, window, channels, Some((bits, signed)))
    }

    /// A main branch of one to three convolutions and a shortcut, straight or projected, that are added.
    fn block(&mut self, input: usize) -> usize {
        let shape = self.shape(input);
        let projected = self.random.once_in(2);
        let stride = if projected { self.random.within(1, 2) } else { 1 };
        let channels = if projected { self.random.within(1, 4) } else { shape.channels };
        let mut main = input;
        for _ in 0..self.random.within(0, 2) {
            let width = self.random.within(1, 6);
            main = self.same(main, width, 1, 3, false);
            if self.random.once_in(4) {
                main = if self.random.once_in(2) { self.joined(main) } else { self.table(main) };
            }
        }
        let (kernel, signed) = (self.random.pick(&[1, 3]), !self.random.once_in(3));
        main = self.same(main, channels, stride, kernel, signed);
        let shortcut = match (projected, self.random.once_in(2)) {
            (true, signed) => self.same(input, channels, stride, 1, !signed),
            (false, _) => input,
        };
        let sources = if self.random.once_in(2) { [main, shortcut] } else { [shortcut, main] };
        // What is not rectified may go on to the next arrays.
        let open = self.random.once_in(2);
        let sum = self.add(sources, open);
        // Or it is pooled and added once more.
        if self.random.once_in(3) {
            let mut again = self.add([sum, main], true);
            if self.random.once_in(2) {
                let shape = self.shape(again);
                let window = Window::square(shape, 3, 1, 1);
                again = self.pool(again, window);
            }
            return self.add([again, sum], open);
        }
        sum
    }

    fn add(&mut self, inputs: [usize; 2], signed: bool) -> usize {
        let multiplier = |random: &mut Random| f64::from(random.unit()) + random.pick(&[0.001, 0.5]);
        let multipliers = [multiplier(self.random), multiplier(self.random)];
        let (name, shape, bits) = (self.name(), self.shape(inputs[0]), self.bits());
        self.push(QuantisedLayer::Add(QuantisedAdd { name, inputs, shape, multipliers, bits, signed }))
    }

    /// A result beside one or two others of its height and width, which may be the image or itself, in any order.
    fn joined(&mut self, at: usize) -> usize {
        let size = |shape: Shape| (shape.height, shape.width);
        let alike: Vec<usize> = (0..=at).filter(|&other| size(self.shape(other)) == size(self.shape(at))).collect();
        let mut inputs = vec![at];
        for _ in 0..self.random.within(1, 2) {
            let place = self.random.within(0, inputs.len());
            inputs.insert(place, self.random.pick(&alike));
        }
        let shapes = inputs.iter().map(|&input| self.shape(input)).collect();
        let multiplier = |random: &mut Random| random.pick(&[1.0, 1.0, 0.5, 0.37, 1.6]);
        let multipliers = inputs.iter().map(|_| multiplier(self.random)).collect();
        let (name, bits, signed) = (self.name(), self.bits(), self.random.once_in(2));
        self.push(QuantisedLayer::Concat(QuantisedConcat { name, inputs, shapes, multipliers, bits, signed }))
    }

    /// A sigmoid-like function of every code, or any at all.
    fn table(&mut self, input: usize) -> usize {
        let (name, shape, format) = (self.name(), self.shape(input), self.network.format_of(input).unwrap());
        let result = CodeFormat { bits: self.bits(), signed: self.random.once_in(2) };
        let ((lowest, highest), (least, most)) = (format.codes(), result.codes());
        let any = self.random.once_in(2);
        let code = |code: i64, random: &mut Random| {
            let x = code as f64 / highest as f64;
            let smooth = least as f64 + (most - least) as f64 * (0.5 + x / (1.0 + x.abs()));
            if any {
                least as i32 + random.within(0, (most - least) as usize) as i32
            } else {
                result.nearest(smooth) as i32
            }
        };
        let table = (lowest..=highest).map(|input| code(input, self.random)).collect();
        let (bits, signed) = (result.bits, result.signed);
        self.push(QuantisedLayer::Table(QuantisedTable { name, input, shape, table, bits, signed }))
    }

    /// Pooling of either kind.
    fn pool(&mut self, input: usize, window: Window) -> usize {
        let name = self.name();
        if self.random.once_in(2) {
            return self.push(QuantisedLayer::MaxPool(QuantisedMaxPool { name, input, window }));
        }
        let multiplier = self.random.pick(&[0.25, 0.3, 1.0]);
        let count_padding = self.random.once_in(2);
        let bits = self.random.within(2, 8) as u32;
        let pool = QuantisedAveragePool { name, input, window, multiplier, count_padding, bits };
        self.push(QuantisedLayer::AveragePool(pool))
    }

    /// Global average pooling, or none, and the scores.
    fn head(&mut self, mut at: usize) {
        if !self.random.once_in(3) {
            let (name, window) = (self.name(), Window::whole(self.shape(at)));
            let multiplier = 1.0 / (window.vertical.kernel * window.horizontal.kernel) as f64;
            let count_padding = true;
            let bits = self.random.within(4, 9) as u32;
            let pool = QuantisedAveragePool { name, input: at, window, multiplier, count_padding, bits };
            at = self.push(QuantisedLayer::AveragePool(pool));
            // Some networks end here: their scores are codes.
            if self.random.once_in(4) {
                return;
            }
        }
        let classes = self.random.within(2, 5);
        self.mvm(at, Window::whole(self.shape(at)), classes, None);
    }
}

/// One layer of 3 x 3 weights in groups over a single window, whose sums are the scores.
pub(crate) fn grouped(
    random: &mut Random,
    chip: &Chip,
    (channels, groups, outputs): (usize, usize, usize),
) -> QuantisedNetwork {
    let input = Shape { channels, height: 3, width: 3 };
    let weight_bits = chip.format.weight_bits;
    let largest = (1_usize << (weight_bits - 1)) - 1;
    let weight = |random: &mut Random| random.within(0, 2 * largest) as i32 - largest as i32;
    let layer = QuantisedMvm {
        name: "groups".to_owned(),
        input: 0,
        window: Window::square(input, 3, 1, 0),
        groups,
        weights: (0..outputs * channels / groups * 9).map(|_| weight(random)).collect(),
        outputs,
        weight_bits,
        weight_offset: None,
        bias: vec![0; outputs],
        output: MvmOutput::Scores,
    };
    QuantisedNetwork {
        name: "grouped".to_owned(),
        dataset: "random".to_owned(),
        input,
        coding: InputCoding::unsigned(chip.magnitude_bits()),
        layers: vec![QuantisedLayer::Mvm(layer)],
    }
}

/// A random residual network for a chip with images of its own, compiled.
pub(crate) fn compiled(random: &mut Random, mapping: &Mapping, chip: &Chip, images: usize) -> (Compiled, Dataset) {
    let reference = residual(random, chip);
    compile(random, &reference, mapping, chip, images)
}

/// A network with images of its own, compiled.
pub(crate) fn compile(
    random: &mut Random,
    reference: &QuantisedNetwork,
    mapping: &Mapping,
    chip: &Chip,
    images: usize,
) -> (Compiled, Dataset) {
    let classes = reference.layers.last().unwrap().output_shape().len();
    let shape = reference.input;
    let [train, test] = [images, images].map(|count| split(random, shape, classes, count));
    let dataset = Dataset { name: "random", shape, classes, validation: train.clone(), train, test };
    (compile_for(reference, &dataset, mapping, chip), dataset)
}

/// A network compiled for a data set.
pub(crate) fn compile_for(reference: &QuantisedNetwork, dataset: &Dataset, mapping: &Mapping, chip: &Chip) -> Compiled {
    let settings = CompilationSettings { dataset, training: "none", mapping, chip, seed: SEED };
    let program = compile_quantised(reference, &settings).unwrap();
    Compiled { program, reference: reference.clone() }
}
