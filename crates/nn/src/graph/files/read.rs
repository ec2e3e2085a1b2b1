//! From the records of a file to operations.

use super::Tensors;
use super::records::OpRecord;
use crate::Shape;
use crate::axis::Axis;
use crate::graph::{
    Activation, Affine, AveragePool, Coefficients, Conv, Linear, MaxPool, Operation, Pad, Reorder, Softmax, WeightScale,
};

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
            Self::Conv {
                weight,
                bias,
                weight_scale,
                weight_scales,
                weight_offset,
                groups,
                stride,
                dilation,
                padding,
            } => {
                let kernel = kernel_of(weight, tensors)?;
                let axes = axes(kernel, *stride, *dilation, *padding);
                let conv = conv(input, weight, bias.as_deref(), *groups, axes, tensors)?;
                let weight_scale = scale(*weight_scale, weight_scales.as_deref(), conv.out_channels, tensors)?;
                Operation::Conv(Conv { weight_scale, weight_offset: *weight_offset, ..conv })
            }
            Self::Linear { weight, bias, weight_scale, weight_scales, weight_offset, transposed } => {
                let linear = linear(weight, bias.as_deref(), *transposed, tensors)?;
                let weight_scale = scale(*weight_scale, weight_scales.as_deref(), linear.outputs, tensors)?;
                Operation::Linear(Linear { weight_scale, weight_offset: *weight_offset, ..linear })
            }
            Self::Affine { factor, shift } => Operation::Affine(Affine {
                factor: coefficients(factor, tensors)?,
                shift: coefficients(shift, tensors)?,
            }),
            Self::BatchNorm { weight, bias, mean, variance, epsilon } => {
                batch_norm(input, [weight, bias, mean, variance], *epsilon, tensors)?
            }
            Self::Relu {} => Operation::Activation(Activation::Relu),
            Self::Clip { low, high } => Operation::Activation(Activation::Clip { low: *low, high: *high }),
            Self::LeakyRelu { slope } => Operation::Activation(Activation::LeakyRelu { slope: *slope }),
            Self::Sigmoid {} => Operation::Activation(Activation::Sigmoid),
            Self::Tanh {} => Operation::Activation(Activation::Tanh),
            Self::Half {} => Operation::Activation(Activation::Half),
            Self::BrainFloat {} => Operation::Activation(Activation::BrainFloat),
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
            Self::Pad { padding: [above, left, below, right], channels, value } => Operation::Pad(Pad {
                channels: *channels,
                height: [*above, *below],
                width: [*left, *right],
                value: *value,
            }),
            Self::Reshape { shape } => Operation::Reshape(*shape),
            Self::Reorder { shape, order } => {
                let places = tensors.list(order, shape.len())?;
                // A negative or broken place becomes one that is not there or is named twice, which the check of the operation finds.
                Operation::Reorder(Reorder { shape: *shape, order: places.iter().map(|&place| place as u32).collect() })
            }
        })
    }
}

/// The integers that the weights were made for.
fn scale(one: Option<f64>, many: Option<&str>, outputs: usize, tensors: &Tensors<'_>) -> Result<WeightScale, String> {
    match (one, many) {
        (None, None) => Ok(WeightScale::Free),
        (Some(scale), None) => Ok(WeightScale::Tensor(scale as f32)),
        (None, Some(name)) => Ok(WeightScale::Channel(tensors.list(name, outputs)?)),
        (Some(_), Some(_)) => Err("weight_scale and weight_scales are both there, allowed: one of them".to_owned()),
    }
}

/// One number, one per channel or one per value.
fn coefficients(name: &str, tensors: &Tensors<'_>) -> Result<Coefficients, String> {
    let (sizes, values) = tensors.read(name)?;
    match (sizes.as_slice(), values.as_slice()) {
        ([], [value]) => Ok(Coefficients::Map(*value)),
        ([_], _) => Ok(Coefficients::Channel(values)),
        ([_, _, _], _) => Ok(Coefficients::Value(values)),
        _ => Err(format!("tensor `{name}` has the sizes {sizes:?}, allowed: none, one or three")),
    }
}

fn conv(
    input: Shape,
    weight: &str,
    bias: Option<&str>,
    groups: usize,
    [vertical, horizontal]: [Axis; 2],
    tensors: &Tensors<'_>,
) -> Result<Conv, String> {
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
    Ok(Conv {
        in_channels: input.channels,
        out_channels,
        groups,
        vertical,
        horizontal,
        weight: values,
        bias: bias.map_or_else(|| Ok(vec![0.0; out_channels]), |bias| tensors.list(bias, out_channels))?,
        weight_scale: WeightScale::Free,
        weight_offset: None,
    })
}

/// Height and width of the kernels in a tensor.
fn kernel_of(weight: &str, tensors: &Tensors<'_>) -> Result<[usize; 2], String> {
    match tensors.read(weight)?.0[..] {
        [_, _, height, width] => Ok([height, width]),
        ref sizes => Err(format!("tensor `{weight}` has the sizes {sizes:?}, allowed: four")),
    }
}

fn linear(weight: &str, bias: Option<&str>, transposed: bool, tensors: &Tensors<'_>) -> Result<Linear, String> {
    let (sizes, mut values) = tensors.read(weight)?;
    let [mut outputs, mut inputs] = sizes[..] else {
        return Err(format!("tensor `{weight}` has the sizes {sizes:?}, allowed: two"));
    };
    if transposed {
        (outputs, inputs) = (inputs, outputs);
        let stored = values;
        values = (0..outputs).flat_map(|output| stored.iter().skip(output).step_by(outputs).copied()).collect();
    }
    Ok(Linear {
        inputs,
        outputs,
        weight: values,
        bias: bias.map_or_else(|| Ok(vec![0.0; outputs]), |bias| tensors.list(bias, outputs))?,
        weight_scale: WeightScale::Free,
        weight_offset: None,
    })
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
