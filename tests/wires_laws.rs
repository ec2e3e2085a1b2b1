//! Laws of linear resistive networks.

use super::{conductances, currents, solve, uniform, wires};
use proptest::prelude::*;
use tile::wires::{CellMatrix, Linear, Sensing, column_currents, effective_matrix};

fn sensings() -> impl Strategy<Value = Sensing> {
    prop_oneof![Just(Sensing::OneEnd), Just(Sensing::BothEnds)]
}

/// Resistances from a fraction of an ohm to 100 ohm, or none.
fn resistance() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 4 => (-1.0..2.0_f64).prop_map(|exponent| 10.0_f64.powf(exponent))]
}

fn resistances() -> impl Strategy<Value = [f64; 4]> {
    [resistance(), resistance(), resistance(), resistance()]
}

fn total(matrix_s: &[f64]) -> f64 {
    matrix_s.iter().sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rayleigh's law: more resistance anywhere never raises the total current of equal inputs.
    #[test]
    fn resistance_never_raises_the_total(
        rows in 1_usize..12, cols in 1_usize..12, seed in 0_u64..1000, ohm in resistances(), which in 0_usize..4, factor in 1.01_f64..10.0, sensing in sensings()
    ) {
        let conductance_s = conductances(rows * cols, seed);
        let mut more = ohm;
        more[which] = (more[which] * factor).max(0.5);
        let before = total(&solve(&wires(ohm, sensing), rows, cols, &conductance_s).matrix_s);
        let after = total(&solve(&wires(more, sensing), rows, cols, &conductance_s).matrix_s);
        prop_assert!(after <= before * (1.0 + 1e-10), "{before:e} {after:e}");
        prop_assert!(before <= total(&conductance_s) * (1.0 + 1e-10));
    }

    /// A second readout is a further way out.
    #[test]
    fn sensing_both_ends_never_lowers_the_total(rows in 1_usize..12, cols in 1_usize..12, seed in 0_u64..1000, ohm in resistances()) {
        let conductance_s = conductances(rows * cols, seed);
        let one = total(&solve(&wires(ohm, Sensing::OneEnd), rows, cols, &conductance_s).matrix_s);
        let both = total(&solve(&wires(ohm, Sensing::BothEnds), rows, cols, &conductance_s).matrix_s);
        prop_assert!(both >= one * (1.0 - 1e-10), "{one:e} {both:e}");
    }

    /// With the drivers and readouts exchanged, the matrix is the transposed one.
    #[test]
    fn exchanging_drivers_and_readouts_transposes(rows in 1_usize..12, cols in 1_usize..12, seed in 0_u64..1000, ohm in resistances()) {
        let conductance_s = conductances(rows * cols, seed);
        // Column 0 is beside the drivers and the last row beside the readouts: the image is transposed and turned by half.
        let image = |matrix_s: &[f64]| -> Vec<f64> {
            (0..cols * rows).map(|node| matrix_s[(rows - 1 - node % rows) * cols + cols - 1 - node / rows]).collect()
        };
        let [word, bit, driver, sense] = ohm;
        let expected = image(&solve(&wires(ohm, Sensing::OneEnd), rows, cols, &conductance_s).matrix_s);
        let found = solve(&wires([bit, word, sense, driver], Sensing::OneEnd), cols, rows, &image(&conductance_s)).matrix_s;
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-10 * expected, "{found:e} {expected:e}");
        }
    }

    /// With both ends sensed, an array that is turned upside down answers upside down.
    #[test]
    fn both_ends_have_no_up_or_down(rows in 1_usize..12, cols in 1_usize..12, seed in 0_u64..1000, ohm in resistances()) {
        let conductance_s = conductances(rows * cols, seed);
        let flip = |matrix_s: &[f64]| matrix_s.chunks(cols).rev().flatten().copied().collect::<Vec<f64>>();
        let wires = wires(ohm, Sensing::BothEnds);
        let expected = flip(&solve(&wires, rows, cols, &conductance_s).matrix_s);
        let found = solve(&wires, rows, cols, &flip(&conductance_s)).matrix_s;
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-10 * expected, "{found:e} {expected:e}");
        }
    }

    /// Solved per input, the network is linear in the inputs, of either sign, and agrees with the matrix.
    #[test]
    fn inputs_superpose(rows in 1_usize..10, cols in 1_usize..10, seed in 0_u64..1000, ohm in resistances(), sensing in sensings(), scale in -2.0_f64..2.0) {
        let conductance_s = conductances(rows * cols, seed);
        let cells = CellMatrix { rows, cols, conductance_s: &conductance_s };
        let wires = wires(ohm, sensing);
        let [a, b] = [seed + 1, seed + 2].map(|seed| uniform(rows, seed));
        let both: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + scale * b).collect();
        let answer = |voltages_v: &[f64]| column_currents(&wires, &cells, &Linear, voltages_v).unwrap();
        let (a, b, sum) = (answer(&a), answer(&b), answer(&both));
        let matrix = currents(&effective_matrix(&wires, &cells).unwrap().matrix_s, cols, &both);
        let slack = a.residual_bound_a + scale.abs() * b.residual_bound_a + sum.residual_bound_a + 1e-10 * total(&conductance_s);
        for (col, &matrix) in matrix.iter().enumerate() {
            let expected = a.currents_a[col] + scale * b.currents_a[col];
            prop_assert!((sum.currents_a[col] - expected).abs() <= slack);
            prop_assert!((sum.currents_a[col] - matrix).abs() <= slack);
        }
    }
}

/// The loss of ever better wires falls in proportion to their resistance.
#[test]
fn better_wires_tend_to_the_ideal_array() {
    let (rows, cols) = (16, 16);
    let conductance_s = conductances(rows * cols, 5);
    let mut last = f64::INFINITY;
    for exponent in 0..9 {
        let ohm = 10.0_f64.powi(-exponent);
        let matrix_s = solve(&wires([ohm, ohm, ohm, ohm], Sensing::OneEnd), rows, cols, &conductance_s).matrix_s;
        let loss = matrix_s.iter().zip(&conductance_s).map(|(found, ideal)| 1.0 - found / ideal).fold(0.0, f64::max);
        assert!(
            loss > 0.0 && (exponent == 0 || (0.08..0.12).contains(&(loss / last))),
            "{ohm} ohm: {loss:e} after {last:e}"
        );
        last = loss;
    }
    assert!(last < 1e-9, "{last:e}");
}
