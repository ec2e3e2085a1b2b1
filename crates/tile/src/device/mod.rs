//! A memristor device: its conductance range, its levels, the statistics of each programmed state, and what happens between programming
//! and reading.
//!
//! A cell goes through these steps, each in its file; all but the first are optional:
//!
//! ```text
//!  level -> [variation] one draw -> [write_verify] more attempts -> [drift] -> value at reading -> [read_noise] (per read, by the chip)
//!      \--> [faults] stuck cells ----------------------------------------------^       [current_voltage] (per read, by the chip)
//! ```

mod clipped;
mod current_voltage;
mod drift;
mod faults;
mod fit_uncertainty;
mod law;
mod program;
mod read_noise;
mod states;
mod write_verify;

pub use clipped::ClippedError;
pub use current_voltage::CurrentVoltage;
pub use drift::{Compensation, Drift, DriftLaw};
pub use faults::{Fault, FaultRates};
pub use fit_uncertainty::FitUncertainty;
pub use program::{RowPart, RowTotals};
pub use read_noise::ReadNoise;
pub use states::{State, States};
pub use write_verify::WriteVerify;

use crate::check::{Check, Problems};
use crate::variation::{Conditions, PerState, Variation};
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
    /// Factor on every mean shift and sigma of the programming error (1 = as measured).
    pub sigma_scale: f64,
    /// Cells measured per state: what the confidence intervals of the states' errors rest on. The file says whether the source gives it.
    pub samples_per_state: u32,
    /// Time from programming to reading, s; 0 = when the variation was measured. Drives drift, relaxation, 1/f noise and fits that depend on
    /// time; it must be 0 where the device has none of them.
    pub read_after_s: f64,
    /// The model of the programming error.
    pub variation: Variation,
    /// How conductances move between programming and reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Noise that differs from read to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_noise: Option<ReadNoise>,
    /// Cells that cannot be programmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultRates>,
    /// Programming in several attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_verify: Option<WriteVerify>,
    /// Non-linear current-voltage relation; without it cells are ohmic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iv: Option<CurrentVoltage>,
    /// Another fit of the same measurements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_uncertainty: Option<FitUncertainty>,
}

/// A device is read within three centuries.
const MAX_TIME_S: f64 = 1e10;

impl Check for Device {
    fn check(&self, problems: &mut Problems) {
        problems.number("g_min_s", self.g_min_s, 0.0..=1.0, "S");
        problems.number("g_max_s", self.g_max_s, 1e-12..=1.0, "S");
        problems.require("g_max_s", self.g_max_s, self.g_max_s > self.g_min_s, "greater than g_min_s");
        problems.require("g_clip_s", self.g_clip_s, self.g_clip_s >= self.g_max_s, "at least g_max_s");
        problems.require("g_clip_s", self.g_clip_s, self.g_clip_s.is_finite(), "a finite number");
        problems.number("sigma_scale", self.sigma_scale, 0.0..=100.0, "");
        problems.integer("samples_per_state", self.samples_per_state.into(), 2..=1_000_000_000);
        self.check_time(problems);
        problems.within("variation", |p| self.variation.model().check(&self.conditions(), p));
        self.check_effects(problems);
    }
}

impl Device {
    /// A device of which only the standard deviations of its states are known, in level spacings of 1 uS from `G_min = 1 uS` on, from
    /// `samples_per_state` cells each: for studies of what follows from the states.
    #[must_use]
    pub fn of_sigmas(sigma_levels: &[f64], samples_per_state: u32) -> Self {
        let g_max_s = sigma_levels.len() as f64 * 1e-6;
        let mean_shift_levels = vec![0.0; sigma_levels.len()];
        Self {
            name: "given".to_owned(),
            source: "given standard deviations".to_owned(),
            g_min_s: 1e-6,
            g_max_s,
            g_clip_s: 2.0 * g_max_s,
            sigma_scale: 1.0,
            samples_per_state,
            read_after_s: 0.0,
            variation: Variation::PerState(PerState {
                sigma_levels: sigma_levels.to_vec(),
                mean_shift_levels,
                measured_range_s: None,
            }),
            drift: None,
            read_noise: None,
            faults: None,
            write_verify: None,
            iv: None,
            fit_uncertainty: None,
        }
    }

    fn conditions(&self) -> Conditions {
        Conditions {
            g_min_s: self.g_min_s,
            g_max_s: self.g_max_s,
            read_after_s: self.read_after_s,
            samples_per_state: self.samples_per_state,
        }
    }

    /// A time that nothing depends on would be a silent mistake.
    fn check_time(&self, problems: &mut Problems) {
        problems.number("read_after_s", self.read_after_s, 0.0..=MAX_TIME_S, "s");
        let timed = self.drift.is_some()
            || self.read_noise.as_ref().is_some_and(ReadNoise::depends_on_time)
            || self.variation.model().depends_on_time();
        let idle = "0: this device has neither drift nor noise nor a fit that depends on time";
        problems.require("read_after_s", self.read_after_s, timed || self.read_after_s == 0.0, idle);
    }

    fn check_effects(&self, problems: &mut Problems) {
        if let Some(drift) = &self.drift {
            problems.within("drift", |p| drift.check(self.read_after_s, p));
        }
        if let Some(noise) = &self.read_noise {
            problems.within("read_noise", |p| noise.check(p));
        }
        if let Some(faults) = &self.faults {
            problems.within("faults", |p| faults.check(p));
        }
        if let Some(write_verify) = &self.write_verify {
            problems.within("write_verify", |p| write_verify.check(p));
        }
        if let Some(iv) = &self.iv {
            problems.within("iv", |p| iv.check(self.g_min_s, self.g_max_s, p));
        }
        if let Some(uncertainty) = &self.fit_uncertainty {
            problems.within("fit_uncertainty", |p| uncertainty.check(p));
        }
    }
}
