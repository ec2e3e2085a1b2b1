//! Part of `canonicalise`: transpositions and reshapes move behind the element-wise nodes that follow them, until they cancel out or meet a
//! linear layer, whose weights are put in the other order. A chip has no unit that reorders maps.

use crate::error::CompileError;
use nn::Shape;
use nn::graph::{Coefficients, Graph, Linear, Node, Operation, Reorder};

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

/// Takes all transpositions and reshapes out of a graph.
///
/// # Errors
/// If one stands between nodes that read maps in their own order.
pub(super) fn absorb_orders(graph: &mut Graph) -> Result<(), CompileError> {
    take_shape_of_input(graph);
    let shapes = graph.shapes()?;
    let (mut nodes, mut views) = (Vec::new(), vec![View::plain(0, graph.input)]);
    for (node, shape) in std::mem::take(&mut graph.nodes).into_iter().zip(shapes) {
        let inputs: Vec<View> = node.inputs.iter().map(|&source| views[source].clone()).collect();
        views.push(emit(node, &inputs, shape, &mut nodes)?);
    }
    graph.nodes = nodes;
    match views.last() {
        Some(view) if view.order.is_some() => Err(CompileError::layer(
            "output",
            "the network ends with a transposition; remove it and read the scores in the order of the layer before it",
        )),
        _ => Ok(()),
    }
}

/// A network that reshapes its input before anything else has an input of that shape.
fn take_shape_of_input(graph: &mut Graph) {
    while let [first, _, ..] = graph.nodes.as_slice()
        && let Operation::Reshape(shape) = first.op
        && super::rewrite::readers(graph)[0] == [0]
    {
        graph.input = shape;
        super::rewrite::remove(graph, 0);
    }
}

fn emit(node: Node, inputs: &[View], shape: Shape, nodes: &mut Vec<Node>) -> Result<View, CompileError> {
    let Node { name, op, .. } = node;
    let mut push = |op: Operation, sources: Vec<usize>| {
        nodes.push(Node { name: name.clone(), inputs: sources, op });
        nodes.len()
    };
    match (op, inputs) {
        (Operation::Reshape(seen), [view]) => Ok(View { seen, ..view.clone() }),
        (Operation::Reorder(reorder), [view]) => Ok(view.reordered(&reorder)),
        (Operation::Linear(linear), [view]) => {
            let source = push(Operation::Linear(view.weights_for(linear)), vec![view.source]);
            Ok(View::plain(source, shape))
        }
        (op, [view]) if element_wise(&op) => {
            let source = push(view.coefficients_for(op), vec![view.source]);
            Ok(View { source, ..view.clone() })
        }
        (Operation::Add, [first, second]) if first.order == second.order && first.stored == second.stored => {
            Ok(View { source: push(Operation::Add, vec![first.source, second.source]), ..first.clone() })
        }
        (op, views) => match views.iter().all(View::is_plain) {
            true => Ok(View::plain(push(op, views.iter().map(|view| view.source).collect()), shape)),
            false => Err(CompileError::layer(
                &name,
                format!(
                    "`{}` reads a map whose values a transposition or a reshape before it has put in another order, which no unit of the chip can \
                     do; transpose where the network is exported, or say that its input is laid out as nhwc",
                    op.kind()
                ),
            )),
        },
    }
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
    )
}

impl View {
    fn plain(source: usize, shape: Shape) -> Self {
        Self { source, stored: shape, seen: shape, order: None }
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
        let same = order.iter().enumerate().all(|(index, &place)| index == place as usize);
        Self { seen: by.shape, order: (!same).then_some(order), ..self.clone() }
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
