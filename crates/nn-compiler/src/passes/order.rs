//! Part of `canonicalise`: transpositions and reshapes move behind the element-wise nodes that follow them, until they cancel out or meet a
//! linear layer, whose weights are put in the other order. A chip has no unit that reorders maps.

use crate::error::CompileError;
use crate::refusals::Refusals;
use nn::Shape;
use nn::graph::{Coefficients, Graph, Linear, Node, Operation, Reorder};
use std::collections::BTreeSet;

/// A result as its readers see it: the values of a source in another order or another shape.
#[derive(Clone)]
struct View {
    /// The source, numbered in the new graph.
    source: usize,
    stored: Shape,
    seen: Shape,
    /// For every value as seen its place in the source; none if the order is the same.
    order: Option<Vec<u32>>,
}

/// Takes all transpositions and reshapes out of a graph, but for those in front of nodes that read maps in their own order, which are refused.
///
/// # Errors
/// If the graph is not valid.
pub(super) fn absorb_orders(graph: &mut Graph, refusals: &mut Refusals) -> Result<(), CompileError> {
    take_shape_of_input(graph);
    let shapes = graph.shapes()?;
    let names = graph.nodes.iter().map(|node| node.name.clone()).collect();
    let mut viewer = Viewer { nodes: Vec::new(), names, refusals };
    let (mut views, mut last) = (vec![View::plain(0, graph.input)], None);
    for (node, shape) in std::mem::take(&mut graph.nodes).into_iter().zip(shapes) {
        let inputs: Vec<View> = node.inputs.iter().map(|&source| views[source].clone()).collect();
        last = Some((node.name.clone(), node.op.kind()));
        views.push(viewer.emit(node, &inputs, shape));
    }
    if let (Some(view), Some((name, kind))) = (views.last(), last)
        && view.order.is_some()
    {
        viewer.refusals.push(
            (&name, kind),
            "the results of the network are in another order than those of its last layer, and no unit of the chip reorders maps",
            "remove the transposition at the end, and read the scores in the order of the layer before it",
        );
    }
    graph.nodes = viewer.nodes;
    Ok(())
}

/// A network that reshapes its input before anything else has an input of that shape; but for a softmax, behind which the shape is as before.
fn take_shape_of_input(graph: &mut Graph) {
    while let [first, _, ..] = graph.nodes.as_slice()
        && let Operation::Reshape(shape) = first.op
        && super::rewrite::readers(graph)[0] == [0]
        && !super::rewrite::readers(graph)[1]
            .iter()
            .any(|&reader| matches!(graph.nodes[reader].op, Operation::Softmax(_)))
    {
        graph.input = shape;
        super::rewrite::remove(graph, 0);
    }
}

/// Writes the nodes of the new graph.
struct Viewer<'a> {
    nodes: Vec<Node>,
    /// Names that are taken.
    names: BTreeSet<String>,
    refusals: &'a mut Refusals,
}

impl Viewer<'_> {
    fn push(&mut self, name: &str, op: Operation, inputs: Vec<usize>) -> usize {
        self.nodes.push(Node { name: name.to_owned(), inputs, op });
        self.nodes.len()
    }

    /// Writes a node that reads views; returns its result.
    fn emit(&mut self, node: Node, inputs: &[View], shape: Shape) -> View {
        let Node { name, op, .. } = node;
        match (op, inputs) {
            (Operation::Reshape(seen), [view]) => View { seen, ..view.clone() },
            (Operation::Reorder(reorder), [view]) => view.reordered(&reorder),
            (Operation::Linear(linear), [view]) => {
                View::plain(self.push(&name, Operation::Linear(view.weights_for(linear)), vec![view.source]), shape)
            }
            (op, [view]) if element_wise(&op) => {
                if matches!(op, Operation::Softmax(_)) && view.is_split() {
                    self.refusals.push(
                        (&name, op.kind()),
                        "it makes shares of some of the scores each, so that the highest of all may be another one",
                        "end the network in front of it",
                    );
                }
                View { source: self.push(&name, view.coefficients_for(op), vec![view.source]), ..view.clone() }
            }
            (Operation::Add, [first, second]) if first.order == second.order && first.stored == second.stored => {
                View { source: self.push(&name, Operation::Add, vec![first.source, second.source]), ..first.clone() }
            }
            (Operation::Concat, views) if flattened(views) && same_pixels(views) => {
                let sources = views.iter().map(|view| view.source).collect();
                View::joined(self.push(&name, Operation::Concat, sources), views, shape)
            }
            (op, views) => {
                if !views.iter().all(View::is_plain) {
                    let (problem, remedy) = reason(&op, views);
                    self.refusals.push((&name, op.kind()), problem, remedy);
                }
                let sources = views.iter().map(|view| self.in_order(&name, view)).collect();
                View::plain(self.push(&name, op, sources), shape)
            }
        }
    }

    /// The source of a view in the order in which it is seen. What brings it there has no unit: it keeps the graph of a refused network valid.
    fn in_order(&mut self, reader: &str, view: &View) -> usize {
        let mut source = view.source;
        if let Some(order) = &view.order {
            let reorder = Reorder { shape: view.seen, order: order.clone() };
            let name = self.free_name(reader);
            source = self.push(&name, Operation::Reorder(reorder), vec![source]);
        } else if view.seen != view.stored {
            let name = self.free_name(reader);
            source = self.push(&name, Operation::Reshape(view.seen), vec![source]);
        }
        source
    }

    /// A name for what is written in front of a refused node.
    fn free_name(&mut self, reader: &str) -> String {
        let mut name = format!("{reader}.order");
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        self.refusals.excuse(&name);
        name
    }
}

/// What is wrong with a node that reads views which are not as their sources are, and what could be done.
fn reason(op: &Operation, views: &[View]) -> (&'static str, &'static str) {
    if matches!(op, Operation::Concat) && flattened(views) {
        return (
            "it joins flattened maps of different heights or widths, whose channels do not lie side by side",
            "pool them to one size in front of it, or add the results of a fully connected layer for each",
        );
    }
    (
        "it reads a map whose values a transposition or a reshape before it has put in another order, and no unit of the chip reorders maps",
        "transpose where the network is exported, or say that its input is laid out as nhwc",
    )
}

/// Whether all views are of one pixel.
fn flattened(views: &[View]) -> bool {
    views.iter().all(|view| view.seen.height * view.seen.width == 1)
}

/// Whether the sources of all views have one height and one width, so that their channels can be joined.
fn same_pixels(views: &[View]) -> bool {
    views.windows(2).all(|pair| {
        let [first, second] = [&pair[0].stored, &pair[1].stored];
        (first.height, first.width) == (second.height, second.width)
    })
}

/// Whether a node with one source computes every value from the value at its place alone.
fn element_wise(op: &Operation) -> bool {
    matches!(
        op,
        Operation::Activation(_)
            | Operation::Affine(_)
            | Operation::Quantise(_)
            | Operation::DynamicQuantise(_)
            | Operation::Sign(_)
            // No unit does it, and where it is the last node it is taken out or, if it mixes only some of the scores, refused.
            | Operation::Softmax(_)
    )
}

impl View {
    fn plain(source: usize, shape: Shape) -> Self {
        Self { source, stored: shape, seen: shape, order: None }
    }

    /// Flattened maps of one size, one behind the other: as those of the map of all their channels.
    fn joined(source: usize, views: &[Self], seen: Shape) -> Self {
        let mut stored = views.first().map_or(seen, |view| view.stored);
        stored.channels = views.iter().map(|view| view.stored.channels).sum();
        let mut order: Vec<u32> = Vec::with_capacity(seen.len());
        for view in views {
            let before = order.len();
            order.extend((0..view.seen.len()).map(|index| (before + view.place(index)) as u32));
        }
        Self { source, stored, seen, order: Some(order) }.compact()
    }

    /// Without an order that changes nothing.
    fn compact(self) -> Self {
        let moves = |order: &Vec<u32>| order.iter().enumerate().any(|(index, &place)| index != place as usize);
        Self { order: self.order.filter(moves), ..self }
    }

    /// Whether what is seen as the channels of one of several pixels is something else: a softmax over them then mixes some of the results.
    fn is_split(&self) -> bool {
        let channels = self.order.is_none() && self.seen.channels == self.stored.channels && self.seen.channels > 1;
        self.seen.height * self.seen.width > 1 && !channels
    }

    fn is_plain(&self) -> bool {
        self.order.is_none() && self.seen == self.stored
    }

    /// Place in the source of a value as seen.
    fn place(&self, index: usize) -> usize {
        self.order.as_ref().map_or(index, |order| order[index] as usize)
    }

    fn reordered(&self, by: &Reorder) -> Self {
        let order: Vec<u32> = by.order.iter().map(|&index| self.place(index as usize) as u32).collect();
        Self { seen: by.shape, order: Some(order), ..self.clone() }.compact()
    }

    /// The layer that computes the same from the source.
    fn weights_for(&self, mut linear: Linear) -> Linear {
        if self.order.is_some() {
            let rows = linear.weight.chunks_exact(linear.inputs).flat_map(|row| {
                let mut stored = vec![0.0; row.len()];
                row.iter().enumerate().for_each(|(index, &weight)| stored[self.place(index)] = weight);
                stored
            });
            linear.weight = rows.collect();
        }
        linear
    }

    /// The node that computes the same from the source: its coefficients belong to places of the source.
    fn coefficients_for(&self, op: Operation) -> Operation {
        match op {
            Operation::Affine(mut affine) => {
                affine.factor = self.stored_as(affine.factor);
                affine.shift = self.stored_as(affine.shift);
                Operation::Affine(affine)
            }
            Operation::Quantise(mut quantise) => {
                quantise.scale = self.stored_as(quantise.scale);
                quantise.zero_point = self.stored_as(quantise.zero_point);
                Operation::Quantise(quantise)
            }
            Operation::Sign(mut sign) => {
                sign.scale = self.stored_as(sign.scale);
                Operation::Sign(sign)
            }
            op => op,
        }
    }

    fn stored_as(&self, coefficients: Coefficients) -> Coefficients {
        if self.is_plain() || matches!(coefficients, Coefficients::Map(_)) {
            return coefficients;
        }
        let mut stored = vec![0.0; self.stored.len()];
        (0..stored.len()).for_each(|index| stored[self.place(index)] = coefficients.at(self.seen, index));
        Coefficients::compact(stored, self.stored)
    }
}
