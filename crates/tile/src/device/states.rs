//! The states of a device in cells of a given number of bits.

use super::drift::Moved;
use super::law::{CellLaw, Lines};
use super::{Compensation, CurrentVoltage, Device, FaultRates, ReadNoise, WriteVerify};
use crate::variation::NominalState;

/// Statistics of one state, as it is read, in units of the level spacing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// Level, 0 = lowest conductance.
    pub level: usize,
    /// Nominal conductance, S.
    pub conductance_s: f64,
    /// Mean of (read - nominal), in level spacings.
    pub mean_shift: f64,
    /// Standard deviation of the conductance, in level spacings.
    pub sigma: f64,
    /// 95 % confidence interval of [`State::error`], in level spacings: what is left open by the number of measured cells.
    pub error_ci95: (f64, f64),
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
    /// One entry per level: the moments of cells before they are clipped, after write-verify and drift, without faults and read noise. With
    /// global compensation of drift they are those of the conductance times the factor that compensates cells of equally frequent levels.
    pub states: Vec<State>,
    /// Level spacing, S.
    pub spacing_s: f64,
    /// Conductance of level 0, S.
    pub g_min_s: f64,
    /// Lowest and highest reachable value in level spacings above level 0.
    pub clip: (f64, f64),
    /// The law of the first attempt, by level.
    pub(super) laws: Vec<CellLaw>,
    /// The laws in another form, if they are normal and cells are read as the first attempt leaves them.
    pub(super) lines: Option<Box<Lines>>,
    pub(super) write_verify: Option<WriteVerify>,
    pub(super) faults: Option<FaultRates>,
    pub(super) moved: Option<Moved>,
    compensation: Compensation,
    read_after_s: f64,
    read_noise: Option<ReadNoise>,
    iv: Option<CurrentVoltage>,
}

impl Device {
    /// States of a cell that stores `bits` bits: `G_l = G_min + l (G_max - G_min) / (L - 1)` with `L = 2^bits`.
    ///
    /// # Errors
    /// If the device's model does not know such cells, or cells cannot have so many bits; the text says what is allowed.
    pub fn states(&self, bits: u32) -> Result<States, String> {
        if !(1..=8).contains(&bits) {
            return Err("an integer from 1 to 8".to_owned());
        }
        let levels = 1_usize << bits;
        let model = self.variation.model();
        model.supports(levels)?;
        let spacing_s = (self.g_max_s - self.g_min_s) / (levels - 1) as f64;
        let nominal = |level: usize| {
            let conductance_s = self.g_min_s + level as f64 * spacing_s;
            NominalState { level, levels, conductance_s, spacing_s, read_after_s: self.read_after_s }
        };
        let nominal: Vec<NominalState> = (0..levels).map(nominal).collect();
        let law = |state: &NominalState| CellLaw::new(model.law(state), state, self.sigma_scale);
        let states = nominal.iter().map(|state| State {
            level: state.level,
            conductance_s: state.conductance_s,
            mean_shift: 0.0,
            sigma: 0.0,
            error_ci95: model.error_factors95(state, self.samples_per_state),
        });
        let clip = (-self.g_min_s / spacing_s, (self.g_clip_s - self.g_min_s) / spacing_s);
        let conductances_s: Vec<f64> = nominal.iter().map(|state| state.conductance_s).collect();
        let drift = self.drift.as_ref();
        let laws: Vec<CellLaw> = nominal.iter().map(law).collect();
        let mut states = States {
            states: states.collect(),
            spacing_s,
            g_min_s: self.g_min_s,
            clip,
            laws,
            lines: None,
            write_verify: self.write_verify,
            faults: self.faults,
            moved: drift.and_then(|drift| drift.law.at(self.read_after_s, &conductances_s, spacing_s)),
            compensation: drift.map_or(Compensation::None, |drift| drift.compensation),
            read_after_s: self.read_after_s,
            read_noise: self.read_noise.clone(),
            iv: self.iv.clone(),
        };
        states.fill_moments();
        states.lines = states.find_lines();
        Ok(states)
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
        // The rounding of a value at the lower limit must not leave less than no conductance.
        (self.g_min_s + f64::from(value) * self.spacing_s).max(0.0)
    }

    /// Variance of the read noise of one cell at a full-scale one-step input, in squared level spacings; 0 without read noise. `value` is
    /// the cell's in level spacings above level 0.
    #[must_use]
    pub fn read_noise_variance(&self, value: f32) -> f32 {
        let sigma_s = |noise: &ReadNoise| noise.sigma_s(self.conductance_s(value), self.read_after_s);
        let sigma = self.read_noise.as_ref().map_or(0.0, sigma_s) / self.spacing_s;
        (sigma * sigma) as f32
    }

    /// Whether reads of the same cell differ.
    #[must_use]
    pub fn has_read_noise(&self) -> bool {
        self.read_noise.is_some()
    }

    /// The current-voltage relation; none for ohmic cells.
    #[must_use]
    pub fn current_voltage(&self) -> Option<&CurrentVoltage> {
        self.iv.as_ref()
    }

    /// Whether the chip scales its results by the conductances written over those read.
    #[must_use]
    pub fn compensates_drift(&self) -> bool {
        self.compensation == Compensation::Global
    }

    /// Writes moments and intervals into the states, which hold the relative ends of their intervals so far.
    fn fill_moments(&mut self) {
        let written: Vec<(f64, f64)> = self.laws.iter().map(|&law| self.written(law)).collect();
        let read = self.read_moments(&written);
        for (state, (mean_shift, sigma)) in self.states.iter_mut().zip(read) {
            (state.mean_shift, state.sigma) = (mean_shift, sigma);
            let (low, high) = state.error_ci95;
            state.error_ci95 = (low * state.error(), high * state.error());
        }
    }

    fn find_lines(&self) -> Option<Box<Lines>> {
        let first_attempts_stay = self.write_verify.is_none() && self.faults.is_none() && self.moved.is_none();
        let mut lines = Box::new([[0.0; 2]; 256]);
        for ((line, law), level) in lines.iter_mut().zip(&self.laws).zip(0_u16..) {
            *line = law.line(level.into())?;
        }
        first_attempts_stay.then_some(lines)
    }

    /// Mean and standard deviation of the error after programming.
    fn written(&self, law: CellLaw) -> (f64, f64) {
        self.write_verify.map_or_else(|| law.moments(), |write_verify| write_verify.moments(law))
    }

    /// The same at reading.
    fn read_moments(&self, written: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let Some(moved) = &self.moved else { return written.to_vec() };
        let nominal = |level: usize| level as f64 - self.clip.0;
        let moments = |(level, &(mean, sigma)): (usize, &(f64, f64))| {
            let first = nominal(level) + mean;
            (first, moved.moments(level, (first, first * first + sigma * sigma)))
        };
        let moments: Vec<(f64, (f64, f64))> = written.iter().enumerate().map(moments).collect();
        let sum = |value: fn(&(f64, (f64, f64))) -> f64| moments.iter().map(value).sum::<f64>();
        let factor = if self.compensates_drift() { sum(|m| m.0) / sum(|m| m.1.0) } else { 1.0 };
        let relative = |(level, (_, (first, second))): (usize, &(f64, (f64, f64)))| {
            let variance = (second - first * first).max(0.0);
            (factor * first - nominal(level), factor * variance.sqrt())
        };
        moments.iter().enumerate().map(relative).collect()
    }
}
