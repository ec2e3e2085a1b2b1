//! The states of a cell one by one.

use serde::Serialize;
use tile::device::{State, States};
use tile::immunity::Ranking;

use super::read_error;

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
    /// Lower end of the 95 % confidence interval of the error, in level spacings; states with overlapping intervals are tied.
    pub error_ci95_low: f64,
    /// Upper end of that interval, in level spacings.
    pub error_ci95_high: f64,
    /// Root mean square error after values are clipped to 0 S and to the device's highest conductance, as if they were normal before, in
    /// level spacings. The other moments are those before clipping; the ranking uses them.
    pub clipped_error_levels: f64,
    /// Root mean square error of the cell's current at a full-scale input, A.
    pub error_current_a: f64,
    /// Standard deviation relative to the nominal conductance; none at 0 S. It ranks states the other way round and
    /// says nothing of column currents; it is here to be compared.
    pub relative_error: Option<f64>,
    /// Probability that a cell read on its own is taken for another state, if its error were normal: that it lies across the middle to a
    /// neighbouring state. The lowest and the highest state have one neighbour.
    pub read_error_probability: f64,
    /// 1 = most immune; tied states share the rank of the first of them.
    pub rank: usize,
    /// Number of the group of tied states, from 1 = most immune.
    pub tie_group: usize,
    /// Number of states of the smallest nested favourable set that contains this one.
    pub immune_set_size: usize,
}

/// Every level, lowest conductance first.
pub(super) fn report(states: &States, ranking: &Ranking, cell_bits: u32, read_voltage_v: f64) -> Vec<LevelReport> {
    let level = |state: &State| {
        let error = state.error();
        let (better, tie_group) = place(ranking, state.level);
        LevelReport {
            level: state.level,
            bits: binary(state.level, cell_bits),
            conductance_s: state.conductance_s,
            mean_shift_levels: state.mean_shift,
            sigma_levels: state.sigma,
            error_levels: error,
            error_ci95_low: state.error_ci95.0,
            error_ci95_high: state.error_ci95.1,
            clipped_error_levels: states.clipped_error(state.level).root_mean_square(),
            error_current_a: read_voltage_v * error * states.spacing_s,
            relative_error: (state.conductance_s > 0.0).then(|| state.sigma * states.spacing_s / state.conductance_s),
            read_error_probability: read_error::probability(
                state.mean_shift,
                state.sigma,
                state.level,
                states.levels(),
            ),
            rank: better + 1,
            tie_group: tie_group + 1,
            immune_set_size: better + ranking.groups.get(tie_group).map_or(0, Vec::len),
        }
    };
    states.states.iter().map(level).collect()
}

/// A level as its `cell_bits` binary digits.
pub fn binary(level: usize, cell_bits: u32) -> String {
    format!("{level:0width$b}", width = cell_bits as usize)
}

/// The states from most to least immune, e.g. `00 < 11 < 10 = 01`: tied states are joined by `=`, in the order of their errors.
pub(super) fn order(levels: &[LevelReport]) -> String {
    let mut sorted: Vec<&LevelReport> = levels.iter().collect();
    sorted.sort_by(|a, b| {
        let errors = a.error_levels.total_cmp(&b.error_levels);
        a.tie_group.cmp(&b.tie_group).then(errors).then(a.level.cmp(&b.level))
    });
    let mut text = String::new();
    let mut previous = None;
    for level in sorted {
        match previous {
            Some(group) if group == level.tie_group => text.push_str(" = "),
            Some(_) => text.push_str(" < "),
            None => {}
        }
        text.push_str(&level.bits);
        previous = Some(level.tie_group);
    }
    text
}

/// Number of states in better groups, and index of the tie group.
fn place(ranking: &Ranking, level: usize) -> (usize, usize) {
    let group = ranking.groups.iter().position(|group| group.contains(&level)).unwrap_or(ranking.groups.len());
    (ranking.groups[..group].iter().map(Vec::len).sum(), group)
}
