//! Forward and backward passes of the layers, with parameters that are given from outside.
//!
//! Training runs each layer with *effective* parameters (quantised, noisy or projected ones) and applies the gradients to others (the
//! straight-through estimator), so a layer here knows its sizes but holds no parameters. One file per kind of layer; [`Chain`] puts
//! them together. Everything is single-threaded with a fixed order of additions, so that gradients are the same bits on any machine.

mod chain;
mod conv2d;
mod linear;
mod loss;
mod max_pool;
mod relu;

#[cfg(test)]
mod gradient_check;

pub use chain::{Chain, Step, Tape};
pub use loss::{Loss, softmax_cross_entropy};

use nn::{Network, Op, Shape};

/// Parameters of one weighted layer, or their gradients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerWeights {
    /// Weights, row-major, one row per output (as in [`nn::layers::Linear`] and [`nn::layers::Conv2d`]).
    pub weight: Vec<f32>,
    /// One bias per output.
    pub bias: Vec<f32>,
}

impl LayerWeights {
    /// Copies of the parameters of a network's weighted layers, first to last.
    #[must_use]
    pub fn of(network: &Network) -> Vec<Self> {
        let parameters = network.layers.iter().filter_map(|layer| layer.op.parameters());
        parameters.map(|(weight, bias)| Self { weight: weight.to_vec(), bias: bias.to_vec() }).collect()
    }
}

/// What a layer needs to go backward over one batch.
#[derive(Clone, Copy, Debug)]
pub struct Backward<'a> {
    /// The input of the forward pass, `[image][feature]`.
    pub input: &'a [f32],
    /// Gradient of the loss with respect to the output, `[image][feature]`.
    pub output_gradient: &'a [f32],
    /// Number of images.
    pub batch: usize,
    /// Whether the gradient with respect to the input is wanted; the first weighted layer's is not.
    pub wants_input: bool,
}

/// Gradients of the loss, summed over the batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients {
    /// With respect to the input, `[image][feature]`; empty if not wanted.
    pub input: Vec<f32>,
    /// With respect to the parameters; empty for a layer without any.
    pub parameters: LayerWeights,
}

/// A layer that can be trained through. Sizes are checked by [`Chain`]; a wrong one here is an error of the caller and panics.
pub trait Differentiable: Send + Sync {
    /// The layer's output for a batch, `[image][feature]`.
    fn forward(&self, parameters: &LayerWeights, input: &[f32], batch: usize) -> Vec<f32>;

    /// The gradients for the batch of a forward pass with the same parameters.
    fn backward(&self, parameters: &LayerWeights, pass: Backward<'_>) -> Gradients;
}

/// The differentiable form of an operation on maps of shape `input`.
fn differentiable(op: &Op, input: Shape) -> Box<dyn Differentiable> {
    match op {
        Op::Linear(_) => Box::new(linear::LinearPass),
        Op::Conv2d(conv) => Box::new(conv2d::Conv2dPass { window: conv.window(input) }),
        Op::Relu => Box::new(relu::ReluPass),
        Op::MaxPool(pool) => Box::new(max_pool::MaxPoolPass { pool: *pool, input }),
    }
}

/// Sum of every column of a row-major matrix of `columns` columns, rows in ascending order.
fn column_sums(matrix: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in matrix.chunks_exact(columns) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}
