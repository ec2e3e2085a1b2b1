//! Part of `canonicalise`: borders of zeros become the padding of the windows that read them.

use super::rewrite::{readers, remove};
use crate::refusals::Refusals;
use nn::graph::{Activation, Graph, Node, Operation, Pad};
use nn::{Axis, Shape};

/// Takes all borders out of a graph, but for those that the windows behind them could not have themselves, which are refused.
pub(super) fn absorb_padding(graph: &mut Graph, refusals: &mut Refusals) {
    let mut index = 0;
    while index < graph.nodes.len() {
        let Operation::Pad(pad) = graph.nodes[index].op else {
            index += 1;
            continue;
        };
        match widened(graph, index, pad) {
            Ok(readers) => {
                for (reader, op) in readers {
                    graph.nodes[reader].op = op;
                }
                remove(graph, index);
            }
            Err((problem, remedy)) => {
                refusals.push((&graph.nodes[index].name, "pad"), problem, remedy);
                index += 1;
            }
        }
    }
}

const BORDER: &str = "a border must be zeros around the pixels, and narrower than the windows behind it";

/// A border around another one of the same value: one border.
fn joined(first: Pad, second: Pad) -> Option<Pad> {
    let sum = |a: [usize; 2], b: [usize; 2]| [a[0] + b[0], a[1] + b[1]];
    let (channels, height, width) =
        (sum(first.channels, second.channels), sum(first.height, second.height), sum(first.width, second.width));
    (first.value == second.value).then_some(Pad { channels, height, width, ..first })
}

/// The readers of node `index` with its border as their own, or what is wrong and what could be done.
fn widened(graph: &Graph, index: usize, pad: Pad) -> Result<Vec<(usize, Operation)>, (String, String)> {
    let refuse = |problem: String, remedy: &str| Err((problem, remedy.to_owned()));
    let readers = &readers(graph)[index + 1];
    let rectified = is_rectified(graph, graph.nodes[index].inputs[0]);
    if readers.is_empty() {
        return refuse("it ends the network".to_owned(), "remove it");
    }
    let behind = |&reader: &usize| match graph.nodes[reader].op {
        Operation::Pad(next) => joined(pad, next).map(|pad| (reader, Operation::Pad(pad))),
        _ => None,
    };
    if let Some(joined) = readers.iter().map(behind).collect() {
        return Ok(joined);
    }
    if pad.channels != [0, 0] {
        return refuse("it adds channels".to_owned(), BORDER);
    }
    let mut widened = Vec::new();
    for &reader in readers {
        let Node { name, op, .. } = &graph.nodes[reader];
        let mut op = op.clone();
        // A maximum leaves its own padding out: zeros make no difference among values of 0 and above, and the lowest number never does.
        let no_maximum = pad.value == f32::MIN || (pad.value == 0.0 && rectified);
        let axes = match &mut op {
            Operation::MaxPool(pool) if no_maximum => [&mut pool.vertical, &mut pool.horizontal],
            Operation::MaxPool(_) => {
                let problem = format!(
                    "`{name}` takes maxima of it and of values that may be negative, and no unit of the chip writes a border"
                );
                return refuse(problem, "put the ReLU in front of it, or let the max pooling have the padding itself");
            }
            _ if pad.value != 0.0 => {
                return refuse(format!("`{name}` reads it, and its value is {}, not 0", pad.value), BORDER);
            }
            Operation::Conv(conv) => [&mut conv.vertical, &mut conv.horizontal],
            Operation::AveragePool(pool)
                if pool.count_padding || !pool.window(Shape { channels: 1, height: 1, width: 1 }).is_padded() =>
            {
                // Its zeros count, those of padding do so too if it says so.
                pool.count_padding = true;
                [&mut pool.vertical, &mut pool.horizontal]
            }
            _ => return refuse(format!("`{name}` ({}) reads it", op.kind()), BORDER),
        };
        let [vertical, horizontal] = axes;
        if !(widen(vertical, pad.height) && widen(horizontal, pad.width)) {
            return refuse(format!("its border is as wide as the windows of `{name}`"), BORDER);
        }
        widened.push((reader, op));
    }
    Ok(widened)
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
        Operation::MaxPool(_) | Operation::AveragePool(_) | Operation::Quantise(_) => {
            is_rectified(graph, node.inputs[0])
        }
        Operation::Add | Operation::Concat => node.inputs.iter().all(|&source| is_rectified(graph, source)),
        _ => false,
    }
}
