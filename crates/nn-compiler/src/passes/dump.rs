//! A graph as text: one node a line, what it reads, the shape of its result and its parameters in short.

use nn::Shape;
use nn::graph::{Coefficients, Graph, Node, Operation, WeightScale};
use std::fmt::Write;

/// The graph, node by node. Weights are named by their number and range, so that the text of a large network stays short.
#[must_use]
pub fn dump(graph: &Graph) -> String {
    let mut text = format!("graph {} ({}), input %0 {}\n", graph.name, graph.dataset, graph.input);
    let shapes = graph.shapes().unwrap_or_default();
    for (index, node) in graph.nodes.iter().enumerate() {
        line(&mut text, index, node, shapes.get(index).copied());
    }
    text
}

fn line(text: &mut String, index: usize, node: &Node, shape: Option<Shape>) {
    let sources: Vec<String> = node.inputs.iter().map(|source| format!("%{source}")).collect();
    let shape = shape.map_or_else(String::new, |shape| shape.to_string());
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "%{} {shape} = {} {} `{}`{}",
        index + 1,
        node.op.kind(),
        sources.join(" "),
        node.name,
        details(&node.op)
    );
}

fn details(op: &Operation) -> String {
    match op {
        Operation::Conv(conv) => {
            let axis = |axis: nn::Axis| {
                format!("{}/{}+{} pad {},{}", axis.kernel, axis.stride, axis.dilation, axis.before, axis.after)
            };
            let (groups, vertical, horizontal) = (conv.groups, axis(conv.vertical), axis(conv.horizontal));
            format!(" groups {groups} down {vertical} along {horizontal}{}", weights(&conv.weight, &conv.weight_scale))
        }
        Operation::Linear(linear) => weights(&linear.weight, &linear.weight_scale),
        Operation::Affine(affine) => {
            format!(" factor {} shift {}", coefficients(&affine.factor), coefficients(&affine.shift))
        }
        Operation::Quantise(quantise) => {
            let (lowest, highest) = quantise.codes();
            format!(" codes {lowest} to {highest} scale {}", coefficients(&quantise.scale))
        }
        _ => String::new(),
    }
}

fn weights(weight: &[f32], scale: &WeightScale) -> String {
    let scale = match scale {
        WeightScale::Free => "free".to_owned(),
        WeightScale::Tensor(scale) => scale.to_string(),
        WeightScale::Channel(scales) => format!("of {} channels", scales.len()),
    };
    let (low, high) = range(weight);
    format!(" {} weights {low} to {high}, scale {scale}", weight.len())
}

fn coefficients(coefficients: &Coefficients) -> String {
    let values = coefficients.values();
    match values {
        [value] => value.to_string(),
        values => {
            let (low, high) = range(values);
            format!("{low} to {high} ({})", values.len())
        }
    }
}

fn range(values: &[f32]) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}
