//! A part of a batch, which one thread takes forward and backward. Its memory is reused from step to step.

use super::engine::Engine;
use super::{Backward, Forward, LayerWeights, Memory};

/// Memory for some images.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// The images, then every node's result.
    values: Vec<Vec<f32>>,
    /// Gradients of the loss with respect to them.
    slopes: Vec<Vec<f32>>,
    pub(super) memories: Vec<Memory>,
    /// Gradients with respect to the parameters of every part.
    pub(super) gradients: Vec<LayerWeights>,
    /// One of several gradients of a result that is read more than once.
    spare: Vec<f32>,
}

impl Chunk {
    /// Makes room for `images` images, and returns the place of their values.
    pub(super) fn images(&mut self, engine: &Engine, images: usize) -> &mut [f32] {
        self.values.resize_with(engine.sizes.len(), Vec::new);
        self.slopes.resize_with(engine.sizes.len(), Vec::new);
        self.memories.resize_with(engine.nodes.len(), Memory::default);
        for (values, &size) in self.values.iter_mut().zip(&engine.sizes) {
            values.resize(images * size, 0.0);
        }
        &mut self.values[0]
    }

    /// Takes the images through all nodes and returns the results of the last.
    pub(super) fn forward(&mut self, engine: &Engine, weights: &[LayerWeights], training: bool) -> &[f32] {
        let none = LayerWeights::default();
        for (index, node) in engine.nodes.iter().enumerate() {
            let (before, own) = self.values.split_at_mut(index + 1);
            let inputs: Vec<&[f32]> = node.inputs.iter().map(|&source| before[source].as_slice()).collect();
            let parameters = node.part.map_or(&none, |part| &weights[part]);
            let pass = Forward { inputs: &inputs, training };
            node.pass.forward(parameters, pass, &mut self.memories[index], &mut own[0]);
        }
        self.values.last().map_or(&[], Vec::as_slice)
    }

    /// The last node's results, and the place of their gradient.
    pub(super) fn end(&mut self) -> (&[f32], &mut [f32]) {
        let size = self.values.last().map_or(0, Vec::len);
        let slope = self.slopes.last_mut().map_or(&mut [][..], |slope| {
            slope.resize(size, 0.0);
            slope
        });
        (self.values.last().map_or(&[], Vec::as_slice), slope)
    }

    /// Goes back through all nodes below which there is something to train.
    pub(super) fn backward(&mut self, engine: &Engine, weights: &[LayerWeights]) {
        self.gradients.resize_with(engine.parts.len(), LayerWeights::default);
        for (gradient, &(weights, biases)) in self.gradients.iter_mut().zip(&engine.parameters) {
            let parts = [(&mut gradient.weight, weights), (&mut gradient.bias, biases)];
            parts.into_iter().for_each(|(values, size)| {
                values.clear();
                values.resize(size, 0.0);
            });
        }
        let mut written = vec![false; engine.sizes.len()];
        for index in (0..engine.nodes.len()).rev().filter(|&index| engine.wants[index + 1]) {
            self.node(engine, weights, index, &mut written);
        }
    }

    /// Goes back through one node; `written` says of which results there is already a gradient.
    fn node(&mut self, engine: &Engine, weights: &[LayerWeights], index: usize, written: &mut [bool]) {
        let (node, none) = (&engine.nodes[index], LayerWeights::default());
        let inputs: Vec<&[f32]> = node.inputs.iter().map(|&source| self.values[source].as_slice()).collect();
        let (below, slope) = self.slopes.split_at_mut(index + 1);
        let pass = Backward { inputs: &inputs, output: &self.values[index + 1], slope: &slope[0] };
        let (memory, own) = (&mut self.memories[index], node.part.map_or(&none, |part| &weights[part]));
        if let Some(part) = node.part {
            node.pass.parameters(own, pass, memory, &mut self.gradients[part]);
        }
        for (number, &source) in node.inputs.iter().enumerate().filter(|&(_, &source)| engine.wants[source]) {
            let size = inputs[number].len();
            if written[source] {
                self.spare.resize(size, 0.0);
                node.pass.input(own, pass, memory, number, &mut self.spare);
                below[source].iter_mut().zip(&self.spare).for_each(|(sum, value)| *sum += value);
            } else {
                below[source].resize(size, 0.0);
                node.pass.input(own, pass, memory, number, &mut below[source]);
                written[source] = true;
            }
        }
    }
}
