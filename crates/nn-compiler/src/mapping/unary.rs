//! `unary`: the magnitude as a sum of equal cells, filled one after the other, on the side of the sign.
//!
//! No cell counts more than another, so that no error is multiplied; the price is a number of cells that grows with the weight's range
//! instead of its logarithm.

use super::differential::pair;
use super::encoding::{Digits, Encoding, SliceCode};
use super::{LayerStatistics, MappingStrategy, Options, largest_weight};

/// The unary encoding.
pub(super) struct Unary;

impl MappingStrategy for Unary {
    fn name(&self) -> &'static str {
        "unary"
    }

    fn doc(&self) -> &'static str {
        "a pair of arrays, magnitude as a sum of equal cells on the side of the sign"
    }

    fn source(&self) -> &'static str {
        "unary coding of Sun et al., IEEE TCAD 2021, on a pair"
    }

    fn options(&self) -> &'static [&'static str] {
        &["common-mode", "after-adc"]
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String> {
        let slice = SliceCode { bits: layer.cell_bits, significance: 1 };
        let cells = i64::from(largest_weight(layer.weight_bits)).unsigned_abs().div_ceil(slice.top().unsigned_abs());
        if cells > MOST_CELLS {
            let needed = format!("{}-bit weights need {cells} cells of {} bits", layer.weight_bits, layer.cell_bits);
            return Err(format!("`unary` is limited to {MOST_CELLS} cells a weight and array; {needed}"));
        }
        Ok(Encoding {
            weight_bits: layer.weight_bits,
            slices: vec![slice; cells as usize],
            digits: Digits::Thermometer,
            form: pair(layer, options),
            flip: None,
        })
    }
}

/// Cells of one weight in one array: 8-bit weights in 1-bit cells need 127.
const MOST_CELLS: u64 = chip::program::MOST_SLICES as u64;
