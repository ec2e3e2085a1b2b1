//! Programmed cells by their logical address, whatever crossbar they lie in.

use chip::program::{MvmStage, Program};
use tile::address::{CellRow, Purpose};
use tile::device::RowPart;

/// The crossings of all rows and outputs of one weighted layer, of which those beside the groups are there only where groups share an array.
pub(crate) struct LayerCells {
    outputs: usize,
    /// `[slice][polarity][row * outputs + output]`, in level spacings above `G_min`.
    values: Vec<Vec<Vec<f32>>>,
}

impl LayerCells {
    pub(crate) fn value(&self, slice: usize, polarity: usize, row: usize, output: usize) -> f32 {
        self.values[slice][polarity][row * self.outputs + output]
    }
}

/// Draws the cells of a chip sample as the address rule says: one stream per (seed, purpose, chip sample, layer, slice, polarity, row),
/// drawn along the outputs of the row's group. Where a row crosses the outputs of another group, cells are at level 0 and have polarities 2 and 3,
/// and a stream per row and group.
pub(crate) fn programmed(program: &Program, seed: u64, purpose: Purpose, chip_sample: u64) -> Vec<LayerCells> {
    let layer = |(layer, stage): (u64, &MvmStage)| {
        let matrix = |slice: usize, polarity: usize| {
            // The cells of a slice have its number of bits.
            let states = program.chip.tile.cell.device.states(stage.slices[slice].bits).unwrap();
            let (outputs, groups) = (stage.outputs as usize, stage.groups as usize);
            let mut values = Vec::new();
            for (row, group) in (0..stage.window.rows()).flat_map(|row| (0..groups).map(move |group| (row, group))) {
                let own = row / (stage.window.rows() / groups) == group;
                let (polarity_index, row_index) = match own {
                    true => (polarity as u64, row as u64),
                    false => (polarity as u64 + 2, (row * groups + group) as u64),
                };
                let address = CellRow {
                    seed,
                    purpose,
                    chip_sample,
                    layer,
                    slice: slice as u64,
                    polarity: polarity_index,
                    row: row_index,
                };
                let of_group = group * (outputs / groups)..(group + 1) * (outputs / groups);
                let nominal = |output| if own { level(stage, slice, polarity, row, output) } else { 0 };
                let levels: Vec<u8> = of_group.map(nominal).collect();
                let mut programmed = vec![0.0; levels.len()];
                states.program_row(address, [RowPart::new(&levels, &mut programmed, 1)]);
                values.extend(programmed);
            }
            values
        };
        let polarities = 0..stage.polarities as usize;
        let values =
            (0..stage.slices.len()).map(|slice| polarities.clone().map(|p| matrix(slice, p)).collect()).collect();
        LayerCells { outputs: stage.outputs as usize, values }
    };
    program.mvm_stages().map(layer).collect()
}

/// Level of a logical cell.
pub(crate) fn level(stage: &MvmStage, slice: usize, polarity: usize, row: usize, output: usize) -> u8 {
    let (index, local_row, column) = place(stage, slice, row, output);
    let placed = &stage.crossbars[index];
    placed.levels[polarity][local_row * placed.outputs as usize * stage.slices.len() + column]
}

/// Crossbar, row and column of a logical cell.
pub(crate) fn place(stage: &MvmStage, slice: usize, row: usize, output: usize) -> (usize, usize, usize) {
    let within = |start: u32, count: u32, at: usize| (start as usize..(start + count) as usize).contains(&at);
    let holds = |placed: &chip::program::PlacedCrossbar| {
        within(placed.row_start, placed.rows, row) && within(placed.output_start, placed.outputs, output)
    };
    let index = stage.crossbars.iter().position(holds).unwrap();
    let placed = &stage.crossbars[index];
    (index, row - placed.row_start as usize, (output - placed.output_start as usize) * stage.slices.len() + slice)
}
