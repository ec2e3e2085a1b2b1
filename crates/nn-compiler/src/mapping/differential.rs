//! `differential`: sign-magnitude slices on a pair of arrays whose currents are subtracted before the converter.
//!
//! Twice the cells of the biased encodings, but zero is two cells at the lowest level, small weights leave the significant slices there,
//! and the converter sees small sums of both signs.

use super::{Encoding, Form, LayerStatistics, MappingStrategy};

/// The sliced differential encoding.
pub(super) struct Differential;

impl MappingStrategy for Differential {
    fn name(&self) -> &'static str {
        "differential"
    }

    fn doc(&self) -> &'static str {
        "a pair of arrays, magnitude on the side of the sign, subtracted before the ADC"
    }

    fn source(&self) -> &'static str {
        "Xiao et al., IEEE CAS Magazine 22(4), 2022 (proportional mapping, analog subtraction)"
    }

    fn encoding(&self, layer: &LayerStatistics<'_>) -> Encoding {
        Encoding { weight_bits: layer.weight_bits, cell_bits: layer.cell_bits, form: Form::SignMagnitude }
    }
}
