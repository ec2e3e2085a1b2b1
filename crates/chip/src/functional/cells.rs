//! The programmed cells of one chip sample: what a write-verify loop leaves and time has done to it when the arrays are read.

use crate::program::{MvmStage, PlacedCrossbar, Program};
use tile::address::{CellRow, Purpose};
use tile::device::{Fault, RowTotals, States};
use tile::fault_map::{FaultMap, StuckCell};

/// Which chip sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleAddress {
    /// Master seed.
    pub seed: u64,
    /// What the chip sample is for.
    pub purpose: Purpose,
    /// Index of the chip sample.
    pub chip_sample: u64,
}

impl SampleAddress {
    fn row(self, layer: u64) -> CellRow {
        let Self { seed, purpose, chip_sample } = self;
        CellRow { seed, purpose, chip_sample, layer, slice: 0, polarity: 0, row: 0 }
    }
}

/// All cells of a chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// Which chip sample they belong to.
    pub address: SampleAddress,
    /// One entry per MVM stage.
    pub stages: Vec<StageCells>,
}

/// The cells of one MVM stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageCells {
    /// `[crossbar][polarity]`: `rows x columns` row-major, in level spacings of the column's slice above `G_min`, at the time of reading.
    pub values: Vec<Vec<Vec<f32>>>,
    /// Sums over all cells.
    pub totals: RowTotals,
    /// Digital factor of global drift compensation: conductance right after programming over that at the time of reading; 1 without it.
    pub drift_gain: f64,
}

impl Cells {
    /// Programs all cells of a chip; every cell draws from its own address.
    ///
    /// # Errors
    /// If the device cannot have cells of a slice's number of bits.
    pub fn program(program: &Program, address: SampleAddress) -> Result<Self, String> {
        let stage = |(layer, stage)| program_stage(program, stage, address.row(layer));
        Ok(Self { address, stages: program.mvm_stages().map(stage).collect::<Result<_, _>>()? })
    }

    /// Cells at `G_min`, to be set.
    #[must_use]
    pub fn empty(program: &Program, address: SampleAddress) -> Self {
        let stage = |(_, stage)| StageCells::empty(stage);
        Self { address, stages: program.mvm_stages().map(stage).collect() }
    }

    /// Conductances of one array, S: `rows x columns` row-major.
    ///
    /// # Errors
    /// If the program has no such array.
    pub fn conductances_s(
        &self,
        program: &Program,
        layer: usize,
        crossbar: usize,
        polarity: usize,
    ) -> Result<Vec<f64>, String> {
        let states = array_states(program, (layer, crossbar, polarity))?;
        let values = &self.stages[layer].values[crossbar][polarity];
        Ok(values.iter().zip(states.iter().cycle()).map(|(&value, states)| states.conductance_s(value)).collect())
    }

    /// Sets the conductances of one array `(layer, crossbar, polarity)`, S: `rows x columns` row-major.
    ///
    /// # Errors
    /// If the program has no such array, or one of another size.
    pub fn set_conductances_s(
        &mut self,
        program: &Program,
        array: (usize, usize, usize),
        conductances_s: &[f64],
    ) -> Result<(), String> {
        let states = array_states(program, array)?;
        let values = &mut self.stages[array.0].values[array.1][array.2];
        if values.len() != conductances_s.len() {
            return Err(format!("an array of {} cells cannot take {} values", values.len(), conductances_s.len()));
        }
        for ((value, &given_s), states) in values.iter_mut().zip(conductances_s).zip(states.iter().cycle()) {
            *value = ((given_s - states.g_min_s) / states.spacing_s) as f32;
        }
        Ok(())
    }

    /// Sets cells that a fault map lists to the lowest or highest level of their slice; returns how many were in use.
    ///
    /// # Errors
    /// If the map lists a cell that the chip does not have.
    pub fn apply_faults(&mut self, program: &Program, map: &FaultMap) -> Result<u64, String> {
        demand_on_chip(program, map)?;
        let mut applied = 0;
        for ((_, stage), cells) in program.mvm_stages().zip(&mut self.stages) {
            for (placed, polarities) in stage.crossbars.iter().zip(&mut cells.values) {
                let columns = stage.columns(placed) as usize;
                for (polarity, values) in polarities.iter_mut().enumerate() {
                    for &StuckCell { row, column, fault } in map.in_array(placed.tile, placed.array + polarity as u32) {
                        let (row, column) = (row as usize, column as usize);
                        if row < placed.rows as usize && column < columns {
                            let top = stage.top_level(column % stage.slices.len()) as f32;
                            values[row * columns + column] = if fault == Fault::High { top } else { 0.0 };
                            applied += 1;
                        }
                    }
                }
            }
        }
        Ok(applied)
    }
}

/// Cells that are listed but not in use are fine; places that do not exist are a mistake.
fn demand_on_chip(program: &Program, map: &FaultMap) -> Result<(), String> {
    let chip = &program.chip;
    let (arrays, rows, cols) = (chip.tile.arrays, chip.tile.array.rows, chip.tile.array.cols);
    for (tile, array) in map.arrays() {
        let cells = map.in_array(tile, array);
        let outside = cells.iter().find(|cell| cell.row >= rows || cell.column >= cols);
        let here = u64::from(tile) < chip.mesh.tiles() && array < arrays;
        if let Some(cell) = outside.or(if here { None } else { cells.first() }) {
            return Err(format!(
                "the fault map lists tile {tile}, array {array}, row {}, column {}; the chip has {} tiles of {arrays} arrays of {rows} x {cols}",
                cell.row,
                cell.column,
                chip.mesh.tiles()
            ));
        }
    }
    Ok(())
}

/// The states of the cells of every slice of a stage.
///
/// # Errors
/// If the device cannot have such cells.
pub(super) fn slice_states(program: &Program, stage: &MvmStage) -> Result<Vec<States>, String> {
    let device = &program.chip.tile.cell.device;
    stage.slices.iter().map(|slice| device.states(slice.bits)).collect()
}

fn program_stage(program: &Program, stage: &MvmStage, address: CellRow) -> Result<StageCells, String> {
    let mut result = StageCells::empty(stage);
    let holders: Vec<Vec<usize>> = (0..stage.window.rows()).map(|row| holders_of_row(stage, row)).collect();
    let mut programmed = Vec::with_capacity(stage.outputs as usize);
    let states = slice_states(program, stage)?;
    for (slice, states) in states.iter().enumerate() {
        for polarity in 0..stage.polarities as usize {
            for (row, holders) in holders.iter().enumerate() {
                let address = CellRow { slice: slice as u64, polarity: polarity as u64, row: row as u64, ..address };
                let logical = LogicalRow { stage, slice, polarity, row, holders };
                result.totals.add(&states.program_row(address, logical.levels(), &mut programmed));
                logical.store(&programmed, &mut result.values);
            }
        }
    }
    let RowTotals { written_s, read_s, .. } = result.totals;
    if states.first().is_some_and(States::compensates_drift) && read_s > 0.0 {
        result.drift_gain = written_s / read_s;
    }
    Ok(result)
}

impl StageCells {
    /// All cells at `G_min`.
    fn empty(stage: &MvmStage) -> Self {
        let array = |placed: &PlacedCrossbar| vec![0.0; placed.rows as usize * stage.columns(placed) as usize];
        let values = stage.crossbars.iter().map(|placed| vec![array(placed); stage.polarities as usize]).collect();
        Self { values, totals: RowTotals::default(), drift_gain: 1.0 }
    }
}

/// The states of the columns of an array `(layer, crossbar, polarity)`: they repeat slice by slice.
fn array_states(program: &Program, (layer, crossbar, polarity): (usize, usize, usize)) -> Result<Vec<States>, String> {
    let stage = program.mvm_stages().nth(layer).map(|(_, stage)| stage);
    let exists = |stage: &&MvmStage| crossbar < stage.crossbars.len() && polarity < stage.polarities as usize;
    let stage = stage.filter(exists).ok_or_else(|| format!("there is no array {layer}.{crossbar}.{polarity}"))?;
    slice_states(program, stage)
}

/// One slice and polarity of one logical row, over all outputs.
struct LogicalRow<'a> {
    stage: &'a MvmStage,
    slice: usize,
    polarity: usize,
    row: usize,
    /// The crossbars that hold it, in the order of their outputs.
    holders: &'a [usize],
}

impl LogicalRow<'_> {
    /// Index of the row's first cell in a crossbar, and the number of outputs there.
    fn place(&self, holder: usize) -> (usize, usize) {
        let placed = &self.stage.crossbars[holder];
        let local_row = self.row - placed.row_start as usize;
        (local_row * self.stage.columns(placed) as usize + self.slice, placed.outputs as usize)
    }

    fn levels(&self) -> impl Iterator<Item = u8> {
        let slices = self.stage.slices.len();
        self.holders.iter().flat_map(move |&holder| {
            let (first, outputs) = self.place(holder);
            let levels = &self.stage.crossbars[holder].levels[self.polarity][first..];
            levels.chunks(slices).take(outputs).map(|of_output| of_output[0])
        })
    }

    fn store(&self, programmed: &[f32], values: &mut [Vec<Vec<f32>>]) {
        let mut programmed = programmed;
        for &holder in self.holders {
            let (first, outputs) = self.place(holder);
            let (here, others) = programmed.split_at(outputs.min(programmed.len()));
            let cells = values[holder][self.polarity][first..].chunks_mut(self.stage.slices.len());
            for (of_output, &value) in cells.zip(here) {
                of_output[0] = value;
            }
            programmed = others;
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
