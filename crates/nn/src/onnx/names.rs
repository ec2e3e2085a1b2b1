//! Every name of a graph stands for one tensor.

use super::proto::GraphProto;
use std::collections::BTreeSet;

/// Refuses graphs in which a name is given twice: to results of nodes, constants or inputs. A constant may be listed as an input, too, as old exports do.
pub(super) fn check(graph: &GraphProto) -> Result<(), String> {
    let constants = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let results = || graph.node.iter().flat_map(|node| &node.output).map(String::as_str);
    let mut known = BTreeSet::new();
    if let Some(twice) = constants.chain(results()).filter(|name| !name.is_empty()).find(|name| !known.insert(*name)) {
        return Err(format!("the name `{twice}` is given to two tensors, allowed: one (check it with onnx.checker)"));
    }
    let inputs: BTreeSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    match results().find(|name| inputs.contains(name)) {
        Some(made) => Err(format!("the name `{made}` is given to an input and to a result, allowed: to one of them")),
        None => Ok(()),
    }
}
