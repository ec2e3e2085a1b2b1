//! The states of a chip's cells at every number of bits that a slice may use.

use chip::config::Cell;
use tile::device::States;
use tile::immunity::Ranking;

/// States of cells of 1 bit up to the chip's bits per cell, as far as the device can have them.
#[derive(Clone, Debug)]
pub struct CellStates {
    by_bits: Vec<Result<States, String>>,
    squared_errors: Vec<Vec<f64>>,
}

impl CellStates {
    /// The states of a chip's cell.
    #[must_use]
    pub fn of(cell: &Cell) -> Self {
        Self::new((1..=cell.bits).map(|bits| cell.device.states(bits)).collect())
    }

    /// From states of 1, 2, ... bits.
    #[must_use]
    pub fn new(by_bits: Vec<Result<States, String>>) -> Self {
        let squared = |states: &Result<States, String>| states.as_ref().map(States::squared_errors).unwrap_or_default();
        let squared_errors = by_bits.iter().map(squared).collect();
        Self { by_bits, squared_errors }
    }

    /// States of cells of `bits` bits.
    ///
    /// # Errors
    /// If the device cannot have such cells; the text says what it can.
    pub fn states(&self, bits: u32) -> Result<&States, String> {
        let states = (bits as usize).checked_sub(1).and_then(|index| self.by_bits.get(index));
        states.ok_or_else(|| format!("1 to {} bits", self.by_bits.len()))?.as_ref().map_err(Clone::clone)
    }

    /// Mean square error of a level, in squared level spacings of its cell.
    #[must_use]
    pub fn squared_error(&self, bits: u32, level: usize) -> f64 {
        self.squared_errors[bits as usize - 1][level]
    }

    /// The immunity ranking of the states; empty where the device cannot have such cells.
    #[must_use]
    pub fn ranking(&self, bits: u32) -> Ranking {
        self.states(bits).map_or_else(|_| Ranking { groups: Vec::new() }, Ranking::new)
    }
}
