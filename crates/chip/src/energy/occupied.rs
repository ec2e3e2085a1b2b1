//! A cost of everything that a program occupies, by component.

use crate::program::Program;
use tile::cost::ComponentCosts;

/// A cost (area in m2, or leakage power in W) of what a program occupies; arrays and banks count whole, however much of them is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Occupied {
    /// Cells.
    pub cells: f64,
    /// Word-line DACs.
    pub dacs: f64,
    /// Input registers.
    pub input_registers: f64,
    /// Sample-and-hold of the columns.
    pub sample_hold: f64,
    /// Shift-and-add units.
    pub shift_add: f64,
    /// Output registers.
    pub output_registers: f64,
    /// Converters.
    pub adcs: f64,
    /// What the arrays of a tile share: buffer, bus, vector units.
    pub tiles: f64,
    /// Routers.
    pub routers: f64,
}

impl Occupied {
    /// Name and cost of every component, in a fixed order.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, f64); 9] {
        [
            ("cells", self.cells),
            ("dacs", self.dacs),
            ("input-registers", self.input_registers),
            ("sample-hold", self.sample_hold),
            ("shift-add", self.shift_add),
            ("output-registers", self.output_registers),
            ("adcs", self.adcs),
            ("tiles", self.tiles),
            ("routers", self.routers),
        ]
    }

    /// Sum of the parts. Arrays first, then what stands behind their columns, then what is shared: the order of the sums is part of the result.
    #[must_use]
    pub fn total(&self) -> f64 {
        let arrays = self.cells + self.dacs + self.input_registers;
        let converted = self.sample_hold + self.shift_add + self.output_registers;
        arrays + converted + self.adcs + (self.tiles + self.routers)
    }
}

/// Costs of all occupied components; `adc` is that of one converter.
///
/// # Errors
/// If there is no price for the resolution of the chip's DAC.
pub(super) fn occupied(program: &Program, cost: &ComponentCosts, adc: f64) -> Result<Occupied, String> {
    let (mut arrays, mut converted, mut banks) = (0, 0, 0);
    for (_, stage) in program.mvm_stages() {
        let crossbars = (stage.crossbars.len() * stage.copies()) as u64;
        arrays += stage.arrays() * stage.copies() as u64;
        converted += crossbars * stage.converted_arrays();
        // Banks are numbered within their copy.
        let banks_of = |copy| stage.placed(copy).map(|(_, place)| u64::from(place.bank) + 1).max().unwrap_or(0);
        banks += (0..stage.copies()).map(banks_of).sum::<u64>();
    }
    let tile = &program.chip.tile;
    let (rows, cols) = (f64::from(tile.array.rows), f64::from(tile.array.cols));
    let (arrays, converted, tiles) = (arrays as f64, converted as f64, program.tiles() as f64);
    Ok(Occupied {
        cells: arrays * (rows * cols * cost.cell),
        dacs: arrays * (rows * program.chip.costs.dac_size_factor(tile.dac.bits)? * cost.dac),
        input_registers: arrays * cost.input_register,
        sample_hold: converted * (cols * cost.sample_hold),
        shift_add: converted * cost.shift_add,
        output_registers: converted * cost.output_register,
        adcs: (banks * u64::from(tile.adc.per_bank)) as f64 * adc,
        tiles: tiles * cost.tile,
        routers: tiles * cost.router,
    })
}
