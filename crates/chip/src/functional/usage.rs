//! What converters saw: the diagnostics of a result.

use serde::{Deserialize, Serialize};
use tile::adc::{CodesSeen, ErrorStatistics};

/// What the converters of one slice of one stage saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConverterUse {
    /// Name of the stage.
    pub stage: String,
    /// Slice, 0 = least significant.
    pub slice: usize,
    /// Number of conversions.
    pub conversions: u64,
    /// How many of them clipped.
    pub clipped: u64,
    /// How many additions saturated the accumulator behind a converter.
    pub saturated: u64,
    /// Lowest and highest code seen; none of converters that do not quantise.
    pub codes: Option<(i64, i64)>,
    /// Number of codes the converter has; 0 of one that does not quantise.
    pub available_codes: u64,
    /// Column sums and conversion errors, where they were measured: an evaluation of many chip samples measures those of the first one.
    pub errors: ErrorStatistics,
}

impl ConverterUse {
    /// No conversions yet.
    #[must_use]
    pub fn unused(stage: &str, slice: usize, available_codes: u64) -> Self {
        let stage = stage.to_owned();
        let (codes, errors) = (None, ErrorStatistics::default());
        Self { stage, slice, conversions: 0, clipped: 0, saturated: 0, codes, available_codes, errors }
    }

    pub(super) fn add_column(&mut self, seen: &CodesSeen, column: usize, step: f64) {
        self.clipped += seen.clipped(column);
        let (lowest, highest) = seen.codes(column);
        if self.available_codes > 0 && lowest <= highest {
            self.add_codes((lowest as i64, highest as i64));
        }
        self.errors += seen.statistics(column, step);
    }

    fn add_codes(&mut self, (lowest, highest): (i64, i64)) {
        let (low, high) = self.codes.unwrap_or((lowest, highest));
        self.codes = Some((low.min(lowest), high.max(highest)));
    }

    /// Adds what the same converters saw on another chip sample.
    pub fn merge(&mut self, other: &Self) {
        self.conversions += other.conversions;
        self.clipped += other.clipped;
        self.saturated += other.saturated;
        if let Some(codes) = other.codes {
            self.add_codes(codes);
        }
        self.errors += other.errors;
    }

    /// Share of the conversions that clipped.
    #[must_use]
    pub fn clipped_share(&self) -> f64 {
        self.clipped as f64 / self.conversions.max(1) as f64
    }

    /// Number of codes from the lowest to the highest one seen.
    #[must_use]
    pub fn used_codes(&self) -> u64 {
        self.codes.map_or(0, |(lowest, highest)| highest.saturating_sub(lowest).saturating_add(1).max(0) as u64)
    }
}
