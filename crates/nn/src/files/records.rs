//! What stands in `network.toml`.

use super::FORMAT_VERSION;
use crate::error::{Invalid, NetworkError};
use crate::layers::{Conv2d, Linear, MaxPool};
use crate::network::{Layer, Network, Op, Shape};
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkRecord {
    format_version: u32,
    name: String,
    dataset: String,
    input: Shape,
    layers: Vec<LayerRecord>,
}

/// One `[[layers]]` table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum LayerRecord {
    Linear {
        name: String,
        inputs: usize,
        outputs: usize,
        weight_scale: f64,
    },
    Conv2d {
        name: String,
        in_channels: usize,
        out_channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
        weight_scale: f64,
    },
    Relu {
        name: String,
    },
    MaxPool {
        name: String,
        kernel: usize,
        stride: usize,
    },
}

/// Reads only the version, so that a file of another one is not blamed for its unknown fields.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Reads the text of a `network.toml`.
pub(super) fn parse(text: &str) -> Result<NetworkRecord, String> {
    let version: Version = toml::from_str(text).map_err(|error| error.to_string())?;
    if version.format_version != FORMAT_VERSION {
        return Err(format!("format_version is {}, allowed: {FORMAT_VERSION}", version.format_version));
    }
    toml::from_str(text).map_err(|error| error.to_string())
}

impl NetworkRecord {
    /// Describes a network.
    pub(super) fn new(network: &Network) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            name: network.name.clone(),
            dataset: network.dataset.clone(),
            input: network.input,
            layers: network.layers.iter().map(LayerRecord::new).collect(),
        }
    }

    /// The network without its parameters, whose sizes have been checked.
    pub(super) fn into_network(self) -> Result<Network, NetworkError> {
        let mut network = Network { name: self.name, dataset: self.dataset, input: self.input, layers: Vec::new() };
        for record in self.layers {
            let layer = record.into_layer();
            let checked = match &layer.op {
                Op::Linear(linear) => linear.check_sizes().map(|_| ()),
                Op::Conv2d(conv) => conv.check_sizes().map(|_| ()),
                Op::Relu | Op::MaxPool(_) => Ok(()),
            };
            checked.map_err(|invalid: Invalid| NetworkError::Layer {
                network: network.name.clone(),
                layer: layer.name.clone(),
                invalid: invalid.into(),
            })?;
            network.layers.push(layer);
        }
        // Shapes follow from sizes alone; a mistake in them is found before the parameters are read.
        network.shapes()?;
        Ok(network)
    }
}

impl LayerRecord {
    fn new(layer: &Layer) -> Self {
        let name = layer.name.clone();
        match layer.op {
            // As f64 the scale has a decimal text that is read back exactly; as f32 it could be rounded twice.
            Op::Linear(Linear { inputs, outputs, weight_scale, .. }) => {
                Self::Linear { name, inputs, outputs, weight_scale: weight_scale.into() }
            }
            Op::Conv2d(Conv2d { in_channels, out_channels, kernel, stride, padding, weight_scale, .. }) => {
                let weight_scale = weight_scale.into();
                Self::Conv2d { name, in_channels, out_channels, kernel, stride, padding, weight_scale }
            }
            Op::Relu => Self::Relu { name },
            Op::MaxPool(MaxPool { kernel, stride }) => Self::MaxPool { name, kernel, stride },
        }
    }

    /// The layer, with no parameters yet.
    fn into_layer(self) -> Layer {
        let (weight, bias) = (Vec::new(), Vec::new());
        match self {
            Self::Linear { name, inputs, outputs, weight_scale } => {
                let weight_scale = weight_scale as f32;
                Layer { name, op: Op::Linear(Linear { inputs, outputs, weight, bias, weight_scale }) }
            }
            Self::Conv2d { name, in_channels, out_channels, kernel, stride, padding, weight_scale } => {
                let weight_scale = weight_scale as f32;
                let conv = Conv2d { in_channels, out_channels, kernel, stride, padding, weight, bias, weight_scale };
                Layer { name, op: Op::Conv2d(conv) }
            }
            Self::Relu { name } => Layer { name, op: Op::Relu },
            Self::MaxPool { name, kernel, stride } => Layer { name, op: Op::MaxPool(MaxPool { kernel, stride }) },
        }
    }
}
