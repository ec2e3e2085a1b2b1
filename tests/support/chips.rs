//! Chips to test with: the shipped presets with single keys changed.

use chip::config::{Chip, RangePolicy};
use explore::config::{Kind, load, preset_names};
use nn_compiler::mapping::Mapping;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tile::cost::{AdcPrices, MAX_ADC_BITS, TablePrices, TableRow};
use tile::device::Device;

/// A shipped chip. It is read once: cases take thousands of them.
pub(crate) fn chip(name: &str) -> Chip {
    static READ: Mutex<BTreeMap<String, Chip>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    read.entry(name.to_owned()).or_insert_with(|| load(Kind::Chip, name, &[]).unwrap()).clone()
}

/// A shipped device, read once as well.
pub(crate) fn device(name: &str) -> Device {
    static READ: Mutex<BTreeMap<String, Device>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap();
    read.entry(name.to_owned()).or_insert_with(|| load(Kind::Device, name, &[]).unwrap()).clone()
}

/// The shipped devices whose cells can have 1 and 2 bits: what all mappings of cells of 2 bits take.
pub(crate) fn devices_of_two_bits() -> Vec<&'static str> {
    let all = preset_names(Kind::Device).into_iter();
    let suits = |name: &&str| (1..=2).all(|bits| device(name).states(bits).is_ok());
    let names: Vec<&str> = all.filter(suits).collect();
    assert!(names.len() > 10, "{names:?}");
    names
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
    let table = adc_table(&mut chip);
    let largest = table.costs[0];
    let known: Vec<u32> = table.costs.iter().map(|cost| cost.bits).collect();
    let missing = (1..=MAX_ADC_BITS as u32).filter(|bits| !known.contains(bits));
    table.costs.extend(missing.map(|bits| TableRow { bits, ..largest }));
    chip
}

/// The table that prices the converters of the shipped chips.
pub(crate) fn adc_table(chip: &mut Chip) -> &mut TablePrices {
    let AdcPrices::Table(table) = &mut chip.tile.adc.prices else { panic!("the shipped chips have a table") };
    table
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

/// Those of `all` that a mapping is tried with: every third for one with options or with many columns, and none in which the
/// slices of a weight do not fit a row of the array.
pub(crate) fn widths_for(mapping: &Mapping, all: Vec<Widths>) -> Vec<Widths> {
    let unary = mapping.name().starts_with("unary");
    let step = if unary || mapping.name().contains('+') { 3 } else { 1 };
    let columns = |widths: &Widths| (1_u32 << (widths.weight - 1)).div_ceil((1 << widths.cell) - 1);
    all.into_iter().step_by(step).filter(|widths| !unary || columns(widths) <= widths.array.1).collect()
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
