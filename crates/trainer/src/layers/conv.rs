//! Convolution, in groups or not.

use super::sums::sum;
use super::{Backward, Forward, LayerWeights, Memory, Pass};
use nn::gemm::{GemmSize, gemm_nt, gemm_tn};
use nn::graph::Conv;
use nn::{Shape, Window};

/// A convolution over maps of shape `input`.
pub(super) struct ConvPass {
    /// Its sizes; the parameters are empty.
    conv: Conv,
    input: Shape,
    /// The windows of one group.
    window: Window,
}

impl ConvPass {
    pub(super) fn new(conv: &Conv, input: Shape) -> Self {
        let window = conv.group_window(input);
        let (weight, bias, weight_scale, weight_offset) = (Vec::new(), Vec::new(), conv.weight_scale.clone(), None);
        let Conv { in_channels, out_channels, groups, vertical, horizontal, .. } = *conv;
        let conv =
            Conv { in_channels, out_channels, groups, vertical, horizontal, weight, bias, weight_scale, weight_offset };
        Self { conv, input, window }
    }

    /// The weights of a group.
    fn group(&self, group: usize) -> std::ops::Range<usize> {
        let size = self.conv.group_outputs() * self.conv.rows();
        group * size..(group + 1) * size
    }
}

impl Pass for ConvPass {
    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, memory: &mut Memory, output: &mut [f32]) {
        self.conv.forward_with(&own.weight, &own.bias, self.input, pass.inputs[0], &mut memory.columns, output);
    }

    /// With the unfolded map `P` of an image, one column per window: `dW += dY P^T`, `db += sum of dY over the windows`. The matrix is made
    /// anew, which is cheaper than keeping it for all images.
    fn parameters(&self, _: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, gradient: &mut LayerWeights) {
        let (outputs, positions) = (self.conv.group_outputs(), self.window.positions());
        let maps = pass.inputs[0].chunks_exact(self.window.input.len());
        for (index, (map, slope)) in maps.zip(pass.slope.chunks_exact(outputs * positions)).enumerate() {
            let group = index % self.conv.groups;
            let size = GemmSize { m: outputs, n: self.conv.rows(), k: positions };
            let columns = self.window.unfold(map, &mut memory.columns);
            gemm_nt(size, slope, columns, &mut gradient.weight[self.group(group)]);
            for (total, row) in gradient.bias[group * outputs..].iter_mut().zip(slope.chunks_exact(positions)) {
                *total += sum(row, |value| value);
            }
        }
    }

    /// `dP = W^T dY`, folded back to the values that the windows saw.
    fn input(&self, own: &LayerWeights, pass: Backward<'_>, memory: &mut Memory, _: usize, slope: &mut [f32]) {
        let (outputs, positions) = (self.conv.group_outputs(), self.window.positions());
        let size = GemmSize { m: self.conv.rows(), n: positions, k: outputs };
        slope.fill(0.0);
        let maps = slope.chunks_exact_mut(self.window.input.len());
        for (index, (map, slope)) in maps.zip(pass.slope.chunks_exact(outputs * positions)).enumerate() {
            memory.columns.clear();
            memory.columns.resize(size.m * size.n, 0.0);
            gemm_tn(size, &own.weight[self.group(index % self.conv.groups)], slope, &mut memory.columns);
            self.window.fold_add(&memory.columns, map);
        }
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
            Case { own, step: 0.5, ..Case::new(&ConvPass::new(&conv, input), &[input], shape) }.check();
        }
    }
}
