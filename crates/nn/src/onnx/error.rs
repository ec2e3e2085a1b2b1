//! Why an ONNX file could not be imported.

use super::ops;
use crate::error::{Invalid, NetworkError};
use std::fmt;
use std::path::PathBuf;

/// Why an ONNX file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not an ONNX model, is damaged, or uses a form of storage that is not read.
    #[error("ONNX model `{name}`: {problem}")]
    Model {
        /// Name of the network.
        name: String,
        /// What is wrong, and what is allowed.
        problem: String,
    },
    /// Nodes of the model that cannot be imported, all of them.
    #[error("ONNX model `{name}`: {} of its nodes cannot be imported:{}", nodes.len(), list(nodes))]
    Nodes {
        /// Name of the network.
        name: String,
        /// The nodes, in the order of the file.
        nodes: Vec<Refusal>,
    },
    /// The network that the model describes cannot be used.
    #[error("ONNX {0}")]
    Network(#[from] NetworkError),
}

/// A node that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its name, or that of its first result.
    pub node: String,
    /// Its operator, with the domain if it is not that of ONNX itself.
    pub operator: String,
    /// What is wrong with it.
    pub problem: String,
    /// What could be done.
    pub remedy: String,
}

/// What is wrong with one node.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) problem: String,
    pub(super) remedy: String,
}

impl Problem {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }

    /// A node that does not follow the specification.
    pub(super) fn broken(problem: impl Into<String>) -> Self {
        Self::new(problem, "export the model again, or check it with onnx.checker")
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::broken(invalid.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}): {}; {}", self.node, self.operator, self.problem, self.remedy)
    }
}

/// The nodes, one a line, and what they can be rewritten with if that is the remedy for one.
fn list(nodes: &[Refusal]) -> String {
    let lines = nodes.iter().map(|node| format!("\n  {node}"));
    let rewritten = nodes.iter().any(|node| node.remedy == ops::REWRITE);
    lines.chain(rewritten.then(|| format!("\noperators for maps: {}", ops::of_maps()))).collect()
}
