//! One row: its networks are trained, compiled and simulated, as far as the store does not hold that already.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chip::program::Program;

use super::inputs::Inputs;
use super::names::{Named, Resolved};
use super::stored::{Network, RowResult, Stored};
use super::{Plan, PlannedRow};
use crate::checkpoint::{Checkpoints, TrainOptions};
use crate::compare::compile_row;
use crate::error::ExploreError;
use crate::evaluate::{CellSource, Evaluator, Simulated, row};
use crate::experiment::Experiment;
use crate::progress::{Progress, Silent};
use crate::store::{Failure, Id, Kind, Lock, Store, TRIES};
use crate::training::{Plan as Training, is_better, method, train_plans};

/// Steps between two checkpoints of a training.
const CHECKPOINT_STEPS: u64 = 500;
/// Before something that a file system has refused is tried again; twice as long before the third time.
const PAUSE: Duration = Duration::from_secs(1);

/// Where something to be computed stands.
pub(super) enum Outcome<T> {
    /// It is there.
    Ready(T),
    /// Somebody else is computing this, which it needs.
    Busy(Id),
    /// A process has ended while it was at it, so that all else comes first.
    Deferred,
    /// It was tried often enough.
    Failed(String),
}

/// Goes on with what is ready, and returns anything else.
macro_rules! ready {
    ($outcome:expr) => {
        match $outcome {
            Outcome::Ready(value) => value,
            Outcome::Busy(id) => return Ok(Outcome::Busy(id)),
            Outcome::Deferred => return Ok(Outcome::Deferred),
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
    inputs: Inputs<'a>,
    /// What this process has computed itself.
    own: Mutex<BTreeMap<Id, Kind>>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(plan: &'a Plan, store: &'a Store, verify: bool, progress: &'a dyn Progress) -> Self {
        Self { plan, store, verify, progress, inputs: Inputs::new(plan), own: Mutex::default() }
    }

    /// How many things of a kind this process has computed.
    pub(super) fn made(&self, kind: Kind) -> usize {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).values().filter(|&&made| made == kind).count()
    }

    /// Brings a row into the store, as far as nobody else is at work on what it needs. What processes have ended at is tried at the `end` only.
    ///
    /// # Errors
    /// If the store fails; other errors are recorded.
    pub(super) fn advance(&self, planned: &PlannedRow, end: bool) -> Result<Outcome<()>, ExploreError> {
        if self.stored::<RowResult>(Kind::Row, &planned.id)?.is_some() {
            return Ok(Outcome::Ready(()));
        }
        let (mapping, name) = self.plan.names(planned);
        let resolve = || {
            let experiment = self.plan.experiment(planned)?;
            let images = self.inputs.of(&experiment)?;
            Ok((experiment, images, method(name)?))
        };
        let (experiment, images, method) = match self.tried(&planned.id, &resolve)? {
            Ok(resolved) => resolved,
            Err(error) => return self.give_up(planned, &error),
        };
        let resolved = Resolved { experiment: &experiment, images: &images, mapping, method, end };
        match self.row(planned, &resolved)? {
            Outcome::Ready(_) => Ok(Outcome::Ready(())),
            Outcome::Busy(id) => Ok(Outcome::Busy(id)),
            Outcome::Deferred => Ok(Outcome::Deferred),
            Outcome::Failed(error) => self.give_up(planned, &error),
        }
    }

    fn give_up(&self, planned: &PlannedRow, error: &str) -> Result<Outcome<()>, ExploreError> {
        let error = format!("{}: {error}", self.plan.label(planned));
        self.store.fail(&planned.id, &Failure { tries: TRIES, error: error.clone(), deaths: 0 })?;
        Ok(Outcome::Failed(error))
    }

    fn row(&self, planned: &PlannedRow, resolved: &Resolved<'_>) -> Result<Outcome<RowResult>, ExploreError> {
        let mut programs = Vec::new();
        for seed_index in 0..resolved.experiment.training_seeds {
            programs.push(ready!(self.program(resolved, seed_index)?));
        }
        self.unit(Kind::Row, &planned.id, resolved.end, |_| {
            self.progress.note(&format!("simulating {}", self.plan.label(planned)));
            self.simulate(resolved, &programs)
        })
    }

    /// The chip samples of a row, as many as there are to be.
    fn simulate(&self, resolved: &Resolved<'_>, programs: &[Program]) -> Result<RowResult, ExploreError> {
        let Experiment { mut chips, seed: first_seed, .. } = *resolved.experiment;
        let images = &resolved.images.test;
        let evaluator = |seed_index, chips| Evaluator { chips, ..Evaluator::of(resolved.experiment, seed_index) };
        let mut samples: Vec<Vec<Simulated>> = programs.iter().map(|_| Vec::new()).collect();
        let accuracies = loop {
            for ((seed_index, program), samples) in (0..).zip(programs).zip(&mut samples) {
                evaluator(seed_index, chips).extend(samples, program, images, &CellSource::Device, &Silent)?;
            }
            let of_seed = |samples: &Vec<Simulated>| samples.iter().map(|sample| sample.accuracy).collect();
            let accuracies: Vec<Vec<f64>> = samples.iter().map(of_seed).collect();
            let sampling = self.plan.sweep().sampling();
            match sampling.map_or(Ok(None), |sampling| sampling.more(&accuracies, chips))? {
                Some(more) => chips = more,
                None => break accuracies,
            }
        };
        let total = images.len() as u64;
        let of_seed = |((seed_index, program), samples): ((u32, &Program), &Vec<Simulated>)| {
            evaluator(seed_index, chips).summarise(program, total, samples)
        };
        let evaluations = (0..).zip(programs).zip(&samples).map(of_seed).collect::<Result<Vec<_>, ExploreError>>()?;
        let (programs, evaluations): (Vec<_>, Vec<_>) = programs.iter().zip(&evaluations).unzip();
        Ok(RowResult { accuracies, row: row(&programs, &evaluations, total, first_seed)? })
    }

    /// The compiled network of a training seed.
    fn program(&self, resolved: &Resolved<'_>, seed_index: u32) -> Result<Outcome<Program>, ExploreError> {
        let Resolved { experiment, images, mapping, method, end } = *resolved;
        let Named { program: id, trainings, seed } = resolved.named(seed_index)?;
        if let Some(program) = self.stored(Kind::Program, &id)? {
            return Ok(Outcome::Ready(program));
        }
        let mut best: Option<Network> = None;
        for (id, training) in &trainings {
            let network = ready!(self.network(training, id, end)?);
            let better = |kept: &Network| is_better(network.validation_accuracy, kept.validation_accuracy);
            if best.as_ref().is_none_or(better) {
                best = Some(network);
            }
        }
        let Some(Network { graph, .. }) = best else {
            return Ok(Outcome::Failed(format!("no network was trained by {} for {mapping}", method.name())));
        };
        self.unit(Kind::Program, &id, end, |_| compile_row(experiment, &images.dataset, mapping, method, &graph, seed))
    }

    /// A trained network. Where the process is killed, the training goes on from its last checkpoint.
    fn network(&self, training: &Training<'_>, id: &Id, end: bool) -> Result<Outcome<Network>, ExploreError> {
        self.unit(Kind::Training, id, end, |lock| {
            self.progress.note(&format!("training {} by {}", training.experiment.network.name, training.method.name()));
            let directory = self.store.adopt_checkpoints(id, lock)?;
            let files = self.store.files();
            let checkpoints = Checkpoints { files, directory: &directory, every: CHECKPOINT_STEPS, resume: true };
            let options = TrainOptions { from: None, checkpoints: Some(checkpoints) };
            let trained = train_plans(std::slice::from_ref(training), &options, &Silent);
            let trained = trained.map_err(|(_, error)| error).inspect_err(|_| {
                // The next try begins from nothing.
                let _ = self.store.forget_checkpoints(id, lock);
            })?;
            let first = trained.into_iter().next();
            let trained = first.ok_or_else(|| ExploreError::Request("nothing was trained".to_owned()))?;
            Ok(Network { graph: trained.network, validation_accuracy: trained.validation_accuracy })
        })
    }

    /// Something that is stored, unless it is to be computed again.
    fn stored<T: Stored>(&self, kind: Kind, id: &Id) -> Result<Option<T>, ExploreError> {
        if self.verify && !self.own.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id) {
            return Ok(None);
        }
        read(self.store, kind, id)
    }

    /// Computes something, unless it is there or somebody else does.
    fn unit<T: Stored>(
        &self,
        kind: Kind,
        id: &Id,
        end: bool,
        compute: impl Fn(&Lock<'_>) -> Result<T, ExploreError>,
    ) -> Result<Outcome<T>, ExploreError> {
        if let Some(found) = self.stored(kind, id)? {
            return Ok(Outcome::Ready(found));
        }
        let Some(lock) = self.store.lock(id)? else { return Ok(Outcome::Busy(*id)) };
        // It may have been finished just before the lock was free.
        if let Some(found) = self.stored(kind, id)? {
            return Ok(Outcome::Ready(found));
        }
        if !end && self.store.failure(id)?.is_some_and(|failure| failure.deaths > 0) {
            return Ok(Outcome::Deferred);
        }
        let (record, value) = match self.tried(id, &|| compute(&lock).and_then(|value| Ok((value.record()?, value))))? {
            Ok(computed) => computed,
            Err(error) => return Ok(Outcome::Failed(error)),
        };
        self.store.put(kind, id, &record)?;
        if self.store.failure(id)?.is_some() {
            self.store.forget(Kind::Failed, id)?;
        }
        if kind == Kind::Training {
            self.store.forget_checkpoints(id, &lock)?;
        }
        self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(*id, kind);
        Ok(Outcome::Ready(value))
    }

    /// What `compute` gives, or the error of the last of all tries, each of which is recorded.
    ///
    /// # Errors
    /// If the store fails.
    fn tried<T>(
        &self,
        id: &Id,
        compute: &dyn Fn() -> Result<T, ExploreError>,
    ) -> Result<Result<T, String>, ExploreError> {
        loop {
            let before = self.store.failure(id)?.unwrap_or_default();
            if before.tries >= TRIES {
                return Ok(Err(before.error));
            }
            match unwound(compute) {
                Ok(value) => return Ok(Ok(value)),
                Err(error @ ExploreError::Store(_)) => return Err(error),
                Err(error) => {
                    let tries = before.tries + 1;
                    self.store.fail(id, &Failure { tries, error: error.to_string(), ..before })?;
                    // What a file system refuses may pass.
                    let may_pass = matches!(
                        error,
                        ExploreError::File { .. } | ExploreError::Data(_) | ExploreError::NoData { .. }
                    );
                    if tries < TRIES && may_pass {
                        std::thread::sleep(PAUSE * tries);
                    }
                }
            }
        }
    }
}

/// What `compute` gives; a panic in it is an error like others.
pub(super) fn unwound<T>(compute: &dyn Fn() -> Result<T, ExploreError>) -> Result<T, ExploreError> {
    // What it may leave half done is dropped with it: everything that outlives it is behind a lock and whole.
    std::panic::catch_unwind(AssertUnwindSafe(compute)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ExploreError::Request(format!("panicked: {}", text.unwrap_or("without a word"))))
    })
}

/// Something from a store, if it is there. What is whole but not what it should be, as a program of another version wrote it, is put aside like damage.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read<T: Stored>(store: &Store, kind: Kind, id: &Id) -> Result<Option<T>, ExploreError> {
    let Some(record) = store.get(kind, id)? else { return Ok(None) };
    match T::read(&record) {
        Ok(value) => Ok(Some(value)),
        Err(_) => {
            store.reject(kind, id, &record)?;
            Ok(None)
        }
    }
}
