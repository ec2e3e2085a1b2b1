//! What a graph must be, and what follows from its shapes.

use super::{Graph, Node, Operation};
use crate::Shape;
use crate::error::{Invalid, NetworkError, check_name};
use std::collections::BTreeSet;

impl Graph {
    /// Checks everything that inference, the compiler and the files rely on: names, sources, sizes, shapes, finite parameters.
    ///
    /// # Errors
    /// The first value that is not allowed, with the name of its node.
    pub fn validate(&self) -> Result<(), NetworkError> {
        check_name("name", &self.name).map_err(|invalid| self.error(invalid))?;
        check_name("dataset", &self.dataset).map_err(|invalid| self.error(invalid))?;
        let mut names = BTreeSet::new();
        for node in &self.nodes {
            let unique = names.insert(node.name.as_str());
            let unique = unique.then_some(()).ok_or_else(|| Invalid::new("name", &node.name, "names used only once"));
            check_name("name", &node.name)
                .and(unique)
                .and_then(|()| node.op.validate())
                .map_err(|invalid| self.node_error(node, invalid))?;
        }
        self.shapes()?;
        self.check_all_read()
    }

    /// Shape of every node's result, first to last.
    ///
    /// # Errors
    /// If there is no node, a source does not stand before its node, or an operation does not fit its sources.
    pub fn shapes(&self) -> Result<Vec<Shape>, NetworkError> {
        self.input.validate().map_err(|invalid| self.error(invalid))?;
        if self.nodes.is_empty() {
            return Err(self.error(Invalid::new("number of nodes", 0, "at least 1")));
        }
        let mut known = vec![self.input];
        for node in &self.nodes {
            let shape = |&source: &usize| {
                known.get(source).copied().ok_or_else(|| {
                    let allowed = format!("sources before the node, 0 to {}", known.len() - 1);
                    Invalid::new("source", source, allowed)
                })
            };
            let inputs: Result<Vec<Shape>, Invalid> = node.inputs.iter().map(shape).collect();
            let output = inputs.and_then(|inputs| node.op.output_shape(&inputs));
            known.push(output.map_err(|invalid| self.node_error(node, invalid))?);
        }
        Ok(known.split_off(1))
    }

    /// Refuses a node whose result nothing reads; the last one's is the network's.
    fn check_all_read(&self) -> Result<(), NetworkError> {
        let read: BTreeSet<usize> = self.nodes.iter().flat_map(|node| node.inputs.iter().copied()).collect();
        match (1..self.nodes.len()).find(|source| !read.contains(source)) {
            Some(source) => {
                let node = &self.nodes[source - 1];
                Err(self.node_error(node, Invalid::new("number of readers", 0, "at least 1 but for the last node")))
            }
            None => Ok(()),
        }
    }

    /// Number of weights and biases, factors and shifts.
    #[must_use]
    pub fn parameter_count(&self) -> u64 {
        let count = |node: &Node| match &node.op {
            Operation::Conv(conv) => conv.weight.len() + conv.bias.len(),
            Operation::Linear(linear) => linear.weight.len() + linear.bias.len(),
            Operation::Affine(affine) => affine.factor.values().len() + affine.shift.values().len(),
            _ => 0,
        };
        self.nodes.iter().map(|node| count(node) as u64).sum()
    }

    /// Multiply-accumulate operations of the convolutions and linear layers for one image, biases not counted.
    ///
    /// # Errors
    /// If the shapes of the nodes do not fit one another.
    pub fn mac_count(&self) -> Result<u64, NetworkError> {
        let macs = |(node, shape): (&Node, &Shape)| match &node.op {
            Operation::Conv(conv) => conv.weight.len() as u64 * (shape.height * shape.width) as u64,
            Operation::Linear(linear) => linear.weight.len() as u64,
            _ => 0,
        };
        Ok(self.nodes.iter().zip(&self.shapes()?).map(macs).sum())
    }

    pub(super) fn error(&self, invalid: Invalid) -> NetworkError {
        NetworkError::Network { network: self.name.clone(), invalid: invalid.into() }
    }

    fn node_error(&self, node: &Node, invalid: Invalid) -> NetworkError {
        NetworkError::Layer { network: self.name.clone(), layer: node.name.clone(), invalid: invalid.into() }
    }
}
