//! The states of a chip's cells: how immune each is to variation, and what every mapping strategy makes of that.
//!
//! ```text
//!  device, bits per cell --> [levels] error, rank, ties --> nested favourable sets
//!                                                                 |
//!  weight histogram -------> [mappings] encoding, where zero sits, favourable weights, error of every weight
//! ```

mod histogram;
mod levels;
mod mappings;
mod tables;
#[cfg(test)]
mod tests;

use chip::config::Chip;
use serde::Serialize;
use tile::check::{Check, Problems};
use tile::immunity::Ranking;

pub use self::histogram::WeightHistogram;
pub use self::levels::LevelReport;
pub use self::mappings::{MappingReport, WeightReport};
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
    /// Relative difference of error below which states are tied.
    pub tie_tolerance: f64,
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
pub fn states(chip: &Chip, tie_tolerance: f64, constrained_slices: usize) -> Result<StatesReport, ExploreError> {
    states_of(chip, tie_tolerance, constrained_slices, &WeightHistogram::Normal)
}

/// Like [`states`], for given weights.
///
/// # Errors
/// As [`states`], and if the histogram does not fit the chip's weights.
pub fn states_of(
    chip: &Chip,
    tie_tolerance: f64,
    constrained_slices: usize,
    histogram: &WeightHistogram,
) -> Result<StatesReport, ExploreError> {
    demand_allowed(chip, tie_tolerance, constrained_slices)?;
    let (cell, weight_bits) = (&chip.tile.cell, chip.format.weight_bits);
    let refused = |what| ExploreError::Request(format!("tile.cell.bits = {} is not allowed: {what}", cell.bits));
    let states = cell.device.states(cell.bits).map_err(refused)?;
    let ranking = Ranking::new(&states, tie_tolerance);
    let counts = histogram.counts(weight_bits)?;
    let view = mappings::View { chip, states: &states, ranking: &ranking, constrained_slices, counts: &counts };
    Ok(StatesReport {
        chip: chip.name.clone(),
        device: cell.device.name.clone(),
        source: cell.device.source.clone(),
        sigma_scale: cell.device.sigma_scale,
        cell_bits: cell.bits,
        weight_bits,
        spacing_s: states.spacing_s,
        read_voltage_v: chip.tile.array.read_voltage_v,
        tie_tolerance,
        constrained_slices,
        histogram: histogram.describe(weight_bits),
        levels: levels::report(&states, &ranking, cell.bits, chip.tile.array.read_voltage_v),
        favourable_sets: ranking.nested_sets(),
        mappings: view.report(),
    })
}

fn demand_allowed(chip: &Chip, tie_tolerance: f64, constrained_slices: usize) -> Result<(), ExploreError> {
    let mut problems = Problems::default();
    chip.check(&mut problems);
    problems.number("tie_tolerance", tie_tolerance, 0.0..=10.0, "");
    problems.integer("constrained_slices", constrained_slices as u64, 1..=16);
    if problems.found.is_empty() {
        return Ok(());
    }
    let at = format!("chip {}", chip.name);
    Err(ConfigError::NotAllowed(problems.found.into_iter().map(|problem| (at.clone(), problem)).collect()).into())
}
