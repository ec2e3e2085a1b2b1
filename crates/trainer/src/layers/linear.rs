//! Fully connected layer `y = W x + b`.

use super::{Backward, Forward, LayerWeights, Memory, Pass, Reads};
use nn::gemm::{GemmSize, gemm_nn, gemm_nt, gemm_tn};

/// A fully connected layer; its sizes are those of its parameters.
pub(super) struct LinearPass {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Pass for LinearPass {
    fn reads(&self) -> Reads {
        Reads::INPUTS
    }

    /// Every sum starts with the bias and adds the inputs in ascending order.
    fn forward(&self, own: &LayerWeights, pass: Forward<'_>, _: &mut Memory, output: &mut [f32]) {
        for row in output.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(&own.bias);
        }
        let size = GemmSize { m: output.len() / self.outputs, n: self.outputs, k: self.inputs };
        gemm_nt(size, pass.inputs[0], &own.weight, output);
    }

    /// `dW = dY^T X`, `db = sum of dY over the images`.
    fn parameters(&self, _: &LayerWeights, pass: Backward<'_>, _: &mut Memory, gradient: &mut LayerWeights) {
        let images = pass.slope.len() / self.outputs;
        let size = GemmSize { m: self.outputs, n: self.inputs, k: images };
        gemm_tn(size, pass.slope, pass.inputs[0], &mut gradient.weight);
        for row in pass.slope.chunks_exact(self.outputs) {
            gradient.bias.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
        }
    }

    /// `dX = dY W`.
    fn input(&self, own: &LayerWeights, pass: Backward<'_>, _: &mut Memory, _: usize, slope: &mut [f32]) {
        let size = GemmSize { m: pass.slope.len() / self.outputs, n: self.inputs, k: self.outputs };
        slope.fill(0.0);
        gemm_nn(size, pass.slope, &own.weight, slope);
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, flat, values};
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        let own = LayerWeights { weight: values(7 * 5, 1), bias: values(5, 2) };
        let pass = LinearPass { inputs: 7, outputs: 5 };
        // The node is linear in each value, so a large step is exact and drowns the rounding errors.
        Case { own, step: 0.5, ..Case::new(&pass, &[flat(7)], flat(5)) }.check();
    }
}
