//! `factor * x + shift`.

use super::sums::{sum, sum_pairs};
use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};
use nn::Shape;
use nn::graph::Affine;

/// Factors and shifts per channel that are trained: batch normalisation of an imported network, its statistics being part of them.
pub(super) struct ChannelAffine {
    pub(super) pixels: usize,
}

/// Constants.
pub(super) struct FixedAffine {
    /// Factor and shift of every value of a map.
    coefficients: Vec<(f32, f32)>,
}

impl FixedAffine {
    pub(super) fn new(affine: &Affine, shape: Shape) -> Self {
        let of = |index| (affine.factor.at(shape, index), affine.shift.at(shape, index));
        Self { coefficients: (0..shape.len()).map(of).collect() }
    }
}

/// Writes `factor * x + shift` for channels of `pixels` values.
pub(super) fn scale_channels(own: &LayerWeights, pixels: usize, input: &[f32], output: &mut [f32]) {
    let channels = own.weight.iter().zip(&own.bias).cycle();
    let maps = output.chunks_exact_mut(pixels).zip(input.chunks_exact(pixels));
    for ((output, input), (&factor, &shift)) in maps.zip(channels) {
        output.iter_mut().zip(input).for_each(|(y, &x)| *y = factor * x + shift);
    }
}

impl Pass for ChannelAffine {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        scale_channels(own, self.pixels, pass.inputs[0], output);
    }

    fn parameters(&self, own: &LayerWeights, pass: Backward<'_>, _: &mut Memory, gradient: &mut LayerWeights) {
        let channels = own.weight.len();
        let maps = pass.slope.chunks_exact(self.pixels).zip(pass.inputs[0].chunks_exact(self.pixels));
        for (index, (slope, input)) in maps.enumerate() {
            gradient.weight[index % channels] += sum_pairs(slope, input, |slope, x| slope * x);
            gradient.bias[index % channels] += sum(slope, |slope| slope);
        }
    }

    fn input(&self, own: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        let maps = slope.chunks_exact_mut(self.pixels).zip(pass.slope.chunks_exact(self.pixels));
        for ((slope, above), &factor) in maps.zip(own.weight.iter().cycle()) {
            slope.iter_mut().zip(above).for_each(|(to, &above)| *to = factor * above);
        }
    }
}

impl Pass for FixedAffine {
    fn reads(&self) -> Reads {
        Reads::NOTHING
    }

    fn forward(&self, _: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        let size = self.coefficients.len();
        for (output, input) in output.chunks_exact_mut(size).zip(pass.inputs[0].chunks_exact(size)) {
            let values = output.iter_mut().zip(input).zip(&self.coefficients);
            values.for_each(|((y, &x), (factor, shift))| *y = factor * x + shift);
        }
    }

    fn input(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        let size = self.coefficients.len();
        for (slope, above) in slope.chunks_exact_mut(size).zip(pass.slope.chunks_exact(size)) {
            let values = slope.iter_mut().zip(above).zip(&self.coefficients);
            values.for_each(|((to, &above), (factor, _))| *to = factor * above);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;
    use nn::graph::Coefficients;

    const SHAPE: Shape = Shape { channels: 3, height: 2, width: 9 };

    #[test]
    fn gradients_are_the_slopes() {
        let own = LayerWeights { weight: values(3, 1), bias: values(3, 2) };
        Case { own, step: 0.5, ..Case::new(&ChannelAffine { pixels: 18 }, &[SHAPE], SHAPE) }.check();
        let affine = Affine { factor: Coefficients::Value(values(54, 3)), shift: Coefficients::Channel(values(3, 4)) };
        Case { step: 0.5, ..Case::new(&FixedAffine::new(&affine, SHAPE), &[SHAPE], SHAPE) }.check();
    }
}
