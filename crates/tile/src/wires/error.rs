//! Why a resistive network could not be solved.

use crate::check::Problem;
use std::fmt::{Display, Formatter};

/// Why a resistive network could not be solved.
#[derive(Clone, Debug, PartialEq)]
pub enum WiresError {
    /// A configured value is not allowed.
    Config(Problem),
    /// There are more than 2^20 lines in one direction.
    Size {
        /// Word lines.
        rows: usize,
        /// Bit lines.
        cols: usize,
    },
    /// The number of values does not fit the array.
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many the array needs.
        expected: usize,
    },
    /// A conductance is negative, not finite or above 1000 S.
    Conductance {
        /// Word line of the cell.
        row: usize,
        /// Bit line of the cell.
        col: usize,
        /// Its conductance, S.
        conductance_s: f64,
    },
    /// An input voltage is not finite.
    Voltage {
        /// Word line.
        row: usize,
        /// Its voltage, V.
        voltage_v: f64,
    },
    /// A cell's characteristic falls with the voltage, or is not finite: such a network may have several solutions.
    Law {
        /// Conductance of the cell, S.
        conductance_s: f64,
        /// Voltage across the cell, V.
        voltage_v: f64,
        /// Current of the law, A.
        current_a: f64,
        /// Slope of the law, S.
        slope_s: f64,
    },
    /// The required bound was not reached.
    NotConverged {
        /// The bound that was reached, relative to the current.
        reached: f64,
        /// The bound that was required.
        required: f64,
        /// Sweeps (linear cells) or Newton steps (others) taken.
        steps: u64,
    },
}

impl Display for WiresError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(problem) => problem.fmt(f),
            Self::Size { rows, cols } => {
                let allowed = super::cells::MAX_LINES;
                write!(f, "an array of {rows} x {cols} is not allowed: up to {allowed} lines each way")
            }
            Self::Shape { what, found, expected } => write!(f, "{found} {what}, but the array needs {expected}"),
            Self::Conductance { row, col, conductance_s } => {
                let allowed = super::cells::MAX_CONDUCTANCE_S;
                write!(
                    f,
                    "conductance {conductance_s:e} S at row {row}, column {col} is not allowed: 0 to {allowed:e} S"
                )
            }
            Self::Voltage { row, voltage_v } => {
                write!(f, "voltage {voltage_v} V on row {row} is not allowed: a finite number")
            }
            Self::Law { conductance_s, voltage_v, current_a, slope_s } => write!(
                f,
                "a cell of {conductance_s:e} S at {voltage_v:e} V has {current_a:e} A and the slope {slope_s:e} S: its current must be \
                 finite and must not fall with the voltage"
            ),
            Self::NotConverged { reached, required, steps } => write!(
                f,
                "the wires' network was solved to a relative bound of {reached:e} only, not {required:e}, in {steps} steps: allow a \
                 larger tolerance or lower resistances"
            ),
        }
    }
}

impl std::error::Error for WiresError {}
