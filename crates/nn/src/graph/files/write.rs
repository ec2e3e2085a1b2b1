//! From a graph to the records of a file and its tensors.

use super::FORMAT_VERSION;
use super::records::{GraphRecord, NodeRecord, OpRecord};
use crate::axis::Axis;
use crate::graph::{Activation, Coefficients, Graph, Node, Operation, WeightScale};
use safetensors::{Dtype, tensor::TensorView};
use std::collections::BTreeMap;

/// Whole numbers that `f32` holds.
const EXACT: usize = 1 << 24;

/// Tensors by name: sizes and bytes.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// The description of a graph and the bytes of its tensors, which depend on the graph only.
pub(super) fn encode(graph: &Graph) -> Result<(String, Vec<u8>), String> {
    let mut tensors = Tensors::new();
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let op = record(node, &mut tensors).map_err(|problem| format!("node `{}`: {problem}", node.name))?;
        let op = toml::Table::try_from(op).map_err(|error| error.to_string())?;
        let name =
            |&source: &usize| source.checked_sub(1).map_or("input", |source| &graph.nodes[source].name).to_owned();
        let follows = node.inputs == [index];
        let inputs = (!follows).then(|| node.inputs.iter().map(name).collect());
        nodes.push(NodeRecord { name: node.name.clone(), inputs, op });
    }
    let record = GraphRecord {
        format_version: FORMAT_VERSION,
        kind: "graph".to_owned(),
        name: graph.name.clone(),
        dataset: graph.dataset.clone(),
        input: graph.input,
        nodes,
    };
    let text = toml::to_string(&record).map_err(|error| error.to_string())?;
    let mut views = Vec::new();
    for (name, (sizes, bytes)) in &tensors {
        let view = TensorView::new(Dtype::F32, sizes.clone(), bytes);
        views.push((name, view.map_err(|error| format!("tensor `{name}`: {error}"))?));
    }
    let bytes = safetensors::serialize(views, None).map_err(|error| error.to_string())?;
    Ok((text, bytes))
}

/// Stores a tensor of a node and returns its name.
fn store(node: &Node, part: &str, sizes: Vec<usize>, values: &[f32], tensors: &mut Tensors) -> String {
    let name = format!("{}.{part}", node.name);
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensors.insert(name.clone(), (sizes, bytes));
    name
}

/// What a node computes, its tensors stored.
fn record(node: &Node, tensors: &mut Tensors) -> Result<OpRecord, String> {
    let steps = |vertical: Axis, horizontal: Axis| Steps::of(vertical, horizontal);
    Ok(match &node.op {
        Operation::Conv(conv) => {
            let sizes = vec![conv.out_channels, conv.group_inputs(), conv.vertical.kernel, conv.horizontal.kernel];
            let (weight_scale, weight_scales) = scale(node, &conv.weight_scale, tensors);
            let Steps { stride, dilation, padding, .. } = steps(conv.vertical, conv.horizontal);
            OpRecord::Conv {
                weight: store(node, "weight", sizes, &conv.weight, tensors),
                bias: Some(store(node, "bias", vec![conv.out_channels], &conv.bias, tensors)),
                weight_scale,
                weight_scales,
                weight_offset: conv.weight_offset,
                groups: conv.groups,
                stride,
                dilation,
                padding,
            }
        }
        Operation::Linear(linear) => {
            let (weight_scale, weight_scales) = scale(node, &linear.weight_scale, tensors);
            OpRecord::Linear {
                weight: store(node, "weight", vec![linear.outputs, linear.inputs], &linear.weight, tensors),
                bias: Some(store(node, "bias", vec![linear.outputs], &linear.bias, tensors)),
                weight_scale,
                weight_scales,
                weight_offset: linear.weight_offset,
                transposed: false,
            }
        }
        Operation::Affine(affine) => OpRecord::Affine {
            factor: coefficients(node, "factor", &affine.factor, tensors),
            shift: coefficients(node, "shift", &affine.shift, tensors),
        },
        Operation::Activation(activation) => match *activation {
            Activation::Relu => OpRecord::Relu {},
            Activation::Clip { low, high } => OpRecord::Clip { low, high },
            Activation::LeakyRelu { slope } => OpRecord::LeakyRelu { slope },
            Activation::Sigmoid => OpRecord::Sigmoid {},
            Activation::Tanh => OpRecord::Tanh {},
            Activation::Half => OpRecord::Half {},
            Activation::BrainFloat => OpRecord::BrainFloat {},
        },
        Operation::Softmax(softmax) if softmax.log => OpRecord::LogSoftmax {},
        Operation::Softmax(_) => OpRecord::Softmax {},
        Operation::MaxPool(pool) => {
            let Steps { kernel, stride, dilation, padding } = steps(pool.vertical, pool.horizontal);
            OpRecord::MaxPool { kernel, stride, dilation, padding }
        }
        Operation::AveragePool(pool) => {
            let Steps { kernel, stride, dilation, padding } = steps(pool.vertical, pool.horizontal);
            OpRecord::AveragePool { kernel, count_padding: pool.count_padding, stride, dilation, padding }
        }
        Operation::Add => OpRecord::Add {},
        Operation::Concat => OpRecord::Concat {},
        Operation::Pad(pad) => OpRecord::Pad {
            padding: [pad.height[0], pad.width[0], pad.height[1], pad.width[1]],
            channels: pad.channels,
            value: pad.value,
        },
        Operation::Reshape(shape) => OpRecord::Reshape { shape: *shape },
        Operation::Reorder(reorder) => {
            if reorder.order.len() > EXACT {
                return Err(format!("its order has {} places, allowed: at most {EXACT}", reorder.order.len()));
            }
            let places: Vec<f32> = reorder.order.iter().map(|&place| place as f32).collect();
            let order = store(node, "order", vec![places.len()], &places, tensors);
            OpRecord::Reorder { shape: reorder.shape, order }
        }
        Operation::Quantise(_) | Operation::DynamicQuantise(_) | Operation::Sign(_) => {
            let kind = node.op.kind();
            return Err(format!("operation `{kind}` has no place in network files, which hold float networks"));
        }
    })
}

/// How windows step.
struct Steps {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Above, left, below, right.
    padding: [usize; 4],
}

impl Steps {
    fn of(vertical: Axis, horizontal: Axis) -> Self {
        Self {
            kernel: [vertical.kernel, horizontal.kernel],
            stride: [vertical.stride, horizontal.stride],
            dilation: [vertical.dilation, horizontal.dilation],
            padding: [vertical.before, horizontal.before, vertical.after, horizontal.after],
        }
    }
}

/// The scale of weights, as a number or as a tensor. As `f64` it has a decimal text that is read back exactly.
fn scale(node: &Node, scale: &WeightScale, tensors: &mut Tensors) -> (Option<f64>, Option<String>) {
    match scale {
        WeightScale::Free => (None, None),
        WeightScale::Tensor(scale) => (Some((*scale).into()), None),
        WeightScale::Channel(scales) => (None, Some(store(node, "scales", vec![scales.len()], scales, tensors))),
    }
}

fn coefficients(node: &Node, part: &str, coefficients: &Coefficients, tensors: &mut Tensors) -> String {
    let values = coefficients.values();
    let sizes = match coefficients {
        Coefficients::Map(_) => vec![],
        Coefficients::Channel(_) => vec![values.len()],
        // The values of a map are in its own order; their number is all that a reader needs.
        Coefficients::Value(_) => vec![values.len(), 1, 1],
    };
    store(node, part, sizes, values, tensors)
}
