//! Energy of conducting cells, from how often their rows are driven.

use super::array::Array;
use super::cells::Cells;
use super::sample::ChipSample;
use crate::config::Tile;
use crate::program::{MvmStage, Program};

/// How often the logical rows of a stage are driven, over whatever was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowDrives {
    /// Per row: sum over all input slices of the squared digit it was driven with.
    pub squares: Vec<f64>,
    /// Input slices in which a row was driven with each digit, `[digit - 1][row]`; only cells whose power is not a matter of squares need them.
    pub digits: Vec<Vec<f64>>,
}

/// `V^2 t sum(G x^2)` over everything driven, with x the applied fraction of full scale, and what nonlinear arrays drew, J. Arrays are those of the
/// stage's crossbars, in their order; circuits that are solved are left out.
pub(super) fn array_energy_j(tile: &Tile, stage: &MvmStage, arrays: &[Array], drives: &RowDrives) -> f64 {
    let full_scale = f64::from((1_u32 << tile.dac.bits) - 1);
    let per_siemens = tile.array.read_voltage_v.powi(2) * tile.array.read_time_s / (full_scale * full_scale);
    let (mut driven_conductance_s, mut power_w) = (0.0, 0.0);
    for (index, array) in arrays.iter().enumerate() {
        let first = stage.crossbars[index / stage.converted_arrays() as usize].row_start as usize;
        for (times, conductance_s) in drives.squares[first..].iter().zip(array.row_conductance_s()) {
            driven_conductance_s += times * conductance_s;
        }
        for (times, row_power_w) in drives.digits.iter().zip(array.row_power_w()) {
            for (times, row_power_w) in times[first..].iter().zip(row_power_w) {
                power_w += times * row_power_w;
            }
        }
    }
    driven_conductance_s * per_siemens + power_w * tile.array.read_time_s
}

/// The same for weighted layer `layer` of a program with every cell at the mean of its state as it is read, J. With linear cells this is the mean over
/// chip samples. Lines must be ideal where cells are nonlinear.
///
/// # Errors
/// If the device cannot have the cells of a slice, or there is no such layer.
pub fn expected_array_energy_j(program: &Program, layer: usize, drives: &RowDrives) -> Result<f64, String> {
    let sample = ChipSample::from_cells(program, &Cells::expected(program)?)?;
    let stage = program.mvm_stages().nth(layer).map(|(_, stage)| stage);
    let missing = || format!("there is no weighted layer {layer}");
    let (stage, sample) = stage.zip(sample.stages.get(layer)).ok_or_else(missing)?;
    Ok(array_energy_j(&program.chip.tile, stage, &sample.arrays, drives))
}
