//! What of a graph is trained.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::TrainError;
use crate::layers::LayerWeights;
use nn::Graph;
use nn::graph::{Affine, Coefficients, Node, Operation, WeightScale};
use std::collections::BTreeSet;

/// What is trained of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Weights that the hardware holds, and biases.
    Weighted,
    /// A factor and a shift per channel, behind statistics of the batch.
    BatchNorm,
    /// A factor and a shift per channel.
    Affine,
}

/// How the weights of a node are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WeightFormat {
    /// Value of one integer step.
    pub(crate) scale: f32,
    /// What is added to the integers, where a mapping strategy searched it for these weights.
    pub(crate) offset: Option<i64>,
}

impl Stored for WeightFormat {
    fn store(&self, writer: &mut Writer) {
        writer.number(self.scale);
        writer.number(u8::from(self.offset.is_some()));
        writer.number(self.offset.unwrap_or(0));
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        self.scale = reader.number()?;
        let there: u8 = reader.number()?;
        let offset = reader.number()?;
        self.offset = (there == 1).then_some(offset);
        Ok(())
    }
}

/// The trained nodes of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    nodes: Vec<usize>,
    kinds: Vec<Part>,
}

impl Parts {
    /// Convolutions and linear layers, and the affine nodes per channel behind them, of which those of the names `norms` are batch
    /// normalisations. What stands in front of all weights brings images into the range that the network was made for, and stays.
    pub(crate) fn of(graph: &Graph, norms: &BTreeSet<String>) -> Self {
        let (mut nodes, mut kinds, mut behind) = (Vec::new(), Vec::new(), vec![false]);
        for (index, node) in graph.nodes.iter().enumerate() {
            let below = node.inputs.iter().any(|&source| behind.get(source) == Some(&true));
            let part = match &node.op {
                Operation::Conv(_) | Operation::Linear(_) => Some(Part::Weighted),
                Operation::Affine(affine) if below && channels(affine).is_some() => {
                    Some(if norms.contains(&node.name) { Part::BatchNorm } else { Part::Affine })
                }
                _ => None,
            };
            behind.push(below || part.is_some());
            if let Some(part) = part {
                nodes.push(index);
                kinds.push(part);
            }
        }
        Self { nodes, kinds }
    }

    /// Nodes by number, in their order.
    pub(crate) fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// What is trained of each.
    pub(crate) fn kinds(&self) -> &[Part] {
        &self.kinds
    }

    /// Which one the node `node` is.
    pub(crate) fn of_node(&self, node: usize) -> Option<usize> {
        self.nodes.binary_search(&node).ok()
    }

    /// Numbers of weights and biases of each.
    pub(crate) fn sizes(&self, graph: &Graph) -> Vec<(usize, usize)> {
        let size =
            |&node: &usize| parameters(&graph.nodes[node]).map_or((0, 0), |(weight, bias)| (weight.len(), bias.len()));
        self.nodes.iter().map(size).collect()
    }

    /// Copies of the parameters of each.
    pub(crate) fn parameters(&self, graph: &Graph) -> Vec<LayerWeights> {
        let copy = |&node: &usize| {
            let (weight, bias) = parameters(&graph.nodes[node]).unwrap_or_default();
            LayerWeights { weight: weight.to_vec(), bias: bias.to_vec() }
        };
        self.nodes.iter().map(copy).collect()
    }

    /// Replaces the formats of the weighted nodes.
    pub(crate) fn set_formats(&self, graph: &mut Graph, formats: &[WeightFormat]) {
        let mut formats = formats.iter();
        for &node in &self.nodes {
            let (scale, offset) = match &mut graph.nodes[node].op {
                Operation::Conv(conv) => (&mut conv.weight_scale, &mut conv.weight_offset),
                Operation::Linear(linear) => (&mut linear.weight_scale, &mut linear.weight_offset),
                _ => continue,
            };
            if let Some(format) = formats.next() {
                (*scale, *offset) = (WeightScale::Tensor(format.scale), format.offset);
            }
        }
    }

    /// Replaces the parameters of each.
    pub(crate) fn replace(&self, graph: &mut Graph, parameters: Vec<LayerWeights>) {
        for (&node, own) in self.nodes.iter().zip(parameters) {
            match &mut graph.nodes[node].op {
                Operation::Conv(conv) => (conv.weight, conv.bias) = (own.weight, own.bias),
                Operation::Linear(linear) => (linear.weight, linear.bias) = (own.weight, own.bias),
                Operation::Affine(affine) => {
                    affine.factor = Coefficients::Channel(own.weight);
                    affine.shift = Coefficients::Channel(own.bias);
                }
                _ => {}
            }
        }
    }
}

/// Factors and shifts, if there is one of each per channel.
fn channels(affine: &Affine) -> Option<(&[f32], &[f32])> {
    match (&affine.factor, &affine.shift) {
        (Coefficients::Channel(factor), Coefficients::Channel(shift)) => Some((factor, shift)),
        _ => None,
    }
}

fn parameters(node: &Node) -> Option<(&[f32], &[f32])> {
    match &node.op {
        Operation::Conv(conv) => Some((&conv.weight, &conv.bias)),
        Operation::Linear(linear) => Some((&linear.weight, &linear.bias)),
        Operation::Affine(affine) => channels(affine),
        _ => None,
    }
}
