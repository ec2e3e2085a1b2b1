//! A whole graph to be trained: forward over a batch, loss, backward.

use super::batch_norm::Running;
use super::chunk::{Chunk, Outcome};
use super::loss::{Loss, softmax_cross_entropy};
use super::slots::slots;
use super::{LayerWeights, Pass, make};
use crate::parts::{Part, Parts};
use nn::{Graph, NetworkError};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Images of a chunk. Chunks do not depend on the number of threads, and their gradients are added in their order.
pub(crate) const CHUNK: usize = 32;

/// A node of the graph.
pub(super) struct EngineNode {
    pub(super) pass: Box<dyn Pass>,
    /// 0 for the images, `k` for the result of the `k`-th node.
    pub(super) inputs: Vec<usize>,
    /// Index of its parameters, if it is trained.
    pub(super) part: Option<usize>,
}

/// The nodes of a graph without their parameters, which every call gets as `&[LayerWeights]`, one per trained node in the graph's order.
pub(crate) struct Engine {
    pub(super) nodes: Vec<EngineNode>,
    /// Values of an image, then of every node's result.
    pub(super) sizes: Vec<usize>,
    /// Number of the memory of each.
    pub(super) slots: Vec<usize>,
    /// Whether there is something to train at or below an image or a result, so that its gradient is wanted.
    pub(super) wants: Vec<bool>,
    /// What is trained of each node with parameters.
    pub(super) parts: Vec<Part>,
    /// Numbers of weights and biases of each.
    pub(super) parameters: Vec<(usize, usize)>,
}

/// Memory of the steps of an engine.
#[derive(Default)]
pub(crate) struct Memories {
    /// What becomes of every chunk of a batch.
    outcomes: Vec<Outcome>,
    /// Memory that no thread uses at the moment: as much as there are threads, so that it stays in the cache.
    idle: Mutex<Vec<Chunk>>,
}

/// The images of a step.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Class of each.
    pub(crate) labels: &'a [u8],
    /// Writes the values of one of them.
    pub(crate) image: &'a (dyn Fn(usize, &mut [f32]) + Sync),
}

/// Result of one training step's computation; updating the parameters is the optimiser's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Mean loss of the batch, in nats.
    pub(crate) loss: f64,
    /// Number of images classified correctly.
    pub(crate) correct: usize,
}

impl Engine {
    /// The engine of a valid graph. Its parameters are not copied.
    ///
    /// # Errors
    /// If the graph is not valid, or holds an operation that has no gradient.
    pub(crate) fn new(graph: &Graph, parts: &Parts) -> Result<Self, NetworkError> {
        graph.validate()?;
        let shapes: Vec<_> = std::iter::once(graph.input).chain(graph.shapes()?).collect();
        let (mut nodes, mut wants) = (Vec::new(), vec![false]);
        for (index, node) in graph.nodes.iter().enumerate() {
            let inputs: Vec<_> = node.inputs.iter().map(|&source| shapes[source]).collect();
            let part = parts.of_node(index);
            let pass = make::pass(&node.op, part.map(|part| parts.kinds()[part]), &inputs);
            let pass = pass.map_err(|invalid| NetworkError::Layer {
                network: graph.name.clone(),
                layer: node.name.clone(),
                invalid: invalid.into(),
            })?;
            wants.push(part.is_some() || node.inputs.iter().any(|&source| wants[source]));
            nodes.push(EngineNode { pass, inputs: node.inputs.clone(), part });
        }
        let (parts, parameters) = (parts.kinds().to_vec(), parts.sizes(graph));
        let sizes: Vec<usize> = shapes.iter().map(|shape| shape.len()).collect();
        Ok(Self { slots: slots(&nodes, &sizes), nodes, sizes, wants, parts, parameters })
    }

    /// Number of classes, the values of the last node's result.
    #[must_use]
    pub(crate) fn classes(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// Results of the last node for images `[image][value]`, with fixed statistics: the parameters of a batch normalisation are its factors and
    /// shifts ([`super::folded`]).
    #[must_use]
    pub(crate) fn scores(&self, weights: &[LayerWeights], images: &[f32]) -> Vec<f32> {
        let features = self.sizes[0];
        let chunk = |chunk: &mut Chunk, images: &[f32]| {
            chunk.images(self, images.len() / features).copy_from_slice(images);
            chunk.forward(self, weights, false).to_vec()
        };
        let chunks = images.par_chunks(CHUNK * features).map_init(Chunk::default, chunk);
        chunks.collect::<Vec<Vec<f32>>>().concat()
    }

    /// Forward, loss and backward for a batch. `gradients` become those of the mean loss; `running`, one per batch normalisation, follow.
    ///
    /// # Panics
    /// If a label is not a class, or the parameters do not have the graph's sizes.
    pub(crate) fn step(
        &self,
        weights: &[LayerWeights],
        batch: Batch<'_>,
        memories: &mut Memories,
        gradients: &mut Vec<LayerWeights>,
        running: &mut [&mut Running],
    ) -> Step {
        let (outcomes, idle) = (&mut memories.outcomes, &memories.idle);
        outcomes.resize_with(batch.labels.len().div_ceil(CHUNK), Outcome::default);
        let taken = || idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let chunks = outcomes.par_iter_mut().enumerate().map(|(index, outcome)| {
            let mut chunk = taken();
            let loss = self.chunk(weights, batch, &mut chunk, (index, outcome));
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
            loss
        });
        let losses: Vec<Loss> = chunks.collect();
        self.reduce(memories, gradients);
        self.follow(memories, batch.labels, running);
        let loss = losses.iter().map(|loss| loss.sum).sum::<f64>() / batch.labels.len() as f64;
        Step { loss, correct: losses.iter().map(|loss| loss.correct).sum() }
    }

    /// Takes chunk number `index` of a batch forward and backward.
    fn chunk(
        &self,
        weights: &[LayerWeights],
        batch: Batch<'_>,
        chunk: &mut Chunk,
        (index, outcome): (usize, &mut Outcome),
    ) -> Loss {
        let images = batch.labels.len();
        let range = index * CHUNK..images.min((index + 1) * CHUNK);
        let labels = &batch.labels[range.clone()];
        for (image, values) in range.zip(chunk.images(self, labels.len()).chunks_exact_mut(self.sizes[0])) {
            (batch.image)(image, values);
        }
        chunk.forward(self, weights, true);
        let loss = chunk.end(self, |scores, slope| softmax_cross_entropy(scores, labels, images, slope));
        chunk.backward(self, weights, outcome);
        loss
    }

    /// Adds the chunks' gradients in their order.
    fn reduce(&self, memories: &mut Memories, gradients: &mut Vec<LayerWeights>) {
        let Some((first, rest)) = memories.outcomes.split_first_mut() else { return };
        std::mem::swap(gradients, &mut first.gradients);
        for (part, sums) in gradients.iter_mut().enumerate() {
            sums.add(rest.iter().map(|outcome| &outcome.gradients[part]));
        }
    }

    /// Shows the running statistics those of the chunks, in their order.
    fn follow(&self, memories: &Memories, labels: &[u8], running: &mut [&mut Running]) {
        let norm = |node: &EngineNode| node.part.is_some_and(|part| self.parts[part] == Part::BatchNorm);
        let norms = self.nodes.iter().enumerate().filter(|(_, node)| norm(node));
        for ((index, node), running) in norms.zip(running) {
            let pixels = self.sizes[index + 1] / node.part.map_or(1, |part| self.parameters[part].0.max(1));
            for (outcome, labels) in memories.outcomes.iter().zip(labels.chunks(CHUNK)) {
                running.follow(&outcome.statistics[index], labels.len() * pixels);
            }
        }
    }
}
