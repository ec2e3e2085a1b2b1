//! What stands in the TOML file of a graph.

use super::files::{FORMAT_VERSION, Tensors};
use super::{
    Activation, Affine, AveragePool, Coefficients, Conv, Linear, MaxPool, Operation, Pad, Softmax, WeightScale,
};
use crate::axis::Axis;
use crate::network::Shape;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphRecord {
    #[serde(rename = "format_version")]
    _version: u32,
    #[serde(rename = "kind")]
    _kind: String,
    pub(super) name: String,
    pub(super) dataset: String,
    pub(super) input: Shape,
    pub(super) nodes: Vec<NodeRecord>,
}

/// One `[[nodes]]` table.
#[derive(Debug, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) name: String,
    /// Names of the sources; the node before, if left out.
    pub(super) inputs: Option<Vec<String>>,
    /// The rest, an [`OpRecord`].
    #[serde(flatten)]
    pub(super) op: toml::Table,
}

/// What a node computes; names are those of tensors.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum OpRecord {
    Conv {
        weight: String,
        bias: Option<String>,
        #[serde(default = "one")]
        groups: usize,
        #[serde(default = "ones")]
        stride: [usize; 2],
        #[serde(default = "ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default)]
        padding: [usize; 4],
    },
    Linear {
        weight: String,
        bias: Option<String>,
        /// Whether the tensor is stored `inputs x outputs`.
        #[serde(default)]
        transposed: bool,
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
    Softmax {},
    LogSoftmax {},
    MaxPool {
        kernel: [usize; 2],
        #[serde(default = "ones")]
        stride: [usize; 2],
        #[serde(default = "ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default)]
        padding: [usize; 4],
    },
    AveragePool {
        kernel: [usize; 2],
        #[serde(default)]
        count_padding: bool,
        #[serde(default = "ones")]
        stride: [usize; 2],
        #[serde(default = "ones")]
        dilation: [usize; 2],
        /// Above, left, below, right.
        #[serde(default)]
        padding: [usize; 4],
    },
    GlobalAveragePool {},
    Add {},
    Concat {},
    Pad {
        /// Above, left, below, right.
        padding: [usize; 4],
        #[serde(default)]
        value: f32,
    },
    Reshape {
        shape: Shape,
    },
}

fn one() -> usize {
    1
}

fn ones() -> [usize; 2] {
    [1, 1]
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

/// How windows of the size `kernel` step.
fn axes(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2], padding: [usize; 4]) -> [Axis; 2] {
    let axis = |index: usize| Axis {
        kernel: kernel[index],
        stride: stride[index],
        dilation: dilation[index],
        before: padding[index],
        after: padding[index + 2],
    };
    [axis(0), axis(1)]
}

impl OpRecord {
    /// The operation for sources of the shapes `inputs`, with its tensors.
    pub(super) fn operation(&self, inputs: &[Shape], tensors: &Tensors<'_>) -> Result<Operation, String> {
        let input = *inputs.first().ok_or("it has no inputs")?;
        Ok(match self {
            Self::Conv { weight, bias, groups, stride, dilation, padding } => {
                let kernel = kernel_of(weight, tensors)?;
                let axes = axes(kernel, *stride, *dilation, *padding);
                conv(input, weight, bias.as_deref(), *groups, axes, tensors)?
            }
            Self::Linear { weight, bias, transposed } => linear(weight, bias.as_deref(), *transposed, tensors)?,
            Self::BatchNorm { weight, bias, mean, variance, epsilon } => {
                batch_norm(input, [weight, bias, mean, variance], *epsilon, tensors)?
            }
            Self::Relu {} => Operation::Activation(Activation::Relu),
            Self::Clip { low, high } => Operation::Activation(Activation::Clip { low: *low, high: *high }),
            Self::LeakyRelu { slope } => Operation::Activation(Activation::LeakyRelu { slope: *slope }),
            Self::Sigmoid {} => Operation::Activation(Activation::Sigmoid),
            Self::Tanh {} => Operation::Activation(Activation::Tanh),
            Self::Softmax {} => Operation::Softmax(Softmax { log: false }),
            Self::LogSoftmax {} => Operation::Softmax(Softmax { log: true }),
            Self::MaxPool { kernel, stride, dilation, padding } => {
                let [vertical, horizontal] = axes(*kernel, *stride, *dilation, *padding);
                Operation::MaxPool(MaxPool { vertical, horizontal })
            }
            Self::AveragePool { kernel, count_padding, stride, dilation, padding } => {
                let [vertical, horizontal] = axes(*kernel, *stride, *dilation, *padding);
                Operation::AveragePool(AveragePool { vertical, horizontal, count_padding: *count_padding })
            }
            Self::GlobalAveragePool {} => Operation::AveragePool(AveragePool {
                vertical: Axis::whole(input.height),
                horizontal: Axis::whole(input.width),
                count_padding: false,
            }),
            Self::Add {} => Operation::Add,
            Self::Concat {} => Operation::Concat,
            Self::Pad { padding: [above, left, below, right], value } => Operation::Pad(Pad {
                channels: [0; 2],
                height: [*above, *below],
                width: [*left, *right],
                value: *value,
            }),
            Self::Reshape { shape } => Operation::Reshape(*shape),
        })
    }
}

fn conv(
    input: Shape,
    weight: &str,
    bias: Option<&str>,
    groups: usize,
    [vertical, horizontal]: [Axis; 2],
    tensors: &Tensors<'_>,
) -> Result<Operation, String> {
    let (sizes, values) = tensors.read(weight)?;
    let [out_channels, group_inputs, _, _] = sizes[..] else {
        return Err(format!("tensor `{weight}` has the sizes {sizes:?}, allowed: four"));
    };
    if groups.checked_mul(group_inputs) != Some(input.channels) {
        return Err(format!(
            "tensor `{weight}` and {groups} groups do not fit the {} channels of its input",
            input.channels
        ));
    }
    Ok(Operation::Conv(Conv {
        in_channels: input.channels,
        out_channels,
        groups,
        vertical,
        horizontal,
        weight: values,
        bias: bias.map_or_else(|| Ok(vec![0.0; out_channels]), |bias| tensors.list(bias, out_channels))?,
        weight_scale: WeightScale::Free,
    }))
}

/// Height and width of the kernels in a tensor.
fn kernel_of(weight: &str, tensors: &Tensors<'_>) -> Result<[usize; 2], String> {
    match tensors.read(weight)?.0[..] {
        [_, _, height, width] => Ok([height, width]),
        ref sizes => Err(format!("tensor `{weight}` has the sizes {sizes:?}, allowed: four")),
    }
}

fn linear(weight: &str, bias: Option<&str>, transposed: bool, tensors: &Tensors<'_>) -> Result<Operation, String> {
    let (sizes, mut values) = tensors.read(weight)?;
    let [mut outputs, mut inputs] = sizes[..] else {
        return Err(format!("tensor `{weight}` has the sizes {sizes:?}, allowed: two"));
    };
    if transposed {
        (outputs, inputs) = (inputs, outputs);
        let stored = values;
        values = (0..outputs).flat_map(|output| stored.iter().skip(output).step_by(outputs).copied()).collect();
    }
    Ok(Operation::Linear(Linear {
        inputs,
        outputs,
        weight: values,
        bias: bias.map_or_else(|| Ok(vec![0.0; outputs]), |bias| tensors.list(bias, outputs))?,
        weight_scale: WeightScale::Free,
    }))
}

fn batch_norm(input: Shape, names: [&str; 4], epsilon: f64, tensors: &Tensors<'_>) -> Result<Operation, String> {
    let channels = input.channels;
    let mut parts = Vec::new();
    for name in names {
        parts.push(tensors.list(name, channels)?);
    }
    let number = |part: usize, channel: usize| f64::from(parts[part][channel]);
    let factor = |channel: usize| number(0, channel) / (number(3, channel) + epsilon).sqrt();
    let shift = |channel: usize| number(1, channel) - number(2, channel) * factor(channel);
    Ok(Operation::Affine(Affine {
        factor: Coefficients::Channel((0..channels).map(|channel| factor(channel) as f32).collect()),
        shift: Coefficients::Channel((0..channels).map(|channel| shift(channel) as f32).collect()),
    }))
}
