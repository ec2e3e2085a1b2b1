//! `unbalanced`: two's complement in slices that are the narrower the more they count.
//!
//! A slice of fewer bits has its levels further apart, so that the same conductance error is a smaller part of a level where it matters
//! most. The widths are a parameter, most significant first, as in `unbalanced:1-1-2-2-2`.

use super::twos_complement::{demand_two_bits, sign_and_slices};
use super::{Encoding, LayerStatistics, MappingStrategy, Options};

/// Unbalanced bit-slicing.
pub(super) struct Unbalanced;

impl MappingStrategy for Unbalanced {
    fn name(&self) -> &'static str {
        "unbalanced"
    }

    fn doc(&self) -> &'static str {
        "one array, two's complement, fewer bits per cell in the more significant slices (`unbalanced:1-1-2-2-2` sets the widths)"
    }

    fn source(&self) -> &'static str {
        "unbalanced bit-slicing: Diware et al., AICAS 2021 and IEEE TETCI 7(1), 2023; default widths ours"
    }

    fn options(&self) -> &'static [&'static str] {
        &[WIDTHS]
    }

    fn encoding(&self, layer: &LayerStatistics<'_>, options: &Options) -> Result<Encoding, String> {
        demand_two_bits(layer, self.name())?;
        let mut widths = if options.widths.is_empty() { default_widths(layer) } else { options.widths.clone() };
        let refuse = |what: &str| Err(format!("slice widths {:?} of `unbalanced`: {what}", options.widths));
        if widths.iter().sum::<u32>() != layer.weight_bits {
            return refuse(&format!("must add up to the {} bits of a weight", layer.weight_bits));
        }
        if widths[0] != 1 {
            return refuse("the first (the sign) must be 1");
        }
        if widths.iter().any(|&width| width > layer.cell_bits) {
            return refuse(&format!("a cell holds {} bits", layer.cell_bits));
        }
        widths.reverse();
        Ok(sign_and_slices(layer.weight_bits, &widths))
    }
}

/// Marks a strategy whose slice widths are a parameter.
pub(super) const WIDTHS: &str = ":widths";

/// The more significant half of the bits in slices of 1 bit, the rest in slices of the cell's bits, most significant first.
fn default_widths(layer: &LayerStatistics<'_>) -> Vec<u32> {
    let narrow = layer.weight_bits.div_ceil(2);
    let rest = layer.weight_bits - narrow;
    let mut widths = vec![1; narrow as usize];
    if !rest.is_multiple_of(layer.cell_bits) {
        widths.push(rest % layer.cell_bits);
    }
    widths.extend(std::iter::repeat_n(layer.cell_bits, (rest / layer.cell_bits) as usize));
    widths
}
