//! Passes over a float graph: each makes of a graph another one that computes the same, closer to what a chip does.
//!
//! Adding one is a file and a line in [`GRAPH_PASSES`]. Behind every pass the graph is checked, and can be written out.

mod affine;
mod canonicalise;
mod dump;
mod equalise;
mod fold;
mod order;
mod padding;
mod rewrite;

pub use dump::dump;

use crate::error::CompileError;
use crate::refusals::Refusals;
use canonicalise::Canonicalise;
use equalise::Equalise;
use fold::FoldBatchNorm;
use nn::graph::Graph;
pub(crate) use rewrite::{only_reader, readers};

/// What the passes are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassSettings {
    /// Whether the ranges of neighbouring layers' channels are made equal.
    pub equalise: bool,
}

/// A rewriting of a graph.
pub trait GraphPass: Sync {
    /// Kebab-case name.
    fn name(&self) -> &'static str;

    /// What it does, in one line.
    fn doc(&self) -> &'static str;

    /// Rewrites the graph. What the chip has no unit for stays in it and is noted in `refusals`.
    ///
    /// # Errors
    /// If the network computes nothing, or is not valid.
    fn run(&self, graph: &mut Graph, settings: &PassSettings, refusals: &mut Refusals) -> Result<(), CompileError>;
}

/// All of them, in their order.
pub static GRAPH_PASSES: &[&dyn GraphPass] = &[&Canonicalise, &FoldBatchNorm, &Equalise];

/// Runs all passes; shows `observe` the name of each and the graph behind it. What the chip has no unit for stays in the graph and is noted in
/// `refusals`.
///
/// # Errors
/// If the graph is not valid, or computes nothing.
pub fn run(
    graph: &Graph,
    settings: &PassSettings,
    refusals: &mut Refusals,
    observe: &mut dyn FnMut(&str, &Graph),
) -> Result<Graph, CompileError> {
    graph.validate()?;
    let mut graph = graph.clone();
    observe("import", &graph);
    for pass in GRAPH_PASSES {
        pass.run(&mut graph, settings, refusals)?;
        graph.validate()?;
        observe(pass.name(), &graph);
    }
    Ok(graph)
}

#[cfg(test)]
mod tests;
