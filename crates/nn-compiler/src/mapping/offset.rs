//! `offset`: as `isaac`, but with the digital offset that makes the layer's expected weight error least.
//!
//! The offset is free in hardware, since a multiple of the input sum is taken off digitally anyway. An offset other than `2^(B-1)` cannot
//! store all weights; those beyond the range are clipped, and the clipping error counts in the search.

use super::isaac::biased;
use super::{Encoding, LayerStatistics, MappingStrategy, Options, largest_weight};

/// The biased encoding with a searched offset.
pub(super) struct Offset;

impl MappingStrategy for Offset {
    fn name(&self) -> &'static str {
        "offset"
    }

    fn doc(&self) -> &'static str {
        "one array, weight + the offset of least expected error, found per layer (of networks trained for it: the one of their training)"
    }

    fn source(&self) -> &'static str {
        "digital offset as in Shafiee et al., ISCA 2016; search by expected squared weight error"
    }

    fn options(&self) -> &'static [&'static str] {
        &["flip", "flip-error"]
    }

    fn searches_offset(&self) -> bool {
        true
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String> {
        let encoding = |offset| biased(layer, options, offset);
        let codes = 1_i64 << layer.weight_bits;
        match layer.offset {
            Some(trained) if (0..codes).contains(&trained) => return Ok(encoding(trained)),
            Some(trained) => return Err(format!("weight_offset = {trained}; allowed is 0 to {}", codes - 1)),
            None => {}
        }
        // Starting at the usual bias, a candidate must be strictly better: an ideal device keeps the bias that clips nothing.
        let usual = 1_i64 << (layer.weight_bits - 1);
        if layer.weight_bits == 1 {
            // No other stores both weights.
            return Ok(encoding(usual));
        }
        let mut best = (expected_squared_error(&encoding(usual), layer), usual);
        // Every offset of up to 8-bit weights, 256 evenly spaced ones of wider weights.
        let spacing = 1 << layer.weight_bits.saturating_sub(8);
        for offset in (0..codes).step_by(spacing) {
            let error = expected_squared_error(&encoding(offset), layer);
            if error < best.0 {
                best = (error, offset);
            }
        }
        Ok(encoding(best.1))
    }
}

/// `sum_q count(q) (v(q) + (q - clip(q))^2)` in squared weight steps.
fn expected_squared_error(encoding: &Encoding, layer: &LayerStatistics<'_>) -> f64 {
    let largest = largest_weight(layer.weight_bits);
    let mut error = 0.0;
    for (weight, &count) in (-largest..=largest).zip(layer.histogram) {
        if count > 0 {
            let clipped = f64::from(weight - encoding.clip(weight));
            error += count as f64 * (encoding.error_variance(weight, layer.cells) + clipped * clipped);
        }
    }
    error
}
