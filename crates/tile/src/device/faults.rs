//! Stuck cells.

use crate::address::Stream;
use crate::check::Problems;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// A cell that cannot be programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Stuck at `G_min`.
    Low,
    /// Stuck at `G_max`.
    High,
}

/// Shares of stuck cells, drawn independently for every cell. Stuck cells have exactly `G_min` or `G_max` and do not drift.
///
/// Studies customarily take 9.04 % of cells stuck at low (SA0) and 1.75 % stuck at high conductance (SA1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRates {
    /// Share of cells stuck at `G_min`.
    pub stuck_low: f64,
    /// Share of cells stuck at `G_max`.
    pub stuck_high: f64,
}

impl FaultRates {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.number("stuck_low", self.stuck_low, 0.0..=1.0, "");
        problems.number("stuck_high", self.stuck_high, 0.0..=1.0, "");
        let sum = self.stuck_low + self.stuck_high;
        problems.require("stuck_high", self.stuck_high, sum <= 1.0, "at most 1 - stuck_low");
    }

    /// The fault of the next cell: one uniform draw of 53 bits whatever the rates.
    pub(super) fn draw(&self, stream: &mut Stream) -> Option<Fault> {
        let uniform = (stream.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        match uniform {
            u if u < self.stuck_low => Some(Fault::Low),
            u if u < self.stuck_low + self.stuck_high => Some(Fault::High),
            _ => None,
        }
    }
}
