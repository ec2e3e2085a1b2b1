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

impl Value {
    /// What stands for a source whose values are not known; nothing is computed from it.
    pub(super) fn unknown() -> Self {
        Self { source: 0, scale: 1.0, format: holding(0, 1), maps: Vec::new() }
    }
}

/// The codes among which those from `lowest` to `highest` lie: the narrowest format that holds them.
pub(super) fn holding(lowest: i64, highest: i64) -> CodeFormat {
    let largest = highest.max(-lowest).max(1);
    CodeFormat { bits: 64 - (largest as u64).leading_zeros(), signed: lowest < 0 }
}

/// Whether a whole number of at most `largest` times `factor` can lie halfway between two whole numbers. A factor is an odd number over a power of two; so
/// is the product with a number that is no multiple of that power.
pub(super) fn has_ties(factor: f64, largest: i64) -> bool {
    let mut doubled = 2.0 * factor;
    // The power of two is found exactly: doubling is, and ends as doubles have 53 digits.
    let mut power = 1_i64;
    while doubled.fract() != 0.0 && power <= largest {
        (doubled, power) = (2.0 * doubled, power.saturating_mul(2));
    }
    // Of an even number of halves a product is whole.
    power <= largest && (power > 1 || doubled % 2.0 != 0.0)
}

impl Format {
    /// Whether all codes of the format that holds them are allowed, so that its clamps do.
    pub(super) fn fills(&self) -> bool {
        holding(self.lowest, self.highest).codes() == (self.lowest, self.highest)
    }
}
