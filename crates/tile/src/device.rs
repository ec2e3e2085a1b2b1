//! A memristor device: its conductance range, its levels, and the statistics of each programmed state.

use crate::address::{CellRow, Stream};
use crate::check::{Check, Problems};
use crate::variation::{NominalState, Variation};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// A device as its file in `configs/devices` states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Name, kebab-case.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// Conductance of level 0, S.
    pub g_min_s: f64,
    /// Conductance of the highest level, S.
    pub g_max_s: f64,
    /// Highest conductance a cell can have, S: programmed values are clipped to `0..=g_clip_s`.
    pub g_clip_s: f64,
    /// Factor on every mean shift and sigma (1 = as measured).
    pub sigma_scale: f64,
    /// The model of the programming error.
    pub variation: Variation,
}

impl Check for Device {
    fn check(&self, problems: &mut Problems) {
        problems.number("g_min_s", self.g_min_s, 0.0..=1.0, "S");
        problems.number("g_max_s", self.g_max_s, 1e-12..=1.0, "S");
        problems.require("g_max_s", self.g_max_s, self.g_max_s > self.g_min_s, "greater than g_min_s");
        problems.require("g_clip_s", self.g_clip_s, self.g_clip_s >= self.g_max_s, "at least g_max_s");
        problems.require("g_clip_s", self.g_clip_s, self.g_clip_s.is_finite(), "a finite number");
        problems.number("sigma_scale", self.sigma_scale, 0.0..=100.0, "");
        problems.within("variation", |problems| self.variation.model().check(self.g_min_s, self.g_max_s, problems));
    }
}

/// Statistics of one programmed state in units of the level spacing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// Level, 0 = lowest conductance.
    pub level: usize,
    /// Nominal conductance, S.
    pub conductance_s: f64,
    /// Mean of (programmed - nominal), in level spacings.
    pub mean_shift: f64,
    /// Standard deviation of the programmed conductance, in level spacings.
    pub sigma: f64,
}

impl State {
    /// Root mean square error in level spacings, `e = sqrt(mu^2 + sigma^2)`: proportional to the error current of the cell. The
    /// smaller, the more immune the state.
    #[must_use]
    pub fn error(&self) -> f64 {
        (self.mean_shift * self.mean_shift + self.sigma * self.sigma).sqrt()
    }
}

/// The states of a device in cells of a given number of bits, ready to program cells.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    /// One entry per level.
    pub states: Vec<State>,
    /// Level spacing, S.
    pub spacing_s: f64,
    /// Conductance of level 0, S.
    pub g_min_s: f64,
    /// Lowest and highest reachable value in level spacings above level 0.
    pub clip: (f64, f64),
}

impl Device {
    /// States of a cell that stores `bits` bits: `G_l = G_min + l (G_max - G_min) / (L - 1)` with `L = 2^bits`.
    ///
    /// # Errors
    /// If the device's model does not know such cells; the text says what it knows.
    pub fn states(&self, bits: u32) -> Result<States, String> {
        let levels = 1_usize << bits;
        let model = self.variation.model();
        model.supports(levels)?;
        let spacing_s = (self.g_max_s - self.g_min_s) / (levels - 1) as f64;
        let state = |level: usize| {
            let conductance_s = self.g_min_s + level as f64 * spacing_s;
            let moments = model.moments(&NominalState { level, levels, conductance_s, spacing_s });
            let scale = self.sigma_scale / spacing_s;
            State { level, conductance_s, mean_shift: moments.mean_shift_s * scale, sigma: moments.sigma_s * scale }
        };
        let clip = (-self.g_min_s / spacing_s, (self.g_clip_s - self.g_min_s) / spacing_s);
        Ok(States { states: (0..levels).map(state).collect(), spacing_s, g_min_s: self.g_min_s, clip })
    }
}

impl States {
    /// Number of levels.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.states.len()
    }

    /// Mean square error of every level, in squared level spacings.
    #[must_use]
    pub fn squared_errors(&self) -> Vec<f64> {
        self.states.iter().map(|state| state.error().powi(2)).collect()
    }

    /// Conductance in S of a value in level spacings above level 0.
    #[must_use]
    pub fn conductance_s(&self, value: f32) -> f64 {
        self.g_min_s + f64::from(value) * self.spacing_s
    }

    /// Programs the cells of one logical row, in the order of its columns; the result is in level spacings above level 0.
    ///
    /// # Panics
    /// Never for levels below [`States::levels`].
    pub fn program_row(&self, address: CellRow, levels: impl Iterator<Item = u8>, programmed: &mut Vec<f32>) {
        let mut stream = address.stream();
        programmed.clear();
        programmed.extend(levels.map(|level| self.program_cell(level, &mut stream)));
    }

    /// One draw is taken for every cell, even where sigma is zero, so that a cell's draw does not depend on its neighbours' states.
    fn program_cell(&self, level: u8, stream: &mut Stream) -> f32 {
        let draw: f64 = StandardNormal.sample(stream);
        let state = &self.states[usize::from(level)];
        let value = f64::from(level) + state.mean_shift + state.sigma * draw;
        value.clamp(self.clip.0, self.clip.1) as f32
    }
}
