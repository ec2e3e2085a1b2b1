//! ResNet-18 for images of 3 x 224 x 224 (He et al., CVPR 2016, table 1) as an ONNX file with weights that are drawn, not trained.

use crate::support::random::Random;
use crate::writer::{Writer, int, ints};

/// Channels of the four groups of blocks.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];
/// Blocks of each group.
const BLOCKS: usize = 2;
const CLASSES: usize = 1000;

/// A model under construction.
struct Network {
    writer: Writer,
    random: Random,
}

/// The bytes of the file: 11.7 million weights.
pub(crate) fn bytes() -> Vec<u8> {
    let mut network = Network { writer: Writer::new(&[0, 3, 224, 224]), random: Random(18) };
    let mut at = network.convolution("x", [3, CHANNELS[0], 7, 2]);
    at = network.relu(&at);
    let window = vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[1; 4])];
    at = network.writer.node("MaxPool", &[&at], window);
    let mut channels = CHANNELS[0];
    for (group, &wide) in CHANNELS.iter().enumerate() {
        for block in 0..BLOCKS {
            let stride = if group > 0 && block == 0 { 2 } else { 1 };
            at = network.block(&at, channels, wide, stride);
            channels = wide;
        }
    }
    at = network.writer.node("GlobalAveragePool", &[&at], vec![]);
    at = network.writer.node("Flatten", &[&at], vec![]);
    let (weight, bias) = (network.weights(&[CLASSES, channels], channels), network.weights(&[CLASSES], channels));
    let scores = network.writer.node("Gemm", &[&at, &weight, &bias], vec![int("transB", 1)]);
    network.writer.bytes(&scores)
}

impl Network {
    /// Uniform weights whose sums over `rows` inputs are as large as the inputs behind a ReLU (He et al., ICCV 2015).
    fn weights(&mut self, sizes: &[usize], rows: usize) -> String {
        let reach = (6.0 / rows as f32).sqrt();
        let count: usize = sizes.iter().product();
        let values: Vec<f32> = (0..count).map(|_| reach * (2.0 * self.random.unit() - 1.0)).collect();
        self.writer.constant(sizes, &values)
    }

    /// A convolution that keeps the size but for its stride, and its normalisation.
    fn convolution(&mut self, from: &str, [inputs, outputs, kernel, stride]: [usize; 4]) -> String {
        let weight = self.weights(&[outputs, inputs, kernel, kernel], inputs * kernel * kernel);
        let window =
            vec![ints("kernel_shape", &[kernel; 2]), ints("strides", &[stride; 2]), ints("pads", &[kernel / 2; 4])];
        let sums = self.writer.node("Conv", &[from, &weight], window);
        let mut numbers = |low: f32, high: f32| {
            let values: Vec<f32> = (0..outputs).map(|_| low + (high - low) * self.random.unit()).collect();
            self.writer.constant(&[outputs], &values)
        };
        let parts = [numbers(0.8, 1.2), numbers(-0.1, 0.1), numbers(-0.1, 0.1), numbers(0.8, 1.2)];
        let inputs: Vec<&str> = std::iter::once(sums.as_str()).chain(parts.iter().map(String::as_str)).collect();
        self.writer.node("BatchNormalization", &inputs, vec![])
    }

    fn relu(&mut self, from: &str) -> String {
        self.writer.node("Relu", &[from], vec![])
    }

    /// Two convolutions and a shortcut, which is projected where the shape changes.
    fn block(&mut self, from: &str, channels: usize, wide: usize, stride: usize) -> String {
        let first = self.convolution(from, [channels, wide, 3, stride]);
        let first = self.relu(&first);
        let second = self.convolution(&first, [wide, wide, 3, 1]);
        let shortcut = match channels == wide && stride == 1 {
            true => from.to_owned(),
            false => self.convolution(from, [channels, wide, 1, stride]),
        };
        let sum = self.writer.node("Add", &[&second, &shortcut], vec![]);
        self.relu(&sum)
    }
}
