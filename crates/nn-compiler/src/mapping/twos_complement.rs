//! `twos-complement`: the bits of the weight's two's complement in one array; the sign bit is a slice of its own, taken off digitally.
//!
//! Weight 0 is all cells at the lowest level and no offset is needed, but small negative weights are all ones.

use super::encoding::{Digits, Encoding, Form, SliceCode, even_slices};
use super::{LayerStatistics, MappingStrategy, Options};

/// The two's complement encoding in even slices.
pub(super) struct TwosComplement;

impl MappingStrategy for TwosComplement {
    fn name(&self) -> &'static str {
        "twos-complement"
    }

    fn doc(&self) -> &'static str {
        "one array, bits of the two's complement, sign bit in a 1-bit slice of its own"
    }

    fn source(&self) -> &'static str {
        "Diware et al., AICAS 2021 and IEEE TETCI 7(1), 2023 (two's complement arithmetic)"
    }

    fn options(&self) -> &'static [&'static str] {
        &[]
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, _: &Options) -> Result<Encoding, String> {
        demand_two_bits(layer, self.name())?;
        let magnitude_bits = layer.weight_bits - 1;
        let mut widths: Vec<u32> =
            even_slices(magnitude_bits, layer.cell_bits).iter().map(|slice| slice.bits).collect();
        // The most significant of the even slices may hold fewer bits than its cells could: it uses fewer levels, further apart.
        let over = magnitude_bits.next_multiple_of(layer.cell_bits) - magnitude_bits;
        if let Some(last) = widths.last_mut() {
            *last -= over;
        }
        widths.push(1);
        Ok(sign_and_slices(layer.weight_bits, &widths))
    }
}

/// Refuses weights of 1 bit: a single bit of two's complement is 0 or -1.
pub(super) fn demand_two_bits(layer: &LayerStatistics<'_>, mapping: &str) -> Result<(), String> {
    if layer.weight_bits >= 2 {
        return Ok(());
    }
    Err(format!(
        "`{mapping}` cannot store weights of 1 bit, which are -1 and 1, as two's complement of 1 bit is -1 and 0; allowed are 2 to 16 bits, or isaac, \
         offset, differential or unary"
    ))
}

/// Two's complement in slices of given widths, least significant first; the last one is the sign bit.
pub(super) fn sign_and_slices(weight_bits: u32, widths: &[u32]) -> Encoding {
    let mut shift = 0;
    let mut slices = Vec::with_capacity(widths.len());
    for &bits in widths {
        let sign = if shift + bits == weight_bits { -1 } else { 1 };
        slices.push(SliceCode { bits, significance: sign << shift });
        shift += bits;
    }
    Encoding { weight_bits, slices, digits: Digits::Positional, form: Form::TwosComplement, flip: None }
}
