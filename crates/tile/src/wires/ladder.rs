//! One set of parallel lines as resistive ladders: which drops do given currents cause?
//!
//! A line is eliminated from its far end towards its terminal as a chain of Norton equivalents (admittance `Y`, current `J`), which is the
//! Thomas algorithm in a form that only adds and divides by `1 + R Y`: no cancellation, so every drop has full relative accuracy
//! whatever its size, and a resistance of exactly zero needs no special case.

/// The two directions of lines in a row-major array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Terminal beside column 0.
    Word,
    /// Terminal behind the last row.
    Bit,
}

/// The factors of all lines of one direction.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// Per node, `1 / (1 + R Y)`: the share of the node's Norton current that flows on through the resistor towards the terminal.
    pub(super) share: Vec<f64>,
    /// Resistor between neighbouring nodes, ohm.
    pub(super) segment_ohm: f64,
    /// Resistor between the node at the terminal and the terminal, ohm.
    pub(super) terminal_ohm: f64,
}

/// Resistances of a set of lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) direction: Direction,
    pub(super) segment_ohm: f64,
    pub(super) terminal_ohm: f64,
    /// Whether the far end has a terminal of its own, behind the same resistance.
    pub(super) both_ends: bool,
}

impl Line {
    /// Admittance of the terminal at the far end, S. Lines without any resistance have no drop, whatever ends they have.
    fn far_end_s(&self) -> f64 {
        if self.both_ends && self.terminal_ohm > 0.0 { 1.0 / self.terminal_ohm } else { 0.0 }
    }
}

impl Ladder {
    /// Ladders with the conductance `load_s(node)` from each node of the row-major `rows x cols` array to ground.
    pub(super) fn new(line: &Line, rows: usize, cols: usize, load_s: impl Fn(usize) -> f64) -> Self {
        let mut share = vec![0.0; rows * cols];
        let (lines, length) = match line.direction {
            Direction::Word => (rows, cols),
            Direction::Bit => (cols, rows),
        };
        for index in 0..lines {
            let mut passed_on_s = line.far_end_s();
            for step in 0..length {
                let node = match line.direction {
                    Direction::Word => index * cols + (cols - 1 - step),
                    Direction::Bit => step * cols + index,
                };
                let ohm = if step + 1 == length { line.terminal_ohm } else { line.segment_ohm };
                let admittance_s = load_s(node) + passed_on_s;
                share[node] = 1.0 / (1.0 + ohm * admittance_s);
                passed_on_s = admittance_s * share[node];
            }
        }
        Self { share, segment_ohm: line.segment_ohm, terminal_ohm: line.terminal_ohm }
    }
}
