//! The programmed cells of one chip sample: what a write-verify loop leaves and time has done to it when the arrays are read.

use super::row_block::{ArrayCells, RowBlock};
use crate::program::{MvmStage, PlacedCrossbar, Program};
use rayon::prelude::*;
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
    /// Programs all cells of a chip.
    ///
    /// # Errors
    /// As [`Self::reprogram`].
    pub fn program(program: &Program, address: SampleAddress) -> Result<Self, String> {
        let mut cells = Self::empty(program, address);
        cells.reprogram(program, address)?;
        Ok(cells)
    }

    /// Programs all cells anew as those of another chip sample, in the memory that they have: new memory costs a seventh of the time. Stages
    /// and blocks of their rows are programmed in parallel; every cell draws from its own address.
    ///
    /// # Errors
    /// If the device cannot have cells of a slice's number of bits; not all cells are programmed then.
    pub fn reprogram(&mut self, program: &Program, address: SampleAddress) -> Result<(), String> {
        self.address = address;
        if !self.are_of(program) {
            *self = Self::empty(program, address);
        }
        let stages: Vec<_> = program.mvm_stages().zip(&mut self.stages).collect();
        let run = |((layer, stage), cells): ((u64, &MvmStage), &mut StageCells)| {
            cells.program(program, stage, address.row(layer))
        };
        // Errors are looked for in the order of the stages, so that it is always the same one that is found.
        let programmed: Vec<Result<(), String>> = stages.into_par_iter().map(run).collect();
        programmed.into_iter().collect()
    }

    /// Cells at the mean of their states as they are read, clipped as values are; no chip sample.
    ///
    /// # Errors
    /// If the device cannot have cells of a slice's number of bits.
    pub fn expected(program: &Program) -> Result<Self, String> {
        let mut cells = Self::empty(program, SampleAddress { seed: 0, purpose: Purpose::Calibration, chip_sample: 0 });
        for ((_, stage), cells) in program.mvm_stages().zip(&mut cells.stages) {
            cells.expect(stage, &slice_states(program, stage)?);
        }
        Ok(cells)
    }

    /// Cells at `G_min`, to be set.
    #[must_use]
    pub fn empty(program: &Program, address: SampleAddress) -> Self {
        Self { address, stages: program.mvm_stages().map(|(_, stage)| StageCells::at_g_min(stage)).collect() }
    }

    /// Whether the arrays have the sizes of the program's.
    fn are_of(&self, program: &Program) -> bool {
        let mut stages = program.mvm_stages().zip(&self.stages);
        self.stages.len() == program.mvm_stages().count() && stages.all(|((_, stage), cells)| cells.are_of(stage))
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

impl StageCells {
    fn at_g_min(stage: &MvmStage) -> Self {
        let arrays = |placed| (0..stage.polarities).map(|_| vec![0.0; cells(stage, placed)]).collect();
        Self { values: stage.crossbars.iter().map(arrays).collect(), totals: RowTotals::default(), drift_gain: 1.0 }
    }

    fn are_of(&self, stage: &MvmStage) -> bool {
        let are_of = |(arrays, placed): (&Vec<Vec<f32>>, &PlacedCrossbar)| {
            let cells = cells(stage, placed);
            arrays.len() == stage.polarities as usize && arrays.iter().all(|values| values.len() == cells)
        };
        self.values.len() == stage.crossbars.len() && self.values.iter().zip(&stage.crossbars).all(are_of)
    }

    /// Sets every cell to the mean of its state, `states` being those of each slice.
    fn expect(&mut self, stage: &MvmStage, states: &[States]) {
        let mean = |states: &States, level: usize| (level as f64 + states.clipped_error(level).mean) as f32;
        let means: Vec<Vec<f32>> =
            states.iter().map(|states| (0..states.levels()).map(|level| mean(states, level)).collect()).collect();
        for (placed, arrays) in stage.crossbars.iter().zip(&mut self.values) {
            for (levels, values) in placed.levels.iter().zip(arrays) {
                for ((value, &level), means) in values.iter_mut().zip(levels).zip(means.iter().cycle()) {
                    *value = means[usize::from(level)];
                }
            }
        }
    }

    /// Blocks of rows are programmed in parallel and summed in the order slice, polarity, row.
    fn program(&mut self, program: &Program, stage: &MvmStage, address: CellRow) -> Result<(), String> {
        let states = slice_states(program, stage)?;
        let mut blocks = row_blocks(stage, &mut self.values, address);
        let rows: Vec<Vec<Vec<RowTotals>>> = blocks.par_iter_mut().map(|block| block.program(stage, &states)).collect();
        self.totals = RowTotals::default();
        for slice in 0..states.len() {
            rows.iter().flat_map(|of_block| &of_block[slice]).for_each(|row| self.totals.add(row));
        }
        let RowTotals { written_s, read_s, .. } = self.totals;
        let compensates = states.first().is_some_and(States::compensates_drift) && read_s > 0.0;
        self.drift_gain = if compensates { written_s / read_s } else { 1.0 };
        Ok(())
    }
}

/// The blocks of rows of the first polarity, then those of the next one.
fn row_blocks<'a>(stage: &'a MvmStage, values: &'a mut [Vec<Vec<f32>>], address: CellRow) -> Vec<RowBlock<'a>> {
    let mut polarities: Vec<Vec<ArrayCells<'_>>> = (0..stage.polarities).map(|_| Vec::new()).collect();
    for (placed, arrays) in stage.crossbars.iter().zip(values) {
        for ((arrays, levels), values) in polarities.iter_mut().zip(&placed.levels).zip(arrays) {
            arrays.push(ArrayCells { placed, levels, values });
        }
    }
    let blocks = |(polarity, arrays)| RowBlock::of(arrays, CellRow { polarity, ..address });
    (0..).zip(polarities).flat_map(blocks).collect()
}

/// Number of cells of one array.
fn cells(stage: &MvmStage, placed: &PlacedCrossbar) -> usize {
    placed.rows as usize * stage.columns(placed) as usize
}

/// The states of the columns of an array `(layer, crossbar, polarity)`: they repeat slice by slice.
fn array_states(program: &Program, (layer, crossbar, polarity): (usize, usize, usize)) -> Result<Vec<States>, String> {
    let stage = program.mvm_stages().nth(layer).map(|(_, stage)| stage);
    let exists = |stage: &&MvmStage| crossbar < stage.crossbars.len() && polarity < stage.polarities as usize;
    let stage = stage.filter(exists).ok_or_else(|| format!("there is no array {layer}.{crossbar}.{polarity}"))?;
    slice_states(program, stage)
}
