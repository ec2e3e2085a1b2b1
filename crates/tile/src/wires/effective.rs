//! The effective matrix of an array of linear cells: wires and cells folded into one conductance per input and output.

use super::network::{Network, Source, State};
use super::relax::{MAX_SWEEPS, Weights, spectral_radius};
use super::{CellMatrix, Wires, WiresError};

/// Columns solved side by side.
const LANES: usize = 8;

/// The effective conductances of an array with resistive lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// Row-major `rows x cols`, S: the column currents are `I_j = sum_i matrix_s[i * cols + j] * V_i`.
    pub matrix_s: Vec<f64>,
    /// Per column, bound on the error of `I_j` divided by the largest `|V_i|`, S: it holds for every input, rounding included.
    pub error_bound_s: Vec<f64>,
    /// Sweeps over all lines, summed over the blocks of columns.
    pub sweeps: u64,
}

/// Solves the network of `cells` and `wires` once, for all inputs.
///
/// By the symmetry of the nodal matrix, the current into column `j` per volt on word line `i` equals the current into word line `i` per volt
/// at the readout of column `j`: one solve per column. Let a solution's drops be off such that the cells carry currents that disagree
/// by `d` with the lines; then `|error of I_j| <= sum |d| max |V|`, because no node of a passive network lies outside the range of its
/// sources (maximum principle). The iteration stops when this bound is below `wires.tolerance` times the column's total effective
/// conductance.
///
/// # Errors
/// Values that are not allowed, or a tolerance that cannot be reached.
pub fn effective_matrix(wires: &Wires, cells: &CellMatrix<'_>) -> Result<Effective, WiresError> {
    wires.checked()?;
    cells.checked()?;
    let (rows, cols) = (cells.rows, cells.cols);
    let mut effective = Effective { matrix_s: cells.conductance_s.to_vec(), error_bound_s: vec![0.0; cols], sweeps: 0 };
    if wires.is_ideal() || rows == 0 || cols == 0 {
        return Ok(effective);
    }
    let network = Network::new(wires, rows, cols, cells.conductance_s.to_vec());
    let rho = spectral_radius(&network);
    let mut state = State::<LANES>::new(rows, cols);
    for first in (0..cols).step_by(LANES) {
        state.reset();
        let block = solve_block(&network, &mut state, &UnitColumns { first }, rho, wires.tolerance)?;
        effective.sweeps += block.sweeps;
        for lane in 0..LANES.min(cols - first) {
            effective.error_bound_s[first + lane] = block.bound_s[lane];
            for (row, delivered) in state.delivered.iter().enumerate() {
                effective.matrix_s[row * cols + first + lane] = delivered[lane];
            }
        }
    }
    Ok(effective)
}

/// The adjoint problems of neighbouring columns: 1 V at the readout of column `first + lane`, 0 V at all drivers.
struct UnitColumns {
    first: usize,
}

impl Source<LANES> for UnitColumns {
    fn add(&self, _row: usize, col: usize, slope_s: f64, currents: &mut [f64; LANES]) {
        if let Some(current) = currents.get_mut(col.wrapping_sub(self.first)) {
            *current += slope_s;
        }
    }
}

/// What a block of columns took.
struct Block {
    bound_s: [f64; LANES],
    sweeps: u64,
}

fn solve_block(
    network: &Network,
    state: &mut State<LANES>,
    source: &UnitColumns,
    rho: f64,
    tolerance: f64,
) -> Result<Block, WiresError> {
    let (mut sweeps, mut aim, mut reached) = (0, 1.0, f64::INFINITY);
    loop {
        sweeps += approach(network, state, source, rho, aim * tolerance);
        // After two plain half steps, only the cells' currents disagree with the lines, by the change of the second one.
        network.relax_bit(state, source, 1.0);
        let change_s = network.relax_word(state, source, 1.0);
        sweeps += 1;
        let rounding_s = rounding_s(network, state, source);
        let bound_s = std::array::from_fn(|lane| change_s[lane] + rounding_s[lane]);
        let excess = worst_share(state, &bound_s) / tolerance;
        if excess <= 1.0 {
            return Ok(Block { bound_s, sweeps });
        }
        let stuck = excess > reached / 2.0;
        reached = reached.min(excess);
        if stuck || sweeps >= MAX_SWEEPS {
            return Err(WiresError::NotConverged { reached: reached * tolerance, required: tolerance, steps: sweeps });
        }
        aim /= 4.0;
    }
}

/// Accelerated sweeps until the cells' currents disagree by less than `share` of the delivered ones; returns their number.
fn approach(network: &Network, state: &mut State<LANES>, source: &UnitColumns, rho: f64, share: f64) -> u64 {
    let mut weights = Weights::new(rho);
    network.relax_word(state, source, weights.next());
    for sweep in 1..=MAX_SWEEPS {
        network.relax_bit(state, source, weights.next());
        let change_s = network.relax_word(state, source, weights.next());
        if worst_share(state, &change_s) <= share {
            return sweep;
        }
    }
    MAX_SWEEPS
}

/// The largest ratio of a problem's `error_s` to the total current it delivers; 0 where both are 0, as in a column without conductance.
fn worst_share(state: &State<LANES>, error_s: &[f64; LANES]) -> f64 {
    let total = |lane: usize| state.delivered.iter().fold(0.0, |sum, delivered| sum + delivered[lane]);
    (0..LANES).fold(
        0.0,
        |worst, lane| if error_s[lane] == 0.0 { worst } else { f64::max(worst, error_s[lane] / total(lane)) },
    )
}

/// Bound on what rounding adds to the error of each column, S. Ladders without cancellation have componentwise relative errors of a few
/// roundings per node (of the M-matrices, see A. S. Alfa, J. Xue, Q. Ye, Math. Comp. 71, 2002: `2 n` times that of the data, here some 10
/// roundings in factors and substitutions), in each of the last two half steps.
fn rounding_s(network: &Network, state: &State<LANES>, source: &UnitColumns) -> [f64; LANES] {
    let mut currents = [0.0; LANES];
    let drops = state.word_drop.iter().zip(&state.bit_drop);
    for (node, (&slope_s, (word_drop, bit_drop))) in network.slope_s.iter().zip(drops).enumerate() {
        source.add(0, node % network.cols, slope_s, &mut currents);
        for lane in 0..LANES {
            currents[lane] += slope_s * (word_drop[lane].abs() + bit_drop[lane].abs());
        }
    }
    let roundings = 2.0 * ROUNDINGS_PER_NODE * network.rows.max(network.cols) as f64;
    currents.map(|current| current * roundings * (f64::EPSILON / 2.0))
}

/// Relative roundings per node of a ladder that [`rounding_s`] allows for.
const ROUNDINGS_PER_NODE: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::super::Sensing;
    use super::*;

    const WIRES: Wires = Wires {
        word_line_ohm: 1.0,
        bit_line_ohm: 1.0,
        driver_ohm: 5.0,
        sense_ohm: 7.0,
        sensing: Sensing::OneEnd,
        tolerance: 1e-12,
    };

    fn solve(wires: &Wires, rows: usize, cols: usize, conductance_s: &[f64]) -> Effective {
        effective_matrix(wires, &CellMatrix { rows, cols, conductance_s }).unwrap()
    }

    #[test]
    fn one_cell_is_resistors_in_series() {
        let one = solve(&WIRES, 1, 1, &[0.01]).matrix_s[0];
        assert!((one * (1.0 + 5.0 + 100.0 + 1.0 + 7.0) - 1.0).abs() < 1e-13, "{one}");
        let both = solve(&Wires { sensing: Sensing::BothEnds, ..WIRES }, 1, 1, &[0.01]).matrix_s[0];
        assert!((both * (6.0 + 100.0 + 4.0) - 1.0).abs() < 1e-13, "{both}");
    }

    /// A lone word line is solved directly: what is left in the bound is rounding.
    #[test]
    fn rounding_is_part_of_the_bound() {
        let wires = Wires { word_line_ohm: 1.0, ..Wires::none() };
        let cells = CellMatrix { rows: 1, cols: 1024, conductance_s: &[1e-6; 1024] };
        let row = effective_matrix(&wires, &cells).unwrap();
        let shares = row.error_bound_s.iter().zip(&row.matrix_s).map(|(bound, total)| bound / total);
        assert!(shares.clone().all(|share| (1e-15..1e-10).contains(&share)));
        let floor = shares.fold(0.0, f64::max);
        assert!(effective_matrix(&Wires { tolerance: floor * 1.01, ..wires }, &cells).is_ok());
        assert!(effective_matrix(&Wires { tolerance: floor / 1.01, ..wires }, &cells).is_err());
    }

    /// A word line of cells to ground, driven at node 0 (`V_0` there): `V_k / V_0 = cosh((n - k + 1/2) a) / cosh((n + 1/2) a)` with
    /// `cosh a = 1 + r G / 2`, cells at `k = 1..=n`.
    #[test]
    fn a_row_of_equal_cells_follows_the_hyperbolic_cosine() {
        for (n, ohm, conductance_s) in
            [(1, 1.0, 1e-3), (16, 2.5, 1e-4), (64, 1.0, 5e-5), (128, 2.5, 1e-4), (256, 1.0, 5e-5)]
        {
            let wires = Wires { word_line_ohm: ohm, ..Wires::none() };
            let effective = solve(&wires, 1, n, &vec![conductance_s; n]);
            let a = libm::acosh(1.0 + ohm * conductance_s / 2.0);
            for (index, &found) in effective.matrix_s.iter().enumerate() {
                let k = (index + 1) as f64;
                let voltage = libm::cosh((n as f64 - k + 0.5) * a) / libm::cosh((n as f64 + 0.5) * a);
                assert!((found / conductance_s / voltage - 1.0).abs() < 1e-10, "n {n}, cell {k}: {found} {voltage}");
            }
        }
    }

    /// Far-end voltage and share of the ideal current, computed from the same law for rows that real technologies have.
    #[test]
    fn printed_voltages_and_currents_come_out() {
        let table = [
            (128, 1.0, 10e-6, 0.9228, 0.9482),
            (128, 1.0, 50e-6, 0.6935, 0.7921),
            (128, 1.0, 100e-6, 0.5140, 0.6663),
            (128, 2.5, 10e-6, 0.8240, 0.8814),
            (128, 2.5, 50e-6, 0.4500, 0.6201),
            (128, 2.5, 100e-6, 0.2578, 0.4735),
            (128, 0.35, 50e-6, 0.8711, 0.9133),
            (64, 1.0, 50e-6, 0.9043, 0.9355),
            (256, 1.0, 50e-6, 0.3176, 0.5219),
        ];
        for (n, ohm, conductance_s, far_end, share) in table {
            let row = solve(&Wires { word_line_ohm: ohm, ..Wires::none() }, 1, n, &vec![conductance_s; n]).matrix_s;
            assert!((row[n - 1] / conductance_s - far_end).abs() < 0.6e-4, "{n} {ohm} {conductance_s}: {}", row[n - 1]);
            let total: f64 = row.iter().sum();
            assert!((total / (conductance_s * n as f64) - share).abs() < 0.6e-4, "{n} {ohm} {conductance_s}: {total}");
        }
    }

    #[test]
    fn arrays_without_cells_or_current_are_solved() {
        assert!(solve(&WIRES, 0, 3, &[]).matrix_s.is_empty());
        assert!(solve(&WIRES, 3, 0, &[]).error_bound_s.is_empty());
        let dark = solve(&WIRES, 2, 2, &[1e-4, 0.0, 1e-5, 0.0]);
        assert_eq!((dark.matrix_s[1], dark.matrix_s[3], dark.error_bound_s[1]), (0.0, 0.0, 0.0));
        assert!(dark.matrix_s[0] > 0.99e-4);
        assert_eq!(solve(&Wires::none(), 1, 2, &[1e-4, 3e-5]).matrix_s, [1e-4, 3e-5]);
    }

    #[test]
    fn bad_input_is_refused() {
        let refused = |wires: &Wires, rows, cols, conductance_s: &[f64]| {
            effective_matrix(wires, &CellMatrix { rows, cols, conductance_s }).unwrap_err().to_string()
        };
        assert_eq!(refused(&WIRES, 2, 2, &[1e-6; 3]), "3 conductances, but the array needs 4");
        assert!(refused(&WIRES, 0, usize::MAX, &[]).starts_with("an array of 0 x 18446744073709551615 is not allowed"));
        assert!(refused(&WIRES, usize::MAX, 0, &[]).contains("up to 1048576 lines"));
        assert!(refused(&WIRES, 1, 1, &[1001.0]).contains("0 to 1e3 S"));
        assert!(refused(&WIRES, 1, 2, &[1e-6, -1e-6]).contains("-1e-6 S at row 0, column 1"));
        assert!(refused(&WIRES, 2, 1, &[1e-6, f64::NAN]).contains("NaN S at row 1, column 0"));
        assert!(refused(&Wires { sense_ohm: f64::NAN, ..WIRES }, 1, 1, &[1e-6]).starts_with("sense_ohm = NaN"));
    }

    /// Lines a million times worse than their cells lose everything but the first crossings: an answer or an error, never a wrong number.
    #[test]
    fn hopeless_arrays_are_refused_or_bounded() {
        let wires = Wires { word_line_ohm: 1e6, bit_line_ohm: 1e6, tolerance: 1e-12, ..WIRES };
        match effective_matrix(&wires, &CellMatrix { rows: 16, cols: 16, conductance_s: &[1e3; 256] }) {
            Err(WiresError::NotConverged { reached, required, .. }) => assert!(reached > required && required == 1e-12),
            other => panic!("{other:?}"),
        }
    }
}
