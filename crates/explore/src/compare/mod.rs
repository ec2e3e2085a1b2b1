//! The main job: a table of mapping strategies x training methods.

mod operating_point;
mod programs;
mod sigma_axis;
#[cfg(test)]
mod tests;

pub use operating_point::{OperatingPoint, Tried};
pub use sigma_axis::{SigmaAxis, SigmaRow};

use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluation, Evaluator, row};
use crate::experiment::Experiment;
use crate::kept::{Keeping, Kept, Subject};
use crate::progress::Progress;
use crate::results::Row;
use crate::statistics::{Estimate, StatisticsError, difference_interval, ratio_interval, ratio_over_seeds};
use crate::training::{TrainedPoint, find, method, train_all};
use chip::program::Program;
use nn::datasets::{Dataset, Split};
pub(crate) use programs::{Networks, compile_row};
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
    /// The ratio over training seeds alone ([`ratio_over_seeds`]); none of fewer than six.
    pub seeds_ratio: Option<Estimate>,
    /// The difference with its 95 % interval.
    pub difference: Estimate,
    /// Software accuracy of the numerator's networks and of the denominator's.
    pub software: [f64; 2],
    /// Accuracy of a guess.
    pub chance: f64,
}

/// A row's accuracy and energy in the measures that papers use.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Efficiency {
    /// Mapping strategy.
    pub mapping: String,
    /// Training method.
    pub training: String,
    /// Accuracy of the network in software.
    pub software_accuracy: f64,
    /// Mean hardware accuracy.
    pub accuracy_mean: f64,
    /// Accuracy of a guess.
    pub chance: f64,
    /// Share of what software is better than a guess that the hardware keeps: `(accuracy - chance) / (software - chance)`; none where software guesses.
    pub recovery: Option<f64>,
    /// Operations per joule, 1e12.
    pub tops_per_w: f64,
    /// The same times the hardware accuracy: the "correct operations per joule" of Diware et al., AICAS 2023.
    pub correct_tops_per_w: f64,
}

/// Result of a comparison.
#[derive(Debug)]
pub struct Comparison {
    /// Rows, mapping strategies outside, methods inside.
    pub rows: Vec<ComparedRow>,
    /// Ratio of every method to conventional training under the same mapping strategy, where both were run.
    pub ratios: Vec<Ratio>,
    /// Scales of variation that were tried for the operating point; the last one is the operating point. Empty without one.
    pub tried: Vec<Tried>,
    /// The rows at other scales of variation.
    pub sigmas: Vec<SigmaRow>,
    /// Number of classes.
    pub classes: usize,
}

impl Comparison {
    /// One entry per row.
    #[must_use]
    pub fn efficiencies(&self) -> Vec<Efficiency> {
        let chance = 1.0 / self.classes as f64;
        let of_row = |Row { mapping, training, software_accuracy, accuracy_mean, tops_per_w, .. }: &Row| Efficiency {
            mapping: mapping.clone(),
            training: training.clone(),
            software_accuracy: *software_accuracy,
            accuracy_mean: *accuracy_mean,
            chance,
            recovery: (*software_accuracy > chance).then(|| (accuracy_mean - chance) / (software_accuracy - chance)),
            tops_per_w: *tops_per_w,
            correct_tops_per_w: accuracy_mean * tops_per_w,
        };
        self.rows.iter().map(|compared| of_row(&compared.row)).collect()
    }
}

/// Runs an experiment on its data set. What is done is kept in a directory if there is `keeping`.
///
/// # Errors
/// If any of its parts fails.
pub fn compare(
    experiment: &Experiment,
    dataset: &Dataset,
    keeping: Option<&Keeping<'_>>,
    progress: &dyn Progress,
) -> Result<Comparison, ExploreError> {
    let kept = Kept::begin(keeping, dataset)?;
    let Trainings { experiment, points, tried } = trainings(experiment, dataset, &kept, progress)?;
    let images = test_images(&dataset.test, experiment.images);
    let count = experiment.mappings.len() * experiment.methods.len() * experiment.training_seeds as usize;
    progress.begin("simulating, chip samples", count as u64 * u64::from(experiment.chips));
    let (mut rows, mut sigmas) = (Vec::new(), Vec::new());
    for mapping in &experiment.mappings {
        for method_name in &experiment.methods {
            let method = method(method_name)?;
            let trained = of_row(&points, &experiment, method, mapping)?;
            let (experiment, images) = (&experiment, &images);
            let request = RowRequest { experiment, dataset, images, mapping, method, trained };
            rows.push(request.run(&kept, progress)?);
        }
    }
    progress.end();
    if let Some(axis) = &experiment.sigma_axis {
        let images = test_images(&dataset.test, axis.images);
        let samples = count as u64 * u64::from(axis.chips) * axis.factors.len() as u64;
        progress.begin("simulating other variation, chip samples", samples);
        for compared in &rows {
            sigmas.extend(axis.run(&experiment, compared, &images, &kept, progress)?);
        }
        progress.end();
    }
    kept.end()?;
    let ratios = ratios(&rows, dataset.classes)?;
    Ok(Comparison { rows, ratios, tried, sigmas, classes: dataset.classes })
}

/// The networks of a comparison, and what it has become.
struct Trainings {
    /// The experiment at its operating point.
    experiment: Experiment,
    points: Vec<TrainedPoint>,
    tried: Vec<Tried>,
}

/// Trains all networks; the conventional ones first if they say how much the device is to vary.
fn trainings(
    experiment: &Experiment,
    dataset: &Dataset,
    kept: &Kept<'_>,
    progress: &dyn Progress,
) -> Result<Trainings, ExploreError> {
    let train = |experiment: &Experiment, stage: &str| {
        kept.train(None, stage, |options| train_all(experiment, dataset, options, progress))
    };
    let Some(point) = &experiment.operating_point else {
        let points = train(experiment, "networks")?;
        return Ok(Trainings { experiment: experiment.clone(), points, tried: Vec::new() });
    };
    let (method, mut experiment) = (Method::Conventional, experiment.clone());
    let conventional = Experiment { methods: vec![method.name().to_owned()], ..experiment.clone() };
    let mut points = train(&conventional, "conventional")?;
    let trained = of_row(&points, &conventional, method, &point.mapping)?;
    let networks = Networks { method, dataset, trained };
    let validation = test_images(&dataset.validation, point.images);
    let tried = point.find(&conventional, &networks, &validation, kept, progress)?;
    if let Some(chosen) = tried.last() {
        experiment.chip.tile.cell.device.sigma_scale = chosen.sigma_scale;
    }
    let others = experiment.methods.iter().filter(|name| *name != method.name()).cloned().collect();
    points.extend(train(&Experiment { methods: others, ..experiment.clone() }, "networks")?);
    Ok(Trainings { experiment, points, tried })
}

/// The networks of a row, one per training seed.
fn of_row<'a>(
    points: &'a [TrainedPoint],
    experiment: &Experiment,
    method: Method,
    mapping: &str,
) -> Result<Vec<&'a Trained>, ExploreError> {
    let network = |seed_index| find(points, seed_index, method, mapping).map(|point| &point.trained);
    let trained: Option<Vec<&Trained>> = (0..experiment.training_seeds).map(network).collect();
    trained.ok_or_else(|| no_network(method.name(), mapping))
}

/// The first `count` images; all if `count` is 0.
#[must_use]
pub fn test_images(split: &Split, count: u32) -> Split {
    if count == 0 { split.clone() } else { split.truncated(count as usize) }
}

/// One row to evaluate: the networks of one mapping strategy and training method.
struct RowRequest<'a> {
    experiment: &'a Experiment,
    dataset: &'a Dataset,
    images: &'a Split,
    mapping: &'a str,
    method: Method,
    /// One network per training seed.
    trained: Vec<&'a Trained>,
}

impl RowRequest<'_> {
    /// Compiles the networks and simulates them, with a step of the progress per chip sample.
    ///
    /// # Errors
    /// If a network cannot be compiled or its program not be evaluated.
    fn run(&self, kept: &Kept<'_>, progress: &dyn Progress) -> Result<ComparedRow, ExploreError> {
        let Self { experiment, images, .. } = *self;
        let networks = Networks { method: self.method, dataset: self.dataset, trained: self.trained.clone() };
        let programs = networks.programs(experiment, self.mapping)?;
        let mut evaluations = Vec::new();
        for ((seed_index, program), trained) in (0..).zip(&programs).zip(&self.trained) {
            let (mapping, method, network) = (self.mapping, self.method, &trained.network);
            let subject = Subject { experiment, mapping, method, seed_index, network, question: "" };
            let run = || Evaluator::of(experiment, seed_index).run(program, images, &CellSource::Device, progress);
            let (evaluation, was_there) = kept.result(&subject, run)?;
            progress.advance(if was_there { experiment.chips.into() } else { 0 });
            evaluations.push(evaluation);
        }
        let (programs_of, of) = (programs.iter().collect::<Vec<_>>(), evaluations.iter().collect::<Vec<_>>());
        let row = row(&programs_of, &of, images.len() as u64, experiment.seed)?;
        let accuracies = evaluations.iter().map(|evaluation| evaluation.accuracies.clone()).collect();
        let trained = self.trained.iter().copied().cloned().collect();
        Ok(ComparedRow { row, accuracies, evaluations, programs, trained })
    }
}

/// The error for a row without a network.
pub(crate) fn no_network(method: &str, mapping: &str) -> ExploreError {
    ExploreError::Request(format!("no network was trained by {method} for {mapping}"))
}

fn ratios(rows: &[ComparedRow], classes: usize) -> Result<Vec<Ratio>, ExploreError> {
    let baseline = Method::Conventional.name();
    let mut ratios = Vec::new();
    for row in rows.iter().filter(|row| row.row.training != baseline) {
        let same_mapping =
            |other: &&ComparedRow| other.row.mapping == row.row.mapping && other.row.training == baseline;
        if let Some(base) = rows.iter().find(same_mapping) {
            let pair = (row.accuracies.as_slice(), base.accuracies.as_slice());
            let unpaired = |error: StatisticsError| ExploreError::Request(error.to_string());
            let ratio = ratio_interval(pair.0, pair.1).ok();
            let seeds_ratio = ratio_over_seeds(pair.0, pair.1).map_err(unpaired)?;
            let difference = difference_interval(pair.0, pair.1).map_err(unpaired)?;
            let (mapping, method) = (row.row.mapping.clone(), row.row.training.clone());
            let software = [row.row.software_accuracy, base.row.software_accuracy];
            let (baseline, chance) = (baseline.to_owned(), 1.0 / classes as f64);
            ratios.push(Ratio { mapping, method, baseline, ratio, seeds_ratio, difference, software, chance });
        }
    }
    Ok(ratios)
}
