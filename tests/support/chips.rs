//! Chips to test with: the shipped presets with single keys changed.

use chip::config::{Chip, RangePolicy};
use explore::config::{Kind, load};
use tile::cost::{AdcCost, MAX_ADC_BITS};
use tile::device::Device;

/// A shipped chip.
pub(crate) fn chip(name: &str) -> Chip {
    load(Kind::Chip, name, &[]).unwrap()
}

/// A shipped device.
pub(crate) fn device(name: &str) -> Device {
    load(Kind::Device, name, &[]).unwrap()
}

/// The default chip with a device without variation and converters that lose nothing. Prices of the many bits this takes are made up: no
/// published model covers them, and they do not matter to values and counts.
pub(crate) fn exact() -> Chip {
    let mut chip = any_resolution(chip("default"));
    chip.tile.cell.device = device("ideal");
    chip.tile.adc.range = RangePolicy::Lossless;
    // Small arrays take many tiles.
    (chip.mesh.width, chip.mesh.height) = (64, 64);
    chip
}

/// A chip whose ADC model covers every resolution.
pub(crate) fn any_resolution(mut chip: Chip) -> Chip {
    let largest = chip.tile.adc.costs[0];
    let known: Vec<u32> = chip.tile.adc.costs.iter().map(|cost| cost.bits).collect();
    let missing = (1..=MAX_ADC_BITS as u32).filter(|bits| !known.contains(bits));
    chip.tile.adc.costs.extend(missing.map(|bits| AdcCost { bits, ..largest }));
    chip
}

/// The widths that decide how a matrix is cut into cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widths {
    pub(crate) array: (u32, u32),
    pub(crate) dac: u32,
    pub(crate) cell: u32,
    pub(crate) weight: u32,
    pub(crate) input: u32,
}

/// Every combination of array sizes, DAC bits, cell bits, weight bits and input bits.
pub(crate) fn all_widths(arrays: &[(u32, u32)]) -> Vec<Widths> {
    let mut all = Vec::new();
    for &array in arrays {
        for dac in [1, 2, 3, 4, 8] {
            for cell in [1, 2, 3, 4] {
                for weight in [4, 8] {
                    all.extend([3, 8].map(|input| Widths { array, dac, cell, weight, input }));
                }
            }
        }
    }
    all
}

impl Widths {
    /// `chip` with these widths.
    pub(crate) fn of(self, mut chip: Chip) -> Chip {
        (chip.tile.array.rows, chip.tile.array.cols) = self.array;
        chip.tile.dac.bits = self.dac;
        chip.tile.cell.bits = self.cell;
        (chip.format.weight_bits, chip.format.input_bits) = (self.weight, self.input);
        chip
    }
}
