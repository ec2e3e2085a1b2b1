//! A training in the course of time: steps, epochs, the best checkpoint so far; it can be written down after every step and taken up again.

use crate::batch::shuffled;
use crate::checkpoint::{Reader, Stored, Writer};
use crate::error::TrainError;
use crate::layer::LayerState;
use crate::layers::LayerWeights;
use crate::parts::WeightFormat;
use crate::run::{Run, Totals};
use crate::train::{Epoch, Job, Trained};

/// A training.
pub struct Session<'a> {
    job: &'a Job<'a>,
    run: Run<'a>,
    /// Index of the epoch, and of its next step.
    epoch: u32,
    step: u32,
    /// The images in the order of the epoch.
    order: Vec<usize>,
    totals: Totals,
    epochs: Vec<Epoch>,
    best: Option<Best>,
}

/// The best network so far.
struct Best {
    accuracy: f64,
    /// Index of its epoch.
    epoch: usize,
    parameters: Vec<LayerWeights>,
    formats: Vec<WeightFormat>,
    constrained: Vec<Vec<bool>>,
}

/// What a step did.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Images of the step.
    pub images: usize,
    /// Their mean loss, nats.
    pub loss: f64,
    /// How many of them were classified correctly.
    pub correct: usize,
    /// The epoch that has ended with this step.
    pub epoch: Option<Epoch>,
}

impl<'a> Session<'a> {
    /// A training before its first step.
    ///
    /// # Errors
    /// If network, data set and chip do not fit together.
    pub fn new(job: &'a Job<'a>) -> Result<Self, TrainError> {
        let (run, order) = (Run::new(job)?, shuffled(job.dataset.train.len(), job.seed, 0));
        Ok(Self { job, run, epoch: 0, step: 0, order, totals: Totals::default(), epochs: Vec::new(), best: None })
    }

    /// Steps that are done.
    #[must_use]
    pub fn steps_done(&self) -> u64 {
        self.run.steps_done.into()
    }

    /// Images that have been trained on.
    #[must_use]
    pub fn images_done(&self) -> u64 {
        let of_epoch = self.step as usize * self.job.training.batch as usize;
        u64::from(self.epoch) * self.order.len() as u64 + of_epoch as u64
    }

    /// Whether the last step is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.epoch >= self.job.training.epochs
    }

    /// The learning curve so far.
    #[must_use]
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// One step and, behind the last one of an epoch, all that follows an epoch. Does nothing once the training is done.
    ///
    /// # Errors
    /// If the chip cannot hold the weights.
    pub fn advance(&mut self) -> Result<Progress, TrainError> {
        if self.is_done() {
            return Ok(Progress { images: 0, loss: 0.0, correct: 0, epoch: None });
        }
        let batch = self.job.training.batch as usize;
        let first = self.step as usize * batch;
        let images = &self.order[first..self.order.len().min(first + batch)];
        let step = self.run.step(self.epoch, images);
        if !step.loss.is_finite() {
            let (epoch, rate) = (self.epoch + 1, self.job.training.learning_rate);
            return Err(TrainError::Diverged { loss: step.loss, step: self.step + 1, epoch, rate });
        }
        self.totals.loss += step.loss;
        self.totals.correct += step.correct as u64;
        self.totals.steps += 1;
        self.step += 1;
        let (images, last) = (images.len(), self.step == self.run.steps_per_epoch());
        let epoch = if last { Some(self.end_epoch()?) } else { None };
        Ok(Progress { images, loss: step.loss, correct: step.correct, epoch })
    }

    fn end_epoch(&mut self) -> Result<Epoch, TrainError> {
        self.run.end_epoch();
        self.run.constrain(self.epoch + 1)?;
        let epoch = self.run.measure(self.epoch + 1, self.totals)?;
        self.epochs.push(epoch);
        let criterion =
            if self.job.method.knows_hardware() { epoch.validation_hardware } else { Some(epoch.validation_software) };
        // Of equally good checkpoints the later one is kept: it has seen more training.
        let better = |accuracy: &f64| self.best.as_ref().is_none_or(|best| *accuracy >= best.accuracy);
        if let Some(accuracy) = criterion.filter(better) {
            let (parameters, formats, constrained) = (self.run.exported(), self.run.formats(), self.run.constrained());
            self.best = Some(Best { accuracy, epoch: self.epochs.len() - 1, parameters, formats, constrained });
        }
        self.epoch += 1;
        self.step = 0;
        self.totals = Totals::default();
        self.order = shuffled(self.job.dataset.train.len(), self.job.seed, self.epoch);
        Ok(epoch)
    }

    /// The best network.
    ///
    /// # Errors
    /// If no checkpoint was eligible.
    pub fn finish(self) -> Result<Trained, TrainError> {
        let Best { accuracy, epoch, parameters, formats, constrained } = self.best.ok_or(TrainError::NoCheckpoint)?;
        let network = self.run.network(parameters, &formats);
        let of_layer = |layer: &LayerState| layer.target.favourable.states.clone();
        let states = if self.job.method.is_biased() { self.run.layers().map(of_layer).collect() } else { Vec::new() };
        Ok(Trained {
            network,
            epochs: self.epochs,
            chosen: epoch,
            validation_accuracy: accuracy,
            share: self.job.share,
            constrained,
            states,
        })
    }

    /// All that [`Self::resume`] needs to go on; `key` stands for all that the training depends on.
    #[must_use]
    pub fn checkpoint(&self, key: &str) -> Vec<u8> {
        let mut writer = Writer::new(key);
        for number in [self.epoch, self.step, self.totals.steps] {
            writer.number(number);
        }
        writer.number(self.totals.loss);
        writer.number(self.totals.correct);
        self.run.store(&mut writer);
        writer.number(self.epochs.len() as u32);
        self.epochs.iter().for_each(|epoch| epoch.store(&mut writer));
        writer.number(u8::from(self.best.is_some()));
        if let Some(best) = &self.best {
            writer.number(best.accuracy);
            writer.number(best.epoch as u64);
            best.parameters.iter().for_each(|part| part.store(&mut writer));
            best.formats.iter().for_each(|format| format.store(&mut writer));
            best.constrained.iter().for_each(|columns| columns.store(&mut writer));
        }
        writer.finish()
    }

    /// The training that a checkpoint was made of. Its result is the same bytes as that of one that was never interrupted.
    ///
    /// # Errors
    /// If the checkpoint is damaged or that of another training, or as [`Self::new`].
    pub fn resume(job: &'a Job<'a>, bytes: &[u8], key: &str) -> Result<Self, TrainError> {
        let mut session = Self::new(job)?;
        let mut reader = Reader::new(bytes, key)?;
        for number in [&mut session.epoch, &mut session.step, &mut session.totals.steps] {
            *number = reader.number()?;
        }
        session.totals.loss = reader.number()?;
        session.totals.correct = reader.number()?;
        session.run.restore(&mut reader)?;
        for _ in 0..reader.number::<u32>()? {
            let mut epoch = Epoch::default();
            epoch.restore(&mut reader)?;
            session.epochs.push(epoch);
        }
        if reader.number::<u8>()? == 1 {
            let (accuracy, epoch) = (reader.number()?, reader.number::<u64>()? as usize);
            let mut parameters = session.run.exported();
            parameters.iter_mut().try_for_each(|part| part.restore(&mut reader))?;
            let mut formats = session.run.formats();
            formats.iter_mut().try_for_each(|format| format.restore(&mut reader))?;
            let mut constrained = session.run.constrained();
            constrained.iter_mut().try_for_each(|columns| columns.restore(&mut reader))?;
            session.best = Some(Best { accuracy, epoch, parameters, formats, constrained });
        }
        reader.finish()?;
        session.order = shuffled(job.dataset.train.len(), job.seed, session.epoch);
        Ok(session)
    }
}
