//! The networks of one row of a comparison, one per training seed, and their programs.

use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::training::{mapping, training_seed};
use chip::program::Program;
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
        let mapping = mapping(strategy)?;
        let compile_one = |(seed_index, trained): (u32, &&Trained)| {
            let settings = CompilationSettings {
                dataset: self.dataset,
                training: self.method.name(),
                mapping: &mapping,
                chip: &experiment.chip,
                seed: training_seed(experiment, seed_index),
            };
            Ok(compile(&trained.network, &Quantisation::default(), &settings)?)
        };
        (0..).zip(&self.trained).map(compile_one).collect()
    }
}

/// The same program on chips whose devices vary by another scale.
pub(crate) fn with_sigma(program: &Program, sigma_scale: f64) -> Program {
    let mut program = program.clone();
    program.chip.tile.cell.device.sigma_scale = sigma_scale;
    program
}
