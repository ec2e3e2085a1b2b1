//! Pass `equalise`: the weights of neighbouring layers get equal ranges, channel by channel.

use super::rewrite::only_reader;
use super::{GraphPass, PassSettings};
use crate::error::CompileError;
use crate::refusals::Refusals;
use nn::graph::{Activation, Graph, Operation, WeightScale};

/// Rounds over all pairs; a pair changes the ranges of its neighbours, which settle quickly.
const ROUNDS: usize = 10;

/// Cross-layer equalisation (Nagel et al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, ICCV 2019, section 4.1):
/// channel `i` between two layers is divided by `s_i = sqrt(r_i / q_i)` in the first one and multiplied in the second, where `r_i` and `q_i` are
/// the largest magnitudes of its weights there, so that both become `sqrt(r_i q_i)`. ReLU, leaky ReLU and pooling pass factors through.
#[derive(Debug)]
pub(super) struct Equalise;

impl GraphPass for Equalise {
    fn name(&self) -> &'static str {
        "equalise"
    }

    fn doc(&self) -> &'static str {
        "if asked for, makes the weight ranges of neighbouring layers equal, channel by channel (Nagel et al., ICCV 2019)"
    }

    fn run(&self, graph: &mut Graph, settings: &PassSettings, _: &mut Refusals) -> Result<(), CompileError> {
        if settings.equalise {
            let pairs: Vec<_> =
                (0..graph.nodes.len()).filter_map(|first| Some((first, follower(graph, first)?))).collect();
            for (first, second) in pairs.iter().cycle().take(pairs.len() * ROUNDS) {
                equalise(graph, *first, *second);
            }
        }
        Ok(())
    }
}

/// The weighted node that alone reads what node `first` weighs, through nodes that pass positive factors.
fn follower(graph: &Graph, first: usize) -> Option<usize> {
    weights(&graph.nodes[first].op)?;
    let mut at = only_reader(graph, first)?;
    loop {
        match &graph.nodes[at].op {
            Operation::Activation(Activation::Relu | Activation::LeakyRelu { .. })
            | Operation::MaxPool(_)
            | Operation::AveragePool(_) => at = only_reader(graph, at)?,
            op => return weights(op).map(|_| at),
        }
    }
}

/// Free weights of a node and their number of outputs.
fn weights(op: &Operation) -> Option<(&[f32], usize)> {
    match op {
        Operation::Conv(conv) if conv.weight_scale == WeightScale::Free => Some((&conv.weight, conv.out_channels)),
        Operation::Linear(linear) if linear.weight_scale == WeightScale::Free => Some((&linear.weight, linear.outputs)),
        _ => None,
    }
}

/// The channel that each weight of the second node of a pair reads, if it has `channels` of them.
fn channels_read(op: &Operation, channels: usize) -> Vec<usize> {
    match op {
        Operation::Conv(conv) => {
            let pixels = conv.vertical.kernel * conv.horizontal.kernel;
            let channel = |index: usize| {
                let (output, row) = (index / conv.rows(), index % conv.rows());
                output / conv.group_outputs() * conv.group_inputs() + row / pixels
            };
            (0..conv.weight.len()).map(channel).collect()
        }
        Operation::Linear(linear) => {
            let pixels = linear.inputs / channels;
            (0..linear.weight.len()).map(|index| index % linear.inputs / pixels).collect()
        }
        _ => Vec::new(),
    }
}

fn equalise(graph: &mut Graph, first: usize, second: usize) {
    let Some((weight, channels)) = weights(&graph.nodes[first].op) else { return };
    let rows = weight.len() / channels;
    let largest =
        |weights: &mut dyn Iterator<Item = f32>| weights.fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    let written: Vec<f32> = weight.chunks_exact(rows).map(|row| largest(&mut row.iter().copied())).collect();
    let reads = channels_read(&graph.nodes[second].op, channels);
    let mut read = vec![0.0_f32; channels];
    if let Some((weight, _)) = weights(&graph.nodes[second].op) {
        weight.iter().zip(&reads).for_each(|(weight, &channel)| read[channel] = read[channel].max(weight.abs()));
    }
    let factors: Vec<f32> = written.iter().zip(&read).map(|(&written, &read)| factor(written, read)).collect();
    if let Operation::Conv(nn::graph::Conv { weight, bias, .. })
    | Operation::Linear(nn::graph::Linear { weight, bias, .. }) = &mut graph.nodes[first].op
    {
        weight.iter_mut().enumerate().for_each(|(index, weight)| *weight /= factors[index / rows]);
        bias.iter_mut().zip(&factors).for_each(|(bias, factor)| *bias /= factor);
    }
    if let Operation::Conv(nn::graph::Conv { weight, .. }) | Operation::Linear(nn::graph::Linear { weight, .. }) =
        &mut graph.nodes[second].op
    {
        weight.iter_mut().zip(&reads).for_each(|(weight, &channel)| *weight *= factors[channel]);
    }
}

/// What the first node's channel is divided by; 1 for channels without weights on a side.
fn factor(written: f32, read: f32) -> f32 {
    let factor = (f64::from(written) / f64::from(read)).sqrt() as f32;
    if factor.is_normal() { factor } else { 1.0 }
}
