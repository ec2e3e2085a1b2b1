//! The states of a cell one by one.

use serde::Serialize;
use tile::device::{State, States};
use tile::immunity::Ranking;

/// One state of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelReport {
    /// Level, 0 = lowest conductance.
    pub level: usize,
    /// The level in binary, e.g. `10`.
    pub bits: String,
    /// Nominal conductance, S.
    pub conductance_s: f64,
    /// Mean of (programmed - nominal), in level spacings.
    pub mean_shift_levels: f64,
    /// Standard deviation of the programmed conductance, in level spacings.
    pub sigma_levels: f64,
    /// Root mean square error, in level spacings: what ranks the states.
    pub error_levels: f64,
    /// Root mean square error of the cell's current at a full-scale input, A.
    pub error_current_a: f64,
    /// Standard deviation relative to the nominal conductance; none at 0 S. It ranks states the other way round and
    /// says nothing of column currents; it is here to be compared.
    pub relative_error: Option<f64>,
    /// Probability that a cell read on its own is more than half a level spacing off, if its error were normal.
    pub read_error_probability: f64,
    /// 1 = most immune; tied states share the rank of the first of them.
    pub rank: usize,
    /// Number of the group of tied states, from 1 = most immune.
    pub tie_group: usize,
}

/// Every level, lowest conductance first.
pub(super) fn report(states: &States, ranking: &Ranking, cell_bits: u32, read_voltage_v: f64) -> Vec<LevelReport> {
    let level = |state: &State| {
        let error = state.error();
        let (rank, tie_group) = place(ranking, state.level);
        LevelReport {
            level: state.level,
            bits: binary(state.level, cell_bits),
            conductance_s: state.conductance_s,
            mean_shift_levels: state.mean_shift,
            sigma_levels: state.sigma,
            error_levels: error,
            error_current_a: read_voltage_v * error * states.spacing_s,
            relative_error: (state.conductance_s > 0.0).then(|| state.sigma * states.spacing_s / state.conductance_s),
            read_error_probability: read_error_probability(error),
            rank,
            tie_group,
        }
    };
    states.states.iter().map(level).collect()
}

/// A level as its `cell_bits` binary digits.
pub(super) fn binary(level: usize, cell_bits: u32) -> String {
    format!("{level:0width$b}", width = cell_bits as usize)
}

/// `P(|error| > 1/2) = erfc(1 / (2 sqrt(2) e))`; 0 without error.
fn read_error_probability(error: f64) -> f64 {
    libm::erfc(1.0 / (2.0 * std::f64::consts::SQRT_2 * error))
}

/// Rank and tie group of a level, from 1.
fn place(ranking: &Ranking, level: usize) -> (usize, usize) {
    let group = ranking.groups.iter().position(|group| group.contains(&level)).unwrap_or(ranking.groups.len());
    let better: usize = ranking.groups[..group].iter().map(Vec::len).sum();
    (better + 1, group + 1)
}
