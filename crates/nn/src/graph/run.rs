//! Running a graph in float. Images are independent of each other, so neither blocks nor threads change a bit of the result.

use super::{Graph, Operation, layout};
use crate::Shape;
use crate::argmax::argmax;
use crate::datasets::Split;
use crate::error::{Invalid, NetworkError};
use rayon::prelude::*;

/// Most images that one task runs through the graph at a time.
const BLOCK: usize = 16;
/// Values of its largest map that a block should not exceed by much.
const BLOCK_VALUES: usize = 1 << 20;

impl Graph {
    /// Results `[image][value]` of a batch `[image][value]`.
    ///
    /// # Errors
    /// If the graph is not valid or the batch does not hold whole images.
    pub fn forward(&self, batch: &[f32]) -> Result<Vec<f32>, NetworkError> {
        self.validate()?;
        let shapes = self.shapes()?;
        let blocks = self.blocks(&shapes, batch)?;
        let results: Vec<Vec<f32>> = blocks.into_par_iter().map(|block| self.result(&shapes, block)).collect();
        Ok(results.concat())
    }

    /// Results `[image][value]` of every node for a batch `[image][value]`, in the order of the nodes.
    ///
    /// # Errors
    /// If the graph is not valid or the batch does not hold whole images.
    pub fn forward_all(&self, batch: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        self.validate()?;
        let shapes = self.shapes()?;
        let blocks = self.blocks(&shapes, batch)?;
        let results: Vec<Vec<Vec<f32>>> = blocks.into_par_iter().map(|block| self.results(&shapes, block)).collect();
        let node = |node: usize| results.iter().flat_map(|block| &block[node]).copied().collect();
        Ok((0..self.nodes.len()).map(node).collect())
    }

    /// Fraction of the images whose highest result is at their label; ties go to the lowest class ([`argmax`]).
    ///
    /// # Errors
    /// If the graph is not valid, or the split is empty or of another shape.
    pub fn accuracy(&self, split: &Split) -> Result<f64, NetworkError> {
        split.check(self.input).map_err(|invalid| self.error(invalid))?;
        self.validate()?;
        let shapes = self.shapes()?;
        let classes = shapes.last().map_or(1, |shape| shape.len());
        let blocks = self.blocks(&shapes, &split.images)?;
        let winners = |block: &[f32]| self.result(&shapes, block).chunks_exact(classes).map(argmax).collect();
        let winners: Vec<Vec<usize>> = blocks.into_par_iter().map(winners).collect();
        let correct = winners.into_iter().flatten().zip(&split.labels).filter(|(w, l)| *w == usize::from(**l)).count();
        Ok(correct as f64 / split.len() as f64)
    }

    /// The batch in blocks of whole images, small enough for large maps.
    fn blocks<'a>(&self, shapes: &[Shape], batch: &'a [f32]) -> Result<Vec<&'a [f32]>, NetworkError> {
        let features = self.input.len();
        if !batch.len().is_multiple_of(features) {
            let allowed = format!("multiples of {features}, the values of one image");
            return Err(self.error(Invalid::new("number of values of the batch", batch.len(), allowed)));
        }
        let largest = shapes.iter().map(|shape| shape.len()).max().unwrap_or(1).max(features);
        Ok(batch.chunks(features * (BLOCK_VALUES / largest).clamp(1, BLOCK)).collect())
    }

    /// Result of the last node for one block; what no later node reads is dropped on the way.
    fn result(&self, shapes: &[Shape], block: &[f32]) -> Vec<f32> {
        let mut last_reader = vec![0; self.nodes.len() + 1];
        for (index, node) in self.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&source| last_reader[source] = index);
        }
        let mut results: Vec<Vec<f32>> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            results.push(self.node(index, shapes, block, &results));
            for &source in node.inputs.iter().filter(|&&source| source > 0 && last_reader[source] == index) {
                results[source - 1] = Vec::new();
            }
        }
        results.pop().unwrap_or_default()
    }

    /// Results of all nodes for one block.
    fn results(&self, shapes: &[Shape], block: &[f32]) -> Vec<Vec<f32>> {
        let mut results: Vec<Vec<f32>> = Vec::with_capacity(self.nodes.len());
        for index in 0..self.nodes.len() {
            results.push(self.node(index, shapes, block, &results));
        }
        results
    }

    /// Result of node `index`, of whose sources there are `results`.
    fn node(&self, index: usize, shapes: &[Shape], block: &[f32], results: &[Vec<f32>]) -> Vec<f32> {
        let node = &self.nodes[index];
        let shape = |&source: &usize| source.checked_sub(1).map_or(self.input, |index| shapes[index]);
        let values = |&source: &usize| source.checked_sub(1).map_or(block, |index| results[index].as_slice());
        let inputs: Vec<(Shape, &[f32])> = node.inputs.iter().map(|source| (shape(source), values(source))).collect();
        node.op.forward(&inputs)
    }
}

impl Operation {
    /// Result for a batch of every source; shapes must have been checked.
    fn forward(&self, inputs: &[(Shape, &[f32])]) -> Vec<f32> {
        let (shape, values) = inputs[0];
        match self {
            Self::Conv(conv) => conv.forward(shape, values),
            Self::Linear(linear) => linear.forward(values),
            Self::Affine(affine) => affine.forward(shape, values),
            Self::Activation(activation) => values.iter().map(|&value| activation.of(value)).collect(),
            Self::Softmax(softmax) => softmax.forward(shape, values),
            Self::MaxPool(pool) => pool.forward(shape, values),
            Self::AveragePool(pool) => pool.forward(shape, values),
            Self::Add => values.iter().zip(inputs[1].1).map(|(a, b)| a + b).collect(),
            Self::Concat => layout::concat(inputs),
            Self::Pad(pad) => pad.forward(shape, values),
            Self::Reshape(_) => values.to_vec(),
            Self::Reorder(reorder) => reorder.forward(values),
            Self::Quantise(quantise) => quantise.forward(shape, values),
            Self::DynamicQuantise(quantise) => quantise.forward(shape, values),
            Self::Sign(sign) => sign.forward(shape, values),
        }
    }
}
