//! A network's architecture as its file in `configs/networks` states it, and its initial weights.

use crate::config::WeightScale;
use nn::graph::{self, Activation, Affine, AveragePool, Coefficients, Conv, Graph, Linear, MaxPool, Node, Operation};
use nn::{Axis, Invalid, NetworkError, Shape};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
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
    /// Layers, first to last; each reads the one before, where it does not say otherwise.
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
        /// Layer that it reads instead of the one before: the start of a projection shortcut.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<String>,
        /// Number of output channels.
        outputs: usize,
        /// Height and width of the kernel.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Zeros on every side.
        padding: usize,
        /// Groups of channels that do not see each other.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
    },
    /// Batch normalisation; once trained a factor and a shift per channel.
    BatchNorm {
        /// Name.
        name: String,
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
    /// Average over windows.
    AveragePool {
        /// Name.
        name: String,
        /// Height and width of a window.
        kernel: usize,
        /// Step.
        stride: usize,
    },
    /// Average of each channel.
    GlobalAveragePool {
        /// Name.
        name: String,
    },
    /// Sum of two layers' results.
    Add {
        /// Name.
        name: String,
        /// The two layers.
        inputs: [String; 2],
    },
}

fn one() -> usize {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(value: &usize) -> bool {
    *value == 1
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
                LayerSpec::Conv2d { outputs, kernel, stride, padding, groups, .. } => {
                    p.integer("outputs", outputs as u64, 1..=LARGEST);
                    p.integer("kernel", kernel as u64, 1..=1024);
                    p.integer("stride", stride as u64, 1..=1024);
                    p.integer("padding", padding as u64, 0..=(kernel as u64).saturating_sub(1));
                    p.integer("groups", groups as u64, 1..=LARGEST);
                }
                LayerSpec::MaxPool { kernel, stride, .. } | LayerSpec::AveragePool { kernel, stride, .. } => {
                    p.integer("kernel", kernel as u64, 1..=1024);
                    p.integer("stride", stride as u64, 1..=1024);
                }
                LayerSpec::BatchNorm { .. }
                | LayerSpec::Relu { .. }
                | LayerSpec::GlobalAveragePool { .. }
                | LayerSpec::Add { .. } => {}
            });
        }
    }
}

impl Architecture {
    /// A network with He-normal initial weights (He et al., ICCV 2015) and zero biases, for images of shape `input`. Batch normalisations are
    /// factors of 1 and shifts of 0.
    ///
    /// # Errors
    /// If the layers do not fit one another.
    pub fn build(&self, input: Shape, weight_bits: u32, scale: WeightScale, seed: u64) -> Result<Graph, NetworkError> {
        let mut graph = Graph { name: self.name.clone(), dataset: self.dataset.clone(), input, nodes: Vec::new() };
        let mut shapes = vec![input];
        for (index, spec) in self.layers.iter().enumerate() {
            let layer_error = |invalid: Invalid| NetworkError::Layer {
                network: self.name.clone(),
                layer: spec.name().to_owned(),
                invalid: invalid.into(),
            };
            let inputs = spec.sources(&graph).map_err(layer_error)?;
            let init = Init { weight_bits, scale, seed, index: index as u64 };
            let op = spec.operation(shapes[inputs[0]], init);
            graph.nodes.push(Node { name: spec.name().to_owned(), inputs, op });
            shapes = std::iter::once(input).chain(graph.shapes()?).collect();
        }
        graph.validate()?;
        Ok(graph)
    }

    /// Names of the layers that are batch normalisations.
    #[must_use]
    pub fn batch_norms(&self) -> BTreeSet<String> {
        let norms = self.layers.iter().filter(|layer| matches!(layer, LayerSpec::BatchNorm { .. }));
        norms.map(|layer| layer.name().to_owned()).collect()
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

    fn scale(self, fan_in: usize) -> graph::WeightScale {
        graph::WeightScale::Tensor(self.scale.step(self.weight_bits, fan_in))
    }
}

impl LayerSpec {
    fn name(&self) -> &str {
        match self {
            Self::Linear { name, .. }
            | Self::Conv2d { name, .. }
            | Self::BatchNorm { name }
            | Self::Relu { name }
            | Self::MaxPool { name, .. }
            | Self::AveragePool { name, .. }
            | Self::GlobalAveragePool { name }
            | Self::Add { name, .. } => name,
        }
    }

    /// The numbers of the sources, behind the nodes that there are.
    fn sources(&self, graph: &Graph) -> Result<Vec<usize>, Invalid> {
        let number = |name: &String| {
            let place = graph.nodes.iter().position(|node| node.name == *name);
            place.map(|place| place + 1).ok_or_else(|| Invalid::new("input", name, "the name of a layer before"))
        };
        match self {
            Self::Add { inputs, .. } => inputs.iter().map(number).collect(),
            Self::Conv2d { input: Some(name), .. } => Ok(vec![number(name)?]),
            _ => Ok(vec![graph.nodes.len()]),
        }
    }

    fn operation(&self, input: Shape, init: Init) -> Operation {
        let window = |kernel, stride| Axis::new(kernel, stride, 0);
        match *self {
            Self::Linear { outputs, .. } => Operation::Linear(linear(outputs, input.len(), init)),
            Self::Conv2d { outputs, kernel, stride, padding, groups, .. } => {
                Operation::Conv(conv(outputs, input.channels, groups, Axis::new(kernel, stride, padding), init))
            }
            Self::BatchNorm { .. } => Operation::Affine(Affine {
                factor: Coefficients::Channel(vec![1.0; input.channels]),
                shift: Coefficients::Channel(vec![0.0; input.channels]),
            }),
            Self::Relu { .. } => Operation::Activation(Activation::Relu),
            Self::MaxPool { kernel, stride, .. } => {
                let axis = window(kernel, stride);
                Operation::MaxPool(MaxPool { vertical: axis, horizontal: axis })
            }
            Self::AveragePool { kernel, stride, .. } => average([window(kernel, stride); 2]),
            Self::GlobalAveragePool { .. } => average([input.height, input.width].map(Axis::whole)),
            Self::Add { .. } => Operation::Add,
        }
    }
}

fn average([vertical, horizontal]: [Axis; 2]) -> Operation {
    Operation::AveragePool(AveragePool { vertical, horizontal, count_padding: false })
}

fn linear(outputs: usize, inputs: usize, init: Init) -> Linear {
    let (weight, bias) = (init.weights(outputs, inputs), vec![0.0; outputs]);
    Linear { inputs, outputs, weight, bias, weight_scale: init.scale(inputs), weight_offset: None }
}

fn conv(out_channels: usize, in_channels: usize, groups: usize, axis: Axis, init: Init) -> Conv {
    let fan_in = in_channels / groups * axis.kernel * axis.kernel;
    Conv {
        in_channels,
        out_channels,
        groups,
        vertical: axis,
        horizontal: axis,
        weight: init.weights(out_channels, fan_in),
        bias: vec![0.0; out_channels],
        weight_scale: init.scale(fan_in),
        weight_offset: None,
    }
}
