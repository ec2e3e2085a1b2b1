//! Graphs of weights from elsewhere: a TOML file that says what the layers are, and a safetensors file with the tensors that it names.
//!
//! ```toml
//! format_version = 1
//! kind = "graph"
//! name = "small"
//! dataset = "mnist"
//! input = { channels = 1, height = 28, width = 28 }
//!
//! [[nodes]]
//! name = "conv1"
//! op = "conv"
//! weight = "features.0.weight"  # name of a tensor; its sizes are those of the layer
//! bias = "features.0.bias"
//! padding = [1, 1, 1, 1]        # above, left, below, right
//!
//! [[nodes]]
//! name = "sum"
//! op = "add"
//! inputs = ["conv1", "input"]   # the node before, if left out; `input` is the network's
//! ```
//!
//! Tensors that no node names are left alone, as exports hold more than inference needs. Networks that were trained here are written in the same
//! format, with `weight_scale`, the value of one integer step of the weights.

mod read;
mod records;
mod write;

use super::Graph;
use crate::error::Invalid;
use crate::files::{self, FileError};
use records::{GraphRecord, NodeRecord, OpRecord};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::path::Path;

/// Largest description, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Largest file of weights, in bytes.
const MAX_WEIGHT_BYTES: usize = 1 << 30;
/// Version of the format; readers refuse any other.
pub const FORMAT_VERSION: u32 = 1;

/// Reads the graph that `description` makes of the tensors in `weights`.
///
/// # Errors
/// If a file is missing, damaged, too large or of another version, names a tensor that is not there or does not fit, or does not describe a
/// valid graph.
pub fn load(description: &Path, weights: &Path) -> Result<Graph, FileError> {
    let text = files::read(description, MAX_TEXT_BYTES)?;
    let text = String::from_utf8(text).map_err(|error| FileError::damaged(description, error.to_string()))?;
    from_text(&text, description, weights)
}

/// As [`load`], of a description that has been read already; `description` is what errors call it.
///
/// # Errors
/// As [`load`].
pub fn from_text(text: &str, description: &Path, weights: &Path) -> Result<Graph, FileError> {
    decode(text, description, &files::read(weights, MAX_WEIGHT_BYTES)?, weights)
}

/// As [`from_text`], of tensors that have been read already; `weights` is what errors call them.
///
/// # Errors
/// As [`load`].
pub fn decode(text: &str, description: &Path, bytes: &[u8], weights: &Path) -> Result<Graph, FileError> {
    let damaged = |problem: String| FileError::damaged(description, problem);
    let record = GraphRecord::parse(text).map_err(damaged)?;
    let tensors = SafeTensors::deserialize(bytes);
    let tensors = tensors.map_err(|error| FileError::damaged(weights, error.to_string()))?;
    let graph = record.into_graph(&Tensors(&tensors)).map_err(damaged)?;
    graph.validate().map_err(|source| FileError::Network { file: description.to_owned(), source })?;
    Ok(graph)
}

/// The description `text` as a reader without its weights understands it, in the form that [`save`] writes; `description` is what errors call it.
///
/// # Errors
/// If it is damaged, of another version, or names an operation, key or source that is unknown. Whether tensors fit only [`load`] can say.
pub fn check(text: &str, description: &Path) -> Result<String, FileError> {
    let damaged = |problem: String| FileError::damaged(description, problem);
    let mut record = GraphRecord::parse(text).map_err(damaged)?;
    record.input.validate().map_err(|invalid| damaged(invalid.to_string()))?;
    let mut before = Vec::with_capacity(record.nodes.len());
    for node in &mut record.nodes {
        let problem = |problem: String| damaged(format!("node `{}`: {problem}", node.name));
        if before.contains(&node.name) {
            return Err(problem(Invalid::new("name", &node.name, "names used only once").to_string()));
        }
        sources(node, &before).map_err(problem)?;
        let op = OpRecord::deserialize(node.op.clone()).map_err(|error| problem(error.to_string()))?;
        node.op = toml::Table::try_from(op).map_err(|error| problem(error.to_string()))?;
        before.push(node.name.clone());
    }
    toml::to_string(&record).map_err(|error| damaged(error.to_string()))
}

/// Writes a graph that [`load`] reads back exactly; existing files are replaced, each at once.
///
/// # Errors
/// If the graph is not valid or holds an operation of quantised networks, or a file cannot be written.
pub fn save(graph: &Graph, description: &Path, weights: &Path) -> Result<(), FileError> {
    let (text, tensors) = encode(graph, description)?;
    files::replace(weights, &tensors)?;
    files::replace(description, text.as_bytes())
}

/// The description of a graph and the bytes of its tensors, as [`save`] writes them; `description` is what errors call it.
///
/// # Errors
/// If the graph is not valid or holds an operation of quantised networks.
pub fn encode(graph: &Graph, description: &Path) -> Result<(String, Vec<u8>), FileError> {
    graph.validate().map_err(|source| FileError::Network { file: description.to_owned(), source })?;
    write::encode(graph).map_err(|problem| FileError::damaged(description, problem))
}

/// The tensors of a file.
pub(super) struct Tensors<'a>(&'a SafeTensors<'a>);

impl Tensors<'_> {
    /// Sizes and values of a tensor.
    pub(super) fn read(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let tensor = self.0.tensor(name).map_err(|_| {
            let mut known = self.0.names();
            known.sort_unstable();
            format!("tensor `{name}` is missing, allowed: {}", known.join(", "))
        })?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` has type {:?}, allowed: F32", tensor.dtype()));
        }
        let (values, _) = tensor.data().as_chunks::<4>();
        Ok((tensor.shape().to_vec(), values.iter().map(|&value| f32::from_le_bytes(value)).collect()))
    }

    /// Values of a tensor with one axis.
    pub(super) fn list(&self, name: &str, length: usize) -> Result<Vec<f32>, String> {
        let (sizes, values) = self.read(name)?;
        if sizes == [length] {
            return Ok(values);
        }
        Err(format!("tensor `{name}` has the sizes {sizes:?}, allowed: [{length}]"))
    }
}

impl GraphRecord {
    /// The graph with its tensors.
    fn into_graph(self, tensors: &Tensors<'_>) -> Result<Graph, String> {
        let mut graph = Graph { name: self.name, dataset: self.dataset, input: self.input, nodes: Vec::new() };
        let (mut shapes, mut before) = (vec![graph.input], Vec::new());
        graph.input.validate().map_err(|invalid| invalid.to_string())?;
        for record in self.nodes {
            let problem = |problem: String| format!("node `{}`: {problem}", record.name);
            let inputs = sources(&record, &before).map_err(problem)?;
            let of: Vec<_> = inputs.iter().map(|&source| shapes[source]).collect();
            let op = OpRecord::deserialize(record.op.clone()).map_err(|error| problem(error.to_string()))?;
            let op = op.operation(&of, tensors).map_err(problem)?;
            op.validate().map_err(|invalid| problem(invalid.to_string()))?;
            shapes.push(op.output_shape(&of).map_err(|invalid| problem(invalid.to_string()))?);
            before.push(record.name.clone());
            graph.nodes.push(super::Node { name: record.name, inputs, op });
        }
        Ok(graph)
    }
}

/// The numbers of a node's sources; `before` are the names of the nodes before it.
fn sources(record: &NodeRecord, before: &[String]) -> Result<Vec<usize>, String> {
    let Some(names) = &record.inputs else {
        return Ok(vec![before.len()]);
    };
    let number = |name: &String| {
        let found = before.iter().position(|node| node == name).map(|index| index + 1);
        let found = if name == "input" { Some(0) } else { found };
        found.ok_or_else(|| format!("input `{name}` is unknown, allowed: `input` or the name of a node before"))
    };
    names.iter().map(number).collect()
}

#[cfg(test)]
mod tests;
