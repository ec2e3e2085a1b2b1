//! A survey as CSV tables: one observation a line.

use serde::Serialize;

use super::levels::binary;
use super::tables::table;
use super::{CellSurvey, Survey};
use crate::error::ExploreError;

/// Which cell a line is about.
#[derive(Clone, Copy, Serialize)]
struct Place<'a> {
    device: &'a str,
    cell_bits: u32,
}

#[derive(Serialize)]
struct SetLine {
    set: usize,
    size: usize,
    states: String,
    error_levels_worst: f64,
}

#[derive(Serialize)]
struct Unavailable<'a> {
    allowed_cell_bits: &'a str,
}

impl Survey {
    /// A line per device, bits per cell and state: `device`, `cell_bits` and the fields of [`super::LevelReport`]; an empty field is a relative
    /// error of a cell at 0 S.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn states_csv(&self) -> Result<String, ExploreError> {
        table(self.cells().flat_map(|(place, cell)| cell.levels.iter().map(move |level| (place, level))))
    }

    /// A line per device, bits per cell and nested favourable set: `device`, `cell_bits`, `set` from 1, its `size`, its `states` in binary
    /// apart by spaces, and `error_levels_worst`, the largest error of a state in it.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn sets_csv(&self) -> Result<String, ExploreError> {
        table(self.cells().flat_map(|(place, cell)| {
            let sets = cell.favourable_sets.iter().enumerate();
            sets.map(move |(index, states)| (place, set_line(cell, index, states)))
        }))
    }

    /// A line per cell that a device cannot have: `device`, `cell_bits` and `allowed_cell_bits`, what it can have and why.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub fn unavailable_csv(&self) -> Result<String, ExploreError> {
        let lines = self.cells().filter_map(|(place, cell)| {
            let allowed_cell_bits = cell.unavailable.as_deref()?;
            Some((place, Unavailable { allowed_cell_bits }))
        });
        let text = table(lines)?;
        Ok(if text.is_empty() { "device,cell_bits,allowed_cell_bits\n".to_owned() } else { text })
    }

    fn cells(&self) -> impl Iterator<Item = (Place<'_>, &CellSurvey)> {
        self.devices.iter().flat_map(|device| {
            let place = |cell: &CellSurvey| Place { device: &device.device, cell_bits: cell.cell_bits };
            device.cells.iter().map(move |cell| (place(cell), cell))
        })
    }
}

fn set_line(cell: &CellSurvey, index: usize, states: &[usize]) -> SetLine {
    let errors = states.iter().filter_map(|&state| cell.levels.get(state)).map(|level| level.error_levels);
    SetLine {
        set: index + 1,
        size: states.len(),
        states: states.iter().map(|&state| binary(state, cell.cell_bits)).collect::<Vec<_>>().join(" "),
        error_levels_worst: errors.fold(0.0, f64::max),
    }
}
