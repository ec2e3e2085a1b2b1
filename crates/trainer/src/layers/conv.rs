//! Convolution, in groups or not.

use super::sums::sum;
use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};
use nn::convolution::Convolution;
use nn::graph::Conv;
use nn::{Invalid, Shape};

/// A convolution over maps of one shape.
pub(super) struct ConvPass {
    convolution: Convolution,
    /// Windows of a map.
    positions: usize,
}

impl ConvPass {
    /// # Errors
    /// If a map with its padding would have too many values.
    pub(super) fn new(conv: &Conv, input: Shape) -> Result<Self, Invalid> {
        let convolution = conv.over(input);
        convolution.check_memory()?;
        Ok(Self { convolution, positions: conv.group_window(input).positions() })
    }
}

impl Pass for ConvPass {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        self.convolution.forward(&own.weight, &own.bias, pass.inputs[0], output);
    }

    /// `dW += dY P^T`, `db += sum of dY over the windows`.
    fn parameters(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, gradient: &mut LayerWeights) {
        self.convolution.weight_gradient(pass.inputs[0], pass.slope, &mut gradient.weight);
        let channels = gradient.bias.len();
        for (index, map) in pass.slope.chunks_exact(self.positions).enumerate() {
            gradient.bias[index % channels] += sum(map, |value| value);
        }
    }

    /// `dP = W^T dY`, folded back to the values that the windows saw.
    fn input(&self, own: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        self.convolution.input_gradient(&own.weight, pass.slope, slope);
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;
    use nn::Axis;
    use nn::graph::WeightScale;

    #[test]
    fn gradients_are_the_slopes() {
        let one_sided = Axis { before: 0, ..Axis::new(3, 2, 1) };
        let dilated = Axis { dilation: 2, ..Axis::new(2, 1, 1) };
        let axes = [Axis::new(3, 1, 1), Axis::new(3, 2, 0), Axis::new(2, 2, 1), Axis::new(1, 1, 0), one_sided, dilated];
        for (vertical, (groups, channels)) in axes.into_iter().zip([(1, 3), (1, 5), (2, 4), (2, 4), (1, 3), (2, 10)]) {
            let input = Shape { channels: 2, height: 5, width: 4 };
            let conv = Conv {
                in_channels: 2,
                out_channels: channels,
                groups,
                vertical,
                horizontal: Axis::new(2, 1, 1),
                weight: Vec::new(),
                bias: Vec::new(),
                weight_scale: WeightScale::Free,
                weight_offset: None,
            };
            let own = LayerWeights { weight: values(channels * conv.rows(), 1), bias: values(channels, 2) };
            let shape = conv.output_shape(input).unwrap();
            // The node is linear in each value, so a large step is exact and drowns the rounding errors.
            Case { own, step: 0.5, ..Case::new(&ConvPass::new(&conv, input).unwrap(), &[input], shape) }.check();
        }
    }
}
