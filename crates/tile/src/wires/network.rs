//! The linear network of an array and its two half steps: all word lines at once, all bit lines at once.
//!
//! With `x` and `y` the drops along word and bit lines and `K` the currents of the cells without any drop, the cells carry
//! `K - G (x + y)`, and the drops are those that these currents cause. Holding `y`, each word line is one ladder loaded with its own
//! cells and driven by `K - G y`; holding `x`, each bit line likewise. Inputs, `K = G V`, and the adjoint problem of one column,
//! `K = G` in that column and 0 elsewhere, are the same equations.

use super::Sensing;
use super::Wires;
use super::ladder::{Direction, Ladder, Line};

/// Columns handled together in the half step of the bit lines: neighbours share cache lines.
const TILE: usize = 8;

/// A linear network, for any sources.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Conductance of the cells, S, row-major.
    pub(super) slope_s: Vec<f64>,
    word: Ladder,
    bit: Ladder,
}

/// Currents `K` of the cells without any drop, for `N` problems side by side.
pub(super) trait Source<const N: usize> {
    /// Adds the current of the cell at `(row, col)` to each of the `N` problems.
    fn add(&self, row: usize, col: usize, slope_s: f64, currents: &mut [f64; N]);
}

/// `N` problems side by side: independent numbers hide the latency of the ladders' recurrences and fill vector registers.
#[derive(Clone, Debug)]
pub(super) struct State<const N: usize> {
    /// Drops along the word lines per node.
    pub(super) word_drop: Vec<[f64; N]>,
    /// Drops along the bit lines per node.
    pub(super) bit_drop: Vec<[f64; N]>,
    /// Current that each word line takes from its driver, as of the last half step of the word lines.
    pub(super) delivered: Vec<[f64; N]>,
    flow: Vec<[f64; N]>,
}

impl<const N: usize> State<N> {
    /// No drops.
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        let nodes = vec![[0.0; N]; rows * cols];
        let flow = vec![[0.0; N]; cols.max(rows * TILE)];
        Self { word_drop: nodes.clone(), bit_drop: nodes, delivered: vec![[0.0; N]; rows], flow }
    }

    /// Back to no drops.
    pub(super) fn reset(&mut self) {
        self.word_drop.fill([0.0; N]);
        self.bit_drop.fill([0.0; N]);
    }
}

impl Network {
    /// Factors the lines of an array whose cells have the conductances `slope_s`.
    pub(super) fn new(wires: &Wires, rows: usize, cols: usize, slope_s: Vec<f64>) -> Self {
        let word = Ladder::new(&word_line(wires), rows, cols, |node| slope_s[node]);
        let bit = Ladder::new(&bit_line(wires), rows, cols, |node| slope_s[node]);
        Self { rows, cols, slope_s, word, bit }
    }

    /// Moves the word lines' drops by `omega` times the way to what the bit lines' drops imply. Returns, per problem, the current by which
    /// the cells' currents disagree before the step: `sum G |step to omega = 1|`.
    pub(super) fn relax_word<const N: usize>(
        &self,
        state: &mut State<N>,
        source: &impl Source<N>,
        omega: f64,
    ) -> [f64; N] {
        let mut change = [0.0; N];
        for row in 0..self.rows {
            self.gather_word(state, source, row);
            self.drop_word(state, omega, row, &mut change);
        }
        change
    }

    /// Norton currents of one word line, from its far end on.
    fn gather_word<const N: usize>(&self, state: &mut State<N>, source: &impl Source<N>, row: usize) {
        let line = row * self.cols..(row + 1) * self.cols;
        let (slope_s, share) = (&self.slope_s[line.clone()], &self.word.share[line.clone()]);
        let columns = slope_s.iter().zip(share).zip(&state.bit_drop[line]).zip(&mut state.flow[..self.cols]);
        let mut carried = [0.0; N];
        for (col, (((&slope_s, &share), bit_drop), flow)) in columns.enumerate().rev() {
            let mut injected = bit_drop.map(|drop| -slope_s * drop);
            source.add(row, col, slope_s, &mut injected);
            for lane in 0..N {
                flow[lane] = injected[lane] + carried[lane];
                carried[lane] = share * flow[lane];
            }
        }
        state.delivered[row] = carried;
    }

    /// Drops of one word line, from its driver on.
    fn drop_word<const N: usize>(&self, state: &mut State<N>, omega: f64, row: usize, change: &mut [f64; N]) {
        let line = row * self.cols..(row + 1) * self.cols;
        let (slope_s, share) = (&self.slope_s[line.clone()], &self.word.share[line.clone()]);
        let columns = slope_s.iter().zip(share).zip(&state.flow).zip(&mut state.word_drop[line]);
        let mut segment_ohm = self.word.terminal_ohm;
        let mut drop = [0.0; N];
        for (((&slope_s, &share), flow), word_drop) in columns {
            for lane in 0..N {
                drop[lane] = share * (drop[lane] + segment_ohm * flow[lane]);
                let step = drop[lane] - word_drop[lane];
                change[lane] += slope_s * step.abs();
                word_drop[lane] += omega * step;
            }
            segment_ohm = self.word.segment_ohm;
        }
    }

    /// The same for the bit lines' drops.
    pub(super) fn relax_bit<const N: usize>(
        &self,
        state: &mut State<N>,
        source: &impl Source<N>,
        omega: f64,
    ) -> [f64; N] {
        let mut change = [0.0; N];
        for first in (0..self.cols).step_by(TILE) {
            let width = TILE.min(self.cols - first);
            self.gather_bit(state, source, first, width);
            let step = self.drop_bit(state, omega, first, width);
            for lane in 0..N {
                change[lane] += step[lane];
            }
        }
        change
    }

    /// Norton currents of `width` bit lines, from row 0 down.
    fn gather_bit<const N: usize>(&self, state: &mut State<N>, source: &impl Source<N>, first: usize, width: usize) {
        let mut carried = [[0.0; N]; TILE];
        for row in 0..self.rows {
            let line = row * self.cols + first..row * self.cols + first + width;
            let (slope_s, share) = (&self.slope_s[line.clone()], &self.bit.share[line.clone()]);
            let flow = &mut state.flow[row * TILE..row * TILE + width];
            let columns = slope_s.iter().zip(share).zip(&state.word_drop[line]).zip(flow).zip(&mut carried);
            for (col, ((((&slope_s, &share), word_drop), flow), carried)) in columns.enumerate() {
                let mut injected = word_drop.map(|drop| -slope_s * drop);
                source.add(row, first + col, slope_s, &mut injected);
                for lane in 0..N {
                    flow[lane] = injected[lane] + carried[lane];
                    carried[lane] = share * flow[lane];
                }
            }
        }
    }

    /// Drops of `width` bit lines, from the last row up.
    fn drop_bit<const N: usize>(&self, state: &mut State<N>, omega: f64, first: usize, width: usize) -> [f64; N] {
        let mut change = [0.0; N];
        let mut segment_ohm = self.bit.terminal_ohm;
        let mut drops = [[0.0; N]; TILE];
        for row in (0..self.rows).rev() {
            let line = row * self.cols + first..row * self.cols + first + width;
            let (slope_s, share) = (&self.slope_s[line.clone()], &self.bit.share[line.clone()]);
            let flow = &state.flow[row * TILE..row * TILE + width];
            let columns = slope_s.iter().zip(share).zip(flow).zip(&mut state.bit_drop[line]).zip(&mut drops);
            for ((((&slope_s, &share), flow), bit_drop), drop) in columns {
                for lane in 0..N {
                    drop[lane] = share * (drop[lane] + segment_ohm * flow[lane]);
                    let step = drop[lane] - bit_drop[lane];
                    change[lane] += slope_s * step.abs();
                    bit_drop[lane] += omega * step;
                }
            }
            segment_ohm = self.bit.segment_ohm;
        }
        change
    }
}

/// The word lines' resistances.
pub(super) fn word_line(wires: &Wires) -> Line {
    Line {
        direction: Direction::Word,
        segment_ohm: wires.word_line_ohm,
        terminal_ohm: wires.word_terminal_ohm(),
        both_ends: false,
    }
}

/// The bit lines' resistances.
pub(super) fn bit_line(wires: &Wires) -> Line {
    Line {
        direction: Direction::Bit,
        segment_ohm: wires.bit_line_ohm,
        terminal_ohm: wires.bit_terminal_ohm(),
        both_ends: wires.sensing == Sensing::BothEnds,
    }
}
