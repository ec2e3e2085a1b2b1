//! The arithmetic between the pixels of a data set and the input of a network, as a first node of the network.

use super::InputConfig;
use crate::error::ExploreError;
use crate::npy;
use nn::Shape;
use nn::graph::{Affine, Coefficients, Graph, Node, Operation};
use std::path::Path;

/// Puts `(pixel * scale - mean) / std` in front of a network, unless it changes nothing.
///
/// # Errors
/// If there are not as many numbers as channels or values, or a deviation is not positive.
pub(super) fn normalise(
    graph: Graph,
    input: &InputConfig,
    (mean_file, std_file): (Option<&Path>, Option<&Path>),
) -> Result<Graph, ExploreError> {
    let shape = graph.input;
    let mean = match mean_file {
        Some(path) => of_values(path, shape)?,
        None => per_value("input.mean", &input.mean, shape)?,
    };
    let std = match std_file {
        Some(path) => positive(path, of_values(path, shape)?)?,
        None => per_value("input.std", &input.std, shape)?,
    };
    let numbers = |of: &dyn Fn(usize) -> f64| {
        Coefficients::compact((0..shape.len()).map(|index| of(index) as f32).collect(), shape)
    };
    let affine = Affine { factor: numbers(&|i| input.scale / std[i]), shift: numbers(&|i| -mean[i] / std[i]) };
    let idle = affine == Affine { factor: Coefficients::Map(1.0), shift: Coefficients::Map(-0.0) };
    Ok(if idle { graph } else { prepend(graph, Operation::Affine(affine)) })
}

/// One number for every value of an image.
fn per_value(key: &str, numbers: &[f64], shape: Shape) -> Result<Vec<f64>, ExploreError> {
    let pixels = shape.height * shape.width;
    match numbers {
        [number] => Ok(vec![*number; shape.len()]),
        numbers if numbers.len() == shape.channels => {
            Ok(numbers.iter().flat_map(|&number| std::iter::repeat_n(number, pixels)).collect())
        }
        numbers => Err(ExploreError::Request(format!(
            "{key} has {} numbers; allowed is 1, or {} for an input of {shape}",
            numbers.len(),
            shape.channels
        ))),
    }
}

/// Refuses numbers that nothing can be divided by.
fn positive(path: &Path, numbers: Vec<f64>) -> Result<Vec<f64>, ExploreError> {
    match numbers.iter().find(|number| !(number.is_finite() && **number > 0.0)) {
        Some(number) => {
            Err(ExploreError::Request(format!("{}: holds {number}; allowed are positive numbers", path.display())))
        }
        None => Ok(numbers),
    }
}

/// Numbers of single values, channels first.
fn of_values(path: &Path, shape: Shape) -> Result<Vec<f64>, ExploreError> {
    let refuse = |what: String| ExploreError::Request(format!("{}: {what}", path.display()));
    let array = npy::read(&crate::simulate::read_bounded(path, 1 << 28)?).map_err(refuse)?;
    let Shape { channels, height, width } = shape;
    if array.shape == [channels, height, width] {
        return Ok(array.values);
    }
    if array.shape == [height, width, channels] {
        let value = |(channel, pixel): (usize, usize)| array.values[pixel * channels + channel];
        let all = (0..channels).flat_map(|channel| (0..height * width).map(move |pixel| (channel, pixel)));
        return Ok(all.map(value).collect());
    }
    Err(refuse(format!(
        "holds {:?} numbers; an input of {shape} takes [{channels}, {height}, {width}] or [{height}, {width}, {channels}]",
        array.shape
    )))
}

fn prepend(mut graph: Graph, op: Operation) -> Graph {
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(|source| *source += 1);
    }
    let taken = |name: &str| graph.nodes.iter().any(|node| node.name == name);
    let name =
        (0..).map(|n| if n == 0 { "normalise".to_owned() } else { format!("normalise{n}") }).find(|name| !taken(name));
    graph.nodes.insert(0, Node { name: name.unwrap_or_default(), inputs: vec![0], op });
    graph
}
