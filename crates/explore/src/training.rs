//! The trainings of an experiment: one conventional network per seed, the others per mapping strategy; of biased trainings with several
//! shares of constrained columns, the one with the best hardware accuracy on validation data.

use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::progress::Progress;
use nn::datasets::Dataset;
use nn_compiler::mapping::{MappingStrategy, by_name};
use rayon::prelude::*;
use trainer::{Job, Method, Target, Trained, train};

/// A trained network of an experiment.
#[derive(Clone, Debug)]
pub struct TrainedPoint {
    /// Index of the training seed.
    pub seed_index: u32,
    /// Method.
    pub method: Method,
    /// The mapping strategy it had in view; `None` if none.
    pub mapping: Option<&'static str>,
    /// The result.
    pub trained: Trained,
}

#[derive(Clone, Copy)]
struct Plan {
    seed_index: u32,
    method: Method,
    mapping: &'static dyn MappingStrategy,
    share: f64,
}

/// Looks up a mapping strategy.
///
/// # Errors
/// If there is none of that name; the message lists those there are.
pub fn mapping(name: &str) -> Result<&'static dyn MappingStrategy, ExploreError> {
    let known = || nn_compiler::mapping::MAPPINGS.iter().map(|m| m.name()).collect::<Vec<_>>().join(", ");
    by_name(name).ok_or_else(|| ExploreError::Request(format!("unknown mapping strategy `{name}`; known: {}", known())))
}

/// Looks up a training method.
///
/// # Errors
/// If there is none of that name; the message lists those there are.
pub fn method(name: &str) -> Result<Method, ExploreError> {
    let known = || trainer::METHODS.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    Method::by_name(name).ok_or_else(|| ExploreError::Request(format!("unknown training method `{name}`; known: {}", known())))
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
pub fn train_all(experiment: &Experiment, dataset: &Dataset, progress: &dyn Progress) -> Result<Vec<TrainedPoint>, ExploreError> {
    let plans = plan(experiment)?;
    progress.begin("training", plans.len() as u64 * u64::from(experiment.training.epochs));
    let run = |plan: &Plan| -> Result<TrainedPoint, ExploreError> {
        let job = Job {
            architecture: &experiment.network,
            dataset,
            training: &experiment.training,
            method: plan.method,
            target: Target { mapping: plan.mapping, chip: &experiment.chip },
            share: plan.share,
            seed: training_seed(experiment, plan.seed_index),
        };
        let trained = train(&job, |_| progress.advance(1))?;
        let mapping = plan.method.knows_hardware().then(|| plan.mapping.name());
        Ok(TrainedPoint { seed_index: plan.seed_index, method: plan.method, mapping, trained })
    };
    let points: Result<Vec<TrainedPoint>, _> = plans.par_iter().map(run).collect();
    progress.end();
    Ok(best_shares(points?))
}

fn plan(experiment: &Experiment) -> Result<Vec<Plan>, ExploreError> {
    let mut plans = Vec::new();
    for seed_index in 0..experiment.training_seeds {
        for method_name in &experiment.methods {
            let method = method(method_name)?;
            let mappings = if method.knows_hardware() { experiment.mappings.as_slice() } else { &experiment.mappings[..1] };
            for mapping_name in mappings {
                let plan = Plan { seed_index, method, mapping: mapping(mapping_name)?, share: 0.0 };
                match method {
                    Method::Biased => plans.extend(experiment.training.biased.shares.iter().map(|&share| Plan { share, ..plan })),
                    Method::Conventional | Method::NoiseInjection => plans.push(plan),
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
            (kept.seed_index, kept.method, kept.mapping) == (point.seed_index, point.method, point.mapping)
        };
        match best.iter_mut().find(same) {
            None => best.push(point),
            Some(kept) if point.trained.validation_accuracy > kept.trained.validation_accuracy => *kept = point,
            Some(_) => {}
        }
    }
    best
}

/// The network of a seed, method and mapping strategy.
#[must_use]
pub fn find<'a>(points: &'a [TrainedPoint], seed_index: u32, method: Method, mapping: &str) -> Option<&'a TrainedPoint> {
    let fits = |point: &&TrainedPoint| {
        point.seed_index == seed_index && point.method == method && point.mapping.is_none_or(|name| name == mapping)
    };
    points.iter().find(fits)
}
