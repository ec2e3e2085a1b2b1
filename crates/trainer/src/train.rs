//! The training loop, for all methods.
//!
//! Each step sees *effective* weights: the float weights rounded to integers, projected where a straight-through constraint asks for it,
//! plus noise where it is injected. Gradients go to the float weights behind them.

use crate::adam::cosine_rate;
use crate::architecture::Architecture;
use crate::batch::{gather, shuffled};
use crate::config::{Method, Projection, Training};
use crate::constraint::Schedule;
use crate::error::TrainError;
use crate::layer::LayerState;
use crate::layers::{Chain, LayerWeights};
use crate::target::{LayerMatrix, Target, sample_weights};
use nn::datasets::Dataset;
use nn::network::Network;
use tile::address::{Purpose, stream};

/// What to train, how, and with which hardware in view.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The architecture.
    pub architecture: &'a Architecture,
    /// The data set; training and validation images only.
    pub dataset: &'a Dataset,
    /// Parameters.
    pub training: &'a Training,
    /// Method.
    pub method: Method,
    /// Hardware in view; a conventional training only takes the width of the weights from it.
    pub target: Target<'a>,
    /// Share of constrained columns, for biased training.
    pub share: f64,
    /// Seed of initial weights, image order and noise.
    pub seed: u64,
}

/// One line of the learning curve.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Epoch {
    /// Epochs done.
    pub epoch: u32,
    /// Mean loss of the epoch's steps, nats.
    pub loss: f64,
    /// Accuracy of the quantised weights on the validation images.
    pub validation_software: f64,
    /// Mean accuracy over the validation chip samples, where it was measured.
    pub validation_hardware: Option<f64>,
    /// Noise, as a fraction of the device's.
    pub noise: f64,
    /// Share of columns that were chosen to be constrained.
    pub chosen_share: f64,
    /// Share of columns all of whose weights are favourable: the constraint that is really in force.
    pub effective_share: f64,
}

/// A trained network and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The network; its weights are whole multiples of their scales.
    pub network: Network,
    /// The learning curve.
    pub epochs: Vec<Epoch>,
    /// Index of the epoch that the network was taken from.
    pub chosen: usize,
    /// Criterion it was chosen by, on validation images: hardware accuracy, or software accuracy for conventional training.
    pub validation_accuracy: f64,
    /// Share of constrained columns that was asked for.
    pub share: f64,
}

/// Trains a network. The result is a function of the job alone.
///
/// # Errors
/// If architecture, data set and chip do not fit together, or no checkpoint was eligible.
pub fn train(job: &Job<'_>, mut watch: impl FnMut(&Epoch)) -> Result<Trained, TrainError> {
    let mut run = Run::new(job)?;
    let mut epochs = Vec::new();
    let mut best: Option<(f64, usize, Network)> = None;
    for index in 0..job.training.epochs {
        let loss = run.epoch(index)?;
        run.constrain(index + 1)?;
        let epoch = run.measure(index + 1, loss)?;
        watch(&epoch);
        epochs.push(epoch);
        let criterion =
            if job.method.knows_hardware() { epoch.validation_hardware } else { Some(epoch.validation_software) };
        // Of equally good checkpoints the later one is kept: it has seen more training.
        if let Some(accuracy) =
            criterion.filter(|&accuracy| best.as_ref().is_none_or(|(so_far, ..)| accuracy >= *so_far))
        {
            best = Some((accuracy, epochs.len() - 1, run.network()));
        }
    }
    let (validation_accuracy, chosen, network) = best.ok_or(TrainError::NoCheckpoint)?;
    Ok(Trained { network, epochs, chosen, validation_accuracy, share: job.share })
}

struct Run<'a> {
    job: &'a Job<'a>,
    template: Network,
    chain: Chain,
    layers: Vec<LayerState>,
    schedule: Schedule,
    steps_done: u32,
    weight_bits: u32,
}

impl<'a> Run<'a> {
    fn new(job: &'a Job<'a>) -> Result<Self, TrainError> {
        let chip = job.target.chip;
        let weight_bits = chip.format.weight_bits;
        let template = job.architecture.build(job.dataset.shape, weight_bits, job.training.weight_scale, job.seed)?;
        let matrices = LayerMatrix::of(&template, chip.tile.array.rows as usize)?;
        let layer = |(matrix, parameters): (LayerMatrix, LayerWeights)| {
            let target = job.target.layer(&matrix.quantise(&parameters.weight, weight_bits), &job.training.biased)?;
            Ok(LayerState::new(matrix, parameters, target))
        };
        let layers: Result<Vec<LayerState>, TrainError> =
            matrices.into_iter().zip(LayerWeights::of(&template)).map(layer).collect();
        let (chain, classes) = (Chain::new(&template)?, job.dataset.classes);
        if chain.classes() != classes {
            let (network, outputs) = (template.name, chain.classes());
            return Err(TrainError::Classes { network, outputs, dataset: job.dataset.name, classes });
        }
        let schedule = Schedule::new(&job.training.biased, job.training.epochs, job.share);
        Ok(Self { job, chain, template, layers: layers?, schedule, steps_done: 0, weight_bits })
    }

    fn biased(&self) -> bool {
        self.job.method == Method::Biased
    }

    fn injects_noise(&self) -> bool {
        self.job.method == Method::NoiseInjection || (self.biased() && self.job.training.biased.inject_noise)
    }

    /// One pass over the training images; returns the mean loss.
    fn epoch(&mut self, index: u32) -> Result<f64, TrainError> {
        let train = &self.job.dataset.train;
        let batch = self.job.training.batch as usize;
        let order = shuffled(train.len(), self.job.seed, index);
        let steps = order.len().div_ceil(batch);
        let total = steps as f64 * f64::from(self.job.training.epochs);
        let mut loss = 0.0;
        for images in order.chunks(batch) {
            let progress = f64::from(self.steps_done) / total;
            let (pixels, labels) = gather(train, images);
            let effective = self.effective_weights(self.noise_level(progress));
            let step = self.chain.step(&effective, &pixels, &labels)?;
            self.update(&step.gradients, cosine_rate(self.job.training.learning_rate, progress));
            loss += step.loss;
        }
        for layer in &mut self.layers {
            layer.importance.end_epoch(&layer.matrix, self.job.training.biased.importance_decay);
        }
        Ok(loss / steps as f64)
    }

    /// What the layers compute with in this step, with `noise` as a fraction of the device's.
    fn effective_weights(&self, noise: f64) -> Vec<LayerWeights> {
        let effective = |(index, layer): (usize, &LayerState)| {
            let mut stream = stream(self.job.seed, Purpose::Injection, &[u64::from(self.steps_done), index as u64]);
            layer.weights(&self.integers(layer), noise as f32, &mut stream)
        };
        self.layers.iter().enumerate().map(effective).collect()
    }

    /// The integers that a layer stands for now: rounded and, under a straight-through constraint, projected.
    fn integers(&self, layer: &LayerState) -> Vec<i32> {
        let straight_through = self.job.training.biased.projection == Projection::StraightThrough;
        layer.integers(self.weight_bits, self.biased() && straight_through)
    }

    /// Noise in force now, as a fraction of the device's.
    fn noise_level(&self, progress: f64) -> f64 {
        if !self.injects_noise() {
            return 0.0;
        }
        let noise = &self.job.training.noise;
        let length = (noise.ramp_end - noise.ramp_start).max(f64::MIN_POSITIVE);
        ((progress - noise.ramp_start) / length).clamp(0.0, 1.0)
    }

    fn update(&mut self, gradients: &[LayerWeights], rate: f32) {
        self.steps_done += 1;
        let biased = self.job.method == Method::Biased;
        let largest = nn_compiler::mapping::largest_weight(self.weight_bits) as f32;
        for (layer, gradient) in self.layers.iter_mut().zip(gradients) {
            if biased {
                layer.importance.add(&gradient.weight);
            }
            let limit = largest * layer.matrix.scale;
            layer.adam.0.update(&mut layer.parameters.weight, &gradient.weight, rate, self.steps_done);
            layer.adam.1.update(&mut layer.parameters.bias, &gradient.bias, rate, self.steps_done);
            for weight in &mut layer.parameters.weight {
                *weight = weight.max(-limit).min(limit);
            }
        }
    }

    /// Follows the layers' encodings and, in biased training, chooses and imposes the constraint.
    fn constrain(&mut self, done: u32) -> Result<(), TrainError> {
        if !self.job.method.knows_hardware() {
            return Ok(());
        }
        let biased = self.biased();
        let choose = if biased { self.schedule.choose(done) } else { None };
        let hard = self.job.training.biased.projection == Projection::Hard;
        for index in 0..self.layers.len() {
            // The searched offset depends on the weights; once columns are frozen, so is what they are favourable for.
            if !self.schedule.is_final(done) || !biased {
                let integers = self.integers(&self.layers[index]);
                self.layers[index].target = self.job.target.layer(&integers, &self.job.training.biased)?;
            }
            let layer = &mut self.layers[index];
            if let Some(share) = choose {
                layer.constrained = layer.importance.most_important(share);
            }
            if biased && hard {
                layer.impose(self.weight_bits);
            }
        }
        Ok(())
    }

    fn measure(&self, done: u32, loss: f64) -> Result<Epoch, TrainError> {
        let progress = f64::from(done) / f64::from(self.job.training.epochs);
        let noise = self.noise_level(progress);
        let ready = self.job.method.knows_hardware()
            && (!self.injects_noise() || noise >= 1.0)
            && (!self.biased() || self.schedule.is_final(done));
        let columns = |layer: &LayerState| layer.constrained.len() as f64;
        let all: f64 = self.layers.iter().map(columns).sum();
        let chosen: f64 = self.layers.iter().map(|layer| layer.constrained.iter().filter(|&&c| c).count() as f64).sum();
        let favourable =
            |layer: &LayerState| if self.biased() { layer.favourable_columns(&self.integers(layer)) } else { 0 };
        let effective: f64 = self.layers.iter().map(|layer| favourable(layer) as f64).sum();
        Ok(Epoch {
            epoch: done,
            loss,
            validation_software: self.validate(&self.effective_weights(0.0))?,
            validation_hardware: if ready { Some(self.hardware_accuracy()?) } else { None },
            noise,
            chosen_share: chosen / all,
            effective_share: effective / all,
        })
    }

    /// Mean accuracy on the validation images over the validation chip samples.
    fn hardware_accuracy(&self) -> Result<f64, TrainError> {
        let cells = self.job.target.cells();
        let chips = u64::from(self.job.training.validation_chips);
        let mut sum = 0.0;
        for chip_sample in 0..chips {
            let sampled = |(index, layer): (usize, &LayerState)| {
                let (integers, encoding) = (self.integers(layer), &layer.target.encoding);
                let mut weight = sample_weights(
                    &layer.matrix,
                    &integers,
                    encoding,
                    &cells,
                    self.job.seed,
                    chip_sample,
                    index as u64,
                )?;
                for weight in &mut weight {
                    *weight *= layer.matrix.scale;
                }
                Ok::<_, TrainError>(LayerWeights { weight, bias: layer.parameters.bias.clone() })
            };
            let weights = self.layers.iter().enumerate().map(sampled).collect::<Result<Vec<LayerWeights>, _>>()?;
            sum += self.validate(&weights)?;
        }
        Ok(sum / chips as f64)
    }

    /// Accuracy on the validation images.
    fn validate(&self, weights: &[LayerWeights]) -> Result<f64, TrainError> {
        let validation = &self.job.dataset.validation;
        let tape = self.chain.forward(weights, &validation.images)?;
        let scores = tape.logits().chunks_exact(self.chain.classes());
        let correct = scores.zip(&validation.labels).filter(|(s, l)| nn::argmax(s) == usize::from(**l)).count();
        Ok(correct as f64 / validation.len() as f64)
    }

    /// The network as it stands, with weights that are whole multiples of their scales.
    fn network(&self) -> Network {
        let mut network = self.template.clone();
        let mut layers = self.layers.iter();
        for (weight, bias) in network.layers.iter_mut().filter_map(|layer| layer.op.parameters_mut()) {
            if let Some(layer) = layers.next() {
                *weight = self.integers(layer).iter().map(|&q| q as f32 * layer.matrix.scale).collect();
                bias.clone_from(&layer.parameters.bias);
            }
        }
        network
    }
}
