//! What one converted array does with a vector of word-line digits: the analog models, from plain sums to a solve per vector.

use super::plan::{computed_column, program_column};
use crate::program::{MvmStage, PlacedCrossbar, Program};
use tile::crossbar::Crossbar;
use tile::device::{CurrentVoltage, States};
use tile::kernel::{BlockCells, LANES, Lanes};
use tile::wires::{CellMatrix, Wires, WiresError, column_currents, effective_matrix};

/// The cells whose columns one set of converters sees: an array, or a pair that is subtracted before conversion. Columns are in the order of
/// computation, slice by slice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Array {
    /// Currents are linear in the digits.
    Linear(Crossbar),
    /// Nonlinear cells without wires: one matrix per digit 1, 2, ... of the DAC, which already holds the digit's current.
    PerDigit {
        matrices: Vec<Crossbar>,
        /// Power of each row at each digit, W: `[digit - 1][row]`.
        row_power_w: Vec<Vec<f64>>,
    },
    /// Nonlinear cells behind wires: solved for every vector of digits.
    Solved(Solved),
}

/// Arrays of nonlinear cells with wires.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solved {
    wires: Wires,
    law: CurrentVoltage,
    g_min_s: f64,
    /// Conductances of each polarity, S.
    polarities: Vec<Vec<f64>>,
    rows: usize,
    cols: usize,
    /// Voltage of one DAC step, V.
    step_v: f64,
    /// Level spacing of each column of the program, S.
    spacing_s: Vec<f64>,
    slices: usize,
    /// Whether a reference column takes off the current of cells at `G_min`.
    reference: bool,
}

/// An array with what was found while it was made.
pub(super) struct Assembled {
    pub(super) array: Array,
    /// Variance of the read noise of each cell at one DAC step, in squared level spacings.
    pub(super) noise: Option<Crossbar>,
    /// Bound on the error that the solution of the wires leaves in a column sum of full-scale inputs, level spacings.
    pub(super) bound: f64,
}

/// What an array is made from.
pub(super) struct Parts<'a> {
    pub(super) program: &'a Program,
    pub(super) stage: &'a MvmStage,
    pub(super) placed: &'a PlacedCrossbar,
    /// States of the cells of every slice.
    pub(super) states: &'a [States],
    /// Cells of each polarity that this array subtracts, the positive one first, in level spacings above `G_min`.
    pub(super) cells: Vec<&'a [f32]>,
}

impl Parts<'_> {
    pub(super) fn assemble(&self) -> Result<Assembled, String> {
        let tile = &self.program.chip.tile;
        match (self.states[0].current_voltage(), tile.wires.is_ideal()) {
            (None, _) => self.linear(&tile.wires).map_err(|error| self.fail(&error)),
            (Some(law), true) => Ok(self.per_digit(law)),
            (Some(law), false) => Ok(self.solved(law)),
        }
    }

    fn fail(&self, error: &WiresError) -> String {
        format!("stage `{}`, array {} of tile {}: {error}", self.stage.name, self.placed.array, self.placed.tile)
    }

    fn rows(&self) -> usize {
        self.placed.rows as usize
    }

    fn cols(&self) -> usize {
        self.stage.columns(self.placed) as usize
    }

    /// Whether a reference column takes off the baseline; a pair that is subtracted as currents needs none.
    fn reference(&self) -> bool {
        self.cells.len() == 1
    }

    /// States of the cells of a column of the program.
    fn states_of(&self, column: usize) -> &States {
        &self.states[column % self.states.len()]
    }

    /// Where a column of the program is computed.
    fn computed(&self, column: usize) -> usize {
        computed_column(column, self.placed.outputs as usize, self.states.len())
    }

    /// DAC steps of a full-scale input.
    fn full_scale(&self) -> u32 {
        (1 << self.program.chip.tile.dac.bits) - 1
    }

    fn step_v(&self) -> f64 {
        self.program.chip.tile.array.read_voltage_v / f64::from(self.full_scale())
    }

    fn conductances_s(&self, cells: &[f32]) -> Vec<f64> {
        let cols = self.cols();
        cells.iter().enumerate().map(|(at, &value)| self.states_of(at % cols).conductance_s(value)).collect()
    }

    fn linear(&self, wires: &Wires) -> Result<Assembled, WiresError> {
        let (rows, cols) = (self.rows(), self.cols());
        let mut crossbar = Crossbar::new(rows, cols);
        let mut noise = self.states[0].has_read_noise().then(|| Crossbar::new(rows, cols));
        let mut bound: f64 = 0.0;
        for (cells, sign) in self.cells.iter().zip([1.0, -1.0]) {
            let effective = if wires.is_ideal() {
                None
            } else {
                let conductance_s = self.conductances_s(cells);
                let effective = effective_matrix(wires, &CellMatrix { rows, cols, conductance_s: &conductance_s })?;
                let in_levels = |(col, bound_s): (usize, &f64)| bound_s / self.states_of(col).spacing_s;
                let worst = effective.error_bound_s.iter().enumerate().map(in_levels).fold(0.0, f64::max);
                bound += worst * f64::from(self.full_scale());
                Some(effective.matrix_s)
            };
            for (at, &value) in cells.iter().enumerate() {
                let (row, col) = (at / cols, at % cols);
                let states = self.states_of(col);
                let programmed_s = states.conductance_s(value);
                let (seen, seen_s) = match &effective {
                    None => (value, programmed_s),
                    Some(matrix_s) => (((matrix_s[at] - states.g_min_s) / states.spacing_s) as f32, matrix_s[at]),
                };
                crossbar.add_cell(row, self.computed(col), seen, sign);
                crossbar.book_conductance(row, seen_s);
                if let Some(noise) = &mut noise {
                    let passed = if programmed_s > 0.0 { (seen_s / programmed_s) as f32 } else { 1.0 };
                    noise.add_cell(row, self.computed(col), states.read_noise_variance(value) * passed * passed, 1.0);
                }
            }
        }
        if self.reference() {
            (0..rows).for_each(|row| crossbar.book_conductance(row, self.states[0].g_min_s));
        }
        Ok(Assembled { array: Array::Linear(crossbar), noise, bound })
    }

    /// Level spacings times DAC steps that a current stands for in a column.
    fn per_ampere(&self, column: usize) -> f64 {
        1.0 / (self.states_of(column).spacing_s * self.step_v())
    }

    fn per_digit(&self, law: &CurrentVoltage) -> Assembled {
        let (rows, cols) = (self.rows(), self.cols());
        let mut matrices = Vec::new();
        let mut row_power_w = Vec::new();
        for digit in 1..=self.full_scale() {
            let voltage_v = f64::from(digit) * self.step_v();
            let mut matrix = Crossbar::new(rows, cols);
            let mut power_w = vec![0.0; rows];
            for (cells, sign) in self.cells.iter().zip([1.0, -1.0]) {
                for (at, &value) in cells.iter().enumerate() {
                    let (row, col) = (at / cols, at % cols);
                    let states = self.states_of(col);
                    let current_a = law.current_a(states.conductance_s(value), voltage_v);
                    let reference_a = law.current_a(states.g_min_s, voltage_v);
                    matrix.add_cell(
                        row,
                        self.computed(col),
                        ((current_a - reference_a) * self.per_ampere(col)) as f32,
                        sign,
                    );
                    power_w[row] += voltage_v * current_a;
                }
            }
            if self.reference() {
                let reference_w = voltage_v * law.current_a(self.states[0].g_min_s, voltage_v);
                power_w.iter_mut().for_each(|power| *power += reference_w);
            }
            matrices.push(matrix);
            row_power_w.push(power_w);
        }
        Assembled { array: Array::PerDigit { matrices, row_power_w }, noise: self.cell_noise(), bound: 0.0 }
    }

    fn solved(&self, law: &CurrentVoltage) -> Assembled {
        let (rows, cols) = (self.rows(), self.cols());
        let array = Solved {
            wires: self.program.chip.tile.wires,
            law: law.clone(),
            g_min_s: self.states[0].g_min_s,
            polarities: self.cells.iter().map(|cells| self.conductances_s(cells)).collect(),
            rows,
            cols,
            step_v: self.step_v(),
            spacing_s: (0..cols).map(|col| self.states_of(col).spacing_s).collect(),
            slices: self.states.len(),
            reference: self.reference(),
        };
        Assembled { array: Array::Solved(array), noise: self.cell_noise(), bound: 0.0 }
    }

    fn cell_noise(&self) -> Option<Crossbar> {
        let cols = self.cols();
        self.states[0].has_read_noise().then(|| {
            let mut noise = Crossbar::new(self.rows(), cols);
            for cells in &self.cells {
                for (at, &value) in cells.iter().enumerate() {
                    let variance = self.states_of(at % cols).read_noise_variance(value);
                    noise.add_cell(at / cols, self.computed(at % cols), variance, 1.0);
                }
            }
            noise
        })
    }
}

impl Array {
    /// The matrix of linear cells.
    pub(super) fn linear(&self) -> Option<&Crossbar> {
        if let Self::Linear(crossbar) = self { Some(crossbar) } else { None }
    }

    /// Conductance that each driven row feeds, S; none where the power depends on the digits in another way.
    pub(super) fn row_conductance_s(&self) -> &[f64] {
        self.linear().map_or(&[], Crossbar::row_conductance_s)
    }

    /// Power of each row at each digit, W, `[digit - 1][row]`, where it is known beforehand but not by a conductance.
    pub(super) fn row_power_w(&self) -> &[Vec<f64>] {
        if let Self::PerDigit { row_power_w, .. } = self { row_power_w } else { &[] }
    }

    /// The cells of a block of columns; none of arrays that are solved.
    pub(super) fn cells(&self, block: usize) -> Option<BlockCells<'_>> {
        match self {
            Self::Linear(crossbar) => Some(BlockCells::Linear(crossbar.block(block))),
            Self::PerDigit { matrices, .. } => Some(BlockCells::PerDigit(matrices, block)),
            Self::Solved(_) => None,
        }
    }
}

/// Column sums that were solved, with what they cost and leave uncertain.
#[derive(Debug)]
pub(super) struct Solution {
    /// Per block of columns: one entry per vector of digits.
    pub(super) blocks: Vec<Vec<Lanes<f32>>>,
    /// Power, summed over the vectors, W.
    pub(super) power_w: f64,
    /// Bound on the error of any sum, level spacings.
    pub(super) error_bound: f64,
}

impl Solved {
    /// Solves the circuit for vectors of digits, one after the other.
    pub(super) fn solve(&self, vectors: impl Iterator<Item = Vec<i32>>) -> Result<Solution, WiresError> {
        let blocks = vec![Vec::new(); self.cols.div_ceil(LANES)];
        let mut solution = Solution { blocks, power_w: 0.0, error_bound: 0.0 };
        for digits in vectors {
            let voltages_v: Vec<f64> = digits.iter().map(|&digit| f64::from(digit) * self.step_v).collect();
            self.add_solution(&voltages_v, &mut solution)?;
        }
        Ok(solution)
    }

    fn add_solution(&self, voltages_v: &[f64], solution: &mut Solution) -> Result<(), WiresError> {
        let reference_a: f64 =
            if self.reference { voltages_v.iter().map(|&v| self.law.current_a(self.g_min_s, v)).sum() } else { 0.0 };
        let mut currents_a = vec![-reference_a; self.cols];
        if self.reference {
            solution.power_w += voltages_v.iter().map(|v| v * self.law.current_a(self.g_min_s, *v)).sum::<f64>();
        }
        let mut residual_a = 0.0;
        for (conductance_s, sign) in self.polarities.iter().zip([1.0, -1.0]) {
            let cells = CellMatrix { rows: self.rows, cols: self.cols, conductance_s };
            let solved = column_currents(&self.wires, &cells, &self.law, voltages_v)?;
            currents_a.iter_mut().zip(&solved.currents_a).for_each(|(sum, current)| *sum += sign * current);
            solution.power_w += voltages_v.iter().zip(&solved.driver_currents_a).map(|(v, i)| v * i).sum::<f64>();
            residual_a += solved.residual_bound_a;
        }
        let finest_s = self.spacing_s.iter().copied().fold(f64::INFINITY, f64::min);
        solution.error_bound = solution.error_bound.max(residual_a / (finest_s * self.step_v));
        for (index, block) in solution.blocks.iter_mut().enumerate() {
            let mut sums = Lanes::splat(0.0);
            for (column, sum) in (index * LANES..self.cols).zip(&mut sums.0) {
                let column = program_column(column, self.cols / self.slices, self.slices);
                *sum = (currents_a[column] / (self.spacing_s[column] * self.step_v)) as f32;
            }
            block.push(sums);
        }
        Ok(())
    }
}
