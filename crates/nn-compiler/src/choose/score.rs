//! One number for what a layer's mapping costs.

use super::candidate::Candidate;
use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};

/// How much each prediction counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Of the error.
    pub error: f64,
    /// Of the energy.
    pub energy: f64,
    /// Of the latency.
    pub latency: f64,
}

impl Default for Weights {
    /// All the same.
    fn default() -> Self {
        Self { error: 1.0, energy: 1.0, latency: 1.0 }
    }
}

/// Largest weight, and smallest that is not 0: products with shares must stay numbers of full precision.
const MOST: f64 = 1e6;
const LEAST: f64 = 1e-6;

impl Check for Weights {
    fn check(&self, problems: &mut Problems) {
        for (key, weight) in [("error", self.error), ("energy", self.energy), ("latency", self.latency)] {
            problems.number(key, weight, 0.0..=MOST, "");
            problems.require(key, weight, !(0.0..LEAST).contains(&weight) || weight == 0.0, "0, or 1e-6 and more");
        }
        let zero = self.error == 0.0 && self.energy == 0.0 && self.latency == 0.0;
        let allowed = "weights of which one at least is above 0: without any, no mapping is better than another";
        problems.require("error, energy, latency", "0, 0, 0", !zero, allowed);
    }
}

/// The scale of scores: of each prediction the least sum over the layers that the candidates allow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    weights: Weights,
    least: [f64; 3],
}

impl Scale {
    /// Of the candidates of every layer.
    pub(super) fn new<'a>(weights: Weights, layers: impl Iterator<Item = &'a [Candidate]>) -> Self {
        let mut least = [0.0; 3];
        for candidates in layers {
            for (index, sum) in least.iter_mut().enumerate() {
                *sum += candidates.iter().map(|candidate| values(candidate)[index]).fold(f64::INFINITY, f64::min);
            }
        }
        Self { weights, least }
    }

    /// The weighted mean of a candidate's shares in these sums. Over all layers scores add up to the weighted mean of what the network takes over the least
    /// that is possible, so that 1 would be the best in everything.
    pub(super) fn score(&self, candidate: &Candidate) -> f64 {
        let Weights { error, energy, latency } = self.weights;
        let (mut sum, mut all) = (0.0, 0.0);
        for ((weight, value), least) in [error, energy, latency].into_iter().zip(values(candidate)).zip(self.least) {
            // What costs nothing anywhere tells nothing.
            let share = if least > 0.0 { value / least } else { 0.0 };
            (sum, all) = (sum + weight * share, all + weight);
        }
        sum / all
    }
}

fn values(candidate: &Candidate) -> [f64; 3] {
    [candidate.error, candidate.energy_j, candidate.latency_cycles as f64]
}
