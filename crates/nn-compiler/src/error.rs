//! Why a network could not be compiled.

use nn::onnx::Refusal;
use std::collections::BTreeSet;

/// Why a network could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The network itself is not valid.
    #[error(transparent)]
    Network(#[from] nn::NetworkError),
    /// Nodes of the network that no unit of the chip can do, all of them.
    #[error("network `{network}`: {} of its nodes cannot be mapped:{}", distinct(nodes), list(nodes))]
    Nodes {
        /// Name of the network.
        network: String,
        /// The nodes, in the order of the network.
        nodes: Vec<Refusal>,
    },
    /// A layer cannot be mapped.
    #[error("layer `{layer}`: {what}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// What is wrong and what can be done.
        what: String,
    },
    /// The network does not fit the chip, or the chip's own settings do not fit together.
    #[error("chip `{chip}`: {what}")]
    Chip {
        /// Name of the chip.
        chip: String,
        /// What is wrong and what is allowed.
        what: String,
    },
}

impl CompileError {
    pub(crate) fn layer(layer: &str, what: impl Into<String>) -> Self {
        Self::Layer { layer: layer.to_owned(), what: what.into() }
    }

    pub(crate) fn chip(chip: &chip::config::Chip, what: impl Into<String>) -> Self {
        Self::Chip { chip: chip.name.clone(), what: what.into() }
    }
}

/// How many nodes there are; of one several things may be wrong.
fn distinct(nodes: &[Refusal]) -> usize {
    nodes.iter().map(|refusal| refusal.node.as_str()).collect::<BTreeSet<_>>().len()
}

/// What is wrong with the nodes, one thing a line.
fn list(nodes: &[Refusal]) -> String {
    nodes.iter().map(|node| format!("\n  {node}")).collect()
}
