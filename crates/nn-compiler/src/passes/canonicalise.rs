//! Pass `canonicalise`: what a network file says in many ways is said in one.

use super::order::absorb_orders;
use super::padding::absorb_padding;
use super::rewrite::{only_reader, remove, remove_where};
use super::{GraphPass, PassSettings};
use crate::error::CompileError;
use crate::refusals::Refusals;
use nn::graph::{Activation, Affine, Graph, Operation};

/// Takes out what changes nothing and what no unit of the chip does: identities, reshapes, transpositions, borders of zeros, a last softmax,
/// quantisation over the range of each single image. Neighbouring affine nodes become one.
#[derive(Debug)]
pub(super) struct Canonicalise;

impl GraphPass for Canonicalise {
    fn name(&self) -> &'static str {
        "canonicalise"
    }

    fn doc(&self) -> &'static str {
        "takes out identities, reshapes, transpositions, borders of zeros and a last softmax; joins affine nodes"
    }

    fn run(&self, graph: &mut Graph, _: &PassSettings, refusals: &mut Refusals) -> Result<(), CompileError> {
        remove_where(graph, |graph, index| is_identity(&graph.nodes[index].op));
        absorb_orders(graph, refusals)?;
        if graph.nodes.is_empty() {
            return Err(CompileError::layer(
                "output",
                "the network only puts its input in another order or shape, and computes nothing",
            ));
        }
        absorb_padding(graph, refusals);
        end_with_scores(graph);
        join_affine(graph)?;
        remove_where(graph, |graph, index| is_identity(&graph.nodes[index].op));
        Ok(())
    }
}

fn is_identity(op: &Operation) -> bool {
    match op {
        Operation::Activation(Activation::Clip { low, high }) => *low == f32::NEG_INFINITY && *high == f32::INFINITY,
        Operation::Affine(Affine { factor, shift }) => {
            factor.values().iter().all(|&factor| factor == 1.0) && shift.values().iter().all(|&shift| shift == 0.0)
        }
        Operation::Pad(pad) => [pad.channels, pad.height, pad.width] == [[0; 2]; 3],
        // The chip's ranges are the same for all images: they come from calibration. Its codes are fewer than numbers of 16 bits.
        Operation::DynamicQuantise(_)
        | Operation::Activation(Activation::Half | Activation::BrainFloat)
        | Operation::Concat => true,
        _ => false,
    }
}

/// Drops what follows the scores and does not change which one is the highest.
fn end_with_scores(graph: &mut Graph) {
    while let [.., _, last] = graph.nodes.as_slice()
        && matches!(last.op, Operation::Softmax(_) | Operation::Activation(Activation::Sigmoid | Activation::Tanh))
    {
        remove(graph, graph.nodes.len() - 1);
    }
}

/// `b (a x + s) + t = (a b) x + (b s + t)`.
fn join_affine(graph: &mut Graph) -> Result<(), CompileError> {
    let mut index = 0;
    while index < graph.nodes.len() {
        let next = only_reader(graph, index);
        match (&graph.nodes[index].op, next.map(|next| (next, &graph.nodes[next].op))) {
            (Operation::Affine(first), Some((next, Operation::Affine(second)))) => {
                let shape = graph.shapes()?[index];
                let joined = super::affine::join(first, second, shape);
                graph.nodes[next].op = Operation::Affine(joined);
                remove(graph, index);
            }
            _ => index += 1,
        }
    }
    Ok(())
}
