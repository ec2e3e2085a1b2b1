//! From a network to a program: the passes in their order.
//!
//! ```text
//! graph -> front (canonicalise, fold, equalise, fuse, quantise) -> fit -> map (mapping strategy, per layer) -> partition and place -> emit -> calibrate converters -> program
//! ```

pub use crate::encode::choose_encoding;

use crate::calibrate::calibrate;
use crate::emit::{emit, feature_map};
use crate::error::CompileError;
use crate::fit::check_fit;
use crate::front::{Goal, Quantisation, quantised};
use crate::mapping::LayerMappings;
use crate::refusals::Refusals;
use chip::config::Chip;
use chip::program::{InputCoding, Program};
use nn::datasets::Dataset;
use nn::graph::Graph;
use nn::quantised::QuantisedNetwork;

/// What to compile a network for.
#[derive(Clone, Copy, Debug)]
pub struct CompilationSettings<'a> {
    /// Its data set: training images calibrate converters, test images only measure the software accuracy.
    pub dataset: &'a Dataset,
    /// The method it was trained with, for the record.
    pub training: &'a str,
    /// The mapping strategies: one for all layers ([`crate::mapping::Mapping`]), or one for each ([`crate::mapping::MixedMapping`]).
    pub mapping: &'a dyn LayerMappings,
    /// The chip.
    pub chip: &'a Chip,
    /// Seed of the calibration chip samples.
    pub seed: u64,
}

/// Compiles a network.
///
/// # Errors
/// If the network or the chip is not valid, or one does not fit the other.
pub fn compile(
    graph: &Graph,
    quantisation: &Quantisation,
    settings: &CompilationSettings<'_>,
) -> Result<Program, CompileError> {
    let goal = Goal::Chip(Some(settings.mapping));
    let quantised = quantised(graph, &settings.dataset.train, settings.chip, quantisation, goal)?;
    compile_quantised(&quantised.network, settings)
}

/// Compiles a network that is in integers already: a graph of layers, with residual additions and average pooling.
///
/// # Errors
/// If the network or the chip is not valid, or one does not fit the other.
pub fn compile_quantised(
    network: &QuantisedNetwork,
    settings: &CompilationSettings<'_>,
) -> Result<Program, CompileError> {
    let CompilationSettings { dataset, chip, .. } = *settings;
    let mut refusals = Refusals::default();
    check_fit(network, &mut refusals)?;
    let stages = emit(network, settings.mapping, chip, refusals)?;
    let mut program = Program {
        network: network.name.clone(),
        dataset: network.dataset.clone(),
        training: settings.training.to_owned(),
        mapping: settings.mapping.name().to_owned(),
        software_accuracy: (!dataset.test.is_empty()).then(|| network.accuracy(&dataset.test)).transpose()?,
        macs: network.mac_count(),
        chip: chip.clone(),
        input: feature_map(network.input, network.coding.format, chip),
        coding: InputCoding {
            multipliers: network.coding.multipliers.clone(),
            offsets: network.coding.offsets.clone(),
        },
        stages,
    };
    let images = dataset.train.truncated(chip.tile.adc.calibration_images as usize);
    let codes = encode_images(&program, &images.images);
    calibrate(&mut program, &codes, settings.seed)?;
    program.validate().map_err(|what| CompileError::chip(chip, what))?;
    Ok(program)
}

/// Input codes of images of pixels 0..=1, in the chip's pixel-major order.
#[must_use]
pub fn encode_images(program: &Program, images: &[f32]) -> Vec<i32> {
    program.coding.codes(&program.input, images)
}
