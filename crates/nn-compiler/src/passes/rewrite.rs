//! What passes do to the list of nodes of a graph.

use nn::graph::Graph;

/// The nodes that read each source, by index into `graph.nodes`; entry 0 is the graph's input.
pub(crate) fn readers(graph: &Graph) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); graph.nodes.len() + 1];
    for (index, node) in graph.nodes.iter().enumerate() {
        for &source in &node.inputs {
            readers[source].push(index);
        }
    }
    readers
}

/// The only reader of the result of node `index`, if there is exactly one and it reads it once.
pub(crate) fn only_reader(graph: &Graph, index: usize) -> Option<usize> {
    let read = |node: &nn::graph::Node| node.inputs.iter().filter(|&&source| source == index + 1).count();
    let mut readers = graph.nodes.iter().enumerate().skip(index + 1).filter(|(_, node)| read(node) > 0);
    match (readers.next(), readers.next()) {
        (Some((reader, node)), None) if read(node) == 1 => Some(reader),
        _ => None,
    }
}

/// Takes a node with one source out: its readers read its source.
pub(super) fn remove(graph: &mut Graph, index: usize) {
    let source = graph.nodes[index].inputs[0];
    graph.nodes.remove(index);
    for node in &mut graph.nodes[index..] {
        for input in &mut node.inputs {
            *input = match *input {
                read if read == index + 1 => source,
                read if read > index + 1 => read - 1,
                read => read,
            };
        }
    }
}

/// Removes every node with one source that `is_idle`, as long as another node remains.
pub(super) fn remove_where(graph: &mut Graph, is_idle: impl Fn(&Graph, usize) -> bool) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if graph.nodes.len() > 1 && graph.nodes[index].inputs.len() == 1 && is_idle(graph, index) {
            remove(graph, index);
        } else {
            index += 1;
        }
    }
}
