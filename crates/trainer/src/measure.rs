//! How good a network in training is, on validation images.

use crate::error::TrainError;
use crate::layer::LayerState;
use crate::layers::LayerWeights;
use crate::run::{Run, Totals};
use crate::target::sample_weights;
use crate::train::Epoch;
use crate::trained::{Trained, channels};

impl Run<'_> {
    /// The line of the learning curve after `done` epochs, the last of which adds up to `totals`.
    pub(crate) fn measure(&self, done: u32, totals: Totals) -> Result<Epoch, TrainError> {
        let progress = f64::from(done) / f64::from(self.job.training.epochs);
        let noise = self.noise_level(progress);
        let ready = self.job.method.knows_hardware()
            && (!self.injects_noise() || noise >= 1.0)
            && (!self.biased() || self.schedule.is_final(done));
        let all: f64 = self.layers().map(|layer| layer.constrained.len() as f64).sum();
        let chosen: f64 = self.layers().map(|layer| layer.constrained.iter().filter(|&&c| c).count() as f64).sum();
        let favourable =
            |layer: &LayerState| if self.biased() { layer.favourable_columns(&self.integers(layer)) } else { 0 };
        let effective: f64 = self.layers().map(|layer| favourable(layer) as f64).sum();
        let clipped: usize = match self.job.method.knows_hardware() {
            true => self.layers().map(|layer| layer.clipped_weights(self.weight_bits)).sum(),
            false => 0,
        };
        let weights: usize = self.layers().map(|layer| layer.parameters.weight.len()).sum();
        Ok(Epoch {
            epoch: done,
            loss: totals.loss / f64::from(totals.steps),
            training_software: totals.correct as f64 / self.job.dataset.train.len() as f64,
            validation_software: self.validate(&self.exported()),
            validation_hardware: if ready { Some(self.hardware_accuracy()?) } else { None },
            noise,
            chosen_share: chosen / all,
            effective_share: effective / all,
            clipped_share: clipped as f64 / weights as f64,
        })
    }

    /// Mean accuracy on the validation images over the validation chip samples.
    fn hardware_accuracy(&self) -> Result<f64, TrainError> {
        let cells = self.job.target.cells();
        let chips = u64::from(self.job.training.validation_chips);
        let mut sum = 0.0;
        for chip_sample in 0..chips {
            let mut index = 0;
            let sampled = |part: &Trained| match part {
                Trained::Channels { parameters, running, .. } => Ok(channels(parameters, running.as_ref(), false)),
                Trained::Layer(layer) => {
                    let (integers, encoding) = (self.integers(layer), &layer.target.encoding);
                    let (matrix, seed) = (&layer.matrix, self.job.seed);
                    let mut weight = sample_weights(matrix, &integers, encoding, &cells, seed, chip_sample, index)?;
                    index += 1;
                    for weight in &mut weight {
                        *weight *= layer.matrix.scale;
                    }
                    Ok::<_, TrainError>(LayerWeights { weight, bias: layer.parameters.bias.clone() })
                }
            };
            let weights = self.trained.iter().map(sampled).collect::<Result<Vec<LayerWeights>, _>>()?;
            sum += self.validate(&weights);
        }
        Ok(sum / chips as f64)
    }

    /// Accuracy on the validation images.
    fn validate(&self, weights: &[LayerWeights]) -> f64 {
        let validation = &self.job.dataset.validation;
        let scores = self.engine.scores(weights, &validation.images);
        let scores = scores.chunks_exact(self.engine.classes());
        let correct = scores.zip(&validation.labels).filter(|(s, l)| nn::argmax(s) == usize::from(**l)).count();
        correct as f64 / validation.len() as f64
    }
}
