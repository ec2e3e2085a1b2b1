//! One row: its networks are trained, compiled and simulated, as far as the store does not hold that already.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chip::program::Program;
use trainer::Method;

use super::inputs::{Images, Inputs};
use super::stored::{Network, RowResult, Stored};
use super::{Plan, PlannedRow};
use crate::checkpoint::{Checkpoints, TrainOptions};
use crate::compare::compile_row;
use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluator, row};
use crate::experiment::Experiment;
use crate::progress::{Progress, Silent};
use crate::store::{Failure, Id, Kind, Store, StoreError, TRIES};
use crate::training::{Plan as Training, is_better, method, plan, train_plans, training_seed};

/// Steps between two checkpoints of a training.
const CHECKPOINT_STEPS: u64 = 500;

/// Where something to be computed stands.
pub(super) enum Outcome<T> {
    /// It is there.
    Ready(T),
    /// Somebody else is computing this, which it needs.
    Busy(Id),
    /// It was tried often enough.
    Failed(String),
}

/// Goes on with what is ready, and returns anything else.
macro_rules! ready {
    ($outcome:expr) => {
        match $outcome {
            Outcome::Ready(value) => value,
            Outcome::Busy(id) => return Ok(Outcome::Busy(id)),
            Outcome::Failed(error) => return Ok(Outcome::Failed(error)),
        }
    };
}

/// What computes rows.
pub(super) struct Worker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) store: &'a Store,
    /// Whether what is stored is computed again, and compared.
    pub(super) verify: bool,
    pub(super) progress: &'a dyn Progress,
    inputs: Inputs,
    /// What this process has computed itself.
    own: Mutex<BTreeSet<Id>>,
}

/// A row that is resolved.
struct Resolved<'a> {
    experiment: &'a Experiment,
    images: &'a Images,
    mapping: &'a str,
    method: Method,
}

impl<'a> Worker<'a> {
    pub(super) fn new(plan: &'a Plan, store: &'a Store, verify: bool, progress: &'a dyn Progress) -> Self {
        Self { plan, store, verify, progress, inputs: Inputs::default(), own: Mutex::default() }
    }

    /// Brings a row into the store, as far as nobody else is at work on what it needs.
    ///
    /// # Errors
    /// If the store fails; other errors are recorded.
    pub(super) fn advance(&self, planned: &PlannedRow) -> Result<Outcome<()>, ExploreError> {
        if self.stored::<RowResult>(Kind::Row, &planned.id)?.is_some() {
            return Ok(Outcome::Ready(()));
        }
        let resolved = self.plan.experiment(planned).and_then(|experiment| {
            let images = self.inputs.of(&experiment)?;
            let (_, name) = self.plan.names(planned);
            Ok((experiment, images, method(name)?))
        });
        let (experiment, images, method) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return self.give_up(planned, &error.to_string()),
        };
        let (mapping, _) = self.plan.names(planned);
        let resolved = Resolved { experiment: &experiment, images: &images, mapping, method };
        match self.row(planned, &resolved)? {
            Outcome::Ready(_) => Ok(Outcome::Ready(())),
            Outcome::Busy(id) => Ok(Outcome::Busy(id)),
            Outcome::Failed(error) => self.give_up(planned, &error),
        }
    }

    fn give_up(&self, planned: &PlannedRow, error: &str) -> Result<Outcome<()>, ExploreError> {
        let error = format!("{}: {error}", self.plan.label(planned));
        self.store.fail(&planned.id, &Failure { tries: TRIES, error: error.clone() })?;
        Ok(Outcome::Failed(error))
    }

    fn row(&self, planned: &PlannedRow, resolved: &Resolved<'_>) -> Result<Outcome<RowResult>, ExploreError> {
        let mut programs = Vec::new();
        for seed_index in 0..resolved.experiment.training_seeds {
            programs.push(ready!(self.program(resolved, seed_index)?));
        }
        self.unit(Kind::Row, &planned.id, || {
            self.progress.note(&format!("simulating {}", self.plan.label(planned)));
            self.simulate(resolved, &programs)
        })
    }

    /// The chip samples of a row, as many as there are to be.
    fn simulate(&self, resolved: &Resolved<'_>, programs: &[Program]) -> Result<RowResult, ExploreError> {
        let Experiment { mut chips, seed: first_seed, .. } = *resolved.experiment;
        loop {
            let mut evaluations = Vec::new();
            for (seed_index, program) in (0..).zip(programs) {
                let evaluator = Evaluator { chips, ..Evaluator::of(resolved.experiment, seed_index) };
                evaluations.push(evaluator.run(program, &resolved.images.test, &CellSource::Device, &Silent)?);
            }
            let accuracies: Vec<Vec<f64>> =
                evaluations.iter().map(|evaluation| evaluation.accuracies.clone()).collect();
            let sampling = self.plan.sweep().sampling();
            match sampling.map_or(Ok(None), |sampling| sampling.more(&accuracies, chips))? {
                Some(more) => chips = more,
                None => {
                    let (programs, evaluations): (Vec<_>, Vec<_>) = programs.iter().zip(&evaluations).unzip();
                    let row = row(&programs, &evaluations, resolved.images.test.len() as u64, first_seed)?;
                    return Ok(RowResult { accuracies, row });
                }
            }
        }
    }

    /// The compiled network of a training seed.
    fn program(&self, resolved: &Resolved<'_>, seed_index: u32) -> Result<Outcome<Program>, ExploreError> {
        let Resolved { experiment, images, mapping, method } = *resolved;
        let trainings = plan(experiment, &images.dataset)?;
        let trainings: Vec<Training<'_>> =
            trainings.into_iter().filter(|training| training.seed_index == seed_index).collect();
        let of_training =
            |training: &Training<'_>| Ok(Id::of("training", &[training.key()?.as_bytes(), images.digest.as_bytes()]));
        let names: Vec<Id> = trainings.iter().map(of_training).collect::<Result<_, ExploreError>>()?;
        let seed = training_seed(experiment, seed_index);
        let chip = toml::to_string(&experiment.chip).map_err(|error| ExploreError::Table(error.to_string()))?;
        let networks: Vec<u8> = names.iter().flat_map(|id| id.0).collect();
        let parts = [&networks, mapping.as_bytes(), method.name().as_bytes(), chip.as_bytes(), &seed.to_le_bytes()];
        let id = Id::of("program", &parts);
        if let Some(program) = self.stored(Kind::Program, &id)? {
            return Ok(Outcome::Ready(program));
        }
        let mut best: Option<Network> = None;
        for (training, id) in trainings.iter().zip(&names) {
            let network = ready!(self.network(training, id)?);
            let better = |kept: &Network| is_better(network.validation_accuracy, kept.validation_accuracy);
            if best.as_ref().is_none_or(better) {
                best = Some(network);
            }
        }
        let Some(Network { graph, .. }) = best else {
            return Ok(Outcome::Failed(format!("no network was trained by {} for {mapping}", method.name())));
        };
        self.unit(Kind::Program, &id, || compile_row(experiment, &images.dataset, mapping, method, &graph, seed))
    }

    /// A trained network. Where the process is killed, the training goes on from its last checkpoint.
    fn network(&self, training: &Training<'_>, id: &Id) -> Result<Outcome<Network>, ExploreError> {
        let directory = self.store.checkpoints(id);
        let trained = self.unit(Kind::Training, id, || {
            self.progress.note(&format!("training {} by {}", training.experiment.network.name, training.method.name()));
            let checkpoints = Checkpoints { directory: &directory, every: CHECKPOINT_STEPS, resume: true };
            let options = TrainOptions { from: None, checkpoints: Some(checkpoints) };
            let trained = train_plans(std::slice::from_ref(training), &options, &Silent);
            let trained = trained.map_err(|(_, error)| error).inspect_err(|_| {
                // The next try begins from nothing.
                let _ = self.store.forget_checkpoints(id);
            })?;
            let first = trained.into_iter().next();
            let trained = first.ok_or_else(|| ExploreError::Request("nothing was trained".to_owned()))?;
            Ok(Network { graph: trained.network, validation_accuracy: trained.validation_accuracy })
        })?;
        if matches!(trained, Outcome::Ready(_)) {
            self.store.forget_checkpoints(id)?;
        }
        Ok(trained)
    }

    /// Something that is stored, unless it is to be computed again.
    fn stored<T: Stored>(&self, kind: Kind, id: &Id) -> Result<Option<T>, ExploreError> {
        if self.verify && !self.own.lock().unwrap_or_else(PoisonError::into_inner).contains(id) {
            return Ok(None);
        }
        read(self.store, kind, id)
    }

    /// Computes something, unless it is there or somebody else does.
    fn unit<T: Stored>(
        &self,
        kind: Kind,
        id: &Id,
        compute: impl Fn() -> Result<T, ExploreError>,
    ) -> Result<Outcome<T>, ExploreError> {
        if let Some(found) = self.stored(kind, id)? {
            return Ok(Outcome::Ready(found));
        }
        let Some(_lock) = self.store.lock(id)? else { return Ok(Outcome::Busy(*id)) };
        // It may have been finished just before the lock was free.
        if let Some(found) = self.stored(kind, id)? {
            return Ok(Outcome::Ready(found));
        }
        loop {
            let before = self.store.failure(id)?.map_or((0, String::new()), |failure| (failure.tries, failure.error));
            if before.0 >= TRIES {
                return Ok(Outcome::Failed(before.1));
            }
            match compute().and_then(|value| Ok((value.record()?, value))) {
                Ok((record, value)) => {
                    self.store.put(kind, id, &record)?;
                    if before.0 > 0 {
                        self.store.forget(Kind::Failed, id)?;
                    }
                    self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(*id);
                    return Ok(Outcome::Ready(value));
                }
                Err(error @ ExploreError::Store(_)) => return Err(error),
                Err(error) => {
                    self.store.fail(id, &Failure { tries: before.0 + 1, error: error.to_string() })?;
                }
            }
        }
    }
}

/// Something from a store, if it is there.
///
/// # Errors
/// If it cannot be read, or is not what it should be.
pub(super) fn read<T: Stored>(store: &Store, kind: Kind, id: &Id) -> Result<Option<T>, ExploreError> {
    let Some(record) = store.get(kind, id)? else { return Ok(None) };
    let contents = |what: String| StoreError::Contents { path: store.path(kind, id), what };
    Ok(Some(T::read(&record).map_err(contents)?))
}
