//! A float network as a graph: what imports produce, what runs in float, and what the passes of the compiler rewrite.
//!
//! The graph describes what becomes of one image. Every node stands behind its sources; source 0 is the input, source `k` the result of
//! the `k`-th node (`nodes[k - 1]`), and the last node's result is the network's. Maps are channel-major (channel, row, column); a batch
//! is one contiguous `[image][value]` slice.

mod activation;
mod affine;
mod check;
mod conv;
mod conv_run;
pub mod files;
mod layout;
mod linear;
mod pool;
mod quantise;
mod run;
mod softmax;
mod weights;

pub use activation::Activation;
pub use affine::{Affine, Coefficients};
pub use conv::Conv;
pub use layout::{Pad, Reorder};
pub use linear::Linear;
pub use pool::{AveragePool, MaxPool};
pub(crate) use quantise::MAX_BITS;
pub use quantise::{DynamicQuantise, Quantise, Rounding, Sign};
pub use softmax::Softmax;
pub use weights::WeightScale;

use crate::Shape;
use crate::error::Invalid;

/// A float network.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Name of the network.
    pub name: String,
    /// Name of the data set it was made for.
    pub dataset: String,
    /// Shape of one image.
    pub input: Shape,
    /// The nodes, every one behind its sources; the last one yields the result.
    pub nodes: Vec<Node>,
}

/// One node: a name, unique in its graph, its sources and what it computes of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Name, unique in the graph; file keys, reports and errors use it.
    pub name: String,
    /// Its sources: 0 for the input of the graph, `k` for the result of `nodes[k - 1]`.
    pub inputs: Vec<usize>,
    /// What it computes.
    pub op: Operation,
}

/// What a node computes; one file each family.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Convolution, in groups or not.
    Conv(Conv),
    /// `W x + b` over all values of the map.
    Linear(Linear),
    /// `factor * x + shift`, per map, per channel or per value: batch normalisation and arithmetic with constants.
    Affine(Affine),
    /// A function of every value by itself.
    Activation(Activation),
    /// Shares over the channels of every pixel, or their logarithms.
    Softmax(Softmax),
    /// Maximum over windows of each channel.
    MaxPool(MaxPool),
    /// Average over windows of each channel.
    AveragePool(AveragePool),
    /// Sum of two maps of the same shape.
    Add,
    /// The channels of all sources, one source behind the other.
    Concat,
    /// A border of one value.
    Pad(Pad),
    /// The same values in the same order, seen as a map of another shape.
    Reshape(Shape),
    /// The same values in another order.
    Reorder(Reorder),
    /// Rounding to the codes of a fixed format and back (quantisation-aware and quantised networks).
    Quantise(Quantise),
    /// Rounding to the codes of a range that every image has for itself, and back.
    DynamicQuantise(DynamicQuantise),
    /// `scale` where a value is 0 or above, `-scale` below.
    Sign(Sign),
}

impl Operation {
    /// Shape of the result for sources of the shapes `inputs`.
    ///
    /// # Errors
    /// If the operation does not fit its sources.
    pub fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Invalid> {
        match (self, inputs) {
            (Self::Concat, [first, rest @ ..]) => layout::concat_shape(*first, rest),
            (Self::Add, [first, second]) => {
                let allowed = format!("{first}, the shape of the other source");
                (first == second).then_some(*first).ok_or_else(|| Invalid::new("shape of a source", second, allowed))
            }
            (Self::Concat, _) => Err(Invalid::new("number of sources", inputs.len(), "at least 1")),
            (Self::Add, _) => Err(Invalid::new("number of sources", inputs.len(), "exactly 2")),
            (op, [input]) => op.shape_of_one(*input),
            _ => Err(Invalid::new("number of sources", inputs.len(), "exactly 1")),
        }
    }

    /// Shape of the result of an operation with one source.
    fn shape_of_one(&self, input: Shape) -> Result<Shape, Invalid> {
        match self {
            Self::Conv(conv) => conv.output_shape(input),
            Self::Linear(linear) => linear.output_shape(input),
            Self::Affine(affine) => affine.output_shape(input),
            Self::MaxPool(pool) => pool.output_shape(input),
            Self::AveragePool(pool) => pool.output_shape(input),
            Self::Pad(pad) => pad.output_shape(input),
            Self::Reshape(shape) => layout::reshape_shape(*shape, input),
            Self::Reorder(reorder) => reorder.output_shape(input),
            Self::Quantise(quantise) => quantise.output_shape(input),
            Self::Sign(sign) => sign.output_shape(input),
            Self::Activation(_) | Self::Softmax(_) | Self::DynamicQuantise(_) | Self::Add | Self::Concat => Ok(input),
        }
    }

    /// Checks the parameters of the operation, whatever its sources.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Conv(conv) => conv.validate(),
            Self::Linear(linear) => linear.validate(),
            Self::Affine(affine) => affine.validate(),
            Self::Activation(activation) => activation.validate(),
            Self::Pad(pad) => pad.validate(),
            Self::Reshape(shape) => shape.validate(),
            Self::Reorder(reorder) => reorder.validate(),
            Self::Quantise(quantise) => quantise.validate(),
            Self::DynamicQuantise(quantise) => quantise.validate(),
            Self::Sign(sign) => sign.validate(),
            Self::MaxPool(_) | Self::AveragePool(_) | Self::Softmax(_) | Self::Add | Self::Concat => Ok(()),
        }
    }

    /// Kebab-case name of the kind of operation, as in network files and reports.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::Linear(_) => "linear",
            Self::Affine(_) => "affine",
            Self::Activation(activation) => activation.name(),
            Self::Softmax(softmax) => softmax.name(),
            Self::MaxPool(_) => "max-pool",
            Self::AveragePool(_) => "average-pool",
            Self::Add => "add",
            Self::Concat => "concat",
            Self::Pad(_) => "pad",
            Self::Reshape(_) => "reshape",
            Self::Reorder(_) => "reorder",
            Self::Quantise(_) => "quantise",
            Self::DynamicQuantise(_) => "dynamic-quantise",
            Self::Sign(_) => "sign",
        }
    }
}

#[cfg(test)]
mod tests;
