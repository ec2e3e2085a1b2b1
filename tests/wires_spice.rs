//! The same decks through ngspice.

use super::{conductances, currents, solve, uniform, wires};
use std::fs;
use std::process::Command;
use tile::wires::{CellLaw, CellMatrix, Sensing, SpiceLaw, Wires, column_currents, parse_spice_currents, spice_deck};

/// Set it to make a missing ngspice a failure.
const REQUIRE: &str = "OHMIC_REQUIRE_NGSPICE";

/// Whether ngspice can be started; says so loudly if not.
fn ngspice_is_there(test: &str) -> bool {
    if Command::new("ngspice").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(std::env::var_os(REQUIRE).is_none(), "{test}: {REQUIRE} is set, but there is no ngspice on the path");
    crate::skip::skipped(&format!("{test}: no `ngspice` on the path; the wires were NOT checked against SPICE"));
    false
}

fn run(deck: &str, cols: usize) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.cir");
    fs::write(&path, deck).unwrap();
    let output = Command::new("ngspice").arg("-b").arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    parse_spice_currents(&text, cols)
        .unwrap_or_else(|error| panic!("{error}\n{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn assert_close(found: &[f64], spice: &[f64]) {
    let largest = spice.iter().fold(0.0_f64, |largest, current| largest.max(current.abs()));
    assert!(largest > 0.0 && found.len() == spice.len());
    for (col, (found, spice)) in found.iter().zip(spice).enumerate() {
        assert!((found - spice).abs() <= 1e-6 * spice.abs(), "column {col}: {found:e} A, ngspice {spice:e} A");
    }
}

#[test]
fn linear_arrays_agree_with_ngspice() {
    if !ngspice_is_there("linear_arrays_agree_with_ngspice") {
        return;
    }
    let arrays = [
        (8, 8, wires([1.0, 2.0, 100.0, 50.0], Sensing::OneEnd)),
        (16, 32, wires([2.0, 1.0, 0.0, 30.0], Sensing::BothEnds)),
        (64, 64, wires([2.0, 2.0, 0.0, 0.0], Sensing::OneEnd)),
        (8, 8, wires([0.0, 2.0, 100.0, 0.0], Sensing::BothEnds)),
        (8, 8, wires([2.0, 0.0, 0.0, 0.0], Sensing::BothEnds)),
    ];
    for (rows, cols, wires) in arrays {
        let conductance_s = conductances(rows * cols, 21);
        let voltages_v: Vec<f64> = uniform(rows, 22).iter().map(|u| 0.3 * u).collect();
        let cells = CellMatrix { rows, cols, conductance_s: &conductance_s };
        let deck = spice_deck(&wires, &cells, SpiceLaw::Linear, &voltages_v, "linear cells").unwrap();
        let found = currents(&solve(&wires, rows, cols, &conductance_s).matrix_s, cols, &voltages_v);
        assert_close(&found, &run(&deck, cols));
    }
}

/// `I = G (V + 0.8 V |V| + 3 V^3)`: it rises everywhere and is odd.
struct Curved;

impl Curved {
    const SHAPE: [f64; 3] = [1.0, 0.8, 3.0];
}

impl CellLaw for Curved {
    fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        let [k1, k2, k3] = Self::SHAPE;
        conductance_s * voltage_v * (k1 + voltage_v.abs() * (k2 + voltage_v.abs() * k3))
    }

    fn slope_s(&self, conductance_s: f64, voltage_v: f64) -> f64 {
        let [k1, k2, k3] = Self::SHAPE;
        conductance_s * (k1 + voltage_v.abs() * (2.0 * k2 + voltage_v.abs() * 3.0 * k3))
    }
}

#[test]
fn curved_cells_agree_with_ngspice() {
    if !ngspice_is_there("curved_cells_agree_with_ngspice") {
        return;
    }
    let (rows, cols) = (16, 16);
    let conductance_s = conductances(rows * cols, 31);
    let coefficients: Vec<[f64; 3]> = conductance_s.iter().map(|g| Curved::SHAPE.map(|shape| g * shape)).collect();
    let cells = CellMatrix { rows, cols, conductance_s: &conductance_s };
    for (sensing, offset_v) in [(Sensing::OneEnd, 0.0), (Sensing::BothEnds, -0.4)] {
        let voltages_v: Vec<f64> = uniform(rows, 32).iter().map(|u| u + offset_v).collect();
        let wires = Wires { tolerance: 1e-9, ..wires([5.0, 4.0, 50.0, 20.0], sensing) };
        let found = column_currents(&wires, &cells, &Curved, &voltages_v).unwrap();
        assert!(found.iterations <= 10, "{} Newton steps", found.iterations);
        let deck = spice_deck(&wires, &cells, SpiceLaw::Cubic(&coefficients), &voltages_v, "curved cells").unwrap();
        assert_close(&found.currents_a, &run(&deck, cols));
    }
}
