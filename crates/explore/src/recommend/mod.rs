//! Which mapping strategy, training method and width of converters suit a network, a device and a budget: successive halving (Jamieson and Talwalkar,
//! AISTATS 2016) on validation data: one half of the validation images and chip samples of their own choose checkpoints, the other half and others judge.
//!
//! Every rung trains and simulates the candidates that are left, with more epochs, chip samples and images than the one before, and keeps a share of
//! them. Test images are looked at once, for the one that is recommended.

mod front;
mod rung;
#[cfg(test)]
mod tests;

use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::kept::{Keeping, Kept};
use crate::progress::Progress;
use crate::results::Row;
use nn::Graph;
use nn::datasets::{Dataset, Split};
use rung::{Effort, Rung};
use serde::{Deserialize, Serialize};
use tile::adc::AdcKind;
use tile::check::{Check, Problems};

/// What is searched and what it may cost, as its file in `configs/recommendations` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// Name, kebab-case.
    pub name: String,
    /// What it is, in one line.
    #[serde(default)]
    pub doc: String,
    /// Widths of converters to choose from; empty = the chip's own.
    pub adc_bits: Vec<u32>,
    /// Network, chip and training; its mapping strategies and training methods are what is chosen from, its numbers of epochs, training seeds and chip
    /// samples are those of the last rung.
    pub experiment: Experiment,
    /// What the choice has to keep.
    #[serde(default)]
    pub budget: Budget,
    /// How candidates are sorted out.
    pub halving: Halving,
}

/// What a choice has to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Least hardware accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Most energy of an inference, J.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
    /// Longest latency of an inference, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_s: Option<f64>,
}

/// Parameters of successive halving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// Number of rungs.
    pub rungs: u32,
    /// Share of the candidates that a rung keeps, and of a rung's effort that the one before takes.
    pub keep: f64,
}

/// A candidate as a rung saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Index of the rung.
    pub rung: u32,
    /// Mapping strategy.
    pub mapping: String,
    /// Training method.
    pub training: String,
    /// Width of the converters.
    pub adc_bits: u64,
    /// Epochs of the trainings.
    pub epochs: u32,
    /// Chip samples, all training seeds together.
    pub chips: u64,
    /// Validation images.
    pub images: u64,
    /// Mean hardware accuracy on validation images.
    pub accuracy_mean: f64,
    /// Lower end of its 95 % interval.
    pub accuracy_ci95_low: f64,
    /// Upper end of its 95 % interval.
    pub accuracy_ci95_high: f64,
    /// Energy of an inference, J.
    pub energy_j: f64,
    /// Latency of an inference, s.
    pub latency_s: f64,
    /// Whether no other of the rung is better in one of the three and as good in the others.
    pub on_front: bool,
    /// Whether the next rung sees it; in the last one, whether it is recommended.
    pub kept: bool,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// All candidates of all rungs, in the order in which each rung ranked them.
    pub judged: Vec<Judged>,
    /// The recommended candidate on test images, which nothing was chosen by; none if no candidate keeps the budget.
    pub test: Option<Row>,
}

impl Check for Recommendation {
    fn check(&self, problems: &mut Problems) {
        problems.within("experiment", |p| self.experiment.check(p));
        let converts = self.experiment.chip.tile.adc.kind != AdcKind::Ideal;
        let allowed = "none for a chip whose converters are ideal";
        problems.require("adc_bits", format!("{:?}", self.adc_bits), converts || self.adc_bits.is_empty(), allowed);
        for (index, &bits) in self.adc_bits.iter().enumerate() {
            problems.integer("adc_bits", bits.into(), 1..=16);
            problems.require("adc_bits", bits, !self.adc_bits[..index].contains(&bits), "each width once");
        }
        problems.within("budget", |p| {
            let Budget { accuracy, energy_j, latency_s } = self.budget;
            accuracy.iter().for_each(|&value| p.number("accuracy", value, 0.0..=1.0, ""));
            energy_j.iter().for_each(|&value| p.number("energy_j", value, 0.0..=1e3, "J"));
            latency_s.iter().for_each(|&value| p.number("latency_s", value, 0.0..=1e6, "s"));
        });
        problems.within("halving", |p| {
            p.integer("rungs", self.halving.rungs.into(), 1..=10);
            p.number("keep", self.halving.keep, 0.05..=0.95, "");
        });
    }
}

impl Recommendation {
    /// The experiment of one candidate, with all seeds and chip samples.
    #[must_use]
    pub fn experiment_of(&self, judged: &Judged) -> Experiment {
        let mut experiment = self.experiment.clone();
        experiment.mappings = vec![judged.mapping.clone()];
        experiment.methods = vec![judged.training.clone()];
        experiment.chip.tile.adc.bits = judged.adc_bits as u32;
        experiment
    }
}

/// Searches on the data set of the experiment, with its architecture or with the weights of the network `from` trained further. What is done is kept in
/// a directory if there is `keeping`.
///
/// # Errors
/// If a training, a compilation or a simulation fails.
pub fn recommend(
    request: &Recommendation,
    dataset: &Dataset,
    from: Option<&Graph>,
    keeping: Option<&Keeping<'_>>,
    progress: &dyn Progress,
) -> Result<Found, ExploreError> {
    let (choosing, judging) = halves(&dataset.validation);
    let dataset = &Dataset { validation: choosing, ..dataset.clone() };
    let kept = &Kept::begin(keeping, dataset)?;
    let (mut candidates, mut judged, mut test) = (rung::all(request), Vec::new(), None);
    for number in 0..request.halving.rungs {
        let last = number + 1 == request.halving.rungs;
        let effort = Effort::of(request, number, judging.len());
        let rung = Rung { request, number, effort, dataset, judging: &judging, from, kept };
        let networks = rung.train(&candidates, progress)?;
        let mut seen = rung.judge(&candidates, &networks, progress)?;
        front::rank(&mut seen, &request.budget);
        if !last {
            front::spread(&mut seen, &request.budget);
        }
        let most = (candidates.len() as f64 * request.halving.keep).ceil() as usize;
        let going_on = if last { usize::from(front::recommended(&mut seen, &request.budget)) } else { most };
        seen.iter_mut().take(going_on).for_each(|judged| judged.kept = true);
        candidates = seen.iter().take(going_on).map(rung::Candidate::of).collect();
        if let (true, Some(chosen)) = (last, candidates.first()) {
            test = Some(rung.test(chosen, &networks, progress)?);
        }
        judged.extend(seen);
    }
    kept.end()?;
    Ok(Found { judged, test })
}

/// Every other image, and those between.
fn halves(split: &Split) -> (Split, Split) {
    let half = |first: usize| Split {
        features: split.features,
        images: split.images.chunks(split.features.max(1)).skip(first).step_by(2).flatten().copied().collect(),
        labels: split.labels.iter().skip(first).step_by(2).copied().collect(),
    };
    (half(0), half(1))
}
