//! The cells at the crossings: their conductances and their current-voltage law.

use super::WiresError;
use crate::device::CurrentVoltage;

/// Largest conductance of a cell, S: far above any device; keeps products with the largest resistance finite.
pub(super) const MAX_CONDUCTANCE_S: f64 = 1e3;

/// Most word lines or bit lines of an array.
pub(super) const MAX_LINES: usize = 1 << 20;

/// The programmed conductances of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellMatrix<'a> {
    /// Word lines.
    pub rows: usize,
    /// Bit lines.
    pub cols: usize,
    /// Row-major `rows x cols`, S.
    pub conductance_s: &'a [f64],
}

impl CellMatrix<'_> {
    /// # Errors
    /// Too many lines, a length that does not fit, or a conductance that is not allowed.
    pub(super) fn checked(&self) -> Result<(), WiresError> {
        if self.rows > MAX_LINES || self.cols > MAX_LINES {
            return Err(WiresError::Size { rows: self.rows, cols: self.cols });
        }
        let (found, expected) = (self.conductance_s.len(), self.rows.saturating_mul(self.cols));
        if found != expected {
            return Err(WiresError::Shape { what: "conductances", found, expected });
        }
        match self.conductance_s.iter().position(|g| !(0.0..=MAX_CONDUCTANCE_S).contains(g)) {
            None => Ok(()),
            Some(node) => {
                let conductance_s = self.conductance_s[node];
                Err(WiresError::Conductance { row: node / self.cols, col: node % self.cols, conductance_s })
            }
        }
    }

    /// # Errors
    /// A number of voltages other than the rows, or one that is not finite.
    pub(super) fn check_voltages(&self, voltages_v: &[f64]) -> Result<(), WiresError> {
        if voltages_v.len() != self.rows {
            return Err(WiresError::Shape { what: "voltages", found: voltages_v.len(), expected: self.rows });
        }
        match voltages_v.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(row) => Err(WiresError::Voltage { row, voltage_v: voltages_v[row] }),
        }
    }
}

/// Current through a cell at a voltage. The current must not fall with the voltage (a passive cell without negative differential
/// resistance): then the network has one solution, and the solver's error bound holds.
pub trait CellLaw {
    /// Current in A of a cell with the programmed conductance `conductance_s` (S) at `voltage_v` (V, word line minus bit line).
    fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64;

    /// Derivative of the current with respect to the voltage, S; never negative.
    fn slope_s(&self, conductance_s: f64, voltage_v: f64) -> f64;
}

impl CellLaw for CurrentVoltage {
    fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        Self::current_a(self, conductance_s, voltage_v)
    }

    fn slope_s(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        self.conductance_at_s(conductance_s, voltage_v)
    }
}

/// Ohm's law, `I = G V`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear;

impl CellLaw for Linear {
    fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        conductance_s * voltage_v
    }

    fn slope_s(&self, conductance_s: f64, _voltage_v: f64) -> f64 {
        conductance_s
    }
}
