//! Nodal analysis with a dense matrix: one equation per node, Kirchhoff's current law, solved by nalgebra's LU decomposition.

use super::{conductances, currents, solve, uniform, wires};
use nalgebra::DMatrix;
use tile::wires::{Sensing, Wires};

/// A potential.
#[derive(Clone, Copy)]
enum Node {
    /// The source of a word line.
    Source(usize),
    Ground,
    Free(usize),
}

/// Two potentials and the conductance between them.
type Element = (Node, Node, f64);

/// The circuit of an array. Elements of 0 ohm are not there: their nodes are one.
struct Circuit {
    rows: usize,
    cols: usize,
    /// Row-major.
    cells: Vec<Element>,
    segments: Vec<Element>,
    drivers: Vec<Element>,
    readouts: Vec<Element>,
    unknowns: usize,
}

impl Circuit {
    fn new(wires: &Wires, rows: usize, cols: usize, conductance_s: &[f64]) -> Self {
        let (word_in, bit_out) = (wires.driver_ohm + wires.word_line_ohm, wires.sense_ohm + wires.bit_line_ohm);
        let words = if word_in == 0.0 { 0 } else { rows * if wires.word_line_ohm > 0.0 { cols } else { 1 } };
        let bits = if bit_out == 0.0 { 0 } else { cols * if wires.bit_line_ohm > 0.0 { rows } else { 1 } };
        let word = |row: usize, col: usize| match (word_in > 0.0, wires.word_line_ohm > 0.0) {
            (false, _) => Node::Source(row),
            (true, false) => Node::Free(row),
            (true, true) => Node::Free(row * cols + col),
        };
        let bit = |row: usize, col: usize| match (bit_out > 0.0, wires.bit_line_ohm > 0.0) {
            (false, _) => Node::Ground,
            (true, false) => Node::Free(words + col),
            (true, true) => Node::Free(words + row * cols + col),
        };
        let (mut cells, mut segments, mut drivers, mut readouts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (node, &siemens) in conductance_s.iter().enumerate() {
            let (row, col) = (node / cols, node % cols);
            cells.push((word(row, col), bit(row, col), siemens));
            if col > 0 && wires.word_line_ohm > 0.0 {
                segments.push((word(row, col - 1), word(row, col), 1.0 / wires.word_line_ohm));
            }
            if row > 0 && wires.bit_line_ohm > 0.0 {
                segments.push((bit(row - 1, col), bit(row, col), 1.0 / wires.bit_line_ohm));
            }
        }
        if word_in > 0.0 {
            drivers.extend((0..rows).map(|row| (Node::Source(row), word(row, 0), 1.0 / word_in)));
        }
        if bit_out > 0.0 {
            readouts.extend((0..cols).map(|col| (bit(rows - 1, col), Node::Ground, 1.0 / bit_out)));
        }
        if bit_out > 0.0 && wires.sensing == Sensing::BothEnds {
            readouts.extend((0..cols).map(|col| (bit(0, col), Node::Ground, 1.0 / bit_out)));
        }
        Self { rows, cols, cells, segments, drivers, readouts, unknowns: words + bits }
    }

    /// Voltages of the unknown nodes (rows) with 1 V on one word line after the other (columns).
    fn voltages(&self) -> DMatrix<f64> {
        let mut matrix = DMatrix::zeros(self.unknowns, self.unknowns);
        let mut right = DMatrix::zeros(self.unknowns, self.rows);
        for &(a, b, siemens) in self.cells.iter().chain(&self.segments).chain(&self.drivers).chain(&self.readouts) {
            for (at, other) in [(a, b), (b, a)] {
                let Node::Free(at) = at else { continue };
                matrix[(at, at)] += siemens;
                match other {
                    Node::Free(other) => matrix[(at, other)] -= siemens,
                    Node::Source(row) => right[(at, row)] += siemens,
                    Node::Ground => {}
                }
            }
        }
        if self.unknowns == 0 {
            return right;
        }
        let factors = matrix.clone().lu();
        let first = factors.solve(&right).unwrap();
        // One step of iterative refinement.
        let correction = factors.solve(&(&right - matrix * &first)).unwrap();
        first + correction
    }

    /// Current through an element with 1 V on a word line.
    fn current(&self, voltages: &DMatrix<f64>, (a, b, siemens): Element, input: usize) -> f64 {
        let voltage = |node| match node {
            Node::Source(row) => f64::from(u8::from(row == input)),
            Node::Ground => 0.0,
            Node::Free(node) => voltages[(node, input)],
        };
        (voltage(a) - voltage(b)) * siemens
    }

    /// Column currents per volt on each word line, from the currents through the cells, which exist whatever line is ideal.
    fn matrix_s(&self, voltages: &DMatrix<f64>) -> Vec<f64> {
        let column = |col| self.cells.iter().skip(col).step_by(self.cols);
        let entry =
            |node: usize| column(node % self.cols).map(|&cell| self.current(voltages, cell, node / self.cols)).sum();
        (0..self.rows * self.cols).map(entry).collect()
    }
}

/// All sixteen combinations of present and absent resistances, with both ways to sense.
fn all_wires() -> Vec<Wires> {
    let combination = |bits: usize| [2.0, 3.0, 40.0, 15.0].map_with_bits(bits);
    let mut all: Vec<Wires> = (0..16).map(|bits| wires(combination(bits), Sensing::OneEnd)).collect();
    all.extend((0..16).map(|bits| wires(combination(bits), Sensing::BothEnds)));
    all
}

trait MapWithBits {
    /// The values whose bit is set, 0 in place of the others.
    fn map_with_bits(self, bits: usize) -> Self;
}

impl MapWithBits for [f64; 4] {
    fn map_with_bits(self, bits: usize) -> Self {
        std::array::from_fn(|index| if bits >> index & 1 == 1 { self[index] } else { 0.0 })
    }
}

#[test]
fn effective_matrices_equal_a_dense_solve_of_every_input() {
    for (rows, cols) in [(16, 16), (5, 19), (1, 9), (9, 1)] {
        let conductance_s = conductances(rows * cols, 7);
        for wires in all_wires() {
            let circuit = Circuit::new(&wires, rows, cols, &conductance_s);
            let expected = circuit.matrix_s(&circuit.voltages());
            let found = solve(&Wires { tolerance: 1e-12, ..wires }, rows, cols, &conductance_s).matrix_s;
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found / expected - 1.0).abs() < 1e-12, "{rows}x{cols} {wires:?}: {found:e} {expected:e}");
            }
        }
    }
}

#[test]
fn what_the_drivers_deliver_is_what_the_readouts_take() {
    let (rows, cols) = (16, 12);
    let conductance_s = conductances(rows * cols, 3);
    let voltages_v = uniform(rows, 4);
    for wires in all_wires() {
        let sensed: f64 = currents(&solve(&wires, rows, cols, &conductance_s).matrix_s, cols, &voltages_v).iter().sum();
        let circuit = Circuit::new(&wires, rows, cols, &conductance_s);
        let nodes = circuit.voltages();
        let through = |element: &Element| -> f64 {
            (0..rows).map(|row| voltages_v[row] * circuit.current(&nodes, *element, row)).sum()
        };
        for elements in [&circuit.cells, &circuit.drivers, &circuit.readouts] {
            let total: f64 = elements.iter().map(through).sum();
            assert!(elements.is_empty() || (total / sensed - 1.0).abs() < 1e-11, "{wires:?}: {total} {sensed}");
        }
    }
}

/// The bound must hold however early the solver stops, for the worst input: here the one of the signs of the errors.
#[test]
fn the_bound_holds_at_every_tolerance() {
    let (rows, cols) = (24, 24);
    let conductance_s = conductances(rows * cols, 11);
    let mut closest: f64 = 0.0;
    for ohm in [1.0, 30.0, 1000.0] {
        for sensing in [Sensing::OneEnd, Sensing::BothEnds] {
            let exact = Wires { tolerance: 1e-10, ..wires([ohm, ohm, 10.0, 10.0], sensing) };
            let reference = solve(&exact, rows, cols, &conductance_s);
            for tolerance in (0..40).map(|fifth| 0.1 * 10.0_f64.powf(-0.2 * f64::from(fifth))) {
                let loose = solve(&Wires { tolerance, ..exact }, rows, cols, &conductance_s);
                for col in 0..cols {
                    let column =
                        |matrix_s: &[f64]| matrix_s.iter().skip(col).step_by(cols).copied().collect::<Vec<f64>>();
                    let (found, truth) = (column(&loose.matrix_s), column(&reference.matrix_s));
                    let error: f64 = found.iter().zip(&truth).map(|(a, b)| (a - b).abs()).sum();
                    let bound = loose.error_bound_s[col];
                    assert!(error <= bound + reference.error_bound_s[col], "{ohm} {tolerance}: {error:e} {bound:e}");
                    assert!(bound <= tolerance * found.iter().sum::<f64>(), "{ohm} {tolerance}: {bound:e}");
                    closest = closest.max(error / bound);
                }
            }
        }
    }
    assert!(closest > 0.1, "a bound ten times above every error is of little use: {closest}");
}
