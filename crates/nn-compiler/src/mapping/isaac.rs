//! `isaac`: every weight is stored with the bias `2^(B-1)`, as a non-negative number in one array.
//!
//! Weight 0 becomes 10 00 00 00 in 2-bit cells: with a device whose state 10 is the worst, all small positive weights sit in it.

use super::encoding::{Digits, Encoding, Form, even_slices};
use super::{LayerStatistics, MappingStrategy, Options};

/// The biased encoding of ISAAC.
pub(super) struct Isaac;

impl MappingStrategy for Isaac {
    fn name(&self) -> &'static str {
        "isaac"
    }

    fn doc(&self) -> &'static str {
        "one array, weight + 2^(B-1), bias taken off digitally"
    }

    fn source(&self) -> &'static str {
        "Shafiee et al., ISCA 2016; used by Diware et al., AICAS 2023"
    }

    fn options(&self) -> &'static [&'static str] {
        &["flip", "flip-error"]
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String> {
        Ok(biased(layer, options, 1 << (layer.weight_bits - 1)))
    }
}

/// `weight + offset` in even slices of one array. A weight of 1 bit plus 1 is 0 or 2: one level of significance 2.
pub(super) fn biased(layer: &LayerStatistics<'_>, options: &Options, offset: i64) -> Encoding {
    let mut slices = even_slices(layer.weight_bits, layer.cell_bits);
    if layer.weight_bits == 1 {
        slices.iter_mut().for_each(|slice| slice.significance = 2);
    }
    Encoding {
        weight_bits: layer.weight_bits,
        slices,
        digits: Digits::Positional,
        form: Form::Offset(offset),
        flip: options.flip,
    }
}
