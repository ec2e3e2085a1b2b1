//! A training from beginning to end, for all methods.

use crate::checkpoint::{Reader, Stored, Writer};
use crate::config::{Method, Training};
use crate::error::TrainError;
use crate::session::Session;
use crate::start::Start;
use crate::target::Target;
use nn::Graph;
use nn::datasets::Dataset;

/// What to train, how, and with which hardware in view.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What it starts from.
    pub start: Start<'a>,
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
    /// Seed of initial weights, image order, changes of images and noise.
    pub seed: u64,
}

/// One line of the learning curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Epoch {
    /// Epochs done.
    pub epoch: u32,
    /// Mean loss of the epoch's steps, nats.
    pub loss: f64,
    /// Share of the training images that the epoch's steps classified correctly, noise and changes of images included.
    pub training_software: f64,
    /// Accuracy of the quantised weights on the validation images.
    pub validation_software: f64,
    /// Mean accuracy over the validation chip samples, where it was measured.
    pub validation_hardware: Option<f64>,
    /// Noise, as a fraction of the device's.
    pub noise: f64,
    /// Share of columns that were chosen to be constrained.
    pub chosen_share: f64,
    /// Share of columns all of whose weights are favourable: the constraint that is really in force. Columns of layers whose encoding excludes no
    /// weight do not count.
    pub effective_share: f64,
    /// Share of the weights that are beyond what the encoding stores, and clipped; of methods that know the hardware.
    pub clipped_share: f64,
}

impl Stored for Epoch {
    fn store(&self, writer: &mut Writer) {
        writer.number(self.epoch);
        writer.number(u8::from(self.validation_hardware.is_some()));
        let Self {
            loss,
            training_software,
            validation_software,
            noise,
            chosen_share,
            effective_share,
            clipped_share,
            ..
        } = *self;
        let hardware = self.validation_hardware.unwrap_or(0.0);
        writer.list(&[
            loss,
            training_software,
            validation_software,
            hardware,
            noise,
            chosen_share,
            effective_share,
            clipped_share,
        ]);
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        self.epoch = reader.number()?;
        let measured: u8 = reader.number()?;
        let mut numbers = [0.0; 8];
        reader.list(&mut numbers)?;
        let hardware;
        [
            self.loss,
            self.training_software,
            self.validation_software,
            hardware,
            self.noise,
            self.chosen_share,
            self.effective_share,
            self.clipped_share,
        ] = numbers;
        self.validation_hardware = (measured == 1).then_some(hardware);
        Ok(())
    }
}

/// A trained network and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The network; its weights are whole multiples of their scales.
    pub network: Graph,
    /// The learning curve.
    pub epochs: Vec<Epoch>,
    /// Index of the epoch that the network was taken from.
    pub chosen: usize,
    /// Criterion it was chosen by, on validation images: hardware accuracy, or software accuracy for conventional training.
    pub validation_accuracy: f64,
    /// Share of constrained columns that was asked for.
    pub share: f64,
    /// Constrained columns of every weighted layer, one output within one row partition each: `[layer][output * partitions + partition]`.
    pub constrained: Vec<Vec<bool>>,
    /// Favourable states of the most significant slice of every weighted layer, at the end of the training; none without biased training, or of a
    /// soft projection.
    pub states: Vec<Vec<usize>>,
}

/// Trains a network. The result is a function of the job alone.
///
/// # Errors
/// If network, data set and chip do not fit together, or no checkpoint was eligible.
pub fn train(job: &Job<'_>, mut watch: impl FnMut(&Epoch)) -> Result<Trained, TrainError> {
    let mut session = Session::new(job)?;
    while !session.is_done() {
        session.advance()?.epoch.iter().for_each(&mut watch);
    }
    session.finish()
}
