//! Noise that differs from read to read, as a standard deviation of the conductance.

use crate::check::Problems;
use crate::curve::Curve;
use crate::variation::saturating;
use serde::{Deserialize, Serialize};

/// Read noise of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReadNoise {
    /// A share of the conductance.
    Relative {
        /// Standard deviation relative to the conductance.
        relative_sigma: f64,
    },
    /// 1/f noise of phase-change memory: `sigma = G Q(x) sqrt(ln((t + t_r) / (2 t_r)))` with `x = G / reference_s` of the conductance that is
    /// read, accumulated since programming; t is at least `since_s`.
    OneOverF {
        /// Conductance at which x = 1, S.
        reference_s: f64,
        /// Duration t_r of a read, s.
        read_time_s: f64,
        /// Earliest time of reading: when the variation was measured, s.
        since_s: f64,
        /// Q.
        strength: Curve,
    },
    /// SONOS: `sigma_I = A (1 - exp(-I / B))` with `I = G read_voltage_v`.
    Saturating {
        /// Voltage at which the currents were measured, V.
        read_voltage_v: f64,
        /// A, A.
        amplitude_a: f64,
        /// B, A.
        scale_a: f64,
    },
    /// CMO/HfOx: `sigma = coefficient_s log10(G / unit_s) sqrt(ln((t + t_r) / (2 t_r)))`, none below `unit_s`; t is at least `since_s`.
    LogConductance {
        /// The coefficient, S.
        coefficient_s: f64,
        /// Unit of the conductance in the logarithm, S.
        unit_s: f64,
        /// Duration t_r of a read, s.
        read_time_s: f64,
        /// Earliest time of reading: when the variation was measured, s.
        since_s: f64,
    },
}

impl ReadNoise {
    /// Standard deviation in S of one read of a cell of `conductance_s`, `read_after_s` after programming.
    #[must_use]
    pub fn sigma_s(&self, conductance_s: f64, read_after_s: f64) -> f64 {
        let g = conductance_s.max(0.0);
        match self {
            Self::Relative { relative_sigma } => relative_sigma * g,
            Self::OneOverF { reference_s, read_time_s, since_s, strength } => {
                g * strength.at(g / reference_s) * accumulated(read_after_s.max(*since_s), *read_time_s)
            }
            Self::Saturating { read_voltage_v, amplitude_a, scale_a } => {
                saturating(*amplitude_a, *scale_a, g * read_voltage_v) / read_voltage_v
            }
            Self::LogConductance { coefficient_s, unit_s, read_time_s, since_s } => {
                let decades = libm::log10(g / unit_s).max(0.0);
                coefficient_s * decades * accumulated(read_after_s.max(*since_s), *read_time_s)
            }
        }
    }

    /// Whether the noise depends on the time of reading.
    pub(super) fn depends_on_time(&self) -> bool {
        matches!(self, Self::OneOverF { .. } | Self::LogConductance { .. })
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        match self {
            Self::Relative { relative_sigma } => problems.number("relative_sigma", *relative_sigma, 0.0..=10.0, ""),
            Self::OneOverF { reference_s, read_time_s, since_s, strength } => {
                problems.number("reference_s", *reference_s, 1e-12..=1.0, "S");
                check_times(*read_time_s, *since_s, problems);
                problems.within("strength", |p| strength.check(p));
            }
            Self::Saturating { read_voltage_v, amplitude_a, scale_a } => {
                problems.number("read_voltage_v", *read_voltage_v, 1e-6..=10.0, "V");
                problems.number("amplitude_a", *amplitude_a, 0.0..=1.0, "A");
                problems.number("scale_a", *scale_a, 1e-15..=1.0, "A");
            }
            Self::LogConductance { coefficient_s, unit_s, read_time_s, since_s } => {
                problems.number("coefficient_s", *coefficient_s, 0.0..=1.0, "S");
                problems.number("unit_s", *unit_s, 1e-12..=1.0, "S");
                check_times(*read_time_s, *since_s, problems);
            }
        }
    }
}

/// `sqrt(ln((t + t_r) / (2 t_r)))`: the noise of a 1/f spectrum between the read's own frequency and the time since programming.
fn accumulated(time_s: f64, read_time_s: f64) -> f64 {
    libm::log((time_s + read_time_s) / (2.0 * read_time_s)).max(0.0).sqrt()
}

fn check_times(read_time_s: f64, since_s: f64, problems: &mut Problems) {
    problems.number("read_time_s", read_time_s, 1e-12..=1e3, "s");
    problems.number("since_s", since_s, 0.0..=1e9, "s");
}
