//! What follows from the description of an MVM stage.

use super::{MvmStage, Output, PlacedCrossbar, Program, Subtraction};

impl Program {
    /// Arrays that it takes, copies included; an array of a pair counts.
    #[must_use]
    pub fn arrays(&self) -> u64 {
        self.mvm_stages().map(|(_, stage)| stage.arrays() * stage.copies() as u64).sum()
    }
}

impl MvmStage {
    /// Arrays of a copy; an array of a pair counts.
    #[must_use]
    pub fn arrays(&self) -> u64 {
        self.crossbars.len() as u64 * u64::from(self.polarities)
    }

    /// Cells of a copy that are in use, those beside packed groups included.
    #[must_use]
    pub fn cells(&self) -> u64 {
        let cells = |placed: &PlacedCrossbar| u64::from(placed.rows) * self.columns(placed);
        self.crossbars.iter().map(cells).sum::<u64>() * u64::from(self.polarities)
    }

    /// Columns of a crossbar that are in use.
    #[must_use]
    pub fn columns(&self, crossbar: &PlacedCrossbar) -> u64 {
        u64::from(crossbar.outputs) * self.slices.len() as u64
    }

    /// Arrays of a crossbar whose columns are converted: both of a pair that is subtracted after conversion, else 1.
    #[must_use]
    pub fn converted_arrays(&self) -> u64 {
        if self.subtraction == Subtraction::AfterAdc { u64::from(self.polarities) } else { 1 }
    }

    /// Columns of a crossbar that are converted.
    #[must_use]
    pub fn converted_columns(&self, crossbar: &PlacedCrossbar) -> u64 {
        self.columns(crossbar) * self.converted_arrays()
    }

    /// Whether the sign of a code is applied with its digits.
    #[must_use]
    pub fn applies_sign(&self) -> bool {
        self.window.input.signed && self.input_offset == 0
    }

    /// Bits of an input that are applied in digits.
    #[must_use]
    pub fn applied_bits(&self) -> u32 {
        self.window.input.applied_bits(self.input_offset)
    }

    /// Whether column sums can have both signs.
    #[must_use]
    pub fn bipolar(&self) -> bool {
        self.applies_sign() || (self.polarities == 2 && self.subtraction == Subtraction::BeforeAdc)
    }

    /// Columns stored complemented, over all crossbars.
    #[must_use]
    pub fn flipped_columns(&self) -> u64 {
        self.crossbars.iter().flat_map(|crossbar| &crossbar.flipped).filter(|&&flipped| flipped).count() as u64
    }

    /// Whether the exact sums of the inputs are needed: for the digital offset and for complemented columns.
    #[must_use]
    pub fn needs_input_sums(&self) -> bool {
        self.offset != 0 || self.flipped_columns() > 0
    }

    /// Whether the codes of its result carry a sign bit.
    #[must_use]
    pub fn output_signed(&self) -> bool {
        matches!(self.output, Output::Codes { sign_bit: true, .. })
    }

    /// Width of a value of its result, bits.
    #[must_use]
    pub fn output_bits(&self) -> u32 {
        self.output.bits().saturating_add(self.output_signed().into())
    }

    /// Highest level of a slice.
    #[must_use]
    pub fn top_level(&self, slice: usize) -> u32 {
        (1 << self.slices[slice].bits) - 1
    }

    /// Row partitions: crossbars that share the first output.
    #[must_use]
    pub fn row_partitions(&self) -> u64 {
        self.crossbars.iter().filter(|crossbar| crossbar.output_start == 0).count() as u64
    }

    /// Whether every converter step is a power of two, so that slices are scaled by shifts.
    #[must_use]
    pub fn steps_are_shifts(&self) -> bool {
        // A power of two has an all-zero mantissa.
        let shift = |factor: f64| factor.to_bits() & ((1 << 52) - 1) == 0;
        let own = self.crossbars.iter().flat_map(|crossbar| &crossbar.column_adcs);
        self.slices.iter().all(|slice| shift(slice.adc.step)) && own.into_iter().all(|adc| shift(adc.step * adc.gain))
    }

    /// Tiles of the stage with all of its copies, ascending, each once.
    #[must_use]
    pub fn tiles(&self) -> Vec<u32> {
        let mut tiles: Vec<u32> = (0..self.copies()).flat_map(|copy| self.tiles_of(copy)).collect();
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// Crossbars of each bank, in the order of the banks.
    #[must_use]
    pub fn banks(&self) -> Vec<Vec<&PlacedCrossbar>> {
        let count = self.crossbars.iter().map(|crossbar| crossbar.bank + 1).max().unwrap_or(0);
        (0..count).map(|bank| self.crossbars.iter().filter(|crossbar| crossbar.bank == bank).collect()).collect()
    }
}
