//! One rung: all candidates that are left, trained, compiled and simulated with the same effort.

use super::{Judged, Recommendation};
use crate::compare::{self, no_network, test_images};
use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluation, Evaluator, row};
use crate::experiment::Experiment;
use crate::kept::{Kept, Subject};
use crate::progress::Progress;
use crate::results::Row;
use crate::training::{Plan, TrainedPoint, best_of, find, method, plan, train_plans};
use nn::Graph;
use nn::datasets::{Dataset, Split};
use tile::address::Purpose;
use trainer::Trained;

/// One of those to choose from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    mapping: String,
    training: String,
    adc_bits: u32,
}

/// What a rung spends on a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effort {
    pub(super) epochs: u32,
    pub(super) seeds: u32,
    pub(super) chips: u32,
    pub(super) images: u32,
}

/// A rung.
pub(super) struct Rung<'a> {
    pub(super) request: &'a Recommendation,
    pub(super) number: u32,
    pub(super) effort: Effort,
    /// What is trained on; its validation images choose checkpoints and shares.
    pub(super) dataset: &'a Dataset,
    /// Validation images by which candidates are judged, which no training has seen.
    pub(super) judging: &'a Split,
    /// The network whose weights are trained further, if not the architecture of the experiment.
    pub(super) from: Option<&'a Graph>,
    pub(super) kept: &'a Kept<'a>,
}

/// What a rung trained, and the experiment that it is of.
pub(super) struct Networks {
    experiment: Experiment,
    points: Vec<TrainedPoint>,
}

/// Every combination.
pub(super) fn all(request: &Recommendation) -> Vec<Candidate> {
    let Experiment { mappings, methods, chip, .. } = &request.experiment;
    let own = [chip.tile.adc.bits];
    let widths = if request.adc_bits.is_empty() { own.as_slice() } else { &request.adc_bits };
    let mut candidates = Vec::new();
    for mapping in mappings {
        for training in methods {
            let with = |&adc_bits: &u32| Candidate { mapping: mapping.clone(), training: training.clone(), adc_bits };
            candidates.extend(widths.iter().map(with));
        }
    }
    candidates
}

impl Candidate {
    /// That of a result.
    pub(super) fn of(judged: &Judged) -> Self {
        let Judged { mapping, training, adc_bits, .. } = judged;
        Self { mapping: mapping.clone(), training: training.clone(), adc_bits: *adc_bits as u32 }
    }
}

impl Effort {
    /// The last rung has the experiment's own numbers and all `validation` images to judge by; each one before a share of it, and one training seed.
    pub(super) fn of(request: &Recommendation, rung: u32, validation: usize) -> Self {
        let behind = request.halving.rungs - 1 - rung;
        let share = request.halving.keep.powi(behind as i32);
        let of = |all: u32, least: u32| ((f64::from(all) * share).round() as u32).max(least.min(all));
        let Experiment { training, training_seeds, chips, .. } = &request.experiment;
        Self {
            epochs: of(training.epochs, 1),
            seeds: if behind == 0 { *training_seeds } else { 1 },
            chips: of(*chips, 2),
            images: of(validation as u32, 100),
        }
    }
}

impl Rung<'_> {
    /// Compiles and simulates on validation images.
    pub(super) fn judge(
        &self,
        candidates: &[Candidate],
        networks: &Networks,
        progress: &dyn Progress,
    ) -> Result<Vec<Judged>, ExploreError> {
        let Experiment { training_seeds, chips, .. } = networks.experiment;
        let images = test_images(self.judging, self.effort.images);
        let samples = candidates.len() as u64 * u64::from(training_seeds) * u64::from(chips);
        progress.begin(&format!("rung {}, chip samples", self.number + 1), samples);
        let judge = |candidate: &Candidate| {
            Ok(self.judged(&self.evaluate(candidate, networks, (Purpose::Selection, &images), progress)?))
        };
        let judged = candidates.iter().map(judge).collect();
        progress.end();
        judged
    }

    /// One candidate on all test images.
    pub(super) fn test(
        &self,
        candidate: &Candidate,
        networks: &Networks,
        progress: &dyn Progress,
    ) -> Result<Row, ExploreError> {
        let Experiment { training_seeds, chips, images, .. } = networks.experiment;
        let images = test_images(&self.dataset.test, images);
        progress.begin("test images, chip samples", u64::from(training_seeds) * u64::from(chips));
        let row = self.evaluate(candidate, networks, (Purpose::Programming, &images), progress);
        progress.end();
        row
    }

    /// The networks of candidates, each trained once.
    ///
    /// # Errors
    /// If a training fails.
    pub(super) fn train(&self, candidates: &[Candidate], progress: &dyn Progress) -> Result<Networks, ExploreError> {
        let Effort { epochs, seeds, chips, .. } = self.effort;
        let mut experiment = Experiment { training_seeds: seeds, chips, ..self.request.experiment.clone() };
        experiment.training.epochs = epochs;
        let needed = |training: &String| {
            let of_method = candidates.iter().filter(|candidate| candidate.training == *training);
            let mut mappings: Vec<String> = of_method.map(|candidate| candidate.mapping.clone()).collect();
            mappings.sort();
            mappings.dedup();
            Experiment { methods: vec![training.clone()], mappings, ..experiment.clone() }
        };
        let parts: Vec<Experiment> = experiment.methods.iter().map(needed).collect();
        let mut plans: Vec<Plan<'_>> = Vec::new();
        for part in parts.iter().filter(|part| !part.mappings.is_empty()) {
            plans.extend(plan(part, self.dataset)?);
        }
        let stage = format!("rung-{}", self.number + 1);
        let trained = self.kept.train(self.from, &stage, |options| train_plans(&plans, options, progress));
        let trained = trained.map_err(|(_, error)| error)?;
        let points = best_of(&plans, trained);
        Ok(Networks { experiment, points })
    }

    fn judged(&self, row: &Row) -> Judged {
        let Row { mapping, training, adc_bits, chips, images, energy_j, latency_s, .. } = row.clone();
        Judged {
            rung: self.number,
            mapping,
            training,
            adc_bits,
            epochs: self.effort.epochs,
            chips,
            images,
            accuracy_mean: row.accuracy_mean,
            accuracy_ci95_low: row.accuracy_ci95_low,
            accuracy_ci95_high: row.accuracy_ci95_high,
            energy_j,
            latency_s,
            on_front: false,
            kept: false,
        }
    }

    /// The result of a candidate on images, and chip samples for `purpose`.
    fn evaluate(
        &self,
        candidate: &Candidate,
        Networks { experiment, points }: &Networks,
        (purpose, images): (Purpose, &Split),
        progress: &dyn Progress,
    ) -> Result<Row, ExploreError> {
        let Candidate { mapping, training, adc_bits } = candidate;
        let method = method(training)?;
        let network = |seed_index| find(points, seed_index, method, mapping).map(|point| &point.trained);
        let trained: Option<Vec<&Trained>> = (0..experiment.training_seeds).map(network).collect();
        let trained = trained.ok_or_else(|| no_network(training, mapping))?;
        let mut experiment = experiment.clone();
        experiment.chip.tile.adc.bits = *adc_bits;
        let networks = compare::Networks { method, dataset: self.dataset, trained };
        let programs = networks.programs(&experiment, mapping)?;
        let question = format!("{purpose:?} of {} images", images.len());
        let mut evaluations = Vec::new();
        for ((seed_index, program), trained) in (0..).zip(&programs).zip(&networks.trained) {
            let (network, question) = (&trained.network, question.as_str());
            let subject = Subject { experiment: &experiment, mapping, method, seed_index, network, question };
            let evaluator = Evaluator { purpose, ..Evaluator::of(&experiment, seed_index) };
            let run = || evaluator.run(program, images, &CellSource::Device, progress);
            let (evaluation, was_there): (Evaluation, bool) = self.kept.result(&subject, run)?;
            progress.advance(if was_there { experiment.chips.into() } else { 0 });
            evaluations.push(evaluation);
        }
        let (programs, evaluations) = (programs.iter().collect::<Vec<_>>(), evaluations.iter().collect::<Vec<_>>());
        row(&programs, &evaluations, images.len() as u64, experiment.seed)
    }
}
