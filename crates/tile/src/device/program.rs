//! Programming: levels in, cell values at the time of reading out.

use super::law::{CellLaw, on_line};
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
        let mut row = Row::new(self, address);
        programmed.clear();
        let (mut block, mut filled) = ([0; BLOCK], 0);
        levels.for_each(|level| {
            block[filled] = level;
            filled += 1;
            if filled == BLOCK {
                row.program(&block, programmed);
                filled = 0;
            }
        });
        row.program(&block[..filled], programmed);
        row.totals
    }

    /// Turns draws into the values of cells after one attempt.
    fn first_attempts(&self, levels: &[u8], draws: &mut [f64]) {
        // In local variables, so that the loops need not load them for every cell.
        let (laws, lines, clip) = (self.laws.as_slice(), self.lines.as_slice(), self.clip);
        if lines.is_empty() {
            for (value, &level) in draws.iter_mut().zip(levels) {
                *value = attempt(laws, clip, usize::from(level), *value);
            }
        } else {
            for (value, &level) in draws.iter_mut().zip(levels) {
                *value = clipped(on_line(lines[usize::from(level)], *value), clip);
            }
        }
    }

    /// Whether cells keep the value of their first attempt.
    fn is_plain(&self) -> bool {
        self.write_verify.is_none() && self.faults.is_none() && self.moved.is_none()
    }

    fn clipped(&self, value: f64) -> f64 {
        clipped(value, self.clip)
    }
}

/// Cells that are programmed at once: what lies between the caller's iterator and the loops over cells, without memory to allocate.
const BLOCK: usize = 64;

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

impl<'a> Row<'a> {
    fn new(states: &'a States, address: CellRow) -> Self {
        Self {
            states,
            address,
            column: 0,
            programming: address.stream(),
            faults: states.faults.map(|rates| (rates, address.stream_of(Effect::Fault))),
            drift: states.moved.as_ref().map(|_| address.stream_of(Effect::Drift)),
            totals: RowTotals::default(),
        }
    }

    /// Programs the next cells, at most [`BLOCK`].
    fn program(&mut self, levels: &[u8], programmed: &mut Vec<f32>) {
        if self.states.is_plain() {
            self.program_plain(levels, programmed);
        } else {
            programmed.extend(levels.iter().map(|&level| self.cell(usize::from(level)) as f32));
        }
    }

    /// The same values as [`Row::cell`], for cells that keep that of their first attempt: a loop of draws, one of values, one of sums.
    fn program_plain(&mut self, levels: &[u8], programmed: &mut Vec<f32>) {
        let mut values = [0.0; BLOCK];
        let of_cells = &mut values[..levels.len()];
        // In a local variable, so that its state stays in registers.
        let mut stream = self.programming.clone();
        of_cells.fill_with(|| StandardNormal.sample(&mut stream));
        self.programming = stream;
        self.states.first_attempts(levels, of_cells);
        programmed.extend(of_cells.iter().map(|&value| value as f32));
        let conductance_s = levels.len() as f64 * self.states.g_min_s + sum(of_cells) * self.states.spacing_s;
        self.totals.written_s += conductance_s;
        self.totals.read_s += conductance_s;
        self.totals.write_pulses += levels.len() as u64;
    }

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
        let (states, target) = (self.states, level as f64);
        let mut value = attempt(&states.laws, states.clip, level, draw);
        self.totals.write_pulses += 1;
        let Some(verify) = states.write_verify else { return value };
        let missed = |value: f64| (value - target).abs() > verify.tolerance_levels;
        if missed(value) && verify.attempts > 1 {
            let mut retries = self.address.cell_stream(Effect::Retry, self.column);
            for _ in 1..verify.attempts {
                value = attempt(&states.laws, states.clip, level, StandardNormal.sample(&mut retries));
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

/// The value of a cell of `level` after one attempt to program it.
#[inline(always)]
fn attempt(laws: &[CellLaw], clip: (f64, f64), level: usize, draw: f64) -> f64 {
    clipped(laws[level].value(level as f64, draw), clip)
}

/// `value.max(lowest).min(highest)` in one instruction each.
#[inline(always)]
fn clipped(value: f64, (lowest, highest): (f64, f64)) -> f64 {
    let value = if value > lowest { value } else { lowest };
    if value < highest { value } else { highest }
}

/// Sum in four lanes, which do not wait for each other.
fn sum(values: &[f64]) -> f64 {
    let fours = values.chunks_exact(4);
    let rest: f64 = fours.remainder().iter().sum();
    let mut lanes = [0.0; 4];
    for four in fours {
        lanes = [lanes[0] + four[0], lanes[1] + four[1], lanes[2] + four[2], lanes[3] + four[3]];
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Purpose;
    use crate::device::Device;
    use crate::variation::{Lognormal, Variation};
    use proptest::prelude::*;

    const ROW: CellRow =
        CellRow { seed: 5, purpose: Purpose::Programming, chip_sample: 1, layer: 2, slice: 3, polarity: 1, row: 7 };

    proptest! {
        /// The loops for plain cells and the path of all effects: the same values, bit by bit, and sums that differ in their order only.
        /// Levels and sigmas are such that many values are clipped, at either end.
        #[test]
        fn plain_cells_are_those_of_the_general_path(
            sigmas in prop::collection::vec(0.0_f64..3.0, 8),
            clip_s in 8e-6_f64..10e-6,
            log_sigma in prop::option::of(0.0_f64..2.0),
            levels in prop::collection::vec(0_u8..8, 0..200),
            row: u64,
        ) {
            let mut device = Device { g_clip_s: clip_s, ..Device::of_sigmas(&sigmas, 100) };
            if let Some(log_sigma) = log_sigma {
                device.variation = Variation::Lognormal(Lognormal { log_sigma });
            }
            let (states, address) = (device.states(3).unwrap(), CellRow { row, ..ROW });
            prop_assert!(states.is_plain());
            let mut fast = vec![f32::NAN; 3];
            let totals = states.program_row(address, levels.iter().copied(), &mut fast);
            let mut general = Row::new(&states, address);
            let values = levels.iter().map(|&level| (general.cell(usize::from(level)) as f32).to_bits());
            prop_assert!(values.eq(fast.iter().map(|value| value.to_bits())));
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b;
            prop_assert!(close(totals.written_s, general.totals.written_s) && close(totals.read_s, totals.written_s));
            prop_assert_eq!(totals.write_pulses, general.totals.write_pulses);
        }
    }
}
