//! The states of many devices, in cells of several numbers of bits.

use chip::config::Chip;
use serde::Serialize;
use tile::device::{Device, States};
use tile::immunity::Ranking;

use super::LevelReport;
use super::levels;
use crate::config::{Kind, load, preset_names};
use crate::error::ExploreError;

/// In place of device names: every preset.
pub const ALL_DEVICES: &str = "all";

/// The states of devices side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Survey {
    /// Voltage of a full-scale input, V: what error currents are for.
    pub read_voltage_v: f64,
    /// One entry per device, in the order asked for.
    pub devices: Vec<DeviceSurvey>,
}

/// One device of a [`Survey`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceSurvey {
    /// Name.
    pub device: String,
    /// Where its numbers come from.
    pub source: String,
    /// Conductance of level 0, S.
    pub g_min_s: f64,
    /// Conductance of the highest level, S.
    pub g_max_s: f64,
    /// Highest conductance of a cell, S.
    pub g_clip_s: f64,
    /// Factor on every mean shift and sigma.
    pub sigma_scale: f64,
    /// Cells measured per state: what the confidence intervals of the errors rest on.
    pub samples_per_state: u32,
    /// Time from programming to reading, s.
    pub read_after_s: f64,
    /// One entry per number of bits, in the order asked for.
    pub cells: Vec<CellSurvey>,
}

/// Cells of one number of bits of a device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellSurvey {
    /// Bits per cell.
    pub cell_bits: u32,
    /// What numbers of bits the device can have, where it cannot have this one. The rest is then empty or 0.
    pub unavailable: Option<String>,
    /// Level spacing, S.
    pub spacing_s: f64,
    /// The states from most to least immune, e.g. `00 < 11 < 10 = 01`; tied ones are joined by `=`.
    pub order: String,
    /// The nested favourable sets, most immune states first; each ascending.
    pub favourable_sets: Vec<Vec<usize>>,
    /// Smallest error of a state, in level spacings.
    pub error_levels_best: f64,
    /// Largest error of a state, in level spacings.
    pub error_levels_worst: f64,
    /// Mean over the states of the probability that a cell read on its own is taken for another state.
    pub read_error_probability_mean: f64,
    /// The largest of these probabilities.
    pub read_error_probability_worst: f64,
    /// The states, lowest conductance first.
    pub levels: Vec<LevelReport>,
}

/// The states of `devices` (names of presets or TOML files, or [`ALL_DEVICES`] alone) in cells of each of `bits` bits, with `overrides` of
/// device keys (`KEY=VALUE`), read by `chip`, whose own cell does not matter.
///
/// # Errors
/// If a device cannot be loaded or is listed twice, or bits per cell are missing, listed twice or not from 1 to 8. A device that cannot
/// have cells of so many bits is no error; [`CellSurvey::unavailable`] says why.
pub fn survey(chip: &Chip, devices: &[String], bits: &[u32], overrides: &[String]) -> Result<Survey, ExploreError> {
    demand_bits(bits)?;
    let read_voltage_v = chip.tile.array.read_voltage_v;
    let mut surveyed: Vec<DeviceSurvey> = Vec::new();
    for name in names(devices)? {
        let device: Device = load(Kind::Device, &name, overrides)?;
        if surveyed.iter().any(|other| other.device == device.name) {
            return Err(ExploreError::Request(format!("device `{}` is listed twice", device.name)));
        }
        surveyed.push(of_device(&device, bits, read_voltage_v));
    }
    Ok(Survey { read_voltage_v, devices: surveyed })
}

fn demand_bits(bits: &[u32]) -> Result<(), ExploreError> {
    let refused =
        |what: String| Err(ExploreError::Request(format!("bits per cell: {what}; allowed: 1 to 8, each once")));
    if bits.is_empty() {
        return refused("none are given".to_owned());
    }
    if let Some(bits) = bits.iter().find(|bits| !(1..=8).contains(*bits)) {
        return refused(format!("{bits} is not allowed"));
    }
    match bits.iter().enumerate().find(|(index, one)| bits[..*index].contains(one)) {
        Some((_, bits)) => refused(format!("{bits} is listed twice")),
        None => Ok(()),
    }
}

fn names(devices: &[String]) -> Result<Vec<String>, ExploreError> {
    if devices.is_empty() {
        return Err(ExploreError::Request(format!(
            "no devices are given; allowed: names, TOML files, or `{ALL_DEVICES}`"
        )));
    }
    if !devices.iter().any(|name| name == ALL_DEVICES) {
        return Ok(devices.to_vec());
    }
    if devices.len() > 1 {
        return Err(ExploreError::Request(format!("`{ALL_DEVICES}` stands for every device and goes with no other")));
    }
    Ok(preset_names(Kind::Device).into_iter().map(str::to_owned).collect())
}

fn of_device(device: &Device, bits: &[u32], read_voltage_v: f64) -> DeviceSurvey {
    let cells = bits.iter().map(|&bits| match device.states(bits) {
        Ok(states) => of_states(&states, bits, read_voltage_v),
        Err(allowed) => unavailable(bits, allowed),
    });
    DeviceSurvey {
        device: device.name.clone(),
        source: device.source.clone(),
        g_min_s: device.g_min_s,
        g_max_s: device.g_max_s,
        g_clip_s: device.g_clip_s,
        sigma_scale: device.sigma_scale,
        samples_per_state: device.samples_per_state,
        read_after_s: device.read_after_s,
        cells: cells.collect(),
    }
}

fn of_states(states: &States, cell_bits: u32, read_voltage_v: f64) -> CellSurvey {
    let ranking = Ranking::new(states);
    let levels = levels::report(states, &ranking, cell_bits, read_voltage_v);
    let errors = || levels.iter().map(|level| level.error_levels);
    let probabilities = || levels.iter().map(|level| level.read_error_probability);
    CellSurvey {
        cell_bits,
        unavailable: None,
        spacing_s: states.spacing_s,
        order: levels::order(&levels),
        favourable_sets: ranking.nested_sets(),
        error_levels_best: errors().fold(f64::INFINITY, f64::min),
        error_levels_worst: errors().fold(0.0, f64::max),
        read_error_probability_mean: probabilities().sum::<f64>() / levels.len() as f64,
        read_error_probability_worst: probabilities().fold(0.0, f64::max),
        levels,
    }
}

fn unavailable(cell_bits: u32, allowed: String) -> CellSurvey {
    CellSurvey {
        cell_bits,
        unavailable: Some(allowed),
        spacing_s: 0.0,
        order: String::new(),
        favourable_sets: Vec::new(),
        error_levels_best: 0.0,
        error_levels_worst: 0.0,
        read_error_probability_mean: 0.0,
        read_error_probability_worst: 0.0,
        levels: Vec::new(),
    }
}
