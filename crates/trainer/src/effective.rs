//! What a step computes with, its *effective* parameters: the float weights rounded to integers, projected where a straight-through constraint asks for
//! it, plus noise where it is injected. Batch normalisations come behind the integers: their factors multiply the scales of the integers when the network
//! is compiled.

use crate::config::Projection;
use crate::layer::LayerState;
use crate::layers::LayerWeights;
use crate::run::Run;
use crate::trained::{Trained, channels};
use tile::address::{Purpose, stream};

/// Effective parameters, in memory that is reused from step to step.
#[derive(Default)]
pub(crate) struct Effective {
    /// One per trained node.
    pub(crate) weights: Vec<LayerWeights>,
    /// Integers of the layer that was last.
    integers: Vec<i32>,
}

impl Run<'_> {
    /// What the nodes compute with now, with `noise` as a fraction of the device's; statistics are those of chunks in a training step, else the
    /// running ones.
    pub(crate) fn compute_with(&self, noise: f64, training: bool, effective: &mut Effective) {
        let (mut index, integers) = (0, &mut effective.integers);
        effective.weights.resize_with(self.trained.len(), LayerWeights::default);
        for (part, weights) in self.trained.iter().zip(&mut effective.weights) {
            match part {
                Trained::Layer(layer) => {
                    let mut stream = stream(self.job.seed, Purpose::Injection, &[u64::from(self.steps_done), index]);
                    index += 1;
                    self.integers_into(layer, integers);
                    layer.weights(integers, noise as f32, &mut stream, weights);
                }
                Trained::Channels { parameters, running, .. } => {
                    *weights = channels(parameters, running.as_ref(), training);
                }
            }
        }
    }

    /// The parameters of the network as it stands, with weights that are whole multiples of their scales.
    pub(crate) fn exported(&self) -> Vec<LayerWeights> {
        let mut effective = Effective::default();
        self.compute_with(0.0, false, &mut effective);
        effective.weights
    }

    /// The integers that a layer stands for now: rounded, clipped to what the hardware stores if the method knows it and, under a straight-through
    /// constraint, projected.
    pub(crate) fn integers(&self, layer: &LayerState) -> Vec<i32> {
        let mut integers = Vec::new();
        self.integers_into(layer, &mut integers);
        integers
    }

    fn integers_into(&self, layer: &LayerState, integers: &mut Vec<i32>) {
        let in_forward_pass = self.job.training.biased.projection != Projection::Hard;
        layer.matrix.quantise_into(&layer.parameters.weight, self.weight_bits, integers);
        if self.job.method.knows_hardware() {
            layer.confine(integers, self.biased() && in_forward_pass);
        }
    }

    /// Noise in force now, as a fraction of the device's.
    pub(crate) fn noise_level(&self, progress: f64) -> f64 {
        if !self.injects_noise() {
            return 0.0;
        }
        let noise = &self.job.training.noise;
        let length = (noise.ramp_end - noise.ramp_start).max(f64::MIN_POSITIVE);
        ((progress - noise.ramp_start) / length).clamp(0.0, 1.0)
    }
}
