//! Writing the weights before the first image: time and energy, which no inference contains.

use crate::program::Program;
use tile::actions::ActionCounts;

/// What writing all cells of a program takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightWriting {
    /// Cells written, bits that come from the off-chip memory.
    pub counts: ActionCounts,
    /// Time to bring the levels through the memory port, s.
    pub memory_s: f64,
    /// Time to write the rows of the fullest array, one after the other, s; arrays are written side by side.
    pub array_s: f64,
    /// Energy of the writes and of the memory, J.
    pub energy_j: f64,
}

impl WeightWriting {
    /// Time until all cells are written: the slower of memory and arrays, s.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        self.memory_s.max(self.array_s)
    }
}

/// What writing all cells of a program takes, copies of stages included.
#[must_use]
pub fn weight_writing(program: &Program) -> WeightWriting {
    let chip = &program.chip;
    let mut counts = ActionCounts::default();
    let mut rows = 0;
    for (_, stage) in program.mvm_stages() {
        for crossbar in &stage.crossbars {
            let cells = u64::from(crossbar.rows) * stage.columns(crossbar) * u64::from(stage.polarities);
            counts.cell_write += cells * stage.copies() as u64;
            // A level crosses the port once, whatever the number of copies.
            counts.memory_bit += cells * u64::from(chip.tile.cell.bits);
            rows = rows.max(crossbar.rows);
        }
    }
    let prices = &chip.costs.energy_j;
    let port_bits_per_s = chip.memory.bits_per_cycle as f64 * chip.clock_hz / chip.clocks.memory_cycles.max(1) as f64;
    WeightWriting {
        counts,
        memory_s: counts.memory_bit as f64 / port_bits_per_s,
        array_s: f64::from(rows) * chip.tile.array.write_time_s,
        energy_j: counts.cell_write as f64 * prices.cell_write + counts.memory_bit as f64 * prices.memory_bit,
    }
}
