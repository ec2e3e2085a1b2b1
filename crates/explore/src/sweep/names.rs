//! What the compiled networks of a row are called, and the trainings that they may come from.

use trainer::Method;

use super::inputs::Images;
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::store::Id;
use crate::training::{Plan as Training, plan, training_seed};

/// A row that is resolved.
#[derive(Clone, Copy)]
pub(super) struct Resolved<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) images: &'a Images,
    pub(super) mapping: &'a str,
    pub(super) method: Method,
    /// Whether what processes have ended at is tried.
    pub(super) end: bool,
}

/// A compiled network before it is there.
pub(super) struct Named<'a> {
    /// Its name.
    pub(super) program: Id,
    /// The trainings of which the best is compiled, with their names.
    pub(super) trainings: Vec<(Id, Training<'a>)>,
    /// Seed of its calibration.
    pub(super) seed: u64,
}

impl<'a> Resolved<'a> {
    /// The compiled network of a training seed.
    ///
    /// # Errors
    /// If a method or mapping strategy does not exist.
    pub(super) fn named(&self, seed_index: u32) -> Result<Named<'a>, ExploreError> {
        let Self { experiment, images, mapping, method, .. } = *self;
        let name = |training: &Training<'_>| -> Result<Id, ExploreError> {
            Ok(Id::of("training", &[training.key()?.as_bytes(), images.digest.as_bytes()]))
        };
        let of_seed =
            plan(experiment, &images.dataset)?.into_iter().filter(|training| training.seed_index == seed_index);
        let trainings: Vec<(Id, Training<'a>)> =
            of_seed.map(|training| Ok((name(&training)?, training))).collect::<Result<_, ExploreError>>()?;
        let seed = training_seed(experiment, seed_index);
        let chip = toml::to_string(&experiment.chip).map_err(|error| ExploreError::Table(error.to_string()))?;
        let networks: Vec<u8> = trainings.iter().flat_map(|(id, _)| id.0).collect();
        let parts = [&networks, mapping.as_bytes(), method.name().as_bytes(), chip.as_bytes(), &seed.to_le_bytes()];
        Ok(Named { program: Id::of("program", &parts), trainings, seed })
    }
}
