//! A chain of layers as a graph.

use super::{Activation, Conv, Graph, Linear, MaxPool, Node, Operation, WeightScale};
use crate::axis::Axis;
use crate::layers;
use crate::network::{Network, Op};

impl From<&Network> for Graph {
    fn from(network: &Network) -> Self {
        let node = |(source, layer): (usize, &crate::network::Layer)| Node {
            name: layer.name.clone(),
            inputs: vec![source],
            op: Operation::from(&layer.op),
        };
        Self {
            name: network.name.clone(),
            dataset: network.dataset.clone(),
            input: network.input,
            nodes: network.layers.iter().enumerate().map(node).collect(),
        }
    }
}

impl From<&Op> for Operation {
    fn from(op: &Op) -> Self {
        match op {
            Op::Linear(layers::Linear { inputs, outputs, weight, bias, weight_scale }) => Self::Linear(Linear {
                inputs: *inputs,
                outputs: *outputs,
                weight: weight.clone(),
                bias: bias.clone(),
                weight_scale: WeightScale::Tensor(*weight_scale),
            }),
            Op::Conv2d(conv) => {
                let axis = Axis::new(conv.kernel, conv.stride, conv.padding);
                Self::Conv(Conv {
                    in_channels: conv.in_channels,
                    out_channels: conv.out_channels,
                    groups: 1,
                    vertical: axis,
                    horizontal: axis,
                    weight: conv.weight.clone(),
                    bias: conv.bias.clone(),
                    weight_scale: WeightScale::Tensor(conv.weight_scale),
                })
            }
            Op::Relu => Self::Activation(Activation::Relu),
            Op::MaxPool(pool) => {
                let axis = Axis::new(pool.kernel, pool.stride, 0);
                Self::MaxPool(MaxPool { vertical: axis, horizontal: axis })
            }
        }
    }
}
