//! What stands in the TOML file of a graph.

use super::FORMAT_VERSION;
use crate::Shape;
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphRecord {
    pub(super) format_version: u32,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) dataset: String,
    pub(super) input: Shape,
    pub(super) nodes: Vec<NodeRecord>,
}

/// One `[[nodes]]` table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) name: String,
    /// Names of the sources; the node before, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inputs: Option<Vec<String>>,
    /// The rest, an [`OpRecord`].
    #[serde(flatten)]
    pub(super) op: toml::Table,
}

/// What a node computes; names are those of tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum OpRecord {
    Conv {
        weight: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        bias: Option<String>,
        /// Value of one integer step of the weights; none if they were made for no integers.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_scale: Option<f64>,
        /// Instead, a tensor with one for each output.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_scales: Option<String>,
        /// What is added to the integers before they are stored, where they were trained so.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_offset: Option<i64>,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        stride: [usize; 2],
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default, skip_serializing_if = "are_zeros")]
        padding: [usize; 4],
    },
    Linear {
        weight: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        bias: Option<String>,
        /// Value of one integer step of the weights; none if they were made for no integers.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_scale: Option<f64>,
        /// Instead, a tensor with one for each output.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_scales: Option<String>,
        /// What is added to the integers before they are stored, where they were trained so.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_offset: Option<i64>,
        /// Whether the tensor is stored `inputs x outputs`.
        #[serde(default, skip_serializing_if = "is_false")]
        transposed: bool,
    },
    /// `factor * x + shift`.
    Affine {
        /// Tensor with one number, one per channel, or one per value (three axes).
        factor: String,
        shift: String,
    },
    BatchNorm {
        weight: String,
        bias: String,
        mean: String,
        variance: String,
        epsilon: f64,
    },
    Relu {},
    Clip {
        low: f32,
        high: f32,
    },
    LeakyRelu {
        slope: f32,
    },
    Sigmoid {},
    Tanh {},
    Half {},
    BrainFloat {},
    Softmax {},
    LogSoftmax {},
    MaxPool {
        kernel: [usize; 2],
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        stride: [usize; 2],
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default, skip_serializing_if = "are_zeros")]
        padding: [usize; 4],
    },
    AveragePool {
        kernel: [usize; 2],
        #[serde(default, skip_serializing_if = "is_false")]
        count_padding: bool,
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        stride: [usize; 2],
        #[serde(default = "ones", skip_serializing_if = "are_ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default, skip_serializing_if = "are_zeros")]
        padding: [usize; 4],
    },
    GlobalAveragePool {},
    Add {},
    Concat {},
    Pad {
        /// Above, left, below, right.
        padding: [usize; 4],
        /// Channels in front of the map and behind it.
        #[serde(default, skip_serializing_if = "are_zeros")]
        channels: [usize; 2],
        #[serde(default)]
        value: f32,
    },
    Reshape {
        shape: Shape,
    },
    Reorder {
        shape: Shape,
        /// Tensor with the place in the source of every value of the result.
        order: String,
    },
}

fn one() -> usize {
    1
}

fn ones() -> [usize; 2] {
    [1, 1]
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_one(value: &usize) -> bool {
    *value == 1
}

fn are_ones(values: &[usize; 2]) -> bool {
    *values == ones()
}

fn are_zeros(values: &[usize]) -> bool {
    values.iter().all(|&value| value == 0)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Reads only what says how to read the rest.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
    kind: String,
}

impl GraphRecord {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let version: Version = toml::from_str(text).map_err(|error| error.to_string())?;
        if version.kind != "graph" {
            return Err(format!("kind is `{}`, allowed: graph", version.kind));
        }
        if version.format_version != FORMAT_VERSION {
            return Err(format!("format_version is {}, allowed: {FORMAT_VERSION}", version.format_version));
        }
        toml::from_str(text).map_err(|error| error.to_string())
    }
}
