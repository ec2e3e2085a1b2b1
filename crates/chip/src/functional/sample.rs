//! One draw of all cells of a chip.

use crate::program::{MvmStage, Program};
use tile::address::{CellRow, Purpose};
use tile::crossbar::Crossbar;
use tile::device::States;

/// The programmed crossbars of every MVM stage in one chip sample.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipSample {
    stages: Vec<Vec<Crossbar>>,
}

impl ChipSample {
    /// Programs all cells of a chip; every cell draws from its own address.
    ///
    /// # Errors
    /// If the device cannot have cells of the chip's number of bits.
    pub fn program(program: &Program, seed: u64, purpose: Purpose, chip_sample: u64) -> Result<Self, String> {
        let states = program.chip.tile.cell.device.states(program.chip.tile.cell.bits)?;
        let address = CellRow { seed, purpose, chip_sample, layer: 0, slice: 0, polarity: 0, row: 0 };
        let stages =
            program.mvm_stages().map(|(layer, stage)| program_stage(stage, &states, CellRow { layer, ..address }));
        Ok(Self { stages: stages.collect() })
    }

    /// The crossbars of each MVM stage, in the order of the program.
    pub fn stages(&self) -> impl Iterator<Item = &[Crossbar]> {
        self.stages.iter().map(Vec::as_slice)
    }
}

fn program_stage(stage: &MvmStage, states: &States, address: CellRow) -> Vec<Crossbar> {
    let columns = |placed| stage.columns(placed) as usize;
    let mut crossbars: Vec<Crossbar> =
        stage.crossbars.iter().map(|placed| Crossbar::new(placed.rows as usize, columns(placed))).collect();
    for slice in 0..stage.slices.len() {
        for polarity in 0..stage.polarities as usize {
            for row in 0..stage.window.rows() {
                let address = CellRow { slice: slice as u64, polarity: polarity as u64, row: row as u64, ..address };
                program_logical_row(stage, states, address, &mut crossbars);
            }
        }
    }
    if stage.polarities == 1 {
        book_reference_columns(states, &mut crossbars);
    }
    crossbars
}

/// Programs one slice and polarity of one logical row, over all outputs, and puts the cells where the crossbars want them.
fn program_logical_row(stage: &MvmStage, states: &States, address: CellRow, crossbars: &mut [Crossbar]) {
    let (slice, polarity, row) = (address.slice as usize, address.polarity as usize, address.row as usize);
    let slices = stage.slices.len();
    let holders: Vec<usize> = holders_of_row(stage, row);
    let level = |index: usize, output: usize| {
        let placed = &stage.crossbars[index];
        placed.levels[polarity]
            [(row - placed.row_start as usize) * stage.columns(placed) as usize + output * slices + slice]
    };
    let levels =
        holders.iter().flat_map(|&index| (0..stage.crossbars[index].outputs as usize).map(move |o| level(index, o)));
    let mut programmed = Vec::with_capacity(stage.outputs as usize);
    states.program_row(address, levels, &mut programmed);
    let sign = if polarity == 0 { 1.0 } else { -1.0 };
    let mut values = programmed.iter();
    for index in holders {
        let placed = &stage.crossbars[index];
        let local_row = row - placed.row_start as usize;
        for (output, &value) in values.by_ref().take(placed.outputs as usize).enumerate() {
            crossbars[index].add_cell(local_row, output * slices + slice, value, sign);
            crossbars[index].book_conductance(local_row, states.conductance_s(value));
        }
    }
}

/// The crossbars that hold a logical row, ordered by their first output, so that columns are drawn in logical order.
fn holders_of_row(stage: &MvmStage, row: usize) -> Vec<usize> {
    let holds = |index: &usize| {
        let placed = &stage.crossbars[*index];
        (placed.row_start as usize..(placed.row_start + placed.rows) as usize).contains(&row)
    };
    let mut holders: Vec<usize> = (0..stage.crossbars.len()).filter(holds).collect();
    holders.sort_by_key(|&index| stage.crossbars[index].output_start);
    holders
}

fn book_reference_columns(states: &States, crossbars: &mut [Crossbar]) {
    for crossbar in crossbars {
        for row in 0..crossbar.rows() {
            crossbar.book_conductance(row, states.g_min_s);
        }
    }
}
