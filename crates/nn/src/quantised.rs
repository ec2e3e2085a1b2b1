//! The integer network: what the chip must compute, without any hardware in it.
//!
//! A network is a directed acyclic graph of layers, listed so that every layer stands behind its sources. A source is a number: 0 is the
//! network's input, `k` the result of the `k`-th layer (`layers[k - 1]`). The last layer's result is the network's.
//!
//! Activations are `bits`-wide codes, unsigned or with a sign, weights symmetric signed integers with one scale per output, accumulators
//! 64-bit integers. Behind a weighted layer stands one requantisation `clamp(round_half_even(acc * multiplier), lowest, 2^bits - 1)` with a
//! multiplier per output, which is also the ReLU where the lowest code is 0. The arithmetic is exact, so an ideal chip must reproduce it bit
//! for bit.

use crate::Shape;
use crate::coding::{CodeFormat, InputCoding};
pub use crate::concat::QuantisedConcat;
pub use crate::table::QuantisedTable;
use crate::window::Window;

/// Widest code and weight, in bits. Sums of 2^20 products of two such numbers and a bias stay below 2^53, so that they are exact as
/// `i64` and as `f64` alike.
pub const MAX_BITS: u32 = 16;
/// Largest absolute value of a bias.
pub const MAX_BIAS: i64 = 1 << 51;
/// Most values under one window.
pub const MAX_ROWS: usize = 1 << 20;
/// Largest multiplier of an average or a sum; with it every code but 0 reaches the clamps.
pub const MAX_MULTIPLIER: f64 = 65_536.0;
/// Most sources of a concatenation.
pub const MAX_SOURCES: usize = 1024;

/// A network in integers; made by the compiler's quantisation pass.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedNetwork {
    /// Name of the network.
    pub name: String,
    /// Data set of the network.
    pub dataset: String,
    /// Shape of the input.
    pub input: Shape,
    /// How the pixels of an image become input codes.
    pub coding: InputCoding,
    /// The layers, every one behind its sources.
    pub layers: Vec<QuantisedLayer>,
}

/// One layer of the integer network.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantisedLayer {
    /// Weighted sums over windows (linear and convolution alike).
    Mvm(QuantisedMvm),
    /// Maximum over windows, on codes.
    MaxPool(QuantisedMaxPool),
    /// Scaled sum over windows, on codes.
    AveragePool(QuantisedAveragePool),
    /// Weighted sum of two results.
    Add(QuantisedAdd),
    /// The channels of several results.
    Concat(QuantisedConcat),
    /// Codes looked up in a table.
    Table(QuantisedTable),
}

/// Matrix-vector products over the windows of a feature map.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedMvm {
    /// Name of the layer.
    pub name: String,
    /// Its source.
    pub input: usize,
    /// Where in it the input vectors come from; a linear layer has one window over everything.
    pub window: Window,
    /// Groups of channels, each with its own part of the outputs: an output sees the channels of its group only. 1 for a dense layer, the
    /// number of channels for a depthwise convolution.
    pub groups: usize,
    /// Weights, `outputs x (window.rows() / groups)`, row-major; a row's order is (channel of the group, kernel row, kernel column).
    pub weights: Vec<i32>,
    /// Number of outputs (channels of the result), those of a group side by side.
    pub outputs: usize,
    /// Width of a weight: values lie in `-(2^(bits-1)-1) ..= 2^(bits-1)-1`; of 1 bit they are -1 and 1.
    pub weight_bits: u32,
    /// What is added to weights before they are stored, where they were trained so: a mapping strategy that searches an offset takes it.
    pub weight_offset: Option<i64>,
    /// One per output, in units of its weight scale x input scale.
    pub bias: Vec<i64>,
    /// What becomes of the accumulators.
    pub output: MvmOutput,
}

/// What becomes of the accumulators of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum MvmOutput {
    /// Requantisation to codes.
    Codes {
        /// Factor from accumulator to code, one per output.
        multipliers: Vec<f64>,
        /// Width of the code, a sign not counted.
        bits: u32,
        /// Whether the lowest code is `-(2^bits - 1)` instead of 0, the ReLU.
        signed: bool,
    },
    /// The accumulators themselves are the result (class scores).
    Scores,
}

/// Maximum over windows of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedMaxPool {
    /// Name of the layer.
    pub name: String,
    /// Its source.
    pub input: usize,
    /// The windows; one output channel per input channel.
    pub window: Window,
}

/// `clamp(round_half_even(sum * multiplier), lowest, 2^bits - 1)` over windows of codes; the lowest code is 0, or that of a signed format if the
/// source's is signed. Padding adds 0, and counts or not. One window over everything is global average pooling.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedAveragePool {
    /// Name of the layer.
    pub name: String,
    /// Its source.
    pub input: usize,
    /// The windows; one output channel per input channel.
    pub window: Window,
    /// Factor from sum to code.
    pub multiplier: f64,
    /// Whether windows at the border have the same multiplier as all others; else it is divided by the number of pixels that lie under a window.
    pub count_padding: bool,
    /// Width of a code of the result, a sign not counted.
    pub bits: u32,
}

/// `clamp(round_half_even(a * multipliers[0] + b * multipliers[1]), lowest, 2^bits - 1)`: two products, rounded to `f64` each, and their sum.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedAdd {
    /// Name of the layer.
    pub name: String,
    /// Its sources.
    pub inputs: [usize; 2],
    /// Shape of both sources and of the result.
    pub shape: Shape,
    /// Factors from the codes of the sources to those of the result.
    pub multipliers: [f64; 2],
    /// Width of a code of the result, a sign not counted.
    pub bits: u32,
    /// Whether the lowest code is `-(2^bits - 1)` instead of 0, the ReLU.
    pub signed: bool,
}

impl QuantisedNetwork {
    /// Shape of a source.
    #[must_use]
    pub fn shape_of(&self, source: usize) -> Shape {
        let layer = source.checked_sub(1).and_then(|index| self.layers.get(index));
        layer.map_or(self.input, QuantisedLayer::output_shape)
    }

    /// The codes that a source of a valid network may have; none of scores.
    #[must_use]
    pub fn format_of(&self, source: usize) -> Option<CodeFormat> {
        let layer = match source.checked_sub(1).and_then(|index| self.layers.get(index)) {
            None => return Some(self.coding.format),
            Some(layer) => layer,
        };
        match layer {
            QuantisedLayer::Mvm(QuantisedMvm { output: MvmOutput::Codes { bits, signed, .. }, .. }) => {
                Some(CodeFormat { bits: *bits, signed: *signed })
            }
            QuantisedLayer::Mvm(_) => None,
            QuantisedLayer::Add(QuantisedAdd { bits, signed, .. })
            | QuantisedLayer::Concat(QuantisedConcat { bits, signed, .. })
            | QuantisedLayer::Table(QuantisedTable { bits, signed, .. }) => {
                Some(CodeFormat { bits: *bits, signed: *signed })
            }
            // Sources stand before their layers, so this ends.
            QuantisedLayer::MaxPool(QuantisedMaxPool { input, .. }) if *input < source => self.format_of(*input),
            QuantisedLayer::AveragePool(QuantisedAveragePool { input, bits, .. }) if *input < source => {
                Some(CodeFormat { bits: *bits, ..self.format_of(*input)? })
            }
            QuantisedLayer::MaxPool(_) | QuantisedLayer::AveragePool(_) => None,
        }
    }

    /// Multiply-accumulates of one inference.
    #[must_use]
    pub fn mac_count(&self) -> u64 {
        let macs = |layer: &QuantisedLayer| match layer {
            QuantisedLayer::Mvm(mvm) => mvm.weights.len() as u64 * mvm.window.positions() as u64,
            _ => 0,
        };
        self.layers.iter().map(macs).sum()
    }
}

impl QuantisedMvm {
    /// Values under a window that an output sees: those of its group. The groups must divide the channels.
    #[must_use]
    pub fn group_rows(&self) -> usize {
        self.window.rows() / self.groups.max(1)
    }

    /// The largest magnitude that a sum can have, for inputs of a format: as many of the highest codes as help, and the bias.
    #[must_use]
    pub fn largest_sum(&self, inputs: CodeFormat) -> i64 {
        let (lowest, highest) = inputs.codes();
        let of_output = |(row, bias): (&[i32], &i64)| {
            let (mut least, mut most) = (*bias, *bias);
            for &weight in row {
                let ends = [lowest, highest].map(|code| i64::from(weight) * code);
                least += ends[0].min(ends[1]);
                most += ends[0].max(ends[1]);
            }
            least.abs().max(most.abs())
        };
        self.weights.chunks(self.group_rows().max(1)).zip(&self.bias).map(of_output).max().unwrap_or(0)
    }
}

impl QuantisedLayer {
    /// Name of the layer.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mvm(mvm) => &mvm.name,
            Self::MaxPool(pool) => &pool.name,
            Self::AveragePool(pool) => &pool.name,
            Self::Add(add) => &add.name,
            Self::Concat(concat) => &concat.name,
            Self::Table(table) => &table.name,
        }
    }

    /// Its sources.
    #[must_use]
    pub fn inputs(&self) -> &[usize] {
        match self {
            Self::Mvm(mvm) => std::slice::from_ref(&mvm.input),
            Self::MaxPool(pool) => std::slice::from_ref(&pool.input),
            Self::AveragePool(pool) => std::slice::from_ref(&pool.input),
            Self::Add(add) => &add.inputs,
            Self::Concat(concat) => &concat.inputs,
            Self::Table(table) => std::slice::from_ref(&table.input),
        }
    }

    /// Shapes of its sources as it reads them, in their order.
    #[must_use]
    pub fn input_shapes(&self) -> Vec<Shape> {
        match self {
            Self::Concat(concat) => concat.shapes.clone(),
            _ => vec![self.window().input; self.inputs().len()],
        }
    }

    /// Where in its sources the layer works. Every pixel is a window of an addition, a table and a concatenation, for which this is that of the result.
    #[must_use]
    pub fn window(&self) -> Window {
        match self {
            Self::Mvm(mvm) => mvm.window,
            Self::MaxPool(pool) => pool.window,
            Self::AveragePool(pool) => pool.window,
            Self::Add(add) => Window::square(add.shape, 1, 1, 0),
            Self::Concat(concat) => Window::square(concat.shape(), 1, 1, 0),
            Self::Table(table) => Window::square(table.shape, 1, 1, 0),
        }
    }

    /// Shape of the layer's result.
    #[must_use]
    pub fn output_shape(&self) -> Shape {
        let window = self.window();
        let channels = match self {
            Self::Mvm(mvm) => mvm.outputs,
            _ => window.input.channels,
        };
        Shape { channels, height: window.out_height(), width: window.out_width() }
    }
}
