//! The main job: a table of mapping strategies x training methods.

use crate::checkpoint::TrainOptions;
use crate::datasets;
use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluation, Evaluator, row};
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::results::Row;
use crate::statistics::{Estimate, difference_interval, ratio_interval};
use crate::training::{find, mapping, method, train_all, training_seed};
use chip::program::Program;
use nn::datasets::{Dataset, Split};
use nn_compiler::front::Quantisation;
use nn_compiler::{CompilationSettings, compile};
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

/// Two rows' hardware accuracies compared on common random numbers.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Ratio {
    /// Mapping strategy of both rows.
    pub mapping: String,
    /// Method of the numerator.
    pub method: String,
    /// Method of the denominator.
    pub baseline: String,
    /// The ratio with its 95 % interval; none where the baseline's accuracy is 0.
    pub ratio: Option<Estimate>,
    /// The difference with its 95 % interval.
    pub difference: Estimate,
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
    let dataset = datasets::load(&experiment.network.dataset, None)?;
    let trained = train_all(experiment, &dataset, &TrainOptions::default(), progress)?;
    let images = test_images(&dataset.test, experiment.images);
    let points = experiment.mappings.len() * experiment.methods.len() * experiment.training_seeds as usize;
    progress.begin("simulating", points as u64 * u64::from(experiment.chips));
    let mut rows = Vec::new();
    for mapping in &experiment.mappings {
        for method_name in &experiment.methods {
            let method = method(method_name)?;
            let network = |seed_index| find(&trained, seed_index, method, mapping).map(|point| &point.trained);
            let trained: Option<Vec<&Trained>> = (0..experiment.training_seeds).map(network).collect();
            let trained = trained.ok_or_else(|| no_network(method_name, mapping))?;
            let request = RowRequest { experiment, dataset: &dataset, images: &images, mapping, method, trained };
            rows.push(request.run(progress)?);
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

/// One row to evaluate: the networks of one mapping strategy and training method.
pub(crate) struct RowRequest<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) dataset: &'a Dataset,
    pub(crate) images: &'a Split,
    pub(crate) mapping: &'a str,
    pub(crate) method: Method,
    /// One network per training seed.
    pub(crate) trained: Vec<&'a Trained>,
}

impl RowRequest<'_> {
    /// Compiles the networks and simulates them, with a step of the progress per chip sample.
    ///
    /// # Errors
    /// If a network cannot be compiled or its program not be evaluated.
    pub(crate) fn run(&self, progress: &dyn Progress) -> Result<ComparedRow, ExploreError> {
        let Experiment { chips, timing_images, seed: first_seed, .. } = *self.experiment;
        let (mut programs, mut evaluations) = (Vec::new(), Vec::new());
        for (seed_index, trained) in (0..).zip(&self.trained) {
            let seed = training_seed(self.experiment, seed_index);
            let program = self.compile(trained, seed)?;
            evaluations.push(Evaluator { seed, chips, timing_images }.run(
                &program,
                self.images,
                &CellSource::Device,
                progress,
            )?);
            programs.push(program);
        }
        let images = self.images.len() as u64;
        let row =
            row(&programs.iter().collect::<Vec<_>>(), &evaluations.iter().collect::<Vec<_>>(), images, first_seed)?;
        let accuracies = evaluations.iter().map(|evaluation| evaluation.accuracies.clone()).collect();
        let trained = self.trained.iter().copied().cloned().collect();
        Ok(ComparedRow { row, accuracies, evaluations, programs, trained })
    }

    fn compile(&self, trained: &Trained, seed: u64) -> Result<Program, ExploreError> {
        let mapping = mapping(self.mapping)?;
        let settings = CompilationSettings {
            dataset: self.dataset,
            training: self.method.name(),
            mapping: &mapping,
            chip: &self.experiment.chip,
            seed,
        };
        Ok(compile(&trained.network, &Quantisation::default(), &settings)?)
    }
}

/// The error for a row without a network.
pub(crate) fn no_network(method: &str, mapping: &str) -> ExploreError {
    ExploreError::Request(format!("no network was trained by {method} for {mapping}"))
}

fn ratios(rows: &[ComparedRow]) -> Result<Vec<Ratio>, ExploreError> {
    let baseline = Method::Conventional.name();
    let mut ratios = Vec::new();
    for row in rows.iter().filter(|row| row.row.training != baseline) {
        let same_mapping =
            |other: &&ComparedRow| other.row.mapping == row.row.mapping && other.row.training == baseline;
        if let Some(base) = rows.iter().find(same_mapping) {
            let ratio = ratio_interval(&row.accuracies, &base.accuracies).ok();
            let difference = difference_interval(&row.accuracies, &base.accuracies)
                .map_err(|error| ExploreError::Request(error.to_string()))?;
            let (mapping, method) = (row.row.mapping.clone(), row.row.training.clone());
            ratios.push(Ratio { mapping, method, baseline: baseline.to_owned(), ratio, difference });
        }
    }
    Ok(ratios)
}
