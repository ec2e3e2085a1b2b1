//! The operating point of a comparison: how much variation conventionally trained networks are to suffer from, found on validation images.

use super::programs::Networks;
use crate::error::ExploreError;
use crate::evaluate::Evaluator;
use crate::experiment::Experiment;
use crate::kept::{Kept, Subject};
use crate::progress::{Progress, Silent};
use crate::statistics::{Estimate, mean_interval};
use nn::datasets::Split;
use nn_compiler::mapping::Mapping;
use serde::{Deserialize, Serialize};
use tile::address::Purpose;
use tile::check::{Check, Problems};

/// Largest and smallest scale of the device's variation that is looked at.
const SCALES: (f64, f64) = (1.0 / 64.0, 64.0);
/// Ratio of the ends of the interval that a search ends with.
const CLOSE: f64 = 1.01;

/// Where a comparison is made: at the scale of the device's variation at which conventionally trained networks have a given accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Mapping strategy under which they are stored.
    pub mapping: String,
    /// Their mean hardware accuracy on validation images, a share.
    pub accuracy: f64,
    /// Chip samples per network; none of them is one that a table is made with.
    pub chips: u32,
    /// Validation images; 0 = all.
    pub images: u32,
}

/// One scale that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Scale of the device's variation.
    pub sigma_scale: f64,
    /// Mean accuracy on validation images over networks and chip samples.
    pub validation_accuracy: f64,
    /// Lower end of its 95 % interval.
    pub validation_accuracy_ci95_low: f64,
    /// Upper end of its 95 % interval.
    pub validation_accuracy_ci95_high: f64,
    /// Whether this is the operating point.
    pub chosen: bool,
}

impl Check for OperatingPoint {
    fn check(&self, problems: &mut Problems) {
        if let Err(what) = Mapping::parse(&self.mapping) {
            problems.require("mapping", &self.mapping, false, what);
        }
        problems.number("accuracy", self.accuracy, 0.0..=1.0, "");
        problems.integer("chips", self.chips.into(), 1..=1_000_000);
    }
}

impl OperatingPoint {
    /// Tries scales until two that are within a hundredth of each other enclose the accuracy; the nearest one is chosen, and comes last.
    ///
    /// # Errors
    /// If no scale gives the accuracy, or a network cannot be compiled.
    pub(super) fn find(
        &self,
        experiment: &Experiment,
        networks: &Networks<'_>,
        validation: &Split,
        kept: &Kept<'_>,
        progress: &dyn Progress,
    ) -> Result<Vec<Tried>, ExploreError> {
        progress.begin("finding the operating point, chip samples", 0);
        let mut tried = Vec::new();
        let mut probe = |scale: f64| {
            // So that the scale that a table names is the one that was tried.
            let sigma_scale = (scale * 1000.0).round() / 1000.0;
            let accuracy = self.accuracy_at(sigma_scale, experiment, networks, (validation, kept))?;
            progress.note(&format!("sigma scale {sigma_scale}: {:.1} %", 100.0 * accuracy.value));
            progress.advance(u64::from(self.chips) * u64::from(experiment.training_seeds));
            let Estimate { value: validation_accuracy, low, high } = accuracy;
            let (validation_accuracy_ci95_low, validation_accuracy_ci95_high) = (low, high);
            tried.push(Tried {
                sigma_scale,
                validation_accuracy,
                validation_accuracy_ci95_low,
                validation_accuracy_ci95_high,
                chosen: false,
            });
            Ok::<f64, ExploreError>(validation_accuracy)
        };
        let start = experiment.chip.tile.cell.device.sigma_scale.clamp(SCALES.0, SCALES.1);
        let (mut below, mut above) = self.enclose(start, &mut probe)?;
        while above / below > CLOSE {
            let middle = (below * above).sqrt();
            if probe(middle)? >= self.accuracy { below = middle } else { above = middle }
        }
        progress.end();
        let distance = |tried: &Tried| (tried.validation_accuracy - self.accuracy).abs();
        if let Some(index) = (0..tried.len()).min_by(|&a, &b| distance(&tried[a]).total_cmp(&distance(&tried[b]))) {
            let nearest = tried.remove(index);
            tried.push(Tried { chosen: true, ..nearest });
        }
        Ok(tried)
    }

    /// Two scales, one double the other, the smaller of which gives at least the accuracy and the larger less.
    fn enclose(
        &self,
        start: f64,
        probe: &mut dyn FnMut(f64) -> Result<f64, ExploreError>,
    ) -> Result<(f64, f64), ExploreError> {
        let mut scale = start;
        let mut accuracy = probe(scale)?;
        let rises = accuracy >= self.accuracy;
        loop {
            let next = if rises { 2.0 * scale } else { scale / 2.0 };
            if !(SCALES.0..=SCALES.1).contains(&next) {
                return Err(ExploreError::Request(format!(
                    "operating_point: conventionally trained networks are {:.1} % accurate at a sigma scale of {scale}, no scale from {} to {} \
                     gives {:.1} %",
                    100.0 * accuracy,
                    SCALES.0,
                    SCALES.1,
                    100.0 * self.accuracy
                )));
            }
            accuracy = probe(next)?;
            if (accuracy >= self.accuracy) != rises {
                return Ok(if rises { (scale, next) } else { (next, scale) });
            }
            scale = next;
        }
    }

    fn accuracy_at(
        &self,
        sigma_scale: f64,
        experiment: &Experiment,
        networks: &Networks<'_>,
        (images, kept): (&Split, &Kept<'_>),
    ) -> Result<Estimate, ExploreError> {
        let mut accuracies = Vec::new();
        // Compiled anew, as the table's are: searched offsets and ranges of converters depend on the variation.
        let mut scaled = experiment.clone();
        scaled.chip.tile.cell.device.sigma_scale = sigma_scale;
        let programs = networks.programs(&scaled, &self.mapping)?;
        for ((seed_index, program), trained) in (0..).zip(&programs).zip(&networks.trained) {
            let evaluator =
                Evaluator { purpose: Purpose::Validation, chips: self.chips, ..Evaluator::of(&scaled, seed_index) };
            let (experiment, mapping, method) = (&scaled, self.mapping.as_str(), networks.method);
            let (network, question) = (&trained.network, "operating point");
            let subject = Subject { experiment, mapping, method, seed_index, network, question };
            accuracies.push(kept.result(&subject, || evaluator.accuracies(program, images, &Silent))?.0);
        }
        mean_interval(&accuracies).map_err(|error| ExploreError::Request(error.to_string()))
    }
}
