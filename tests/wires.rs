//! Are the currents of arrays with resistive wires right? A dense nodal analysis and ngspice solve the same circuits, and laws of linear
//! networks must hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]
#![allow(clippy::print_stderr, clippy::cast_precision_loss, reason = "a skipped check must be seen; counts are small")]

#[path = "support/skip.rs"]
mod skip;
mod wires_dense;
mod wires_laws;
mod wires_spice;

use tile::wires::{CellMatrix, Effective, Sensing, Wires, effective_matrix};

/// Conductances between 1 and 100 uS.
fn conductances(count: usize, seed: u64) -> Vec<f64> {
    uniform(count, seed).into_iter().map(|u| 1e-6 + 99e-6 * u).collect()
}

/// Numbers from 0 to 1 from a linear congruential generator.
fn uniform(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

fn wires(ohm: [f64; 4], sensing: Sensing) -> Wires {
    let [word_line_ohm, bit_line_ohm, driver_ohm, sense_ohm] = ohm;
    Wires { word_line_ohm, bit_line_ohm, driver_ohm, sense_ohm, sensing, tolerance: 1e-11 }
}

fn solve(wires: &Wires, rows: usize, cols: usize, conductance_s: &[f64]) -> Effective {
    effective_matrix(wires, &CellMatrix { rows, cols, conductance_s }).unwrap()
}

/// Column currents of an effective matrix.
fn currents(matrix_s: &[f64], cols: usize, voltages_v: &[f64]) -> Vec<f64> {
    let column = |col| voltages_v.iter().enumerate().map(|(row, v)| matrix_s[row * cols + col] * v).sum();
    (0..cols).map(column).collect()
}
