//! Gradients on their way back through a graph.

/// Gradients of the loss with respect to results. The memory of one that has been passed on is used for the next: it is still in the cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Slopes {
    /// By result; empty where none has come yet or it has been passed on.
    held: Vec<Vec<f32>>,
    free: Vec<Vec<f32>>,
}

impl Slopes {
    /// Makes room for the gradients of `results` results.
    pub(super) fn begin(&mut self, results: usize) {
        self.held.resize_with(results, Vec::new);
    }

    /// Memory for `size` values, whose content is of no meaning: that which was given back last of those with this size.
    pub(super) fn memory(&mut self, size: usize) -> Vec<f32> {
        let place = self.free.iter().rposition(|memory| memory.len() == size);
        place.map_or_else(|| vec![0.0; size], |place| self.free.remove(place))
    }

    /// Gives memory back.
    pub(super) fn release(&mut self, memory: Vec<f32>) {
        self.free.push(memory);
    }

    /// Adds a part of the gradient of a result, which has as many as readers.
    pub(super) fn add(&mut self, result: usize, part: Vec<f32>) {
        let held = &mut self.held[result];
        if held.is_empty() {
            *held = part;
            return;
        }
        held.iter_mut().zip(&part).for_each(|(sum, value)| *sum += value);
        self.release(part);
    }

    /// The gradient of a result, all of whose readers have been gone through; none if there were none.
    pub(super) fn take(&mut self, result: usize) -> Option<Vec<f32>> {
        Some(std::mem::take(&mut self.held[result])).filter(|slope| !slope.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_and_memory_is_used_again() {
        let mut slopes = Slopes::default();
        slopes.begin(2);
        slopes.add(1, vec![1.0, 2.0]);
        slopes.add(1, vec![0.5, 0.25]);
        assert_eq!(slopes.take(1), Some(vec![1.5, 2.25]));
        assert_eq!((slopes.take(1), slopes.take(0)), (None, None));
        // The second part's memory is free.
        assert_eq!((slopes.memory(1), slopes.memory(2), slopes.memory(2)), (vec![0.0], vec![0.5, 0.25], vec![0.0; 2]));
    }
}
