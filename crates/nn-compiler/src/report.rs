//! What became of each weighted layer: sizes, arrays, how well they are used, and what its encoding makes of the cells' errors.

use crate::calibrate::lossless_bits;
use crate::mapping::CellStates;
use chip::program::{MvmStage, Program};
use serde::Serialize;

/// One weighted layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerReport {
    /// Name of the stage.
    pub stage: String,
    /// Mapping strategy.
    pub mapping: String,
    /// Kernel height x kernel width x input channels x output channels; of a linear layer its map and its outputs.
    pub shape: String,
    /// Groups of channels that do not see each other.
    pub groups: u64,
    /// Windows of an image.
    pub windows: u64,
    /// Multiply-accumulates of an image.
    pub macs: u64,
    /// Arrays of one copy.
    pub arrays: u64,
    /// Copies.
    pub copies: u64,
    /// Tiles of all copies.
    pub tiles: u64,
    /// Cells of one copy that hold weights.
    pub cells: u64,
    /// Their share of all cells of its arrays.
    pub utilisation: f64,
    /// Bits of the converter that the range `lossless` gives this stage: no column sum of nominal levels is rounded or clipped, whatever the inputs.
    pub lossless_adc_bits: u32,
    /// Weights that the encoding had to clip.
    pub clipped_weights: u64,
    /// Variance that the errors of its cells give a weight, mean over the weights, in squared weight steps.
    pub weight_error_variance: f64,
}

/// Reports on every weighted layer of a program.
#[must_use]
pub fn report(program: &Program) -> Vec<LayerReport> {
    let cells = CellStates::of(&program.chip.tile.cell);
    program.mvm_stages().map(|(_, stage)| layer(program, stage, &cells)).collect()
}

fn layer(program: &Program, stage: &MvmStage, states: &CellStates) -> LayerReport {
    let window = &stage.window;
    let (groups, windows) = (u64::from(stage.groups), window.count() as u64);
    let weights = window.rows() as u64 / groups.max(1) * u64::from(stage.outputs);
    let arrays = stage.arrays();
    let cells = weights * stage.slices.len() as u64 * u64::from(stage.polarities);
    let size = &program.chip.tile.array;
    let available = arrays * u64::from(size.rows) * u64::from(size.cols);
    LayerReport {
        stage: stage.name.clone(),
        mapping: stage.mapping.clone(),
        shape: format!(
            "{}x{}x{}x{}",
            window.vertical.kernel, window.horizontal.kernel, window.input.channels, stage.outputs
        ),
        groups,
        windows,
        macs: weights * windows,
        arrays,
        copies: stage.copies() as u64,
        tiles: stage.tiles().len() as u64,
        cells,
        utilisation: cells as f64 / available.max(1) as f64,
        lossless_adc_bits: lossless_bits(&program.chip, stage),
        clipped_weights: stage.clipped_weights,
        weight_error_variance: error_variance(stage, states) / weights.max(1) as f64,
    }
}

/// Sum over all weights of the squared errors of their cells, weighted by significance.
fn error_variance(stage: &MvmStage, states: &CellStates) -> f64 {
    let mut variance = 0.0;
    for crossbar in &stage.crossbars {
        for levels in &crossbar.levels {
            for (index, &level) in levels.iter().enumerate() {
                let slice = &stage.slices[index % stage.slices.len()];
                variance += (slice.significance as f64).powi(2) * states.squared_error(slice.bits, level.into());
            }
        }
    }
    variance
}
