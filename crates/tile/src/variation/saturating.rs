//! Sigma that saturates with the cell current, tabulated over the time since programming: the form of the SONOS fits of CrossSim.

use super::{Conditions, Moments, NominalState, VariationModel};
use crate::check::Problems;
use serde::{Deserialize, Serialize};

/// `sigma_I = A (1 - exp(-I / B))` with `I = G read_voltage_v`; A and B are interpolated linearly between the tabulated times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saturating {
    /// Voltage at which the currents were measured, V.
    pub read_voltage_v: f64,
    /// Unit of A and B, A.
    pub current_unit_a: f64,
    /// Times since programming, s; ascending from 0.
    pub times_s: Vec<f64>,
    /// A at each time: sigma of large currents.
    pub amplitude: Vec<f64>,
    /// B at each time: the current at which sigma has reached 63 % of A.
    pub scale: Vec<f64>,
    /// Lowest conductance of the fit, S.
    pub fitted_min_s: f64,
    /// Highest conductance of the fit, S.
    pub fitted_max_s: f64,
}

impl Saturating {
    /// The entry of `table` at a time, interpolated; constant beyond its ends.
    fn at(&self, table: &[f64], time_s: f64) -> f64 {
        let after = self.times_s.partition_point(|&time| time <= time_s);
        let entry = |index: usize| table.get(index).copied();
        match (after.checked_sub(1), self.times_s.get(after)) {
            (Some(before), Some(&next_s)) => {
                let start_s = self.times_s[before];
                let share = (time_s - start_s) / (next_s - start_s);
                let (a, b) = (entry(before).unwrap_or(0.0), entry(after).unwrap_or(0.0));
                a + share * (b - a)
            }
            (Some(before), None) => entry(before).unwrap_or(0.0),
            (None, _) => entry(0).unwrap_or(0.0),
        }
    }

    fn check_tables(&self, problems: &mut Problems) {
        let count = self.times_s.len();
        problems.require("times_s", format!("{count} values"), (1..=1000).contains(&count), "1 to 1000 values");
        let ascending = self.times_s.is_sorted_by(|a, b| a < b) && self.times_s.first().is_none_or(|&time| time == 0.0);
        problems.require("times_s", format!("{:?}", self.times_s), ascending, "ascending times from 0 on");
        for (key, table) in [("amplitude", &self.amplitude), ("scale", &self.scale)] {
            let same = table.len() == count;
            problems.require(key, format!("{} values", table.len()), same, format!("as many as times_s ({count})"));
        }
        for &time_s in &self.times_s {
            problems.number("times_s", time_s, 0.0..=1e10, "s");
        }
        for &a in &self.amplitude {
            problems.number("amplitude", a, 0.0..=1e12, "current units");
        }
        for &b in &self.scale {
            problems.number("scale", b, 1e-12..=1e12, "current units");
        }
    }
}

/// `A (1 - exp(-I / B))` in the unit of A, for a current in the same unit.
pub(crate) fn saturating(amplitude: f64, scale: f64, current: f64) -> f64 {
    -amplitude * libm::expm1(-current / scale)
}

impl VariationModel for Saturating {
    fn moments(&self, state: &NominalState) -> Moments {
        let (a, b) = (self.at(&self.amplitude, state.read_after_s), self.at(&self.scale, state.read_after_s));
        let current = state.conductance_s * self.read_voltage_v / self.current_unit_a;
        let sigma_s = saturating(a, b, current) * self.current_unit_a / self.read_voltage_v;
        Moments { mean_shift_s: 0.0, sigma_s }
    }

    fn check(&self, conditions: &Conditions, problems: &mut Problems) {
        problems.number("read_voltage_v", self.read_voltage_v, 1e-6..=10.0, "V");
        problems.number("current_unit_a", self.current_unit_a, 1e-15..=1.0, "A");
        self.check_tables(problems);
        if let Some(&last_s) = self.times_s.last() {
            let inside = conditions.read_after_s <= last_s;
            let allowed = format!("at least the device's read_after_s ({:e} s)", conditions.read_after_s);
            problems.require("times_s", format!("up to {last_s:e} s"), inside, allowed);
        }
        conditions.demand_fitted(self.fitted_min_s, self.fitted_max_s, problems);
    }

    fn depends_on_time(&self) -> bool {
        self.times_s.len() > 1
    }
}
