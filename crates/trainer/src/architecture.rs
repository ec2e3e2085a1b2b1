//! A network's architecture as its file in `configs/networks` states it, and its initial weights.

use crate::config::WeightScale;
use nn::layers::{Conv2d, Linear, MaxPool};
use nn::network::{Layer, Network, Op, Shape};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use tile::address::{Purpose, stream};
use tile::check::{Check, Problems};

/// An architecture for one data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Name, kebab-case.
    pub name: String,
    /// Data set.
    pub dataset: String,
    /// Layers, first to last.
    pub layers: Vec<LayerSpec>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Fully connected.
    Linear {
        /// Name.
        name: String,
        /// Number of outputs.
        outputs: usize,
    },
    /// Convolution.
    Conv2d {
        /// Name.
        name: String,
        /// Number of output channels.
        outputs: usize,
        /// Height and width of the kernel.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Zeros on every side.
        padding: usize,
    },
    /// `max(x, 0)`.
    Relu {
        /// Name.
        name: String,
    },
    /// Maximum over windows.
    MaxPool {
        /// Name.
        name: String,
        /// Height and width of a window.
        kernel: usize,
        /// Step.
        stride: usize,
    },
}

/// Most outputs of a layer, largest kernel and so on: keeps a typing error from exhausting the memory.
const LARGEST: u64 = 65_536;

impl Check for Architecture {
    fn check(&self, problems: &mut Problems) {
        problems.require("layers", "no layers", !self.layers.is_empty(), "at least one layer");
        let known: Vec<&str> = nn::datasets::DATASETS.iter().map(|info| info.name).collect();
        let known_dataset = known.contains(&self.dataset.as_str());
        problems.require("dataset", &self.dataset, known_dataset, format!("one of {}", known.join(", ")));
        for layer in &self.layers {
            problems.within("layers", |p| match *layer {
                LayerSpec::Linear { outputs, .. } => p.integer("outputs", outputs as u64, 1..=LARGEST),
                LayerSpec::Conv2d { outputs, kernel, stride, padding, .. } => {
                    p.integer("outputs", outputs as u64, 1..=LARGEST);
                    p.integer("kernel", kernel as u64, 1..=1024);
                    p.integer("stride", stride as u64, 1..=1024);
                    p.integer("padding", padding as u64, 0..=(kernel as u64).saturating_sub(1));
                }
                LayerSpec::MaxPool { kernel, stride, .. } => {
                    p.integer("kernel", kernel as u64, 1..=1024);
                    p.integer("stride", stride as u64, 1..=1024);
                }
                LayerSpec::Relu { .. } => {}
            });
        }
    }
}

impl Architecture {
    /// A network with He-normal initial weights (He et al., ICCV 2015) and zero biases, for images of shape `input`.
    ///
    /// # Errors
    /// If the layers do not fit one another.
    pub fn build(
        &self,
        input: Shape,
        weight_bits: u32,
        scale: WeightScale,
        seed: u64,
    ) -> Result<Network, nn::NetworkError> {
        let mut network = Network { name: self.name.clone(), dataset: self.dataset.clone(), input, layers: Vec::new() };
        let mut shape = input;
        for (index, spec) in self.layers.iter().enumerate() {
            let init = Init { weight_bits, scale, seed, index: index as u64 };
            network.layers.push(spec.build(shape, init));
            shape = network.shapes()?.last().copied().unwrap_or(shape);
        }
        network.validate()?;
        Ok(network)
    }
}

#[derive(Clone, Copy)]
struct Init {
    weight_bits: u32,
    scale: WeightScale,
    seed: u64,
    index: u64,
}

impl Init {
    fn weights(self, outputs: usize, fan_in: usize) -> Vec<f32> {
        let mut stream = stream(self.seed, Purpose::Initialisation, &[self.index]);
        let deviation = (2.0 / fan_in as f64).sqrt();
        let draw = |_| {
            let normal: f64 = StandardNormal.sample(&mut stream);
            (normal * deviation) as f32
        };
        (0..outputs * fan_in).map(draw).collect()
    }
}

impl LayerSpec {
    fn build(&self, input: Shape, init: Init) -> Layer {
        let (name, op) = match self {
            Self::Linear { name, outputs } => (name, Op::Linear(linear(*outputs, input.len(), init))),
            Self::Conv2d { name, outputs, kernel, stride, padding } => {
                (name, Op::Conv2d(conv2d(*outputs, input.channels, (*kernel, *stride, *padding), init)))
            }
            Self::Relu { name } => (name, Op::Relu),
            Self::MaxPool { name, kernel, stride } => (name, Op::MaxPool(MaxPool { kernel: *kernel, stride: *stride })),
        };
        Layer { name: name.clone(), op }
    }
}

fn linear(outputs: usize, inputs: usize, init: Init) -> Linear {
    let weight_scale = init.scale.step(init.weight_bits, inputs);
    Linear { inputs, outputs, weight: init.weights(outputs, inputs), bias: vec![0.0; outputs], weight_scale }
}

fn conv2d(
    out_channels: usize,
    in_channels: usize,
    (kernel, stride, padding): (usize, usize, usize),
    init: Init,
) -> Conv2d {
    let fan_in = in_channels * kernel * kernel;
    let weight_scale = init.scale.step(init.weight_bits, fan_in);
    let weight = init.weights(out_channels, fan_in);
    Conv2d { in_channels, out_channels, kernel, stride, padding, weight, bias: vec![0.0; out_channels], weight_scale }
}
