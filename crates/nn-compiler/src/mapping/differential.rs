//! `differential`: sign-magnitude slices on a pair of arrays whose currents are subtracted.
//!
//! Twice the cells of the biased encodings, but zero is two cells at the lowest level, small weights leave the significant slices there,
//! and the converter sees small sums of both signs. Where the lowest level is not the most immune one, `+common-mode` stores each digit
//! as the pair of levels with the least error.

use super::encoding::{Digits, Encoding, Form, even_slices};
use super::{CellStates, LayerStatistics, MappingStrategy, Options, magnitude_bits};

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

    fn options(&self) -> &'static [&'static str] {
        &["common-mode", "after-adc"]
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String> {
        Ok(Encoding {
            weight_bits: layer.weight_bits,
            slices: even_slices(magnitude_bits(layer.weight_bits), layer.cell_bits),
            digits: Digits::Positional,
            form: pair(layer, options),
            flip: None,
        })
    }
}

/// The levels of each digit: the digit and 0, or with `common-mode` the pair of least error.
pub(super) fn pair(layer: &LayerStatistics<'_>, options: &Options) -> Form {
    let top = (1_u16 << layer.cell_bits) - 1;
    let levels = |digit: u16| if options.common_mode { best_pair(digit, top, layer) } else { (digit as u8, 0) };
    Form::Pair { pairs: (0..=top).map(levels).collect(), subtraction: options.subtraction }
}

/// Of all pairs with the difference `digit`, the one with the least sum of squared errors; of equal ones that of least conductance.
fn best_pair(digit: u16, top: u16, layer: &LayerStatistics<'_>) -> (u8, u8) {
    let error = |common: u16| {
        let of = |level: u16| CellStates::squared_error(layer.cells, layer.cell_bits, level.into());
        of(common + digit) + of(common)
    };
    let mut best = (error(0), 0);
    for common in 1..=top - digit {
        let candidate = error(common);
        if candidate < best.0 {
            best = (candidate, common);
        }
    }
    ((best.1 + digit) as u8, best.1 as u8)
}
