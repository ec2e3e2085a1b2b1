//! The states of a chip's cells: how immune each is to variation, and what every mapping strategy makes of that.
//!
//! ```text
//!  device, bits per cell --> [levels] error, rank, ties --> nested favourable sets
//!                                                                 |
//!  weight histogram -------> [mappings] encoding, where zero sits, favourable weights, error of every weight
//! ```
//!
//! [`survey`] does the first line for many devices and numbers of bits per cell.

mod histogram;
mod levels;
mod mappings;
mod read_error;
mod survey;
mod survey_tables;
#[cfg(test)]
mod survey_tests;
mod tables;
#[cfg(test)]
mod tests;

use chip::config::Chip;
use nn_compiler::mapping::CellStates;
use serde::Serialize;
use tile::check::{Check, Problems};
use tile::immunity::Ranking;

pub use self::histogram::WeightHistogram;
pub use self::levels::{LevelReport, binary};
pub use self::mappings::{MappingReport, WeightReport};
pub use self::survey::{ALL_DEVICES, CellSurvey, DeviceSurvey, Survey, survey};
pub use self::tables::digits;
use crate::config::ConfigError;
use crate::error::ExploreError;

/// What is known of the states of a chip's cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatesReport {
    /// Name of the chip.
    pub chip: String,
    /// Name of the device.
    pub device: String,
    /// Where the device's numbers come from.
    pub source: String,
    /// Where another fit of the same measurements differs, if the device's file says so.
    pub fit_uncertainty: Option<String>,
    /// Factor on every mean shift and sigma of the device.
    pub sigma_scale: f64,
    /// Bits per cell.
    pub cell_bits: u32,
    /// Bits per weight.
    pub weight_bits: u32,
    /// Level spacing, S.
    pub spacing_s: f64,
    /// Voltage of a full-scale input, V.
    pub read_voltage_v: f64,
    /// Cells measured per state: what the confidence intervals of the errors rest on.
    pub samples_per_state: u32,
    /// Constrained slices, counted from the most significant.
    pub constrained_slices: usize,
    /// The weights for which encodings are chosen and means are taken, in words.
    pub histogram: String,
    /// The states, lowest conductance first.
    pub levels: Vec<LevelReport>,
    /// The nested favourable sets, most immune states first; each ascending.
    pub favourable_sets: Vec<Vec<usize>>,
    /// One entry per mapping strategy.
    pub mappings: Vec<MappingReport>,
}

/// The states of a chip's cells, for weights that are spread normally around zero ([`WeightHistogram::Normal`]).
///
/// # Errors
/// If the chip or a parameter is not allowed; the message names keys, values and what is allowed.
pub fn states(chip: &Chip, constrained_slices: usize) -> Result<StatesReport, ExploreError> {
    states_of(chip, constrained_slices, &WeightHistogram::Normal)
}

/// Like [`states`], for given weights.
///
/// # Errors
/// As [`states`], and if the histogram does not fit the chip's weights.
pub fn states_of(
    chip: &Chip,
    constrained_slices: usize,
    histogram: &WeightHistogram,
) -> Result<StatesReport, ExploreError> {
    demand_allowed(chip, constrained_slices)?;
    let (cell, weight_bits) = (&chip.tile.cell, chip.format.weight_bits);
    let refused = |what| ExploreError::Request(format!("tile.cell.bits = {} is not allowed: {what}", cell.bits));
    let cells = CellStates::of(cell);
    let states = cells.states(cell.bits).map_err(refused)?;
    let ranking = Ranking::new(states);
    let counts = histogram.counts(weight_bits)?;
    let view = mappings::View { chip, cells: &cells, constrained_slices, counts: &counts };
    Ok(StatesReport {
        chip: chip.name.clone(),
        device: cell.device.name.clone(),
        source: cell.device.source.clone(),
        fit_uncertainty: cell.device.fit_uncertainty.as_ref().map(|fit| format!("{} (preset {})", fit.note, fit.other)),
        sigma_scale: cell.device.sigma_scale,
        cell_bits: cell.bits,
        weight_bits,
        spacing_s: states.spacing_s,
        read_voltage_v: chip.tile.array.read_voltage_v,
        samples_per_state: cell.device.samples_per_state,
        constrained_slices,
        histogram: histogram.describe(weight_bits),
        levels: levels::report(states, &ranking, cell.bits, chip.tile.array.read_voltage_v),
        favourable_sets: ranking.nested_sets(),
        mappings: view.report(),
    })
}

fn demand_allowed(chip: &Chip, constrained_slices: usize) -> Result<(), ExploreError> {
    let mut problems = Problems::default();
    chip.check(&mut problems);
    problems.integer("constrained_slices", constrained_slices as u64, 1..=16);
    if problems.found.is_empty() {
        return Ok(());
    }
    let at = format!("chip {}", chip.name);
    Err(ConfigError::NotAllowed(problems.found.into_iter().map(|problem| (at.clone(), problem)).collect()).into())
}
