//! The description of a chip, as its file in `configs/chips` states it with all presets resolved.

mod adc;
mod check;
mod clocks;
mod hardware;
mod memory;
mod mesh;
mod readout;
mod tile;

pub use self::tile::{Array, Buffer, Bus, Cell, Dac, Digital, Tile};
pub use adc::{Adc, Criterion, RangePolicy};
pub use clocks::ClockDividers;
pub use memory::{Images, Memory};
pub use mesh::Mesh;

use ::tile::cost::CostTable;
use ::tile::wires::Wires;
use serde::{Deserialize, Serialize};

/// A chip: a mesh of tiles, its clocks, number formats and prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Name, kebab-case.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// Frequency of the base clock, Hz.
    pub clock_hz: f64,
    /// How much slower the clocks of its parts are.
    pub clocks: ClockDividers,
    /// Widths of weights and activations.
    pub format: Format,
    /// The tile.
    pub tile: Tile,
    /// The mesh that joins the tiles.
    pub mesh: Mesh,
    /// The off-chip memory and the chip's port to it.
    pub memory: Memory,
    /// Energy, area and leakage of everything but the converters' resolution-dependent part.
    pub costs: CostTable,
}

/// Widths of the integers that the chip computes with, where a network in integers does not have its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Signed, symmetric weights.
    pub weight_bits: u32,
    /// Activations: unsigned, or with a sign where `tile.dac.format` has one.
    pub input_bits: u32,
}

impl Chip {
    /// The same chip with lines that have no resistance.
    #[must_use]
    pub fn without_wires(&self) -> Self {
        let mut chip = self.clone();
        chip.tile.wires = Wires::none();
        chip
    }
}
