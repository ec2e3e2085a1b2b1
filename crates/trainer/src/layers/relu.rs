//! Rectified linear unit.

use super::{Backward, Differentiable, Gradients, LayerWeights};
use nn::layers::relu_forward;

/// `max(x, 0)`; its slope at 0 is taken as 0.
pub(super) struct ReluPass;

impl Differentiable for ReluPass {
    fn forward(&self, _parameters: &LayerWeights, input: &[f32], _batch: usize) -> Vec<f32> {
        relu_forward(input)
    }

    /// The output's gradient where the input was positive, else 0.
    fn backward(&self, _parameters: &LayerWeights, pass: Backward<'_>) -> Gradients {
        let values = pass.input.iter().zip(pass.output_gradient);
        let input = values.map(|(&x, &gradient)| if x > 0.0 { gradient } else { 0.0 }).collect();
        Gradients { input, parameters: LayerWeights::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{Case, values};
    use super::*;

    #[test]
    fn gradients_are_the_slopes() {
        // Far enough from 0 that no step crosses the kink.
        let input: Vec<f32> = values(24, 5).iter().map(|v| v + 0.5f32.copysign(*v)).collect();
        assert!(input.iter().any(|&v| v < 0.0) && input.iter().any(|&v| v > 0.0));
        Case { layer: &ReluPass, parameters: LayerWeights::default(), input, batch: 2, step: 0.25 }.check();
    }
}
