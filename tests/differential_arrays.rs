//! The arrays of the reference: what every driven cell adds to its column, straight from the programmed cells.

use chip::functional::Cells;
use chip::program::{MvmStage, PlacedCrossbar, Program, Subtraction};
use tile::device::CurrentVoltage;
use tile::wires::{CellMatrix, effective_matrix};

/// Rows whose contributions the engine adds up before it adds them to a column: as many as have at most 16 combinations of digits, at
/// least one.
pub(crate) fn rows_per_group(program: &Program) -> usize {
    let chip = &program.chip;
    let magnitudes = 1_usize << chip.tile.dac.bits;
    let digits = if chip.signed_inputs() { 2 * magnitudes - 1 } else { magnitudes };
    let mut rows = 1;
    while digits.pow(rows + 1) <= 16 {
        rows += 1;
    }
    rows as usize
}

/// The polarities whose currents one set of converters sees, with their signs.
pub(crate) fn converted_together(stage: &MvmStage) -> Vec<Vec<(usize, f32)>> {
    match (stage.polarities, stage.subtraction) {
        (1, _) => vec![vec![(0, 1.0)]],
        (_, Subtraction::BeforeAdc) => vec![vec![(0, 1.0), (1, -1.0)]],
        (_, Subtraction::AfterAdc) => vec![vec![(0, 1.0)], vec![(1, 1.0)]],
    }
}

/// What the cells behind one set of converters add to their columns.
pub(crate) struct Array {
    pub(crate) crossbar: usize,
    /// 1 for the negative array of a pair that is subtracted after conversion.
    pub(crate) array: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Whether a digit multiplies; else every digit has a matrix of its own.
    linear: bool,
    /// `[|digit| - 1][row * columns + column]`, level spacings, as the engine keeps them; of linear cells only that of digit 1.
    single: Vec<Vec<f32>>,
    /// The same before it is rounded.
    double: Vec<Vec<f64>>,
    /// Energy of a row that is driven with a digit: `[|digit| - 1][row]`, J.
    energy_j: Vec<Vec<f64>>,
}

/// Where an array lies.
struct Site<'a> {
    program: &'a Program,
    stage: &'a MvmStage,
    placed: &'a PlacedCrossbar,
    /// Cells of each polarity that is converted together, and its sign.
    polarities: Vec<(&'a [f32], f32)>,
}

/// All arrays of a stage in the order of its crossbars.
pub(crate) fn arrays(program: &Program, layer: usize, stage: &MvmStage, cells: &Cells) -> Vec<Array> {
    let mut all = Vec::new();
    for (crossbar, placed) in stage.crossbars.iter().enumerate() {
        for (array, together) in converted_together(stage).into_iter().enumerate() {
            let values = &cells.stages[layer].values[crossbar];
            let polarities = together.into_iter().map(|(polarity, sign)| (values[polarity].as_slice(), sign)).collect();
            let site = Site { program, stage, placed, polarities };
            all.push(match &program.chip.tile.cell.device.iv {
                None => site.linear(crossbar, array),
                Some(law) => site.per_digit(law, crossbar, array),
            });
        }
    }
    all
}

impl Site<'_> {
    fn columns(&self) -> usize {
        self.placed.outputs as usize * self.stage.slices.len()
    }

    fn full_scale(&self) -> usize {
        (1 << self.program.chip.tile.dac.bits) - 1
    }

    fn empty(&self, crossbar: usize, array: usize, linear: bool) -> Array {
        let (rows, columns) = (self.placed.rows as usize, self.columns());
        let matrices = if linear { 1 } else { self.full_scale() };
        Array {
            crossbar,
            array,
            rows,
            columns,
            linear,
            single: vec![vec![0.0; rows * columns]; matrices],
            double: vec![vec![0.0; rows * columns]; matrices],
            energy_j: vec![vec![0.0; rows]; self.full_scale()],
        }
    }

    /// Level spacing of a column, S.
    fn spacing_s(&self, column: usize) -> f64 {
        let device = &self.program.chip.tile.cell.device;
        let levels = 1_u32 << self.stage.slices[column % self.stage.slices.len()].bits;
        (device.g_max_s - device.g_min_s) / f64::from(levels - 1)
    }

    fn conductances_s(&self, values: &[f32]) -> Vec<f64> {
        let g_min_s = self.program.chip.tile.cell.device.g_min_s;
        let of_cell = |(at, &value): (usize, &f32)| {
            let spacing_s = self.spacing_s(at % self.columns());
            (g_min_s + f64::from(value) * spacing_s).max(0.0)
        };
        values.iter().enumerate().map(of_cell).collect()
    }

    /// Conductance of every crossing as seen from outside: behind the wires, if there are any.
    fn seen_s(&self, values: &[f32]) -> Vec<f64> {
        let conductance_s = self.conductances_s(values);
        let wires = &self.program.chip.tile.wires;
        if wires.is_ideal() {
            return conductance_s;
        }
        let cells = CellMatrix { rows: self.placed.rows as usize, cols: self.columns(), conductance_s: &conductance_s };
        effective_matrix(wires, &cells).unwrap().matrix_s
    }

    fn linear(&self, crossbar: usize, array: usize) -> Array {
        let mut result = self.empty(crossbar, array, true);
        let (tile, g_min_s) = (&self.program.chip.tile, self.program.chip.tile.cell.device.g_min_s);
        let mut row_s = vec![0.0; result.rows];
        for &(values, sign) in &self.polarities {
            let seen_s = self.seen_s(values);
            for (at, &conductance_s) in seen_s.iter().enumerate() {
                let behind_wires = (conductance_s - g_min_s) / self.spacing_s(at % result.columns);
                let level = if tile.wires.is_ideal() { f64::from(values[at]) } else { behind_wires };
                result.single[0][at] += sign * level as f32;
                result.double[0][at] += f64::from(sign) * level;
                row_s[at / result.columns] += conductance_s;
            }
        }
        // A reference column of cells at `G_min` beside every array that is converted by itself.
        row_s.iter_mut().for_each(|s| *s += if self.polarities.len() == 1 { g_min_s } else { 0.0 });
        for (index, energy_j) in result.energy_j.iter_mut().enumerate() {
            let volt = tile.array.read_voltage_v * (index + 1) as f64 / self.full_scale() as f64;
            let of_row = |s: &f64| volt * volt * s * tile.array.read_time_s;
            *energy_j = row_s.iter().map(of_row).collect();
        }
        result
    }

    fn per_digit(&self, law: &CurrentVoltage, crossbar: usize, array: usize) -> Array {
        let mut result = self.empty(crossbar, array, false);
        let tile = &self.program.chip.tile;
        let step_v = tile.array.read_voltage_v / self.full_scale() as f64;
        for index in 0..self.full_scale() {
            let voltage_v = (index + 1) as f64 * step_v;
            let reference_a = law.current_a(tile.cell.device.g_min_s, voltage_v);
            for &(values, sign) in &self.polarities {
                for (at, conductance_s) in self.conductances_s(values).into_iter().enumerate() {
                    let current_a = law.current_a(conductance_s, voltage_v);
                    let per_ampere = 1.0 / (self.spacing_s(at % result.columns) * step_v);
                    let level = (current_a - reference_a) * per_ampere;
                    result.single[index][at] += sign * level as f32;
                    result.double[index][at] += f64::from(sign) * level;
                    result.energy_j[index][at / result.columns] += voltage_v * current_a * tile.array.read_time_s;
                }
            }
            if self.polarities.len() == 1 {
                let reference_j = voltage_v * reference_a * tile.array.read_time_s;
                result.energy_j[index].iter_mut().for_each(|energy_j| *energy_j += reference_j);
            }
        }
        result
    }
}

impl Array {
    /// What a row that is driven with `digit` adds to a column.
    fn term(&self, row: usize, column: usize, digit: i32) -> f32 {
        let at = row * self.columns + column;
        if self.linear {
            digit as f32 * self.single[0][at]
        } else {
            self.single[digit.unsigned_abs() as usize - 1][at] * digit.signum() as f32
        }
    }

    /// Whether a digit multiplies the cell.
    pub(crate) fn is_linear(&self) -> bool {
        self.linear
    }

    /// A linear cell as the engine keeps it, level spacings.
    pub(crate) fn cell(&self, row: usize, column: usize) -> f64 {
        self.single[0][row * self.columns + column].into()
    }

    /// Sum of a column in single precision. The order of the engine: the rows of a group of `group` rows are added up, then the groups.
    pub(crate) fn sum(&self, column: usize, digits: &[i32], group: usize) -> f32 {
        let mut sum = 0.0_f32;
        for first in (0..self.rows).step_by(group) {
            let mut of_group = 0.0_f32;
            for (row, &digit) in digits.iter().enumerate().take(self.rows.min(first + group)).skip(first) {
                if digit != 0 {
                    of_group += self.term(row, column, digit);
                }
            }
            sum += of_group;
        }
        sum
    }

    /// Sum of a column in double precision, over driven rows and their digits.
    pub(crate) fn double_sum(&self, column: usize, driven: &[(usize, i32)]) -> f64 {
        let term = |&(row, digit): &(usize, i32)| {
            let at = row * self.columns + column;
            if self.linear {
                f64::from(digit) * self.double[0][at]
            } else {
                f64::from(digit.signum()) * self.double[digit.unsigned_abs() as usize - 1][at]
            }
        };
        driven.iter().map(term).sum()
    }

    /// Energy of one read, J.
    pub(crate) fn energy_j(&self, digits: &[i32]) -> f64 {
        let of_row = |(row, &digit): (usize, &i32)| match digit.unsigned_abs() as usize {
            0 => 0.0,
            magnitude => self.energy_j[magnitude - 1][row],
        };
        digits.iter().enumerate().map(of_row).sum()
    }
}
