//! What is known of a map of codes, and what codes mean.

use crate::fuse::Format;
use nn::coding::CodeFormat;

/// A source while the network is quantised.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its number among the quantised layers.
    pub(super) source: usize,
    /// What one code is worth.
    pub(super) scale: f64,
    /// Its codes.
    pub(super) format: CodeFormat,
    /// Its map for every calibration image; dropped once the last layer has read it.
    pub(super) maps: Vec<Vec<i64>>,
}

/// The codes among which those from `lowest` to `highest` lie: the narrowest format that holds them.
pub(super) fn holding(lowest: i64, highest: i64) -> CodeFormat {
    let largest = highest.max(-lowest).max(1);
    CodeFormat { bits: 64 - (largest as u64).leading_zeros(), signed: lowest < 0 }
}

impl Format {
    /// Whether all codes of the format that holds them are allowed, so that its clamps do.
    pub(super) fn fills(&self) -> bool {
        holding(self.lowest, self.highest).codes() == (self.lowest, self.highest)
    }
}
