//! From an operation of a graph to its pass.

use super::Pass;
use super::activation::ActivationPass;
use super::affine::{ChannelAffine, FixedAffine};
use super::batch_norm::BatchNormPass;
use super::conv::ConvPass;
use super::layout::{AddPass, ConcatPass, MovePass};
use super::linear::LinearPass;
use super::places::Places;
use super::pool::{AveragePoolPass, MaxPoolPass};
use crate::parts::Part;
use nn::Shape;
use nn::graph::{Operation, Pad};

/// The pass of an operation with sources of the shapes `inputs`; `part` says what is trained of it.
///
/// # Errors
/// If it has no gradient.
pub(super) fn pass(op: &Operation, part: Option<Part>, inputs: &[Shape]) -> Result<Box<dyn Pass>, nn::Invalid> {
    let input = inputs[0];
    let pixels = input.height * input.width;
    Ok(match op {
        Operation::Conv(conv) => Box::new(ConvPass::new(conv, input)?),
        Operation::Linear(linear) => Box::new(LinearPass { inputs: linear.inputs, outputs: linear.outputs }),
        Operation::Affine(affine) => match part {
            Some(Part::BatchNorm) => Box::new(BatchNormPass { pixels }),
            Some(_) => Box::new(ChannelAffine { pixels }),
            None => Box::new(FixedAffine::new(affine, input)),
        },
        Operation::Activation(activation) => Box::new(ActivationPass(*activation)),
        Operation::MaxPool(pool) => Box::new(MaxPoolPass(Places::of(pool.window(input)))),
        Operation::AveragePool(pool) => Box::new(AveragePoolPass {
            places: Places::of(pool.window(input)),
            divisor: pool.count_padding.then_some(pool.vertical.kernel * pool.horizontal.kernel),
        }),
        Operation::Add => Box::new(AddPass),
        Operation::Concat => Box::new(ConcatPass(inputs.iter().map(|shape| shape.len()).collect())),
        Operation::Pad(pad) => Box::new(padding(pad, input)),
        Operation::Reshape(shape) => Box::new(moves(input, (0..shape.len() as u32).map(Some).collect(), 0.0)),
        Operation::Reorder(reorder) => Box::new(moves(input, reorder.order.iter().copied().map(Some).collect(), 0.0)),
        Operation::Softmax(_) | Operation::Quantise(_) | Operation::DynamicQuantise(_) | Operation::Sign(_) => {
            let allowed = "float operations but for softmax in front of others, so that there are gradients";
            return Err(nn::Invalid::new("operation", op.kind(), allowed));
        }
    })
}

fn moves(input: Shape, order: Vec<Option<u32>>, value: f32) -> MovePass {
    MovePass { size: input.len(), order, value }
}

fn padding(pad: &Pad, input: Shape) -> MovePass {
    let sizes = [(input.channels, pad.channels), (input.height, pad.height), (input.width, pad.width)];
    let [channels, height, width] = sizes.map(|(size, border)| size + border[0] + border[1]);
    // Place along an axis, if it is one of the map's.
    let inside = |axis: usize, place: usize| {
        let (size, border) = sizes[axis];
        place.checked_sub(border[0]).filter(|&place| place < size)
    };
    let place = |index: usize| {
        let (channel, y) = (inside(0, index / (height * width))?, inside(1, index / width % height)?);
        Some(((channel * input.height + y) * input.width + inside(2, index % width)?) as u32)
    };
    moves(input, (0..channels * height * width).map(place).collect(), pad.value)
}
