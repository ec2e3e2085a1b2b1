//! What a training starts from.

use crate::architecture::Architecture;
use crate::config::WeightScale;
use crate::parts::Parts;
use nn::graph::{self, Graph, Operation};
use nn::{NetworkError, Shape};
use nn_compiler::mapping::largest_weight;
use std::collections::BTreeSet;

/// What a training starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// An architecture with random weights.
    Architecture(&'a Architecture),
    /// A network whose weights are trained further, own or imported. Its batch normalisations are factors and shifts per channel with fixed
    /// statistics, which are trained like biases.
    Network(&'a Graph),
}

/// A network to be trained.
pub(crate) struct Template {
    pub(crate) graph: Graph,
    pub(crate) parts: Parts,
}

impl Start<'_> {
    /// The network with its initial weights, each weighted node with one scale.
    ///
    /// # Errors
    /// If the network is not valid.
    pub(crate) fn template(
        self,
        input: Shape,
        weight_bits: u32,
        scale: WeightScale,
        seed: u64,
    ) -> Result<Template, NetworkError> {
        let (graph, norms) = match self {
            Self::Architecture(architecture) => {
                (architecture.build(input, weight_bits, scale, seed)?, architecture.batch_norms())
            }
            Self::Network(network) => (prepared(network, weight_bits)?, BTreeSet::new()),
        };
        Ok(Template { parts: Parts::of(&graph, &norms), graph })
    }
}

/// The network without a softmax at its end, which is part of the loss, and with a scale for the weights of each node: its own, or the one with
/// which the largest weight is the largest integer.
fn prepared(network: &Graph, weight_bits: u32) -> Result<Graph, NetworkError> {
    network.validate()?;
    let mut graph = network.clone();
    while graph.nodes.len() > 1 && graph.nodes.last().is_some_and(|node| matches!(node.op, Operation::Softmax(_))) {
        let last = graph.nodes.len();
        // Only where the node before is the one that it reads, so that this becomes the last.
        if graph.nodes[last - 1].inputs != [last - 1] {
            break;
        }
        graph.nodes.pop();
    }
    for node in &mut graph.nodes {
        match &mut node.op {
            Operation::Conv(conv) => impose(&conv.weight, &mut conv.weight_scale, weight_bits),
            Operation::Linear(linear) => impose(&linear.weight, &mut linear.weight_scale, weight_bits),
            _ => {}
        }
    }
    Ok(graph)
}

fn impose(weight: &[f32], scale: &mut graph::WeightScale, weight_bits: u32) {
    if !matches!(scale, graph::WeightScale::Tensor(_)) {
        let largest = weight.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let step = largest / largest_weight(weight_bits) as f32;
        *scale = graph::WeightScale::Tensor(if step.is_normal() { step } else { 1.0 });
    }
}
