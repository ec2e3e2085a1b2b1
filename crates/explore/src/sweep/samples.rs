//! Axes whose values are drawn: at random, or as a Latin hypercube.

use serde::{Deserialize, Serialize};
use tile::check::{Check, Problems};
use toml::Value;

use super::{Axis, MAX_POINTS};
use crate::statistics::{index, unit};

/// How the values of the sampled axes are drawn, all of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Method.
    pub method: SampleMethod,
    /// Number of draws.
    pub points: u32,
    /// Seed.
    #[serde(default)]
    pub seed: u64,
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleMethod {
    /// Every value on its own. More points leave those that were there before as they are.
    Random,
    /// Every axis is cut into as many parts as there are points, each of which holds one (McKay et al., Technometrics 1979).
    LatinHypercube,
}

impl Check for Samples {
    fn check(&self, problems: &mut Problems) {
        problems.integer("points", self.points.into(), 1..=MAX_POINTS);
        // Larger ones would share streams with smaller ones.
        problems.integer("seed", self.seed, 0..=(1 << 47) - 1);
    }
}

impl Samples {
    /// The values of the sampled axis `axis`, which is number `place`.
    pub(super) fn draw(&self, axis: &Axis, place: usize) -> Vec<Value> {
        let shares = self.shares(place as u64);
        let value = |share: f64| match &axis.range {
            Some(range) => range.drawn(share),
            None => {
                let count = axis.values.len();
                axis.values[((share * count as f64) as usize).min(count.saturating_sub(1))].clone()
            }
        };
        shares.into_iter().map(value).collect()
    }

    /// A number from 0 to below 1 for each point.
    fn shares(&self, place: u64) -> Vec<f64> {
        // Even streams are positions within a part, odd ones shuffle the parts.
        let stream = self.seed.wrapping_mul(0x1_0000).wrapping_add(2 * place);
        let within = |point: u64| unit(stream, point);
        match self.method {
            SampleMethod::Random => (0..u64::from(self.points)).map(within).collect(),
            SampleMethod::LatinHypercube => {
                let mut parts: Vec<u64> = (0..u64::from(self.points)).collect();
                for last in (1..parts.len()).rev() {
                    parts.swap(last, index(stream + 1, last as u64, last + 1));
                }
                let share = |(point, part): (u64, u64)| (part as f64 + within(point)) / f64::from(self.points);
                (0..).zip(parts).map(share).collect()
            }
        }
    }
}
