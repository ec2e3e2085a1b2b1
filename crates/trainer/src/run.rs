//! A network in training: one step, what follows an epoch, and how good it is.
//!
//! Each step sees *effective* weights (`effective.rs`); gradients go to the float weights behind them.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::{Projection, WeightScale};
use crate::constraint::{ColumnImportance, Schedule};
use crate::effective::Effective;
use crate::error::TrainError;
use crate::layer::{LayerState, moments};
use crate::layers::{Batch, Engine, LayerWeights, Memories, Running, Step};
use crate::optimiser::{Update, cosine_rate};
use crate::parts::{Part, WeightFormat};
use crate::start::Template;
use crate::target::LayerMatrix;
use crate::train::Job;
use crate::trained::{Trained, norms, silent_bias};
use nn::Graph;
use nn_compiler::mapping::largest_weight;
use tile::address::{Purpose, stream};

/// What an epoch's steps add up to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) loss: f64,
    pub(crate) correct: u64,
    pub(crate) steps: u32,
}

pub(crate) struct Run<'a> {
    pub(crate) job: &'a Job<'a>,
    pub(crate) template: Template,
    pub(crate) engine: Engine,
    memories: Memories,
    effective: Effective,
    gradients: Vec<LayerWeights>,
    /// Whether the biases of a part do nothing, because a batch normalisation takes the mean off.
    silent_bias: Vec<bool>,
    pub(crate) trained: Vec<Trained>,
    pub(crate) schedule: Schedule,
    pub(crate) steps_done: u32,
    pub(crate) weight_bits: u32,
}

impl<'a> Run<'a> {
    pub(crate) fn new(job: &'a Job<'a>) -> Result<Self, TrainError> {
        let (chip, training, classes) = (job.target.chip, job.training, job.dataset.classes);
        let weight_bits = chip.format.weight_bits;
        if weight_bits < 2 {
            return Err(TrainError::WeightBits { bits: weight_bits });
        }
        let template = job.start.template(job.dataset.shape, weight_bits, training.weight_scale, job.seed)?;
        let engine = Engine::new(&template.graph, &template.parts)?;
        // Linear layers of imports take flat images.
        let (input, shape) = (template.graph.input, job.dataset.shape);
        if input != shape && !(input.channels == shape.len() && input.len() == shape.len()) {
            let (network, dataset) = (template.graph.name, job.dataset.name);
            return Err(TrainError::Shape { network, input, dataset, shape });
        }
        if engine.classes() != classes {
            let (network, outputs) = (template.graph.name, engine.classes());
            return Err(TrainError::Classes { network, outputs, dataset: job.dataset.name, classes });
        }
        let mut matrices = LayerMatrix::of(&template.graph, chip.tile.array.rows as usize)?.into_iter();
        let mut trained = Vec::new();
        for (&kind, parameters) in template.parts.kinds().iter().zip(template.parts.parameters(&template.graph)) {
            let matrix = if kind == Part::Weighted { matrices.next() } else { None };
            trained.push(match matrix {
                Some(matrix) => {
                    let integers = matrix.quantise(&parameters.weight, weight_bits);
                    let target = job.target.layer(&integers, &training.biased)?;
                    let mut control = stream(job.seed, Purpose::Control, &[trained.len() as u64]);
                    let importance = ColumnImportance::new(&matrix, training.biased.importance, &mut control);
                    let target = (target, integers);
                    Trained::Layer(Box::new(LayerState::new(
                        matrix,
                        parameters,
                        target,
                        training.optimiser,
                        importance,
                    )))
                }
                None => Trained::Channels {
                    moments: moments(&parameters, training.optimiser),
                    running: (kind == Part::BatchNorm).then(|| Running::new(parameters.bias.len())),
                    parameters,
                },
            });
        }
        let schedule = Schedule::new(&training.biased, training.epochs, job.share);
        let (silent_bias, effective, memories) = (silent_bias(&template), Effective::default(), Memories::default());
        Ok(Self {
            job,
            template,
            engine,
            memories,
            effective,
            gradients: Vec::new(),
            silent_bias,
            trained,
            schedule,
            steps_done: 0,
            weight_bits,
        })
    }

    /// Steps of one epoch.
    pub(crate) fn steps_per_epoch(&self) -> u32 {
        self.job.dataset.train.len().div_ceil(self.job.training.batch as usize) as u32
    }

    pub(crate) fn layers(&self) -> impl Iterator<Item = &LayerState> {
        self.trained.iter().filter_map(|part| match part {
            Trained::Layer(layer) => Some(layer.as_ref()),
            Trained::Channels { .. } => None,
        })
    }

    fn layers_mut(&mut self) -> impl Iterator<Item = &mut LayerState> {
        self.trained.iter_mut().filter_map(|part| match part {
            Trained::Layer(layer) => Some(layer.as_mut()),
            Trained::Channels { .. } => None,
        })
    }

    pub(crate) fn biased(&self) -> bool {
        self.job.method.is_biased()
    }

    pub(crate) fn injects_noise(&self) -> bool {
        self.job.method.injects_noise()
    }

    /// One step with the training images `images` in epoch `epoch`.
    pub(crate) fn step(&mut self, epoch: u32, images: &[usize]) -> Step {
        let Job { dataset, training, seed, .. } = *self.job;
        let total = f64::from(self.steps_per_epoch()) * f64::from(training.epochs);
        let progress = f64::from(self.steps_done) / total;
        let mut effective = std::mem::take(&mut self.effective);
        self.compute_with(self.noise_level(progress), true, &mut effective);
        let labels: Vec<u8> = images.iter().map(|&image| dataset.train.labels[image]).collect();
        let image = |index: usize, to: &mut [f32]| {
            let address = (seed, epoch, images[index] as u64);
            training.augment.apply(dataset.shape, dataset.train.image(images[index]), address, to);
        };
        let batch = Batch { labels: &labels, image: &image };
        let mut running: Vec<&mut Running> = norms(&mut self.trained).collect();
        let (memories, gradients) = (&mut self.memories, &mut self.gradients);
        let step = self.engine.step(&effective.weights, batch, memories, gradients, &mut running);
        self.update(cosine_rate(training.learning_rate, progress), &effective.weights);
        self.effective = effective;
        step
    }

    /// Closes the epoch of the importance of columns, and calibrates scales.
    pub(crate) fn end_epoch(&mut self) {
        let (training, weight_bits) = (self.job.training, self.weight_bits);
        let total = f64::from(self.steps_per_epoch()) * f64::from(training.epochs);
        // Once at least, however short the training.
        let early = self.steps_done <= self.steps_per_epoch()
            || f64::from(self.steps_done) <= training.noise.ramp_start * total;
        let largest = largest_weight(weight_bits) as f32;
        let biased = &training.biased;
        for layer in self.layers_mut() {
            if early && training.weight_scale == WeightScale::Calibrated {
                layer.calibrate_scale(largest);
            }
            layer.end_epoch(biased.importance, weight_bits, biased.importance_decay);
        }
    }

    fn update(&mut self, rate: f32, effective: &[LayerWeights]) {
        self.steps_done += 1;
        let (biased, training) = (self.biased(), self.job.training);
        let update = Update { optimiser: training.optimiser, rate, step: self.steps_done, decay: 0.0 };
        let decaying = Update { decay: training.weight_decay as f32, ..update };
        let largest = largest_weight(self.weight_bits) as f32;
        let learned = training.weight_scale == WeightScale::Learned;
        let gradients = self.gradients.iter().zip(effective).zip(&self.silent_bias);
        for (part, ((gradient, effective), &silent)) in self.trained.iter_mut().zip(gradients) {
            let (parameters, moments) = match part {
                Trained::Layer(layer) => {
                    if biased {
                        layer.importance.add(&gradient.weight);
                    }
                    if learned {
                        layer.learn_scale(&effective.weight, &gradient.weight, largest, update);
                    }
                    let limit = largest * layer.matrix.scale;
                    layer.moments.0.update(&mut layer.parameters.weight, &gradient.weight, decaying);
                    for weight in &mut layer.parameters.weight {
                        *weight = weight.max(-limit).min(limit);
                    }
                    (&mut layer.parameters, &mut layer.moments)
                }
                Trained::Channels { parameters, moments, .. } => {
                    moments.0.update(&mut parameters.weight, &gradient.weight, update);
                    (parameters, moments)
                }
            };
            if !silent {
                moments.1.update(&mut parameters.bias, &gradient.bias, update);
            }
        }
    }

    /// Chooses columns in biased training, and follows the layers' encodings.
    pub(crate) fn constrain(&mut self, done: u32) -> Result<(), TrainError> {
        if !self.job.method.knows_hardware() {
            return Ok(());
        }
        let biased = self.biased();
        let choose = if biased { self.schedule.choose(done) } else { None };
        let hard = self.job.training.biased.projection == Projection::Hard;
        let (job, weight_bits) = (self.job, self.weight_bits);
        for layer in self.layers_mut() {
            // A searched offset follows the weights, which must not have been clipped under it: else it could only ever fall. Weights that a hard
            // projection has replaced are, so that the offset then stays.
            if !(hard && layer.constrained.contains(&true)) {
                let integers = layer.rounded(weight_bits);
                layer.target = job.target.layer(&integers, &job.training.biased)?;
                layer.targeted = integers;
            }
            if let Some(share) = choose {
                layer.constrained = layer.importance.most_important(share);
            }
            if biased && hard {
                layer.impose(weight_bits);
            }
        }
        Ok(())
    }

    /// The constrained columns of the weighted layers as they stand.
    pub(crate) fn constrained(&self) -> Vec<Vec<bool>> {
        self.layers().map(|layer| layer.constrained.clone()).collect()
    }

    /// The formats of the weighted layers as they stand.
    pub(crate) fn formats(&self) -> Vec<WeightFormat> {
        let searched = self.job.method.knows_hardware() && self.job.target.mapping.searches_offset();
        let offset = |layer: &LayerState| searched.then(|| layer.target.encoding.offset());
        self.layers().map(|layer| WeightFormat { scale: layer.matrix.scale, offset: offset(layer) }).collect()
    }

    /// The network with exported parameters and formats.
    pub(crate) fn network(&self, exported: Vec<LayerWeights>, formats: &[WeightFormat]) -> Graph {
        let mut network = self.template.graph.clone();
        self.job.dataset.name.clone_into(&mut network.dataset);
        self.template.parts.set_formats(&mut network, formats);
        self.template.parts.replace(&mut network, exported);
        network
    }
}

impl Stored for Run<'_> {
    fn store(&self, writer: &mut Writer) {
        writer.number(self.steps_done);
        self.trained.iter().for_each(|part| part.store(writer));
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        self.steps_done = reader.number()?;
        self.trained.iter_mut().try_for_each(|part| part.restore(reader))?;
        let job = self.job;
        for layer in self.layers_mut() {
            layer.target = job.target.layer(&layer.targeted, &job.training.biased)?;
        }
        Ok(())
    }
}
