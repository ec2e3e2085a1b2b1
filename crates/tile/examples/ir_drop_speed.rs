//! How long do arrays with resistive lines take: the effective matrix, and one input vector of curved cells? One thread; the best of
//! several runs.
//!
//! `cargo run --release -p tile --example ir_drop_speed [RUNS]`
#![allow(clippy::print_stdout, clippy::expect_used, clippy::cast_precision_loss, reason = "a measuring program")]

use std::time::Instant;
use tile::wires::{CellLaw, CellMatrix, Effective, Wires, column_currents, effective_matrix};

/// Conductances between 1 and 100 uS, from a linear congruential generator.
fn conductances(count: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| 1e-6 + 99e-6 * next()).collect()
}

/// Largest bound of a column relative to its total effective conductance, and the share of the ideal current that is left.
fn quality(effective: &Effective, ideal_s: &[f64], cols: usize) -> (f64, f64) {
    let total = |matrix: &[f64], col: usize| matrix.iter().skip(col).step_by(cols).sum::<f64>();
    let share = |col| effective.error_bound_s[col] / total(&effective.matrix_s, col);
    let bound = (0..cols).map(share).fold(0.0, f64::max);
    (bound, effective.matrix_s.iter().sum::<f64>() / ideal_s.iter().sum::<f64>())
}

/// `I = G V (1 + V^2)`.
struct Cubic;

impl CellLaw for Cubic {
    fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        conductance_s * voltage_v * (1.0 + voltage_v * voltage_v)
    }

    fn slope_s(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        conductance_s * (1.0 + 3.0 * voltage_v * voltage_v)
    }
}

/// The result and the shortest time of several runs, s.
fn best_of<T>(runs: usize, run: impl Fn() -> T) -> (T, f64) {
    let timed = || {
        let start = Instant::now();
        (run(), start.elapsed().as_secs_f64())
    };
    let first = timed();
    (1..runs).fold(first, |best, _| {
        let next = timed();
        if next.1 < best.1 { next } else { best }
    })
}

fn matrices(size: usize, runs: usize) {
    let conductance_s = conductances(size * size);
    let cells = CellMatrix { rows: size, cols: size, conductance_s: &conductance_s };
    for (ohm, tolerance) in [(1.0, 1e-6), (2.0, 1e-6), (2.0, 1e-9)] {
        let wires = Wires { word_line_ohm: ohm, bit_line_ohm: ohm, tolerance, ..Wires::none() };
        let (effective, seconds) =
            best_of(runs, || effective_matrix(&wires, &cells).expect("the network can be solved"));
        let (bound, current) = quality(&effective, &conductance_s, size);
        let sweeps = effective.sweeps as f64 / size.div_ceil(8) as f64;
        println!(
            "{size:>4}x{size:<4} {ohm:>5} {tolerance:>9.0e} {sweeps:>7.1} {seconds:>9.4} {bound:>10.1e} {current:>9.3}"
        );
    }
}

fn vectors(size: usize, runs: usize) {
    let conductance_s = conductances(size * size);
    let cells = CellMatrix { rows: size, cols: size, conductance_s: &conductance_s };
    let voltages_v: Vec<f64> = conductances(size).iter().map(|g| 5e3 * g).collect();
    for ohm in [1.0, 2.0] {
        let wires = Wires { word_line_ohm: ohm, bit_line_ohm: ohm, ..Wires::none() };
        let run = || column_currents(&wires, &cells, &Cubic, &voltages_v).expect("the network can be solved");
        let (solution, seconds) = best_of(runs, run);
        let bound = solution.residual_bound_a / solution.currents_a.iter().sum::<f64>();
        println!("{size:>4}x{size:<4} {ohm:>5} {:>7} {seconds:>9.4} {bound:>10.1e}", solution.iterations);
    }
}

fn main() {
    let runs: usize = std::env::args().nth(1).map_or(3, |runs| runs.parse().expect("RUNS is a whole number"));
    println!("Curved cells, one input vector");
    println!("{:>9} {:>5} {:>7} {:>9} {:>10}", "size", "ohm", "steps", "seconds", "bound");
    for size in [64, 128, 256] {
        vectors(size, runs);
    }
    println!(
        "Linear cells, effective matrix; sweeps per column, bound relative to a column's conductance, share of current left"
    );
    println!(
        "{:>9} {:>5} {:>9} {:>7} {:>9} {:>10} {:>9}",
        "size", "ohm", "tolerance", "sweeps", "seconds", "bound", "current"
    );
    for size in [64, 128, 256, 512] {
        matrices(size, if size > 256 { 1 } else { runs });
    }
}
