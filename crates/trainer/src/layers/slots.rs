//! Which results of a graph share memory.

use super::engine::EngineNode;

/// Memory of the images and of every node's result, by number: a result that is not read any more, going backward included, leaves its own to
/// a later one of the same size. `sizes` are those of the images and the results.
pub(super) fn slots(nodes: &[EngineNode], sizes: &[usize]) -> Vec<usize> {
    let last_reader = |result: usize| nodes.iter().rposition(|node| node.inputs.contains(&result));
    let kept = |result: usize| {
        let by_itself = result.checked_sub(1).is_none_or(|node| nodes[node].pass.reads().output);
        by_itself || nodes.iter().any(|node| node.pass.reads().inputs && node.inputs.contains(&result))
    };
    let mut slots: Vec<usize> = vec![0];
    let mut count = 1;
    for result in 1..sizes.len() {
        let done = |&earlier: &usize| {
            sizes[earlier] == sizes[result]
                && !kept(earlier)
                && last_reader(earlier).is_some_and(|reader| reader + 1 < result)
                && !slots[earlier + 1..].contains(&slots[earlier])
        };
        let slot = (1..result).rev().find(done).map(|earlier| slots[earlier]);
        slots.push(slot.unwrap_or(count));
        count += usize::from(slot.is_none());
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::super::Pass;
    use super::super::activation::ActivationPass;
    use super::super::layout::AddPass;
    use super::*;
    use nn::graph::Activation;

    /// ReLU is followed by others: its result stays, as does what a clipping reads; sums do not.
    #[test]
    fn what_is_not_read_again_leaves_its_memory() {
        let node = |pass: Box<dyn Pass>, inputs: &[usize]| EngineNode { pass, inputs: inputs.to_vec(), part: None };
        let add = |inputs: &[usize]| node(Box::new(AddPass), inputs);
        let activation = |kind, source| node(Box::new(ActivationPass(kind)), &[source]);
        let clip = Activation::Clip { low: 0.0, high: 1.0 };
        let nodes = [
            add(&[0, 0]),
            activation(Activation::Relu, 1),
            add(&[2, 2]),
            add(&[3, 1]),
            activation(clip, 4),
            add(&[5, 5]),
            add(&[6, 6]),
        ];
        assert_eq!(slots(&nodes, &[4; 8]), [0, 1, 2, 3, 4, 3, 1, 3]);
        assert_eq!(slots(&nodes, &[4, 4, 4, 4, 4, 3, 4, 4])[5], 5, "another size");
    }
}
