//! Column currents of cells with any current-voltage law, by Newton's method on the cells' currents.
//!
//! Unknown are the currents `c` of the cells. The drops they cause along the lines follow exactly (unloaded ladders), so that Kirchhoff's
//! laws always hold; what may be violated is the cells' law, by `F = c - I(G, V - x(c) - y(c))`. A network that carries `c` is the true one
//! plus a source `F` beside each cell, and with laws that do not fall the current of such a source reaches a column at most once:
//! `|error of I_j| <= sum |F|`.

use super::network::{Network, Source, State};
use super::relax::{MAX_SWEEPS, Weights, spectral_radius};
use super::{CellLaw, CellMatrix, Wires, WiresError};

/// `sum |F| / sum |c|` at which the iteration stops.
const RELATIVE_RESIDUAL: f64 = 1e-9;
/// Share of the last step's violation at which the linear solve of a step stops.
const LINEAR_SHARE: f64 = 1e-3;
/// Most Newton steps; ordinary cells need 3 to 6.
const MAX_STEPS: u64 = 100;
/// Most halvings of one step.
const MAX_HALVINGS: u32 = 20;

/// Column currents for one input vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// Current per column, A; with both ends sensed, the sum of both.
    pub currents_a: Vec<f64>,
    /// Current out of the driver of each word line, A.
    pub driver_currents_a: Vec<f64>,
    /// Bound on the error of each current, A.
    pub residual_bound_a: f64,
    /// Newton steps taken; 0 without wires.
    pub iterations: u64,
}

/// Solves the network of `cells` with the law `iv` and of `wires` for the voltages of the word lines, V, of either sign. The bound of the
/// result is at most `1e-9` of the sum of all cells' currents.
///
/// # Errors
/// Values that are not allowed, a law whose current falls with the voltage, or an iteration that does not settle.
pub fn column_currents(
    wires: &Wires,
    cells: &CellMatrix<'_>,
    iv: &dyn CellLaw,
    voltages_v: &[f64],
) -> Result<Solution, WiresError> {
    wires.checked()?;
    cells.checked()?;
    cells.check_voltages(voltages_v)?;
    let array = Array::new(wires, cells, iv, voltages_v);
    let ideal = array.characteristic(&array.input_v)?;
    if wires.is_ideal() {
        return Ok(array.solution(&ideal.current_a, 0.0, 0));
    }
    array.solve(ideal)
}

/// The cells' currents and slopes at given voltages.
struct Characteristic {
    current_a: Vec<f64>,
    slope_s: Vec<f64>,
}

/// A trial of the cells' currents.
struct Trial {
    current_a: Vec<f64>,
    /// Voltages across the cells that follow from the currents, V.
    voltage_v: Vec<f64>,
    law: Characteristic,
    /// `sum |F|`, A.
    violation_a: f64,
}

/// One problem: the array, its lines without cells, its inputs.
struct Array<'a> {
    wires: &'a Wires,
    cells: &'a CellMatrix<'a>,
    iv: &'a dyn CellLaw,
    input_v: Vec<f64>,
    /// The unloaded lines as a network of cells without slope.
    lines: Network,
}

/// Currents that are given per cell.
struct Currents<'a> {
    cols: usize,
    current_a: &'a [f64],
}

impl Source<1> for Currents<'_> {
    fn add(&self, row: usize, col: usize, _slope_s: f64, currents: &mut [f64; 1]) {
        currents[0] += self.current_a[row * self.cols + col];
    }
}

impl<'a> Array<'a> {
    fn new(wires: &'a Wires, cells: &'a CellMatrix<'a>, iv: &'a dyn CellLaw, voltages_v: &[f64]) -> Self {
        let input_v = voltages_v.iter().flat_map(|&v| std::iter::repeat_n(v, cells.cols)).collect();
        let lines = Network::new(wires, cells.rows, cells.cols, vec![0.0; cells.conductance_s.len()]);
        Self { wires, cells, iv, input_v, lines }
    }

    fn characteristic(&self, voltage_v: &[f64]) -> Result<Characteristic, WiresError> {
        let mut law = Characteristic { current_a: Vec::new(), slope_s: Vec::new() };
        for (&conductance_s, &voltage_v) in self.cells.conductance_s.iter().zip(voltage_v) {
            let current_a = self.iv.current_a(conductance_s, voltage_v);
            let slope_s = self.iv.slope_s(conductance_s, voltage_v);
            if !current_a.is_finite() || !slope_s.is_finite() || slope_s < 0.0 {
                return Err(WiresError::Law { conductance_s, voltage_v, current_a, slope_s });
            }
            law.current_a.push(current_a);
            law.slope_s.push(slope_s);
        }
        Ok(law)
    }

    fn column_sums(&self, current_a: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.cells.cols];
        for row in current_a.chunks_exact(self.cells.cols.max(1)) {
            for (sum, current) in sums.iter_mut().zip(row) {
                *sum += current;
            }
        }
        sums
    }

    fn solve(&self, ideal: Characteristic) -> Result<Solution, WiresError> {
        let violation_a = ideal.current_a.iter().fold(0.0, |sum, current| sum + current.abs());
        let none = vec![0.0; ideal.current_a.len()];
        let mut trial = Trial { current_a: none, voltage_v: self.input_v.clone(), law: ideal, violation_a };
        let mut state = State::<1>::new(self.cells.rows, self.cells.cols);
        let (mut iterations, mut rho) = (0, None);
        while !settled(&trial) {
            iterations += 1;
            let target_a = self.linearised(&trial, &mut state, &mut rho);
            match self.step(&trial, &target_a)? {
                Some(next) if iterations < MAX_STEPS => trial = next,
                _ => {
                    let reached = trial.violation_a / total_a(&trial);
                    return Err(WiresError::NotConverged { reached, required: RELATIVE_RESIDUAL, steps: iterations });
                }
            }
        }
        Ok(self.solution(&trial.current_a, trial.violation_a, iterations))
    }

    /// What the cells' currents add up to along the lines.
    fn solution(&self, cell_currents_a: &[f64], residual_bound_a: f64, iterations: u64) -> Solution {
        let currents_a = self.column_sums(cell_currents_a);
        let driver_currents_a = cell_currents_a.chunks_exact(self.cells.cols).map(|row| row.iter().sum()).collect();
        Solution { currents_a, driver_currents_a, residual_bound_a, iterations }
    }

    /// Currents of the network of the cells' tangents at the trial's voltages. `state` holds the start and the result, `rho` the spectral
    /// radius of the first step.
    fn linearised(&self, trial: &Trial, state: &mut State<1>, rho: &mut Option<f64>) -> Vec<f64> {
        let network = Network::new(self.wires, self.cells.rows, self.cells.cols, trial.law.slope_s.clone());
        let tangents = trial.law.current_a.iter().zip(&trial.law.slope_s);
        let voltages = self.input_v.iter().zip(&trial.voltage_v);
        let undropped_a: Vec<f64> =
            tangents.zip(voltages).map(|((current, slope), (input, cell))| current + slope * (input - cell)).collect();
        let source = Currents { cols: self.cells.cols, current_a: &undropped_a };
        let mut weights = Weights::new(*rho.get_or_insert_with(|| spectral_radius(&network)));
        for _ in 0..MAX_SWEEPS {
            let word = network.relax_word(state, &source, weights.next());
            let bit = network.relax_bit(state, &source, weights.next());
            if word[0] + bit[0] <= LINEAR_SHARE * trial.violation_a {
                break;
            }
        }
        let drops = state.word_drop.iter().zip(&state.bit_drop);
        let cells = undropped_a.iter().zip(&network.slope_s).zip(drops);
        cells.map(|((current, slope), ([x], [y]))| current - slope * (x + y)).collect()
    }

    /// The trial at `target_a`, or as far towards it as the violation gets smaller; `None` if it does not.
    fn step(&self, from: &Trial, target_a: &[f64]) -> Result<Option<Trial>, WiresError> {
        let mut share = 1.0;
        for _ in 0..MAX_HALVINGS {
            let moved = from.current_a.iter().zip(target_a).map(|(from, to)| from + share * (to - from)).collect();
            let trial = self.trial(moved)?;
            if trial.violation_a < (1.0 - 0.1 * share) * from.violation_a || settled(&trial) {
                return Ok(Some(trial));
            }
            share /= 2.0;
        }
        Ok(None)
    }

    fn trial(&self, current_a: Vec<f64>) -> Result<Trial, WiresError> {
        let mut drops = State::<1>::new(self.cells.rows, self.cells.cols);
        let source = Currents { cols: self.cells.cols, current_a: &current_a };
        self.lines.relax_word(&mut drops, &source, 1.0);
        self.lines.relax_bit(&mut drops, &source, 1.0);
        let pairs = drops.word_drop.iter().zip(&drops.bit_drop);
        let voltage_v: Vec<f64> = self.input_v.iter().zip(pairs).map(|(input, ([x], [y]))| input - x - y).collect();
        let law = self.characteristic(&voltage_v)?;
        let violation_a = law.current_a.iter().zip(&current_a).fold(0.0, |sum, (law, c)| sum + (law - c).abs());
        Ok(Trial { current_a, voltage_v, law, violation_a })
    }
}

fn total_a(trial: &Trial) -> f64 {
    trial.current_a.iter().fold(0.0, |sum, current| sum + current.abs())
}

fn settled(trial: &Trial) -> bool {
    trial.violation_a <= RELATIVE_RESIDUAL * total_a(trial)
}

#[cfg(test)]
mod tests {
    use super::super::{Linear, Sensing, effective_matrix};
    use super::*;

    const WIRES: Wires = Wires {
        word_line_ohm: 2.0,
        bit_line_ohm: 3.0,
        driver_ohm: 50.0,
        sense_ohm: 20.0,
        sensing: Sensing::BothEnds,
        tolerance: 1e-12,
    };

    /// `I = K G V (1 + 2 V^2)`; it falls with the voltage for a negative `K`.
    struct Cubic(f64);

    impl CellLaw for Cubic {
        fn current_a(&self, conductance_s: f64, voltage_v: f64) -> f64 {
            self.0 * conductance_s * voltage_v * (1.0 + 2.0 * voltage_v * voltage_v)
        }

        fn slope_s(&self, conductance_s: f64, voltage_v: f64) -> f64 {
            self.0 * conductance_s * (1.0 + 6.0 * voltage_v * voltage_v)
        }
    }

    fn conductances(count: usize) -> Vec<f64> {
        (0..count).map(|node| 1e-6 * (1 + node * 37 % 101) as f64).collect()
    }

    #[test]
    fn linear_cells_agree_with_the_effective_matrix() {
        let conductance_s = conductances(12 * 20);
        let cells = CellMatrix { rows: 12, cols: 20, conductance_s: &conductance_s };
        let voltages_v: Vec<f64> = (0..12).map(|row| 0.1 * f64::from(row % 5) - 0.2).collect();
        let effective = effective_matrix(&WIRES, &cells).unwrap();
        let solution = column_currents(&WIRES, &cells, &Linear, &voltages_v).unwrap();
        for (col, &current) in solution.currents_a.iter().enumerate() {
            let expected: f64 = (0..12).map(|row| effective.matrix_s[row * 20 + col] * voltages_v[row]).sum();
            let bound = solution.residual_bound_a + 0.2 * effective.error_bound_s[col];
            assert!((current - expected).abs() <= bound, "column {col}: {current} {expected} {bound}");
        }
    }

    /// One curved cell in series with the lines: the voltages around the loop must add up.
    #[test]
    fn one_curved_cell_closes_its_loop() {
        for input_v in [0.5, -0.5, 40.0] {
            let cells = CellMatrix { rows: 1, cols: 1, conductance_s: &[2e-3] };
            let wires = Wires { sensing: Sensing::OneEnd, ..WIRES };
            let current = column_currents(&wires, &cells, &Cubic(1.0), &[input_v]).unwrap().currents_a[0];
            let cell_v = input_v - current * (2.0 + 50.0 + 3.0 + 20.0);
            assert!((Cubic(1.0).current_a(2e-3, cell_v) / current - 1.0).abs() < 1e-8, "{input_v} V: {current} A");
        }
    }

    #[test]
    fn without_wires_currents_are_plain_sums() {
        let cells = CellMatrix { rows: 2, cols: 2, conductance_s: &[1e-6, 2e-6, 3e-6, 4e-6] };
        let solution = column_currents(&Wires::none(), &cells, &Cubic(1.0), &[0.5, -1.0]).unwrap();
        let expected = [1e-6 * 0.5 * 1.5 - 3e-6 * 3.0, 2e-6 * 0.5 * 1.5 - 4e-6 * 3.0];
        assert_eq!((solution.currents_a, solution.iterations), (expected.to_vec(), 0));
    }

    #[test]
    fn an_odd_law_answers_reversed_inputs_with_reversed_currents() {
        let conductance_s = conductances(9 * 7);
        let cells = CellMatrix { rows: 9, cols: 7, conductance_s: &conductance_s };
        let voltages_v: Vec<f64> = (0..9).map(|row| 0.3 - 0.07 * f64::from(row)).collect();
        let reversed_v: Vec<f64> = voltages_v.iter().map(|v| -v).collect();
        let forward = column_currents(&WIRES, &cells, &Cubic(1.0), &voltages_v).unwrap().currents_a;
        let backward = column_currents(&WIRES, &cells, &Cubic(1.0), &reversed_v).unwrap().currents_a;
        assert!(forward.iter().zip(&backward).all(|(a, b)| *a == -b), "{forward:?} {backward:?}");
    }

    #[test]
    fn silence_gives_no_current() {
        let cells = CellMatrix { rows: 2, cols: 1, conductance_s: &[1e-6, 2e-6] };
        assert_eq!(column_currents(&WIRES, &cells, &Cubic(1.0), &[0.0, 0.0]).unwrap().currents_a, [0.0]);
        let empty = CellMatrix { rows: 0, cols: 2, conductance_s: &[] };
        assert_eq!(column_currents(&WIRES, &empty, &Cubic(1.0), &[]).unwrap().currents_a, [0.0, 0.0]);
    }

    #[test]
    fn bad_laws_and_inputs_are_refused() {
        let cells = CellMatrix { rows: 1, cols: 1, conductance_s: &[1e-6] };
        let refused =
            |iv: &dyn CellLaw, voltages_v: &[f64]| column_currents(&WIRES, &cells, iv, voltages_v).unwrap_err();
        assert!(matches!(refused(&Cubic(-1.0), &[0.1]), WiresError::Law { slope_s: ..0.0, .. }));
        assert!(matches!(refused(&Linear, &[f64::INFINITY]), WiresError::Voltage { row: 0, .. }));
        assert!(matches!(refused(&Linear, &[]), WiresError::Shape { found: 0, expected: 1, .. }));
    }
}
