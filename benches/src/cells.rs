//! The cells of one array pair, as slices of random weights would be.

use tile::address::{Purpose, standard_normals, stream};
use tile::crossbar::Crossbar;
use tile::wires::{CellMatrix, Effective, Sensing, Wires, WiresError, effective_matrix};

/// Levels of a 2-bit cell above the lowest.
const TOP: f32 = 3.0;
/// Programming error: 5 % of the range.
const ERROR_LEVELS: f32 = 0.05 * TOP;
/// Read noise, share of the conductance.
const READ_NOISE: f64 = 0.05;
const G_MIN_S: f64 = 1e-6;
const SPACING_S: f64 = 13e-6;
/// One segment of a line (customary values are 0.5 to 5 ohm) and both ends.
const WIRES: Wires = Wires {
    word_line_ohm: 1.0,
    bit_line_ohm: 1.0,
    driver_ohm: 100.0,
    sense_ohm: 100.0,
    sensing: Sensing::OneEnd,
    tolerance: 1e-6,
};

/// Cells of both arrays of a pair, level spacings above `G_min`, row-major.
pub(crate) struct Pair {
    size: usize,
    polarities: [Vec<f32>; 2],
}

impl Pair {
    /// Weights of every slice value of both signs; `errors` times the programming error.
    pub(crate) fn programmed(size: usize, errors: f32) -> Self {
        let (mut weights, mut draws) = (Vec::new(), Vec::new());
        standard_normals(&mut stream(6, Purpose::Initialisation, &[0]), size * size, &mut weights);
        let polarities = [1.0, -1.0].map(|sign: f32| {
            standard_normals(
                &mut stream(6, Purpose::Initialisation, &[1, sign.to_bits().into()]),
                size * size,
                &mut draws,
            );
            let cell = |(weight, draw): (&f32, &f32)| {
                let level = (1.5 * sign * weight).round_ties_even().clamp(0.0, TOP);
                (level + errors * ERROR_LEVELS * draw).max(-(G_MIN_S / SPACING_S) as f32)
            };
            weights.iter().zip(&draws).map(cell).collect()
        });
        Self { size, polarities }
    }

    /// Their differences, which an array that subtracts currents computes with.
    pub(crate) fn crossbar(&self) -> Crossbar {
        self.summed(|_, cell| cell, [1.0, -1.0])
    }

    /// Variances of the read noise of each crossing, squared level spacings.
    pub(crate) fn variances(&self) -> Crossbar {
        let sigma = |cell: f32| (READ_NOISE * (f64::from(cell) + G_MIN_S / SPACING_S)) as f32;
        self.summed(|_, cell| sigma(cell).powi(2), [1.0, 1.0])
    }

    /// Differences of the effective conductances behind wires.
    pub(crate) fn behind_wires(&self) -> Result<Crossbar, WiresError> {
        let mut crossbar = Crossbar::new(self.size, self.size);
        for (cells, sign) in self.polarities.iter().zip([1.0, -1.0]) {
            for (at, conductance_s) in self.solve(cells)?.matrix_s.iter().enumerate() {
                let levels = ((conductance_s - G_MIN_S) / SPACING_S) as f32;
                crossbar.add_cell(at / self.size, at % self.size, levels, sign);
            }
        }
        Ok(crossbar)
    }

    /// The wires of the positive array.
    pub(crate) fn solve_positive(&self) -> Result<Effective, WiresError> {
        self.solve(&self.polarities[0])
    }

    fn solve(&self, cells: &[f32]) -> Result<Effective, WiresError> {
        let conductance_s: Vec<f64> = cells.iter().map(|&cell| G_MIN_S + f64::from(cell) * SPACING_S).collect();
        let conductance_s: Vec<f64> = conductance_s.into_iter().map(|conductance_s| conductance_s.max(0.0)).collect();
        effective_matrix(&WIRES, &CellMatrix { rows: self.size, cols: self.size, conductance_s: &conductance_s })
    }

    fn summed(&self, of_cell: impl Fn(usize, f32) -> f32, signs: [f32; 2]) -> Crossbar {
        let mut crossbar = Crossbar::new(self.size, self.size);
        for (cells, sign) in self.polarities.iter().zip(signs) {
            for (at, &cell) in cells.iter().enumerate() {
                crossbar.add_cell(at / self.size, at % self.size, of_cell(at, cell), sign);
            }
        }
        crossbar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_hold_slices_of_both_signs() {
        let crossbar = Pair::programmed(128, 0.0).crossbar();
        let cells: Vec<f32> = (0..128 * 128).map(|at| crossbar.cell(at / 128, at % 128)).collect();
        assert!((-3..=3).all(|level| cells.contains(&(level as f32))), "a level is missing");
        assert!(cells.iter().all(|cell| cell.fract() == 0.0 && cell.abs() <= 3.0));
        let erring = Pair::programmed(128, 1.0).crossbar();
        let squares: f32 = (0..128 * 128).map(|at| (erring.cell(at / 128, at % 128) - cells[at]).powi(2)).sum();
        // Two cells, some of which are cut off at 0 S.
        let sigma = (squares / (128.0 * 128.0)).sqrt() / 2.0_f32.sqrt();
        assert!((0.8..1.0).contains(&(sigma / ERROR_LEVELS)), "{sigma}");
    }

    /// Wires weaken the cells, those far from driver and sense amplifier most.
    #[test]
    fn wires_weaken_cells() {
        let pair = Pair::programmed(128, 0.0);
        let (solved, cells) = (pair.solve_positive().unwrap(), &pair.polarities[0]);
        let share = |at: usize| solved.matrix_s[at] / (G_MIN_S + f64::from(cells[at]) * SPACING_S);
        assert!((0..128 * 128).all(|at| share(at) < 1.0));
        assert!(share(127) < share(127 * 128), "the far corner and the near one");
    }
}
