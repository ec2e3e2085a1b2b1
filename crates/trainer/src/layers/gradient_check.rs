//! Comparison of gradients with central differences.

use super::{Backward, Forward, LayerWeights, Memory, Pass};
use nn::Shape;

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

/// Shape of a map of so many values.
pub(super) fn flat(values: usize) -> Shape {
    Shape { channels: values, height: 1, width: 1 }
}

/// Images of a case.
const IMAGES: usize = 3;

/// A node with the values at which its gradients are checked.
pub(super) struct Case<'a> {
    pub(super) pass: &'a dyn Pass,
    pub(super) own: LayerWeights,
    pub(super) inputs: Vec<Vec<f32>>,
    pub(super) step: f32,
    /// Values of the result, all images.
    pub(super) size: usize,
}

/// Gradients with respect to the parameters and every source.
type Gradients = (LayerWeights, Vec<Vec<f32>>);

impl<'a> Case<'a> {
    /// A node without parameters for three images with sources of the shapes `inputs`.
    pub(super) fn new(pass: &'a dyn Pass, inputs: &[Shape], output: Shape) -> Self {
        let inputs = (3..).zip(inputs).map(|(seed, shape)| values(IMAGES * shape.len(), seed)).collect();
        Self { pass, own: LayerWeights::default(), inputs, step: 0.0, size: IMAGES * output.len() }
    }

    /// The result, with what the pass leaves behind for the way back.
    fn forward(&self, own: &LayerWeights, inputs: &[Vec<f32>]) -> (Vec<f32>, Memory) {
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        // What is there before must not matter.
        let (mut output, mut memory) = (vec![7.0; self.size], Memory::default());
        self.pass.forward(own, Forward { inputs: &inputs, training: true }, &mut memory, &mut output);
        (output, memory)
    }

    fn backward(&self, slope: &[f32]) -> Gradients {
        let (output, mut memory) = self.forward(&self.own, &self.inputs);
        // Other values may stand by then where the pass does not read again.
        let left = |values: &[f32], read: bool| if read { values.to_vec() } else { vec![f32::NAN; values.len()] };
        let reads = self.pass.reads();
        let (inputs, output): (Vec<_>, _) =
            (self.inputs.iter().map(|input| left(input, reads.inputs)).collect(), left(&output, reads.output));
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let pass = Backward { inputs: &inputs, output: &output, slope };
        let mut gradient =
            LayerWeights { weight: vec![0.0; self.own.weight.len()], bias: vec![0.0; self.own.bias.len()] };
        self.pass.parameters(&self.own, pass, &mut memory, &mut gradient);
        let input = |source: usize| {
            let mut slope = vec![7.0; inputs[source].len()];
            self.pass.input(&self.own, pass, &mut memory.clone(), source, &mut slope);
            slope
        };
        (gradient, (0..inputs.len()).map(input).collect())
    }

    /// Holds every gradient of the node to the slopes, and shows that wrong gradients would have been found.
    pub(super) fn check(&self) {
        let slope = values(self.size, 77);
        let right = self.backward(&slope);
        for error in self.errors(&right, &slope) {
            assert!(error < TOLERANCE, "relative error {error}");
        }
        for (name, damage) in DAMAGES {
            let (LayerWeights { weight, bias }, inputs) = &right;
            let wrong = LayerWeights { weight: damage(weight), bias: damage(bias) };
            let wrong = (wrong, inputs.iter().map(|input| damage(input)).collect());
            for error in self.errors(&wrong, &slope) {
                assert!(error > TOLERANCE, "a gradient that is {name} passes with relative error {error}");
            }
        }
    }

    /// Errors of all tensors that are not empty; the loss is the sum of the results, each times its gradient.
    fn errors(&self, (parameters, inputs): &Gradients, slope: &[f32]) -> Vec<f64> {
        let loss = |own: &LayerWeights, inputs: &[Vec<f32>]| {
            let (output, _) = self.forward(own, inputs);
            output.iter().zip(slope).map(|(&y, &g)| f64::from(y) * f64::from(g)).sum::<f64>()
        };
        let mut errors = Vec::new();
        for (source, gradient) in inputs.iter().enumerate() {
            let by_input = |input: &[f32]| {
                let mut inputs = self.inputs.clone();
                inputs[source] = input.to_vec();
                loss(&self.own, &inputs)
            };
            errors.push(relative_error(gradient, &self.inputs[source], self.step, by_input));
        }
        let LayerWeights { weight, bias } = &self.own;
        if !weight.is_empty() {
            let by_weight =
                |weight: &[f32]| loss(&LayerWeights { weight: weight.to_vec(), bias: bias.clone() }, &self.inputs);
            errors.push(relative_error(&parameters.weight, weight, self.step, by_weight));
            let by_bias =
                |bias: &[f32]| loss(&LayerWeights { weight: weight.clone(), bias: bias.to_vec() }, &self.inputs);
            errors.push(relative_error(&parameters.bias, bias, self.step, by_bias));
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
