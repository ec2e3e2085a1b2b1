//! Two-dimensional convolution.

use super::{Backward, Differentiable, Gradients, LayerWeights};
use nn::Window;
use nn::gemm::{GemmSize, gemm_nn, gemm_tn};
use nn::layers::conv2d_forward;

/// A convolution over the windows of a map.
pub(super) struct Conv2dPass {
    pub(super) window: Window,
}

impl Differentiable for Conv2dPass {
    fn forward(&self, parameters: &LayerWeights, input: &[f32], batch: usize) -> Vec<f32> {
        conv2d_forward(self.window, &parameters.weight, &parameters.bias, input, batch)
    }

    /// With the im2col matrix `P` of an image: `dW += dY P`, `db += sum of dY over the positions`, `dP = dY^T W`, which is added back
    /// to the values that the windows saw. The matrix is made anew, which is cheaper than keeping it for the whole batch.
    fn backward(&self, parameters: &LayerWeights, pass: Backward<'_>) -> Gradients {
        let (features, outputs) = (self.window.input.len(), parameters.bias.len());
        let (rows, positions) = (self.window.rows(), self.window.positions());
        let weight = vec![0.0; parameters.weight.len()];
        let mut sums = LayerWeights { weight, bias: vec![0.0; outputs] };
        let mut input_gradient = vec![0.0; if pass.wants_input { pass.input.len() } else { 0 }];
        let gradients = pass.output_gradient.chunks_exact(outputs * positions);
        for (image, (map, gradient)) in pass.input.chunks_exact(features).zip(gradients).enumerate() {
            let size = GemmSize { m: outputs, n: rows, k: positions };
            gemm_nn(size, gradient, &self.window.im2col(map), &mut sums.weight);
            for (sum, row) in sums.bias.iter_mut().zip(gradient.chunks_exact(positions)) {
                row.iter().for_each(|value| *sum += value);
            }
            if pass.wants_input {
                let map_gradient = &mut input_gradient[image * features..(image + 1) * features];
                self.add_input_gradient(parameters, gradient, map_gradient);
            }
        }
        Gradients { input: input_gradient, parameters: sums }
    }
}

impl Conv2dPass {
    fn add_input_gradient(&self, parameters: &LayerWeights, gradient: &[f32], map_gradient: &mut [f32]) {
        let size = GemmSize { m: self.window.positions(), n: self.window.rows(), k: parameters.bias.len() };
        let mut patches = vec![0.0; size.m * size.n];
        gemm_tn(size, gradient, &parameters.weight, &mut patches);
        for ((oy, ox), row) in self.window.outputs().zip(patches.chunks_exact(size.n)) {
            self.window.scatter_add(row, oy, ox, map_gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;
    use nn::Shape;

    #[test]
    fn gradients_are_the_slopes() {
        for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 0), (2, 2, 1), (1, 1, 0)] {
            let input = Shape { channels: 2, height: 5, width: 4 };
            let window = Window::square(input, kernel, stride, padding);
            let parameters = LayerWeights { weight: values(3 * window.rows(), 1), bias: values(3, 2) };
            let layer = &Conv2dPass { window };
            // The layer is linear in each value, so a large step is exact and drowns the rounding errors.
            Case { layer, parameters, input: values(2 * input.len(), 3), batch: 2, step: 0.5 }.check();
        }
    }
}
