//! Programming: levels in, cell values at the time of reading out.

use super::{Fault, FaultRates, States};
use crate::address::{CellRow, Effect, Stream};
use rand_distr::{Distribution, StandardNormal};

/// What the cells of one programmed row add up to: what compensation of drift and reports need.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowTotals {
    /// Sum of the conductances right after programming, S.
    pub written_s: f64,
    /// Sum of the conductances at the time of reading, S.
    pub read_s: f64,
    /// Programming pulses, one per attempt; a stuck cell takes all attempts unless it happens to be within tolerance.
    pub write_pulses: u64,
    /// Cells stuck at `G_min`.
    pub stuck_low: u64,
    /// Cells stuck at `G_max`.
    pub stuck_high: u64,
}

impl RowTotals {
    /// Adds another row.
    pub fn add(&mut self, other: &Self) {
        self.written_s += other.written_s;
        self.read_s += other.read_s;
        self.write_pulses += other.write_pulses;
        self.stuck_low += other.stuck_low;
        self.stuck_high += other.stuck_high;
    }
}

impl States {
    /// Programs the cells of one logical row, in the order of its columns, and reads them `read_after_s` later; the result is in level
    /// spacings above level 0, without read noise.
    ///
    /// Every effect has its own streams (see [`Effect`]) and takes one draw per cell, whatever the cell's state; only the further
    /// attempts of write-verify take as many as they need, each cell from a stream of its own. So a cell's value does not depend on its neighbours.
    ///
    /// # Panics
    /// Never for levels below [`States::levels`].
    pub fn program_row(
        &self,
        address: CellRow,
        levels: impl Iterator<Item = u8>,
        programmed: &mut Vec<f32>,
    ) -> RowTotals {
        let mut row = Row {
            states: self,
            address,
            column: 0,
            programming: address.stream(),
            faults: self.faults.map(|rates| (rates, address.stream_of(Effect::Fault))),
            drift: self.moved.as_ref().map(|_| address.stream_of(Effect::Drift)),
            totals: RowTotals::default(),
        };
        programmed.clear();
        programmed.extend(levels.map(|level| row.cell(usize::from(level)) as f32));
        row.totals
    }

    fn clipped(&self, value: f64) -> f64 {
        value.clamp(self.clip.0, self.clip.1)
    }
}

/// A row that is being programmed.
struct Row<'a> {
    states: &'a States,
    address: CellRow,
    column: u64,
    programming: Stream,
    faults: Option<(FaultRates, Stream)>,
    drift: Option<Stream>,
    totals: RowTotals,
}

impl Row<'_> {
    /// The next cell's value at reading.
    fn cell(&mut self, level: usize) -> f64 {
        let draw: f64 = StandardNormal.sample(&mut self.programming);
        let drift: f64 = self.drift.as_mut().map_or(0.0, |stream| StandardNormal.sample(stream));
        let fault = self.faults.as_mut().and_then(|(rates, stream)| rates.draw(stream));
        let (written, read) = match fault {
            None => {
                let written = self.write(level, draw);
                (written, self.moved(level, written, drift))
            }
            Some(fault) => {
                let stuck = self.stuck(level, fault);
                (stuck, stuck)
            }
        };
        self.column += 1;
        let conductance_s = |value: f64| self.states.g_min_s + value * self.states.spacing_s;
        self.totals.written_s += conductance_s(written);
        self.totals.read_s += conductance_s(read);
        read
    }

    /// Programs a cell, verifying where the device does; `draw` is that of the first attempt.
    fn write(&mut self, level: usize, draw: f64) -> f64 {
        let (states, law, target) = (self.states, self.states.laws[level], level as f64);
        let mut value = states.clipped(law.value(target, draw));
        self.totals.write_pulses += 1;
        let Some(verify) = states.write_verify else { return value };
        let missed = |value: f64| (value - target).abs() > verify.tolerance_levels;
        if missed(value) && verify.attempts > 1 {
            let mut retries = self.address.cell_stream(Effect::Retry, self.column);
            for _ in 1..verify.attempts {
                value = states.clipped(law.value(target, StandardNormal.sample(&mut retries)));
                self.totals.write_pulses += 1;
                if !missed(value) {
                    break;
                }
            }
        }
        value
    }

    fn moved(&self, level: usize, value: f64, draw: f64) -> f64 {
        let states = self.states;
        states.moved.as_ref().map_or(value, |moved| states.clipped(moved.value(level, value, states.clip.0, draw)))
    }

    /// The value of a stuck cell; books its pulses.
    fn stuck(&mut self, level: usize, fault: Fault) -> f64 {
        let value = match fault {
            Fault::Low => {
                self.totals.stuck_low += 1;
                0.0
            }
            Fault::High => {
                self.totals.stuck_high += 1;
                (self.states.levels() - 1) as f64
            }
        };
        let missed = |tolerance: f64| (value - level as f64).abs() > tolerance;
        let verify = self.states.write_verify.filter(|verify| missed(verify.tolerance_levels));
        self.totals.write_pulses += verify.map_or(1, |verify| u64::from(verify.attempts));
        value
    }
}
