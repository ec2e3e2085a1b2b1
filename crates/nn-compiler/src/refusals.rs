//! What of a network a chip cannot do, collected over the passes, so that one error names all of it.

use crate::error::CompileError;
use nn::graph::Graph;
use nn::onnx::Refusal;
use std::collections::BTreeSet;

/// The nodes that cannot be mapped so far. A pass leaves such a node where it is and goes on.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    nodes: Vec<Refusal>,
    /// Names of nodes that stand in the graph only because of a refused one.
    excused: BTreeSet<String>,
}

impl Refusals {
    /// Notes what is wrong with a node, and what could be done.
    pub(crate) fn push(
        &mut self,
        (node, operator): (&str, &str),
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (node, operator) = (node.to_owned(), operator.to_owned());
        self.nodes.push(Refusal { node, operator, problem: problem.into(), remedy: remedy.into() });
    }

    /// Notes that a node is there only because of one that is refused.
    pub(crate) fn excuse(&mut self, node: &str) {
        self.excused.insert(node.to_owned());
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether later passes need not say anything of a node.
    pub(crate) fn has(&self, node: &str) -> bool {
        self.excused.contains(node) || self.nodes.iter().any(|refusal| refusal.node == node)
    }

    /// An error that names all nodes, in the order of `order`; those that it does not name come last.
    ///
    /// # Errors
    /// If there are any.
    pub fn check(self, network: &str, order: &[&str]) -> Result<(), CompileError> {
        let mut nodes = self.nodes;
        if nodes.is_empty() {
            return Ok(());
        }
        nodes.sort_by_key(|refusal| order.iter().position(|name| *name == refusal.node).unwrap_or(usize::MAX));
        Err(CompileError::Nodes { network: network.to_owned(), nodes })
    }

    /// As [`Refusals::check`], in the order of the nodes of a graph.
    ///
    /// # Errors
    /// If there are any.
    pub fn check_in(self, graph: &Graph) -> Result<(), CompileError> {
        let order: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
        self.check(&graph.name, &order)
    }
}
