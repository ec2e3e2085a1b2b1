//! Part of `canonicalise`: borders of zeros become the padding of the windows that read them.

use super::rewrite::{readers, remove};
use crate::error::CompileError;
use nn::Axis;
use nn::graph::{Activation, Graph, Operation, Pad};

/// Takes all borders out of a graph.
///
/// # Errors
/// If a border is not one that the windows behind it could have themselves.
pub(super) fn absorb_padding(graph: &mut Graph) -> Result<(), CompileError> {
    let mut index = 0;
    while index < graph.nodes.len() {
        match graph.nodes[index].op {
            Operation::Pad(pad) => absorb(graph, index, pad)?,
            _ => index += 1,
        }
    }
    Ok(())
}

/// Gives the border of node `index` to its readers and removes it.
fn absorb(graph: &mut Graph, index: usize, pad: Pad) -> Result<(), CompileError> {
    let readers = readers(graph)[index + 1].clone();
    let rectified = is_rectified(graph, graph.nodes[index].inputs[0]);
    let refuse = |what: &str| {
        let what = format!("{what}; a border must be zeros around the pixels, and narrower than the windows behind it");
        Err(CompileError::layer(&graph.nodes[index].name, what))
    };
    if pad.value != 0.0 || pad.channels != [0, 0] {
        return refuse("its border has another value than 0, or adds channels");
    }
    if readers.is_empty() {
        return refuse("it ends the network");
    }
    let mut widened = Vec::new();
    for &reader in &readers {
        let mut op = graph.nodes[reader].op.clone();
        let axes = match &mut op {
            Operation::Conv(conv) => [&mut conv.vertical, &mut conv.horizontal],
            Operation::AveragePool(pool) if pool.count_padding => [&mut pool.vertical, &mut pool.horizontal],
            // A maximum leaves padding out; among values of 0 and above that makes no difference.
            Operation::MaxPool(pool) if rectified => [&mut pool.vertical, &mut pool.horizontal],
            _ => return refuse(&format!("`{}` reads it", graph.nodes[reader].name)),
        };
        let [vertical, horizontal] = axes;
        if !(widen(vertical, pad.height) && widen(horizontal, pad.width)) {
            return refuse("its border is as wide as the windows behind it");
        }
        widened.push((reader, op));
    }
    for (reader, op) in widened {
        graph.nodes[reader].op = op;
    }
    remove(graph, index);
    Ok(())
}

/// Adds a border to an axis, if every window still covers a place of the map.
fn widen(axis: &mut Axis, [before, after]: [usize; 2]) -> bool {
    axis.before += before;
    axis.after += after;
    axis.before.max(axis.after) < axis.reach()
}

/// Whether no value of a source is negative.
fn is_rectified(graph: &Graph, source: usize) -> bool {
    let Some(node) = source.checked_sub(1).and_then(|index| graph.nodes.get(index)) else { return false };
    match &node.op {
        Operation::Activation(Activation::Relu | Activation::Sigmoid) => true,
        Operation::Activation(Activation::Clip { low, .. }) => *low >= 0.0,
        Operation::MaxPool(_) | Operation::AveragePool(_) => is_rectified(graph, node.inputs[0]),
        _ => false,
    }
}
