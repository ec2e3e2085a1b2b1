//! Forward and backward passes of the nodes of a graph, with parameters that are given from outside.
//!
//! Training runs each node with *effective* parameters (quantised, noisy or projected ones) and applies the gradients to others (the
//! straight-through estimator), so a pass here knows its sizes but holds no parameters. One file per kind of node; [`engine`] puts them
//! together for a batch, [`chunk`] for the images that one thread works on. Additions have a fixed order, so that gradients are the same
//! bits on any machine and for any number of threads.

mod activation;
mod affine;
mod batch_norm;
mod chunk;
mod conv;
mod engine;
mod layout;
mod linear;
mod loss;
mod make;
mod places;
mod pool;
mod slopes;
mod slots;
mod sums;

#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod gradient_check;

pub(crate) use batch_norm::{Running, folded};
pub(crate) use engine::{Batch, Engine, Memories, Step};

use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::TrainError;
use rayon::prelude::*;

/// Parameters, or their gradients, that a thread works on in one go; each is worked on by itself, so that threads change no bit.
pub(crate) const BLOCK: usize = 8192;

/// Parameters of one trained node, or their gradients.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LayerWeights {
    /// Weights, row-major, one row per output (as in [`nn::graph::Linear`] and [`nn::graph::Conv`]), or a factor per channel.
    pub(crate) weight: Vec<f32>,
    /// One bias per output, or a shift per channel.
    pub(crate) bias: Vec<f32>,
}

impl LayerWeights {
    /// Adds other values in their order.
    fn add<'a>(&mut self, others: impl Iterator<Item = &'a Self> + Clone + Sync) {
        let add = |sums: &mut [f32], values: &[f32]| sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        self.weight.par_chunks_mut(BLOCK).enumerate().for_each(|(block, sums)| {
            others.clone().for_each(|other| add(sums, &other.weight[block * BLOCK..]));
        });
        others.for_each(|other| add(&mut self.bias, &other.bias));
    }
}

impl Stored for LayerWeights {
    fn store(&self, writer: &mut Writer) {
        writer.list(&self.weight);
        writer.list(&self.bias);
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        reader.list(&mut self.weight)?;
        reader.list(&mut self.bias)
    }
}

/// What a node needs to go forward over the images of a chunk.
#[derive(Clone, Copy)]
struct Forward<'a> {
    /// Its sources, each `[image][value]`.
    inputs: &'a [&'a [f32]],
    /// Whether statistics are those of the chunk (while training) or fixed.
    training: bool,
}

/// What a node needs to go backward over the images of a chunk.
#[derive(Clone, Copy)]
struct Backward<'a> {
    /// Its sources in the forward pass, each `[image][value]`.
    inputs: &'a [&'a [f32]],
    /// Its result in the forward pass.
    output: &'a [f32],
    /// Gradient of the loss with respect to the result.
    slope: &'a [f32],
}

/// What of the forward pass a node reads again going backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reads {
    inputs: bool,
    output: bool,
}

impl Reads {
    const NOTHING: Self = Self { inputs: false, output: false };
    const INPUTS: Self = Self { inputs: true, output: false };
    const OUTPUT: Self = Self { inputs: false, output: true };
}

/// Memory of one node and chunk, reused from step to step; what the forward pass leaves there, the backward pass of the same images finds.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Sums over channels.
    sums: Vec<f32>,
    /// Where maxima were found.
    places: Vec<u32>,
    /// Means and deviations of channels.
    statistics: Vec<batch_norm::Moments>,
}

/// A node that can be trained through. Sizes are checked when the engine is made; a wrong one is an error of the caller and panics.
trait Pass: Send + Sync {
    /// What it reads again going backward; of the rest only the lengths are right then.
    fn reads(&self) -> Reads;

    /// Writes the result.
    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, memory: &mut Memory, output: &mut [f32]);

    /// Adds the gradient with respect to the parameters; comes before [`Self::input`].
    fn parameters(&self, own: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, gradient: &mut LayerWeights) {
        // Most kinds have none.
        let _ = (own, pass, memory, gradient);
    }

    /// Writes the gradient with respect to source number `source`.
    fn input(&self, own: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, source: usize, slope: &mut [f32]);
}
