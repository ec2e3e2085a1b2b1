//! The same programs on chips that vary less and more.

use super::{ComparedRow, programs::with_sigma};
use crate::error::ExploreError;
use crate::evaluate::Evaluator;
use crate::experiment::Experiment;
use crate::kept::{Kept, Subject};
use crate::progress::Progress;
use crate::statistics::mean_interval;
use crate::training::method;
use nn::datasets::Split;
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// Other scales of the device's variation at which the networks of a table are simulated as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigmaAxis {
    /// Multiples of the table's own scale.
    pub factors: Vec<f64>,
    /// Chip samples per network.
    pub chips: u32,
    /// Test images; 0 = all.
    pub images: u32,
}

/// One row of a table at one scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SigmaRow {
    /// Mapping strategy.
    pub mapping: String,
    /// Training method.
    pub training: String,
    /// Multiple of the scale that the networks were trained and compiled for.
    pub factor: f64,
    /// Scale of the device's variation.
    pub sigma_scale: f64,
    /// Chip samples, all training seeds together.
    pub chips: u64,
    /// Test images.
    pub images: u64,
    /// Mean accuracy over chip samples.
    pub accuracy_mean: f64,
    /// Lower end of its 95 % interval.
    pub accuracy_ci95_low: f64,
    /// Upper end of its 95 % interval.
    pub accuracy_ci95_high: f64,
}

impl Check for SigmaAxis {
    fn check(&self, problems: &mut Problems) {
        problems.require("factors", "no values", !self.factors.is_empty(), "at least one multiple");
        for &factor in &self.factors {
            problems.number("factors", factor, 0.0..=1e3, "");
        }
        problems.integer("chips", self.chips.into(), 1..=1_000_000);
    }
}

impl SigmaAxis {
    /// One row per factor; networks and levels stay as they are.
    ///
    /// # Errors
    /// If a program cannot be simulated.
    pub(super) fn run(
        &self,
        experiment: &Experiment,
        compared: &ComparedRow,
        images: &Split,
        kept: &Kept<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<SigmaRow>, ExploreError> {
        let own = experiment.chip.tile.cell.device.sigma_scale;
        let (mapping, method) = (compared.row.mapping.as_str(), method(&compared.row.training)?);
        let at = |&factor: &f64| {
            let sigma_scale = factor * own;
            let mut accuracies = Vec::new();
            let question = format!("sigma axis {factor}");
            for ((seed_index, program), trained) in (0..).zip(&compared.programs).zip(&compared.trained) {
                let (network, question) = (&trained.network, question.as_str());
                let subject = Subject { experiment, mapping, method, seed_index, network, question };
                let evaluator = Evaluator { chips: self.chips, ..Evaluator::of(experiment, seed_index) };
                let run = || evaluator.accuracies(&with_sigma(program, sigma_scale), images, progress);
                let (chips, was_there) = kept.result(&subject, run)?;
                progress.advance(if was_there { self.chips.into() } else { 0 });
                accuracies.push(chips);
            }
            let mean = mean_interval(&accuracies).map_err(|error| ExploreError::Request(error.to_string()))?;
            Ok(SigmaRow {
                mapping: compared.row.mapping.clone(),
                training: compared.row.training.clone(),
                factor,
                sigma_scale,
                chips: accuracies.iter().map(|chips| chips.len() as u64).sum(),
                images: images.len() as u64,
                accuracy_mean: mean.value,
                accuracy_ci95_low: mean.low,
                accuracy_ci95_high: mean.high,
            })
        };
        self.factors.iter().map(at).collect()
    }
}
