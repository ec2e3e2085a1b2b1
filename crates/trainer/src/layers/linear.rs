//! Fully connected layer `y = W x + b`.

use super::{Backward, Differentiable, Gradients, LayerWeights, column_sums};
use nn::gemm::{GemmSize, gemm_nn, gemm_tn};
use nn::layers::linear_forward;

/// A fully connected layer; its sizes are those of its parameters.
pub(super) struct LinearPass;

impl Differentiable for LinearPass {
    fn forward(&self, parameters: &LayerWeights, input: &[f32], batch: usize) -> Vec<f32> {
        linear_forward(&parameters.weight, &parameters.bias, input, batch)
    }

    /// `dW = dY^T X`, `db = sum of dY over the images`, `dX = dY W`.
    fn backward(&self, parameters: &LayerWeights, pass: Backward<'_>) -> Gradients {
        let Backward { input, output_gradient, batch, wants_input } = pass;
        let outputs = parameters.bias.len();
        let inputs = parameters.weight.len() / outputs;
        let mut weight = vec![0.0; parameters.weight.len()];
        gemm_tn(GemmSize { m: outputs, n: inputs, k: batch }, output_gradient, input, &mut weight);
        let mut input_gradient = Vec::new();
        if wants_input {
            input_gradient.resize(batch * inputs, 0.0);
            let size = GemmSize { m: batch, n: inputs, k: outputs };
            gemm_nn(size, output_gradient, &parameters.weight, &mut input_gradient);
        }
        let bias = column_sums(output_gradient, outputs);
        Gradients { input: input_gradient, parameters: LayerWeights { weight, bias } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        let parameters = LayerWeights { weight: values(7 * 5, 1), bias: values(5, 2) };
        // The layer is linear in each value, so a large step is exact and drowns the rounding errors.
        Case { layer: &LinearPass, parameters, input: values(3 * 7, 3), batch: 3, step: 0.5 }.check();
    }

    #[test]
    fn the_input_gradient_is_left_out_on_request() {
        let parameters = LayerWeights { weight: values(6, 1), bias: values(2, 2) };
        let (input, output_gradient) = (values(3, 3), values(2, 4));
        let pass = Backward { input: &input, output_gradient: &output_gradient, batch: 1, wants_input: true };
        let all = LinearPass.backward(&parameters, pass);
        let fewer = LinearPass.backward(&parameters, Backward { wants_input: false, ..pass });
        assert_eq!(all.input.len(), 3);
        assert_eq!(fewer, Gradients { input: Vec::new(), ..all });
    }
}
