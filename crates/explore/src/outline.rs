//! Outlines: networks of shapes, without weights, which is all that the timing engine needs of a network.

use crate::error::ExploreError;
use chip::program::Program;
use nn::coding::InputCoding;
use nn::quantised::{
    MvmOutput, QuantisedAdd, QuantisedAveragePool, QuantisedLayer, QuantisedMaxPool, QuantisedMvm, QuantisedNetwork,
};
use nn::{Shape, Window};
use nn_compiler::mapping::{AUTO, Mapping};
use nn_compiler::{Chip, Limit, outline, replicate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tile::check::{Check, Problems};

/// What a layer names as its source to read the image.
const IMAGE: &str = "image";

/// Most values of a size: keeps a typing error from exhausting the memory.
const LARGEST: u64 = 65_536;

/// A network of shapes as its file in `configs/outlines` states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// Name, kebab-case.
    pub name: String,
    /// Where the shapes come from.
    pub source: String,
    /// Shape of an image.
    pub input: Shape,
    /// Layers, each behind its sources. The last one yields the scores.
    pub layers: Vec<OutlineLayer>,
}

/// One layer. It reads the layer before it, or the one that it names with `from`, or `image`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OutlineLayer {
    /// Convolution. Its results keep their signs if only additions read them; otherwise a ReLU follows.
    Conv2d {
        /// Name.
        name: String,
        /// Its source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Number of output channels.
        outputs: usize,
        /// Height and width of the kernel.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Zeros on every side.
        padding: usize,
    },
    /// Fully connected, to everything that its source has; signs as of a convolution.
    Linear {
        /// Name.
        name: String,
        /// Its source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Number of outputs.
        outputs: usize,
    },
    /// Maximum over windows.
    MaxPool {
        /// Name.
        name: String,
        /// Its source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Height and width of a window.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Places on every side.
        padding: usize,
    },
    /// The mean of every channel.
    GlobalAverage {
        /// Name.
        name: String,
        /// Its source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// Sum of two results of the same shape, and a ReLU.
    Add {
        /// Name.
        name: String,
        /// Its sources.
        from: [String; 2],
    },
}

/// How an outline becomes a program.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    /// Mapping strategy (see `nn_compiler::mapping::MAPPINGS`).
    pub mapping: &'a str,
    /// Arrays that copies of stages may fill up to; without it every stage has one copy.
    pub replicate: Option<u64>,
}

impl Outline {
    /// Places it on a chip. The program has no weights: it can be timed, and nothing else.
    ///
    /// # Errors
    /// If its layers do not fit each other or the chip.
    pub fn program(&self, chip: &Chip, placement: Placement<'_>) -> Result<Program, ExploreError> {
        Ok(self.copied(chip, placement)?.0)
    }

    /// As [`Outline::program`], with what ended the copying of stages, if they were to be copied.
    ///
    /// # Errors
    /// Those of [`Outline::program`].
    pub fn copied(&self, chip: &Chip, placement: Placement<'_>) -> Result<(Program, Option<Limit>), ExploreError> {
        if placement.mapping == AUTO {
            let what = "--mapping auto: an outline has no weights to choose by; allowed is a strategy by name (see `ohmic list mappings`)";
            return Err(ExploreError::Request(what.to_owned()));
        }
        let mapping = Mapping::parse(placement.mapping).map_err(ExploreError::Request)?;
        let mut program = outline(&self.network(chip)?, &mapping, chip)?;
        let limit = placement.replicate.map(|arrays| replicate(&mut program, arrays)).transpose()?;
        Ok((program, limit))
    }

    /// The same with every number of channels but that of the image and of the scores multiplied.
    #[must_use]
    pub fn with_channels_times(&self, factor: usize) -> Self {
        let mut outline = self.clone();
        let hidden = outline.layers.len().saturating_sub(1);
        for layer in outline.layers.iter_mut().take(hidden) {
            if let OutlineLayer::Conv2d { outputs, .. } | OutlineLayer::Linear { outputs, .. } = layer {
                *outputs = outputs.saturating_mul(factor);
            }
        }
        outline
    }

    /// The network in integers, with the widths of the chip's numbers and without weights.
    fn network(&self, chip: &Chip) -> Result<QuantisedNetwork, ExploreError> {
        let bits = chip.magnitude_bits();
        let (name, dataset) = (self.name.clone(), "shapes".to_owned());
        let coding = InputCoding::unsigned(bits);
        let mut network = QuantisedNetwork { name, dataset, input: self.input, coding, layers: Vec::new() };
        for (index, layer) in self.layers.iter().enumerate() {
            let sources = self.sources(index)?;
            let output = if index + 1 == self.layers.len() {
                MvmOutput::Scores
            } else {
                MvmOutput::Codes { multipliers: Vec::new(), bits, signed: self.only_added(index)? }
            };
            let made = layer.quantised(&network, sources, (chip.format.weight_bits, bits), output);
            network.layers.push(made);
        }
        Ok(network)
    }

    /// What a layer reads: 0 is the image, `k` the result of the `k`-th layer. Only an addition has a second source.
    fn sources(&self, index: usize) -> Result<[usize; 2], ExploreError> {
        let (_, from) = self.layers[index].names();
        let number = |name: &str| {
            let before = self.layers.iter().take(index).position(|layer| layer.names().0 == name);
            let found = if name == IMAGE { Some(0) } else { before.map(|at| at + 1) };
            let layer = self.layers[index].names().0;
            let what = || format!("outline `{}`: layer `{layer}` reads `{name}`, which is not before it", self.name);
            found.ok_or_else(|| ExploreError::Request(what()))
        };
        match from {
            [None, _] => Ok([index; 2]),
            [Some(only), None] => Ok([number(only)?; 2]),
            [Some(first), Some(second)] => Ok([number(first)?, number(second)?]),
        }
    }

    /// Whether a layer has readers, and all of them are additions.
    fn only_added(&self, index: usize) -> Result<bool, ExploreError> {
        let mut added = false;
        for reader in index + 1..self.layers.len() {
            if self.sources(reader)?.contains(&(index + 1)) {
                match self.layers[reader] {
                    OutlineLayer::Add { .. } => added = true,
                    _ => return Ok(false),
                }
            }
        }
        Ok(added)
    }
}

impl OutlineLayer {
    /// Its name and those of its sources.
    fn names(&self) -> (&str, [Option<&str>; 2]) {
        match self {
            Self::Conv2d { name, from, .. }
            | Self::Linear { name, from, .. }
            | Self::MaxPool { name, from, .. }
            | Self::GlobalAverage { name, from } => (name, [from.as_deref(), None]),
            Self::Add { name, from: [first, second] } => (name, [Some(first), Some(second)]),
        }
    }

    /// The layer in integers, as the next one of a network.
    fn quantised(
        &self,
        network: &QuantisedNetwork,
        inputs: [usize; 2],
        (weight_bits, bits): (u32, u32),
        output: MvmOutput,
    ) -> QuantisedLayer {
        let (name, input) = (self.names().0.to_owned(), inputs[0]);
        let shape = network.shape_of(input);
        let mvm = |window: Window, outputs: usize, name: String| {
            let (weights, bias) = (Vec::new(), Vec::new());
            QuantisedLayer::Mvm(QuantisedMvm {
                name,
                input,
                window,
                groups: 1,
                weights,
                outputs,
                weight_bits,
                weight_offset: None,
                bias,
                output,
            })
        };
        match *self {
            Self::Conv2d { outputs, kernel, stride, padding, .. } => {
                mvm(Window::square(shape, kernel, stride, padding), outputs, name)
            }
            Self::Linear { outputs, .. } => mvm(Window::whole(shape), outputs, name),
            Self::MaxPool { kernel, stride, padding, .. } => {
                let window = Window::square(shape, kernel, stride, padding);
                QuantisedLayer::MaxPool(QuantisedMaxPool { name, input, window })
            }
            Self::GlobalAverage { .. } => {
                let window = Window::whole(shape);
                let multiplier = 1.0 / window.rows().max(1) as f64;
                QuantisedLayer::AveragePool(QuantisedAveragePool {
                    name,
                    input,
                    window,
                    multiplier,
                    count_padding: true,
                    bits,
                })
            }
            Self::Add { .. } => {
                let (multipliers, signed) = ([0.5; 2], false);
                QuantisedLayer::Add(QuantisedAdd { name, inputs, shape, multipliers, bits, signed })
            }
        }
    }
}

impl Check for Outline {
    fn check(&self, problems: &mut Problems) {
        let Shape { channels, height, width } = self.input;
        problems.within("input", |p| {
            for (key, size) in [("channels", channels), ("height", height), ("width", width)] {
                p.integer(key, size as u64, 1..=LARGEST);
            }
        });
        problems.require("layers", "no layers", !self.layers.is_empty(), "at least one layer");
        let mut names = BTreeSet::from([IMAGE]);
        for layer in &self.layers {
            let name = layer.names().0;
            problems.within("layers", |p| {
                p.require(
                    "name",
                    name,
                    names.insert(name),
                    format!("a name that no other layer has, and not `{IMAGE}`"),
                );
                match *layer {
                    OutlineLayer::Conv2d { outputs, kernel, stride, padding, .. } => {
                        p.integer("outputs", outputs as u64, 1..=LARGEST);
                        check_window([kernel, stride, padding], p);
                    }
                    OutlineLayer::Linear { outputs, .. } => p.integer("outputs", outputs as u64, 1..=LARGEST),
                    OutlineLayer::MaxPool { kernel, stride, padding, .. } => check_window([kernel, stride, padding], p),
                    OutlineLayer::GlobalAverage { .. } | OutlineLayer::Add { .. } => {}
                }
            });
        }
    }
}

fn check_window([kernel, stride, padding]: [usize; 3], problems: &mut Problems) {
    problems.integer("kernel", kernel as u64, 1..=1024);
    problems.integer("stride", stride as u64, 1..=1024);
    problems.integer("padding", padding as u64, 0..=(kernel as u64).saturating_sub(1));
}

#[cfg(test)]
mod tests;
