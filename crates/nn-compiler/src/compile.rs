//! From a network to a program: the passes in their order.
//!
//! ```text
//! network -> quantise -> map (mapping strategy, per layer) -> partition and place -> emit -> calibrate converters -> program
//! ```

use crate::calibrate::calibrate;
use crate::error::CompileError;
use crate::flip::flip_columns;
use crate::mapping::{CellStates, Encoding, LayerStatistics, Mapping, histogram};
use crate::partition::{Placer, row_order};
use crate::quantise::quantise;
use chip::config::Chip;
use chip::program::{FeatureMap, MvmStage, Output, PlacedCrossbar, PoolStage, Program, Slice, Stage, Window};
use nn::datasets::Dataset;
use nn::network::{Network, Shape};
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use tile::adc::AdcTransfer;

/// Images of the training split on which activation ranges are found.
const ACTIVATION_IMAGES: usize = 256;

/// What to compile for what.
#[derive(Clone, Copy)]
pub struct Compilation<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its data set: training images calibrate, test images only measure the software accuracy.
    pub dataset: &'a Dataset,
    /// The method it was trained with, for the record.
    pub training: &'a str,
    /// The mapping strategy.
    pub mapping: &'a Mapping,
    /// The chip.
    pub chip: &'a Chip,
    /// Seed of the calibration chip samples.
    pub seed: u64,
}

/// Compiles a network.
///
/// # Errors
/// If the network or the chip is not valid, or one does not fit the other.
pub fn compile(request: &Compilation<'_>) -> Result<Program, CompileError> {
    let Compilation { network, dataset, chip, .. } = *request;
    let calibration = dataset.train.truncated(ACTIVATION_IMAGES);
    let quantised = quantise(network, chip.format.weight_bits, chip.magnitude_bits(), &calibration)?;
    let mut program = Program {
        network: network.name.clone(),
        dataset: network.dataset.clone(),
        training: request.training.to_owned(),
        mapping: request.mapping.name().to_owned(),
        software_accuracy: quantised.accuracy(&dataset.test)?,
        macs: network.mac_count()?,
        chip: chip.clone(),
        input: feature_map(network.input, chip),
        stages: emit(&quantised, request)?,
    };
    let images = dataset.train.truncated(chip.tile.adc.calibration_images as usize);
    let codes = encode_images(&program, &images.images);
    calibrate(&mut program, &codes, request.seed)?;
    program.validate().map_err(|what| CompileError::chip(chip, what))?;
    Ok(program)
}

/// Input codes of images of pixels 0..=1, in the chip's pixel-major order.
#[must_use]
pub fn encode_images(program: &Program, images: &[f32]) -> Vec<i32> {
    let FeatureMap { height, width, channels, .. } = program.input;
    let (pixels, channels) = (height as usize * width as usize, channels as usize);
    let largest = f64::from((1_u32 << program.chip.magnitude_bits()) - 1);
    let code = |value: f32| (f64::from(value) * largest).round_ties_even().clamp(0.0, largest) as i32;
    let mut codes = Vec::with_capacity(images.len());
    for image in images.chunks_exact((pixels * channels).max(1)) {
        for pixel in 0..pixels {
            codes.extend((0..channels).map(|channel| code(image[channel * pixels + pixel])));
        }
    }
    codes
}

fn feature_map(shape: Shape, chip: &Chip) -> FeatureMap {
    FeatureMap {
        height: shape.height as u32,
        width: shape.width as u32,
        channels: shape.channels as u32,
        bits: chip.format.input_bits,
        signed: chip.signed_inputs(),
    }
}

fn window(window: &nn::Window, chip: &Chip) -> Window {
    Window {
        input: feature_map(window.input, chip),
        kernel_height: window.kernel_height as u32,
        kernel_width: window.kernel_width as u32,
        stride: window.stride as u32,
        padding: window.padding as u32,
    }
}

fn emit(network: &QuantisedNetwork, request: &Compilation<'_>) -> Result<Vec<Stage>, CompileError> {
    let mut placer = Placer::default();
    let stage = |layer: &QuantisedLayer| match layer {
        QuantisedLayer::Mvm(mvm) => emit_mvm(mvm, request, &mut placer).map(Stage::Mvm),
        QuantisedLayer::MaxPool(pool) => Ok(Stage::Pool(PoolStage {
            name: pool.name.clone(),
            window: window(&pool.window, request.chip),
            tile: placer.last_tile(),
        })),
    };
    network.layers.iter().map(stage).collect()
}

fn emit_mvm(mvm: &QuantisedMvm, request: &Compilation<'_>, placer: &mut Placer) -> Result<MvmStage, CompileError> {
    let chip = request.chip;
    let cells = CellStates::of(&chip.tile.cell);
    let encoding = choose_encoding(&mvm.weights, request.mapping, chip, &cells)?;
    let mut crossbars = placer.place(&mvm.name, mvm.window.rows(), mvm.outputs, &encoding, chip)?;
    let rows = row_order(&mvm.window);
    for crossbar in &mut crossbars {
        fill_levels(crossbar, mvm, &rows, &encoding);
        flip_columns(crossbar, &encoding, &cells);
    }
    let unset = AdcTransfer { min_code: 0, max_code: 1, step: 1.0 };
    Ok(MvmStage {
        name: mvm.name.clone(),
        window: window(&mvm.window, chip),
        outputs: mvm.outputs as u32,
        polarities: encoding.polarities() as u32,
        subtraction: encoding.subtraction(),
        offset: encoding.offset(),
        clipped_weights: mvm.weights.iter().filter(|&&weight| encoding.clip(weight) != weight).count() as u64,
        slices: encoding
            .slices
            .iter()
            .map(|slice| Slice { bits: slice.bits, significance: slice.significance, adc: unset })
            .collect(),
        output: match mvm.output {
            MvmOutput::Codes { multiplier, bits } => Output::Codes { multiplier, bits },
            MvmOutput::Scores => Output::Scores {},
        },
        crossbars,
        bias: mvm.bias.clone(),
    })
}

/// The encoding that a strategy chooses for a layer's integer weights on a chip with such cells.
///
/// # Errors
/// If the strategy cannot store such weights in the chip's cells.
pub fn choose_encoding(
    weights: &[i32],
    mapping: &Mapping,
    chip: &Chip,
    cells: &CellStates,
) -> Result<Encoding, CompileError> {
    let (weight_bits, cell_bits) = (chip.format.weight_bits, chip.tile.cell.bits);
    let refused = |allowed| CompileError::chip(chip, format!("tile.cell.bits = {cell_bits}; allowed is {allowed}"));
    cells.states(cell_bits).map_err(refused)?;
    let histogram = histogram(weights, weight_bits);
    let layer = LayerStatistics { weight_bits, cell_bits, histogram: &histogram, cells };
    mapping.encoding(&layer).map_err(|what| CompileError::chip(chip, what))
}

fn fill_levels(crossbar: &mut PlacedCrossbar, mvm: &QuantisedMvm, rows: &[usize], encoding: &Encoding) {
    let row_range = crossbar.row_start as usize..(crossbar.row_start + crossbar.rows) as usize;
    let output_range = crossbar.output_start as usize..(crossbar.output_start + crossbar.outputs) as usize;
    let matrix = |polarity: usize| {
        let mut levels = Vec::new();
        for &row in &rows[row_range.clone()] {
            for output in output_range.clone() {
                let weight = encoding.clip(mvm.weights[output * rows.len() + row]);
                levels.extend((0..encoding.slices.len()).map(|slice| encoding.level(weight, slice, polarity)));
            }
        }
        levels
    };
    crossbar.levels = (0..encoding.polarities()).map(matrix).collect();
}
