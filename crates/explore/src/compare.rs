//! The main job: a table of mapping strategies x training methods.

use crate::error::ExploreError;
use crate::evaluate::{Evaluation, Evaluator, row};
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::results::Row;
use crate::statistics::{Estimate, ratio_interval};
use crate::training::{find, mapping, method, train_all, training_seed};
use chip::program::Program;
use nn::datasets::Split;
use nn_compiler::{Compilation, compile};
use trainer::{Method, Trained};

/// One row of the table with what it was made from.
#[derive(Debug)]
pub struct ComparedRow {
    /// The result.
    pub row: Row,
    /// Accuracy of each training seed and chip sample.
    pub accuracies: Vec<Vec<f64>>,
    /// One evaluation per training seed.
    pub evaluations: Vec<Evaluation>,
    /// One program per training seed.
    pub programs: Vec<Program>,
    /// One training per training seed.
    pub trained: Vec<Trained>,
}

/// The ratio of two rows' hardware accuracies.
#[derive(Clone, Debug)]
pub struct Ratio {
    /// Mapping strategy of both rows.
    pub mapping: String,
    /// Method of the numerator.
    pub method: String,
    /// Method of the denominator.
    pub baseline: String,
    /// The ratio with its 95 % interval.
    pub ratio: Estimate,
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// Rows, mapping strategies outside, methods inside.
    pub rows: Vec<ComparedRow>,
    /// Ratio of every method to conventional training under the same mapping strategy, where both were run.
    pub ratios: Vec<Ratio>,
    /// Number of classes.
    pub classes: usize,
}

/// Runs an experiment.
///
/// # Errors
/// If any of its parts fails.
pub fn compare(experiment: &Experiment, progress: &dyn Progress) -> Result<Comparison, ExploreError> {
    let dataset = nn::datasets::load(&experiment.network.dataset)?;
    let trained = train_all(experiment, &dataset, progress)?;
    let images = test_images(&dataset.test, experiment.images);
    let points = experiment.mappings.len() * experiment.methods.len() * experiment.training_seeds as usize;
    progress.begin("simulating", points as u64 * u64::from(experiment.chips));
    let mut rows = Vec::new();
    for mapping_name in &experiment.mappings {
        for method_name in &experiment.methods {
            let mut compared = ComparedParts::default();
            for seed_index in 0..experiment.training_seeds {
                let seed = training_seed(experiment, seed_index);
                let point = find(&trained, seed_index, method(method_name)?, mapping_name)
                    .ok_or_else(|| ExploreError::Request(format!("no network was trained by {method_name} for {mapping_name}")))?;
                let program = compile(&Compilation {
                    network: &point.trained.network,
                    dataset: &dataset,
                    training: method_name,
                    mapping: mapping(mapping_name)?,
                    chip: &experiment.chip,
                    seed,
                })?;
                let evaluator = Evaluator { seed, chips: experiment.chips, timing_images: experiment.timing_images };
                compared.evaluations.push(evaluator.run(&program, &images, progress)?);
                compared.programs.push(program);
                compared.trained.push(point.trained.clone());
            }
            rows.push(compared.finish(images.len() as u64, experiment.seed)?);
        }
    }
    progress.end();
    let ratios = ratios(&rows)?;
    Ok(Comparison { rows, ratios, classes: dataset.classes })
}

/// The first `count` images; all if `count` is 0.
#[must_use]
pub fn test_images(split: &Split, count: u32) -> Split {
    if count == 0 { split.clone() } else { split.truncated(count as usize) }
}

#[derive(Default)]
struct ComparedParts {
    evaluations: Vec<Evaluation>,
    programs: Vec<Program>,
    trained: Vec<Trained>,
}

impl ComparedParts {
    fn finish(self, images: u64, seed: u64) -> Result<ComparedRow, ExploreError> {
        let Self { evaluations, programs, trained } = self;
        let row = row(&programs.iter().collect::<Vec<_>>(), &evaluations.iter().collect::<Vec<_>>(), images, seed)?;
        let accuracies = evaluations.iter().map(|evaluation| evaluation.accuracies.clone()).collect();
        Ok(ComparedRow { row, accuracies, evaluations, programs, trained })
    }
}

fn ratios(rows: &[ComparedRow]) -> Result<Vec<Ratio>, ExploreError> {
    let baseline = Method::Conventional.name();
    let mut ratios = Vec::new();
    for row in rows.iter().filter(|row| row.row.training != baseline) {
        let same_mapping = |other: &&ComparedRow| other.row.mapping == row.row.mapping && other.row.training == baseline;
        if let Some(base) = rows.iter().find(same_mapping) {
            let ratio = ratio_interval(&row.accuracies, &base.accuracies);
            let ratio = ratio.map_err(|error| ExploreError::Request(error.to_string()))?;
            let (mapping, method) = (row.row.mapping.clone(), row.row.training.clone());
            ratios.push(Ratio { mapping, method, baseline: baseline.to_owned(), ratio });
        }
    }
    Ok(ratios)
}
