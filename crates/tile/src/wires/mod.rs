//! Wires with resistance: what a crossbar's columns deliver when its lines drop voltage (IR drop).
//!
//! ```text
//!  V_i --driver+word-- o --word-- o --word-- o      word line i, node (i, 0) beside the driver
//!                      |          |          |
//!                     G_i0       G_i1       G_i2    one cell per crossing, word-line node to bit-line node
//!                      |          |          |
//!                      o          o          o      bit line j runs down the rows; after the last row follow
//!                                                   one bit segment, the sense resistance and 0 V
//! ```
//! With linear cells the network is linear, and the currents are `I = M^T V` with an [`effective_matrix`] `M` that is solved once per
//! programmed array. Cells with a curved current-voltage characteristic need one solve per input vector: [`column_currents`].
//! [`spice_deck`] writes the same circuit for an independent solver.
//!
//! Unknown are the *drops* along the lines, not the node voltages: what is small is stored as a small number, so that neither a tiny
//! wire resistance nor one of exactly zero costs accuracy.

mod cells;
mod effective;
mod error;
mod ladder;
mod network;
mod newton;
mod relax;
mod spice;

pub use cells::{CellLaw, CellMatrix, Linear};
pub use effective::{Effective, effective_matrix};
pub use error::WiresError;
pub use newton::{Solution, column_currents};
pub use spice::{SpiceLaw, parse_spice_currents, spice_deck};

use crate::check::{Check, Problems};
use serde::{Deserialize, Serialize};

/// Smallest resistance that is told apart from an ideal conductor, ohm.
const MIN_OHM: f64 = 1e-9;
/// Largest resistance of one element, ohm.
const MAX_OHM: f64 = 1e6;

/// Where the bit lines are held at 0 V.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensing {
    /// Behind the last row.
    OneEnd,
    /// Before row 0 and behind the last row; the column current is the sum of both ends.
    BothEnds,
}

/// The resistances of a crossbar's lines; any of them may be exactly 0 (an ideal conductor).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wires {
    /// One word-line segment, ohm: between neighbouring cells of a row, and between the driver and the first cell.
    pub word_line_ohm: f64,
    /// One bit-line segment, ohm: between neighbouring cells of a column, and between the last cell and the sense resistance.
    pub bit_line_ohm: f64,
    /// Output resistance of a word-line driver (DAC), ohm.
    pub driver_ohm: f64,
    /// Input resistance of a column's readout, ohm; with [`Sensing::BothEnds`] there is one at each end.
    pub sense_ohm: f64,
    /// Where the columns are read.
    pub sensing: Sensing,
    /// Bound on the error of a column current at which the solver stops, as a share of the column's current with all word lines at
    /// the largest voltage.
    pub tolerance: f64,
}

impl Wires {
    /// Ideal conductors everywhere.
    #[must_use]
    pub fn none() -> Self {
        Self {
            word_line_ohm: 0.0,
            bit_line_ohm: 0.0,
            driver_ohm: 0.0,
            sense_ohm: 0.0,
            sensing: Sensing::OneEnd,
            tolerance: 1e-9,
        }
    }

    /// Whether every resistance is zero, so that column currents are plain sums.
    #[must_use]
    pub fn is_ideal(&self) -> bool {
        [self.word_line_ohm, self.bit_line_ohm, self.driver_ohm, self.sense_ohm].iter().all(|&ohm| ohm == 0.0)
    }

    fn word_terminal_ohm(&self) -> f64 {
        self.driver_ohm + self.word_line_ohm
    }

    fn bit_terminal_ohm(&self) -> f64 {
        self.sense_ohm + self.bit_line_ohm
    }

    /// The first value that is not allowed, as an error.
    fn checked(&self) -> Result<(), WiresError> {
        let mut problems = Problems::default();
        self.check(&mut problems);
        problems.found.into_iter().next().map_or(Ok(()), |problem| Err(WiresError::Config(problem)))
    }
}

impl Check for Wires {
    fn check(&self, problems: &mut Problems) {
        let resistances = [
            ("word_line_ohm", self.word_line_ohm),
            ("bit_line_ohm", self.bit_line_ohm),
            ("driver_ohm", self.driver_ohm),
            ("sense_ohm", self.sense_ohm),
        ];
        for (key, ohm) in resistances {
            let allowed = format!("0 or a number from {MIN_OHM:e} to {MAX_OHM:e} ohm");
            problems.require(key, ohm, ohm == 0.0 || (MIN_OHM..=MAX_OHM).contains(&ohm), allowed);
        }
        problems.number("tolerance", self.tolerance, 1e-12..=0.1, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(wires: Wires) -> Vec<String> {
        let mut problems = Problems::default();
        wires.check(&mut problems);
        problems.found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_bad_value_is_named() {
        assert!(refused(Wires::none()).is_empty());
        let bad = Wires {
            word_line_ohm: -1.0,
            bit_line_ohm: f64::NAN,
            driver_ohm: 1e-10,
            sense_ohm: 1e7,
            tolerance: 0.0,
            ..Wires::none()
        };
        let found = refused(bad);
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(found[0], "word_line_ohm = -1 is not allowed: 0 or a number from 1e-9 to 1e6 ohm");
        assert!(found[4].starts_with("tolerance = 0 is not allowed"), "{found:?}");
    }

    #[test]
    fn only_zero_resistance_is_ideal() {
        assert!(Wires::none().is_ideal());
        let one = Wires { word_line_ohm: 1.0, ..Wires::none() };
        let others = [
            Wires { bit_line_ohm: 1.0, ..Wires::none() },
            Wires { driver_ohm: 1.0, ..Wires::none() },
            Wires { sense_ohm: 1.0, ..Wires::none() },
        ];
        assert!(!one.is_ideal() && others.iter().all(|wires| !wires.is_ideal()));
    }
}
