//! Programming: levels in, cell values at the time of reading out.

use super::law::{Lines, on_line};
use super::{Fault, FaultRates, States};
use crate::address::{CellRow, Effect, Stream};
use crate::ziggurat;
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

/// The cells of one logical row that lie in one array.
#[derive(Debug)]
pub struct RowPart<'a> {
    levels: &'a [u8],
    values: &'a mut [f32],
    step: usize,
}

impl<'a> RowPart<'a> {
    /// The first of `levels`, which are programmed, and of `values`, in level spacings above level 0, and every `step`-th after it: between
    /// them lie cells of other slices. Both should have the same length; what one has more is left out. A step of 0 is taken for 1.
    #[must_use]
    #[inline]
    pub fn new(levels: &'a [u8], values: &'a mut [f32], step: usize) -> Self {
        let length = levels.len().min(values.len());
        Self { levels: &levels[..length], values: &mut values[..length], step: step.max(1) }
    }

    fn cells(self) -> impl Iterator<Item = (u8, &'a mut f32)> {
        self.levels.iter().copied().zip(self.values).step_by(self.step)
    }
}

impl States {
    /// Programs the cells of one logical row and reads them `read_after_s` later, without read noise. `parts` lists the arrays that hold the
    /// row, in the order of its columns.
    ///
    /// Every effect has its own streams (see [`Effect`]) and takes one draw per cell, whatever the cell's state; only the further
    /// attempts of write-verify take as many as they need, each cell from a stream of its own. So a cell's value does not depend on its neighbours.
    ///
    /// # Panics
    /// Never for levels below [`States::levels`].
    #[inline]
    pub fn program_row<'a>(&self, address: CellRow, parts: impl IntoIterator<Item = RowPart<'a>>) -> RowTotals {
        if let Some(lines) = &self.lines {
            return self.program_lines(lines, address, parts);
        }
        let mut row = Row::new(self, address);
        for (level, cell) in parts.into_iter().flat_map(RowPart::cells) {
            *cell = row.cell(usize::from(level)) as f32;
        }
        row.totals
    }

    /// The same values as those of [`Row::cell`], of cells that keep their first attempt at a normal law.
    #[inline]
    fn program_lines<'a>(
        &self,
        lines: &Lines,
        address: CellRow,
        parts: impl IntoIterator<Item = RowPart<'a>>,
    ) -> RowTotals {
        let mut stream = address.stream();
        let (mut sum, mut count) = (0.0, 0);
        for part in parts {
            count += part.levels.len().div_ceil(part.step);
            sum += self.place_on_lines(lines, part, &mut stream);
        }
        let conductance_s = count as f64 * self.g_min_s + sum * self.spacing_s;
        RowTotals {
            written_s: conductance_s,
            read_s: conductance_s,
            write_pulses: count as u64,
            ..RowTotals::default()
        }
    }

    /// Programs the cells of one part; returns the sum of their values. Not inlined, so that all that the loop needs is in registers.
    #[inline(never)]
    fn place_on_lines(&self, lines: &Lines, part: RowPart<'_>, stream: &mut Stream) -> f64 {
        let RowPart { levels, values, step } = part;
        // Of the same length, as they are, so that the loop's condition is all the check that its indexing needs.
        let values = &mut values[..levels.len()];
        // Copies, which the compiler keeps in registers.
        let (mut local, clip, abscissae) = (stream.clone(), self.clip, ziggurat::abscissae());
        let (mut sum, mut at) = (0.0, 0);
        while at < levels.len() {
            let draw = ziggurat::draw(&mut local, abscissae);
            let value = clipped(on_line(lines[usize::from(levels[at])], draw), clip);
            values[at] = value as f32;
            sum += value;
            at += step;
        }
        *stream = local;
        sum
    }

    /// The value of a cell of `level` after one attempt to program it.
    fn attempt(&self, level: usize, draw: f64) -> f64 {
        clipped(self.laws[level].value(level as f64, draw), self.clip)
    }
}

/// `value.max(lowest).min(highest)` in one instruction each.
#[inline(always)]
fn clipped(value: f64, (lowest, highest): (f64, f64)) -> f64 {
    let value = if value > lowest { value } else { lowest };
    if value < highest { value } else { highest }
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
        let mut value = states.attempt(level, draw);
        self.totals.write_pulses += 1;
        let Some(verify) = states.write_verify else { return value };
        let missed = |value: f64| (value - target).abs() > verify.tolerance_levels;
        if missed(value) && verify.attempts > 1 {
            let mut retries = self.address.cell_stream(Effect::Retry, self.column);
            for _ in 1..verify.attempts {
                value = states.attempt(level, StandardNormal.sample(&mut retries));
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
        states
            .moved
            .as_ref()
            .map_or(value, |moved| clipped(moved.value(level, value, states.clip.0, draw), states.clip))
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
        /// The loop over normal cells and the path of all effects: the same values, bit by bit, and sums that differ in their order only.
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
            prop_assert_eq!(states.lines.is_some(), log_sigma.is_none());
            let mut fast = vec![f32::NAN; levels.len()];
            let totals = states.program_row(address, [RowPart::new(&levels, &mut fast, 1)]);
            let mut general = Row::new(&states, address);
            let values = levels.iter().map(|&level| (general.cell(usize::from(level)) as f32).to_bits());
            prop_assert!(values.eq(fast.iter().map(|value| value.to_bits())));
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b;
            prop_assert!(close(totals.written_s, general.totals.written_s) && close(totals.read_s, totals.written_s));
            prop_assert_eq!(totals.write_pulses, general.totals.write_pulses);
        }
    }
}
