//! A part of a batch, which one thread takes forward and backward. Its memory is reused from step to step.

use super::batch_norm::Moments;
use super::engine::Engine;
use super::slopes::Slopes;
use super::{Backward, Forward, LayerWeights, Memory};

/// Memory of a thread for the images of a chunk.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// The images and every node's result, by the number of their memory.
    values: Vec<Vec<f32>>,
    slopes: Slopes,
    memories: Vec<Memory>,
}

/// What a step needs of a chunk when it is through.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Gradients with respect to the parameters of every part.
    pub(super) gradients: Vec<LayerWeights>,
    /// Statistics of every node.
    pub(super) statistics: Vec<Vec<Moments>>,
}

impl Chunk {
    /// Makes room for `images` images, and returns the place of their values.
    pub(super) fn images(&mut self, engine: &Engine, images: usize) -> &mut [f32] {
        self.values.resize_with(engine.sizes.len(), Vec::new);
        self.slopes.begin(engine.sizes.len());
        self.memories.resize_with(engine.nodes.len(), Memory::default);
        for (&slot, &size) in engine.slots.iter().zip(&engine.sizes) {
            self.values[slot].resize(images * size, 0.0);
        }
        &mut self.values[0]
    }

    /// Takes the images through all nodes and returns the results of the last.
    pub(super) fn forward(&mut self, engine: &Engine, weights: &[LayerWeights], training: bool) -> &[f32] {
        let none = LayerWeights::default();
        for (index, node) in engine.nodes.iter().enumerate() {
            let mut own = std::mem::take(&mut self.values[engine.slots[index + 1]]);
            let inputs: Vec<&[f32]> = node.inputs.iter().map(|&source| &*self.values[engine.slots[source]]).collect();
            let parameters = node.part.map_or(&none, |part| &weights[part]);
            let memory = &mut self.memories[index];
            node.pass.forward(parameters, Forward { inputs: &inputs, training }, memory, &mut own);
            self.values[engine.slots[index + 1]] = own;
        }
        self.result(engine, engine.nodes.len())
    }

    /// The images (0) or the result of a node.
    fn result(&self, engine: &Engine, result: usize) -> &[f32] {
        &self.values[engine.slots[result]]
    }

    /// The last node's results, which `loss` makes a gradient of.
    pub(super) fn end<T>(&mut self, engine: &Engine, loss: impl FnOnce(&[f32], &mut [f32]) -> T) -> T {
        let last = engine.nodes.len();
        let mut slope = self.slopes.memory(self.result(engine, last).len());
        let result = loss(self.result(engine, last), &mut slope);
        self.slopes.add(last, slope);
        result
    }

    /// Goes back through all nodes below which there is something to train.
    pub(super) fn backward(&mut self, engine: &Engine, weights: &[LayerWeights], outcome: &mut Outcome) {
        outcome.gradients.resize_with(engine.parts.len(), LayerWeights::default);
        for (gradient, &(weights, biases)) in outcome.gradients.iter_mut().zip(&engine.parameters) {
            let parts = [(&mut gradient.weight, weights), (&mut gradient.bias, biases)];
            parts.into_iter().for_each(|(values, size)| {
                values.clear();
                values.resize(size, 0.0);
            });
        }
        for index in (0..engine.nodes.len()).rev() {
            if let Some(slope) = self.slopes.take(index + 1) {
                self.node(engine, weights, (index, &slope), &mut outcome.gradients);
                self.slopes.release(slope);
            }
        }
        outcome.statistics.resize_with(self.memories.len(), Vec::new);
        for (kept, memory) in outcome.statistics.iter_mut().zip(&mut self.memories) {
            std::mem::swap(kept, &mut memory.statistics);
        }
    }

    /// Goes back through one node, from the gradient of its result.
    fn node(
        &mut self,
        engine: &Engine,
        weights: &[LayerWeights],
        (index, slope): (usize, &[f32]),
        gradients: &mut [LayerWeights],
    ) {
        let (node, none) = (&engine.nodes[index], LayerWeights::default());
        let inputs: Vec<&[f32]> = node.inputs.iter().map(|&source| &*self.values[engine.slots[source]]).collect();
        let pass = Backward { inputs: &inputs, output: &self.values[engine.slots[index + 1]], slope };
        let (memory, own) = (&mut self.memories[index], node.part.map_or(&none, |part| &weights[part]));
        if let Some(part) = node.part {
            node.pass.parameters(own, pass, memory, &mut gradients[part]);
        }
        for (number, &source) in node.inputs.iter().enumerate().filter(|&(_, &source)| engine.wants[source]) {
            let mut part = self.slopes.memory(inputs[number].len());
            node.pass.input(own, pass, memory, number, &mut part);
            self.slopes.add(source, part);
        }
    }
}
