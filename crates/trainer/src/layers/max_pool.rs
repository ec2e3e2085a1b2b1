//! Maximum over windows.

use super::{Backward, Differentiable, Gradients, LayerWeights};
use nn::Shape;
use nn::layers::MaxPool;

/// Max pooling of maps of shape `input`.
pub(super) struct MaxPoolPass {
    pub(super) pool: MaxPool,
    pub(super) input: Shape,
}

impl Differentiable for MaxPoolPass {
    fn forward(&self, _parameters: &LayerWeights, input: &[f32], batch: usize) -> Vec<f32> {
        self.pool.forward(self.input, input, batch)
    }

    /// Every output's gradient goes to the value it was taken from, among equal values to the first.
    fn backward(&self, _parameters: &LayerWeights, pass: Backward<'_>) -> Gradients {
        let mut input = vec![0.0; pass.input.len()];
        let sources = self.pool.sources(self.input, pass.input);
        for (source, gradient) in sources.into_iter().zip(pass.output_gradient) {
            input[source] += gradient;
        }
        Gradients { input, parameters: LayerWeights::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::Case;
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        let shape = Shape { channels: 2, height: 5, width: 6 };
        // All values are at least 0.1 apart, so that no step changes which one is the largest.
        let count = 2 * shape.len();
        let input: Vec<f32> = (0..count).map(|i| (i * 77 % 120) as f32 * 0.1 - 6.0).collect();
        for (kernel, stride) in [(2, 2), (3, 1), (2, 3)] {
            let layer = &MaxPoolPass { pool: MaxPool { kernel, stride }, input: shape };
            Case { layer, parameters: LayerWeights::default(), input: input.clone(), batch: 2, step: 0.03 }.check();
        }
    }

    #[test]
    fn among_equal_values_the_first_takes_the_gradient() {
        let layer =
            MaxPoolPass { pool: MaxPool { kernel: 2, stride: 2 }, input: Shape { channels: 1, height: 2, width: 2 } };
        let pass = Backward { input: &[1.0, 2.0, 2.0, 2.0], output_gradient: &[3.0], batch: 1, wants_input: true };
        assert_eq!(layer.backward(&LayerWeights::default(), pass).input, [0.0, 3.0, 0.0, 0.0]);
    }
}
