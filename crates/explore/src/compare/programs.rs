//! The networks of one row of a comparison, one per training seed, and their programs.

use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::training::{mapping, training_seed};
use chip::program::Program;
use nn::Graph;
use nn::datasets::Dataset;
use nn_compiler::front::Quantisation;
use nn_compiler::{CompilationSettings, compile};
use trainer::{Method, Trained};

/// The networks of a training method, one per training seed.
pub(crate) struct Networks<'a> {
    pub(crate) method: Method,
    pub(crate) dataset: &'a Dataset,
    pub(crate) trained: Vec<&'a Trained>,
}

impl Networks<'_> {
    /// Their programs under a mapping strategy.
    ///
    /// # Errors
    /// If one cannot be compiled.
    pub(crate) fn programs(&self, experiment: &Experiment, strategy: &str) -> Result<Vec<Program>, ExploreError> {
        let compile_one = |(seed_index, trained): (u32, &&Trained)| {
            let seed = training_seed(experiment, seed_index);
            compile_row(experiment, self.dataset, strategy, self.method, &trained.network, seed)
        };
        (0..).zip(&self.trained).map(compile_one).collect()
    }
}

/// Compiles the network of one training seed for a row.
///
/// # Errors
/// If it does not fit the chip.
pub(crate) fn compile_row(
    experiment: &Experiment,
    dataset: &Dataset,
    strategy: &str,
    method: Method,
    network: &Graph,
    seed: u64,
) -> Result<Program, ExploreError> {
    let mapping = mapping(strategy)?;
    let settings =
        CompilationSettings { dataset, training: method.name(), mapping: &mapping, chip: &experiment.chip, seed };
    Ok(compile(network, &Quantisation::default(), &settings)?)
}

/// The same program on chips whose devices vary by another scale.
pub(crate) fn with_sigma(program: &Program, sigma_scale: f64) -> Program {
    let mut program = program.clone();
    program.chip.tile.cell.device.sigma_scale = sigma_scale;
    program
}
