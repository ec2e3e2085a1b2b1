//! Sums of maps, and nodes that move values and compute nothing.

use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};

/// Sum of two maps.
pub(super) struct AddPass;

/// The maps of all sources, one behind the other; their sizes.
pub(super) struct ConcatPass(pub(super) Vec<usize>);

/// Value `i` of the result is value `order[i]` of the source, or a constant.
pub(super) struct MovePass {
    /// Values of the source.
    pub(super) size: usize,
    /// For every value of the result its place.
    pub(super) order: Vec<Option<u32>>,
    /// What stands where no value does.
    pub(super) value: f32,
}

impl Pass for AddPass {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        let sources = pass.inputs[0].iter().zip(pass.inputs[1]);
        output.iter_mut().zip(sources).for_each(|(y, (&a, &b))| *y = a + b);
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        slope.copy_from_slice(pass.slope);
    }
}

impl ConcatPass {
    /// Where the values of source `source` begin in an image's result, how many they are, and how many all are.
    fn part(&self, source: usize) -> (usize, usize, usize) {
        let before: usize = self.0[..source].iter().sum();
        (before, self.0[source], self.0.iter().sum())
    }
}

impl Pass for ConcatPass {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        for (source, values) in pass.inputs.iter().enumerate() {
            let (before, size, all) = self.part(source);
            for (to, from) in output.chunks_exact_mut(all).zip(values.chunks_exact(size)) {
                to[before..before + size].copy_from_slice(from);
            }
        }
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, source: usize, slope: &mut [f32]) {
        let (before, size, all) = self.part(source);
        for (to, from) in slope.chunks_exact_mut(size).zip(pass.slope.chunks_exact(all)) {
            to.copy_from_slice(&from[before..before + size]);
        }
    }
}

impl Pass for MovePass {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        let maps = output.chunks_exact_mut(self.order.len()).zip(pass.inputs[0].chunks_exact(self.size));
        for (to, from) in maps {
            let values = to.iter_mut().zip(&self.order);
            values.for_each(|(to, place)| *to = place.map_or(self.value, |place| from[place as usize]));
        }
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        slope.fill(0.0);
        let maps = slope.chunks_exact_mut(self.size).zip(pass.slope.chunks_exact(self.order.len()));
        for (to, from) in maps {
            for (place, &from) in self.order.iter().zip(from) {
                place.iter().for_each(|&place| to[place as usize] += from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, flat};
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        Case { step: 0.5, ..Case::new(&AddPass, &[flat(5), flat(5)], flat(5)) }.check();
        Case { step: 0.5, ..Case::new(&ConcatPass(vec![2, 4, 1]), &[flat(2), flat(4), flat(1)], flat(7)) }.check();
        let order = vec![None, Some(2), Some(0), None, Some(1)];
        Case { step: 0.5, ..Case::new(&MovePass { size: 3, order, value: -1.0 }, &[flat(3)], flat(5)) }.check();
    }
}
