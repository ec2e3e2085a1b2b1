//! Comparison of gradients with central differences.

use super::{Backward, Differentiable, Gradients, LayerWeights};

/// Largest accepted error, relative to the largest gradient of the same tensor.
pub(super) const TOLERANCE: f64 = 1e-2;

/// `count` reproducible values in -1..1.
pub(super) fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Largest difference between `gradient` and the slope of `loss` at `at`, each slope from one step forward and one back, relative to
/// the largest of all. Infinite if everything is flat, as nothing is checked then.
pub(super) fn relative_error(gradient: &[f32], at: &[f32], step: f32, mut loss: impl FnMut(&[f32]) -> f64) -> f64 {
    assert_eq!(gradient.len(), at.len(), "one gradient per value");
    let mut moved = at.to_vec();
    let (mut worst, mut largest) = (0f64, 0f64);
    for (index, &gradient) in gradient.iter().enumerate() {
        let mut loss_at = |value: f32| {
            moved[index] = value;
            loss(&moved)
        };
        let (above, below) = (at[index] + step, at[index] - step);
        // The steps as f32 holds them, not as they were meant.
        let slope = (loss_at(above) - loss_at(below)) / (f64::from(above) - f64::from(below));
        moved[index] = at[index];
        worst = worst.max((slope - f64::from(gradient)).abs());
        largest = largest.max(slope.abs()).max(f64::from(gradient).abs());
    }
    if largest > 0.0 { worst / largest } else { f64::INFINITY }
}

/// A layer with the values at which its gradients are checked.
pub(super) struct Case<'a> {
    pub(super) layer: &'a dyn Differentiable,
    pub(super) parameters: LayerWeights,
    pub(super) input: Vec<f32>,
    pub(super) batch: usize,
    pub(super) step: f32,
}

impl Case<'_> {
    /// Holds every gradient of the layer to the slopes, and shows that wrong gradients would have been found.
    pub(super) fn check(&self) {
        let outputs = self.layer.forward(&self.parameters, &self.input, self.batch).len();
        let output_gradient = values(outputs, 77);
        let pass =
            Backward { input: &self.input, output_gradient: &output_gradient, batch: self.batch, wants_input: true };
        let right = self.layer.backward(&self.parameters, pass);
        for error in self.errors(&right, &output_gradient) {
            assert!(error < TOLERANCE, "relative error {error}");
        }
        for (name, damage) in DAMAGES {
            let wrong = Gradients {
                input: damage(&right.input),
                parameters: LayerWeights {
                    weight: damage(&right.parameters.weight),
                    bias: damage(&right.parameters.bias),
                },
            };
            for error in self.errors(&wrong, &output_gradient) {
                assert!(error > TOLERANCE, "a gradient that is {name} passes with relative error {error}");
            }
        }
    }

    /// Errors of all tensors that are not empty; the loss is the sum of the outputs, each times its gradient.
    fn errors(&self, gradients: &Gradients, output_gradient: &[f32]) -> Vec<f64> {
        let loss = |parameters: &LayerWeights, input: &[f32]| {
            let outputs = self.layer.forward(parameters, input, self.batch);
            outputs.iter().zip(output_gradient).map(|(&y, &g)| f64::from(y) * f64::from(g)).sum::<f64>()
        };
        let LayerWeights { weight, bias } = &self.parameters;
        let by_input = |input: &[f32]| loss(&self.parameters, input);
        let mut errors = vec![relative_error(&gradients.input, &self.input, self.step, by_input)];
        if !weight.is_empty() {
            let by_weight =
                |weight: &[f32]| loss(&LayerWeights { weight: weight.to_vec(), bias: bias.clone() }, &self.input);
            errors.push(relative_error(&gradients.parameters.weight, weight, self.step, by_weight));
            let by_bias =
                |bias: &[f32]| loss(&LayerWeights { weight: weight.clone(), bias: bias.to_vec() }, &self.input);
            errors.push(relative_error(&gradients.parameters.bias, bias, self.step, by_bias));
        }
        errors
    }
}

type Damage = fn(&[f32]) -> Vec<f32>;

/// Ways to be wrong that a check must find.
pub(super) const DAMAGES: [(&str, Damage); 3] = [
    ("of the wrong sign", |gradient| gradient.iter().map(|g| -g).collect()),
    ("too large by a twentieth", |gradient| gradient.iter().map(|g| g * 1.05).collect()),
    ("missing where it is largest", |gradient| {
        let sizes: Vec<f32> = gradient.iter().map(|g| g.abs()).collect();
        let largest = nn::argmax(&sizes);
        gradient.iter().enumerate().map(|(index, &g)| if index == largest { 0.0 } else { g }).collect()
    }),
];
