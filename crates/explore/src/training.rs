//! The trainings of an experiment: one conventional network per seed, the others per mapping strategy; of biased trainings with several
//! shares of constrained columns, the one with the best hardware accuracy on validation data.

use crate::checkpoint::{Checkpoint, TrainOptions, follow};
use crate::config::ConfigError;
use crate::datasets::content_digest;
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::progress::Progress;
use nn::Graph;
use nn::datasets::Dataset;
use nn_compiler::mapping::Mapping;
use rayon::prelude::*;
use serde::Serialize;
use trainer::{Job, Method, Session, Start, Target, Trained};

/// A trained network of an experiment.
#[derive(Clone, Debug)]
pub struct TrainedPoint {
    /// Index of the training seed.
    pub seed_index: u32,
    /// Method.
    pub method: Method,
    /// The mapping strategy it had in view; `None` if none.
    pub mapping: Option<String>,
    /// The result.
    pub trained: Trained,
}

/// One training of an experiment, before it is run.
#[derive(Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) dataset: &'a Dataset,
    pub(crate) seed_index: u32,
    pub(crate) method: Method,
    mapping: Mapping,
    share: f64,
}

impl Plan<'_> {
    /// The mapping strategy the training has in view, if any.
    pub(crate) fn mapping(&self) -> Option<&str> {
        self.method.knows_hardware().then(|| self.mapping.name())
    }

    /// All that the trained network depends on: two plans with equal keys give the same network.
    ///
    /// # Errors
    /// If the configuration cannot be written.
    pub(crate) fn key(&self) -> Result<String, ExploreError> {
        let mut training = self.experiment.training.clone();
        // The one share of this training stands for itself below.
        training.biased.shares.clear();
        let chip = &self.experiment.chip;
        // Without hardware in view, the width of the weights is all that a training takes from the chip.
        let hardware = match self.mapping() {
            Some(mapping) => format!("{mapping}\n{}", text(chip)?),
            None => format!("{} weight bits", chip.format.weight_bits),
        };
        let seed = training_seed(self.experiment, self.seed_index);
        let (network, training) = (text(&self.experiment.network)?, text(&training)?);
        Ok(format!("{} {seed} {}\n{network}\n{training}\n{hardware}", self.method.name(), self.share))
    }

    fn train(
        &self,
        from: Option<&Graph>,
        checkpoints: Option<&Checkpoint<'_>>,
        progress: &dyn Progress,
    ) -> Result<Trained, ExploreError> {
        let job = Job {
            start: from.map_or(Start::Architecture(&self.experiment.network), Start::Network),
            dataset: self.dataset,
            training: &self.experiment.training,
            method: self.method,
            target: Target { mapping: &self.mapping, chip: &self.experiment.chip },
            share: self.share,
            seed: training_seed(self.experiment, self.seed_index),
        };
        let session = match checkpoints {
            Some(checkpoint) => checkpoint.session(&job)?,
            None => Session::new(&job)?,
        };
        follow(session, checkpoints, progress)
    }
}

/// A part of a configuration as text; equal parts give equal texts.
fn text(part: &impl Serialize) -> Result<String, ConfigError> {
    let table = toml::Table::try_from(part).map_err(|error| ConfigError::Unwritable(error.to_string()))?;
    Ok(table.to_string())
}

/// Looks up a mapping strategy.
///
/// # Errors
/// If there is none of that name; the message lists those there are.
pub fn mapping(name: &str) -> Result<Mapping, ExploreError> {
    Mapping::parse(name).map_err(ExploreError::Request)
}

/// Looks up a training method.
///
/// # Errors
/// If there is none of that name; the message lists those there are.
pub fn method(name: &str) -> Result<Method, ExploreError> {
    let known = || trainer::METHODS.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    Method::by_name(name)
        .ok_or_else(|| ExploreError::Request(format!("unknown training method `{name}`; known: {}", known())))
}

/// Seed of a training: training seeds follow the experiment's seed.
#[must_use]
pub fn training_seed(experiment: &Experiment, seed_index: u32) -> u64 {
    experiment.seed.wrapping_add(u64::from(seed_index))
}

/// Trains all networks of an experiment, in parallel; the order of the result is fixed.
///
/// # Errors
/// If a training fails.
pub fn train_all(
    experiment: &Experiment,
    dataset: &Dataset,
    options: &TrainOptions<'_>,
    progress: &dyn Progress,
) -> Result<Vec<TrainedPoint>, ExploreError> {
    let plans = plan(experiment, dataset)?;
    let trained = train_plans(&plans, options, progress).map_err(|(_, error)| error)?;
    Ok(best_of(&plans, trained))
}

/// The networks of plans; of biased trainings that differ in the share of constrained columns the best one.
pub(crate) fn best_of(plans: &[Plan<'_>], trained: Vec<Trained>) -> Vec<TrainedPoint> {
    let point = |(plan, trained): (&Plan<'_>, Trained)| TrainedPoint {
        seed_index: plan.seed_index,
        method: plan.method,
        mapping: plan.mapping().map(str::to_owned),
        trained,
    };
    best_shares(plans.iter().zip(trained).map(point).collect())
}

/// Runs trainings in parallel, as one stage of the progress with a step per image; the order of the result is that of the plans.
///
/// # Errors
/// If a training fails; the index is that of its plan.
pub(crate) fn train_plans(
    plans: &[Plan<'_>],
    options: &TrainOptions<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Trained>, (usize, ExploreError)> {
    let images = |plan: &Plan<'_>| u64::from(plan.experiment.training.epochs) * plan.dataset.train.len() as u64;
    progress.begin("training", plans.iter().map(images).sum());
    // All plans are of one data set.
    let data = plans.first().filter(|_| options.checkpoints.is_some());
    let data = data.map_or_else(String::new, |plan| content_digest(plan.dataset));
    let run = |(index, plan): (usize, &Plan<'_>)| {
        let checkpoint = options.checkpoint(index, plan, &data);
        let trained = checkpoint.and_then(|checkpoint| plan.train(options.from, checkpoint.as_ref(), progress));
        trained.map_err(|error| (index, error))
    };
    let trained = plans.par_iter().enumerate().map(run).collect();
    progress.end();
    trained
}

/// The trainings that an experiment needs.
///
/// # Errors
/// If a method or mapping strategy does not exist.
pub(crate) fn plan<'a>(experiment: &'a Experiment, dataset: &'a Dataset) -> Result<Vec<Plan<'a>>, ExploreError> {
    let mut plans = Vec::new();
    for seed_index in 0..experiment.training_seeds {
        for method_name in &experiment.methods {
            let method = method(method_name)?;
            let mappings =
                if method.knows_hardware() { experiment.mappings.as_slice() } else { &experiment.mappings[..1] };
            for mapping_name in mappings {
                let mapping = mapping(mapping_name)?;
                let plan = Plan { experiment, dataset, seed_index, method, mapping, share: 0.0 };
                if method.is_biased() {
                    let shares = experiment.training.biased.shares.iter();
                    plans.extend(shares.map(|&share| Plan { share, ..plan.clone() }));
                } else {
                    plans.push(plan);
                }
            }
        }
    }
    Ok(plans)
}

/// Of points that differ in the share of constrained columns only, keeps the one with the best validation accuracy, the first among equals.
fn best_shares(points: Vec<TrainedPoint>) -> Vec<TrainedPoint> {
    let mut best: Vec<TrainedPoint> = Vec::new();
    for point in points {
        let same = |kept: &&mut TrainedPoint| {
            (kept.seed_index, kept.method, &kept.mapping) == (point.seed_index, point.method, &point.mapping)
        };
        match best.iter_mut().find(same) {
            None => best.push(point),
            Some(kept) if is_better(point.trained.validation_accuracy, kept.trained.validation_accuracy) => {
                *kept = point;
            }
            Some(_) => {}
        }
    }
    best
}

/// Whether a training that differs in the share of constrained columns replaces an earlier one, by their accuracies on validation images.
pub(crate) fn is_better(new: f64, kept: f64) -> bool {
    new > kept
}

/// The network of a seed, method and mapping strategy.
#[must_use]
pub fn find<'a>(
    points: &'a [TrainedPoint],
    seed_index: u32,
    method: Method,
    mapping: &str,
) -> Option<&'a TrainedPoint> {
    let fits = |point: &&TrainedPoint| {
        point.seed_index == seed_index
            && point.method == method
            && point.mapping.as_ref().is_none_or(|name| name == mapping)
    };
    points.iter().find(fits)
}
