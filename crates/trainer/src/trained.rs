//! What is trained of a network: weights that the hardware holds, and factors and shifts of channels.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::TrainError;
use crate::layer::LayerState;
use crate::layers::{LayerWeights, Running, folded};
use crate::optimiser::Moments;
use crate::parts::Part;
use crate::start::Template;
use nn::graph::Operation;

/// What is trained of one node.
pub(crate) enum Trained {
    /// Weights that the hardware holds.
    Layer(Box<LayerState>),
    /// Factors and shifts of channels.
    Channels {
        parameters: LayerWeights,
        moments: (Moments, Moments),
        /// Of a batch normalisation.
        running: Option<Running>,
    },
}

impl Stored for Trained {
    fn store(&self, writer: &mut Writer) {
        match self {
            Self::Layer(layer) => layer.store(writer),
            Self::Channels { parameters, moments, running } => {
                parameters.store(writer);
                moments.0.store(writer);
                moments.1.store(writer);
                running.iter().for_each(|running| running.store(writer));
            }
        }
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        match self {
            Self::Layer(layer) => layer.restore(reader),
            Self::Channels { parameters, moments, running } => {
                parameters.restore(reader)?;
                moments.0.restore(reader)?;
                moments.1.restore(reader)?;
                running.iter_mut().try_for_each(|running| running.restore(reader))
            }
        }
    }
}

/// The running statistics of all batch normalisations.
pub(crate) fn norms(trained: &mut [Trained]) -> impl Iterator<Item = &mut Running> {
    trained.iter_mut().filter_map(|part| match part {
        Trained::Channels { running, .. } => running.as_mut(),
        Trained::Layer(_) => None,
    })
}

/// Factors and shifts, or factors and shifts of normalised values in a training step.
pub(crate) fn channels(parameters: &LayerWeights, running: Option<&Running>, training: bool) -> LayerWeights {
    match running {
        Some(running) if !training => folded(parameters, running),
        _ => parameters.clone(),
    }
}

/// Whether a batch normalisation is all that reads a weighted node.
pub(crate) fn silent_bias(template: &Template) -> Vec<bool> {
    let Template { graph, parts } = template;
    let silent = |&node: &usize| {
        let mut readers = (0..graph.nodes.len()).filter(|&reader| graph.nodes[reader].inputs.contains(&(node + 1)));
        let norm = |reader: usize| parts.of_node(reader).is_some_and(|part| parts.kinds()[part] == Part::BatchNorm);
        let weighted = matches!(graph.nodes[node].op, Operation::Conv(_) | Operation::Linear(_));
        weighted && readers.next().is_some_and(norm) && readers.next().is_none()
    };
    parts.nodes().iter().map(silent).collect()
}
