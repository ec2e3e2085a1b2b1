//! Trainings that outlive the process: their state in a file, as it is after every so many steps.

use crate::digest::hex;
use crate::error::ExploreError;
use crate::progress::Progress;
use crate::store::{Files, StoreError, replace};
use crate::training::Plan;
use nn::Graph;
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use trainer::{Job, Session, Trained};

/// How trainings are run, beside what they depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainOptions<'a> {
    /// The network whose weights are trained further; without it the architecture is trained from random weights.
    pub from: Option<&'a Graph>,
    /// Where and how often the state is written.
    pub checkpoints: Option<Checkpoints<'a>>,
}

/// Where and how often the state of trainings is written.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints<'a> {
    /// The file system.
    pub files: &'a dyn Files,
    /// Directory of the files.
    pub directory: &'a Path,
    /// Steps between two checkpoints of a training.
    pub every: u64,
    /// Whether to go on from the files that are there.
    pub resume: bool,
}

/// The file of one training.
pub(crate) struct Checkpoint<'a> {
    files: &'a dyn Files,
    file: PathBuf,
    every: u64,
    resume: bool,
    /// All that the training depends on.
    key: String,
}

impl<'a> TrainOptions<'a> {
    /// The checkpoint of plan number `index`, if there is to be one; `data` stands for the images.
    ///
    /// # Errors
    /// If the configuration cannot be written.
    pub(crate) fn checkpoint(
        &self,
        index: usize,
        plan: &Plan<'_>,
        data: &str,
    ) -> Result<Option<Checkpoint<'a>>, ExploreError> {
        let Some(Checkpoints { files, directory, every, resume }) = self.checkpoints else { return Ok(None) };
        let mut hash = Sha256::new();
        hash.update(plan.key()?);
        hash.update(data);
        if let Some(network) = self.from {
            // Equal networks have equal texts, and floats are written exactly.
            hash.update(format!("{network:?}"));
        }
        let key = hex(hash.finalize());
        Ok(Some(Checkpoint { files, file: directory.join(format!("checkpoint-{index}.bin")), every, resume, key }))
    }
}

impl Checkpoint<'_> {
    /// The training as the file has it, or from the beginning.
    pub(crate) fn session<'a>(&self, job: &'a Job<'a>) -> Result<Session<'a>, ExploreError> {
        let bytes = match self.files.read(&self.file) {
            Ok(bytes) if self.resume => bytes,
            Err(error) if self.resume && error.kind() != ErrorKind::NotFound => return Err(self.error(error)),
            _ => return Ok(Session::new(job)?),
        };
        let resumed = Session::resume(job, &bytes, &self.key);
        resumed.map_err(|error| ExploreError::Request(format!("{}: {error}", self.file.display())))
    }

    fn write(&self, session: &Session<'_>) -> Result<(), ExploreError> {
        let directory = self.file.parent().unwrap_or(&self.file);
        let made = self.files.make_directory(directory);
        made.and_then(|()| replace(self.files, &self.file, &session.checkpoint(&self.key)))
            .map_err(|source| self.error(source))
    }

    /// That of a store: it is no fault of the training.
    fn error(&self, source: std::io::Error) -> ExploreError {
        StoreError::Io { path: self.file.clone(), source }.into()
    }
}

/// Runs a training to its end.
pub(crate) fn follow(
    mut session: Session<'_>,
    checkpoint: Option<&Checkpoint<'_>>,
    progress: &dyn Progress,
) -> Result<Trained, ExploreError> {
    progress.advance(session.images_done());
    let mut validated = session.epochs().last().copied();
    let (mut loss, mut accuracy) = (0.0, 0.0);
    while !session.is_done() {
        let step = session.advance()?;
        validated = step.epoch.or(validated);
        // Running means over about fifty steps, for whoever watches.
        let weight = 1.0 / session.steps_done().clamp(1, 50) as f64;
        loss += weight * (step.loss - loss);
        accuracy += weight * (step.correct as f64 / step.images as f64 - accuracy);
        let validation = validated.map_or_else(String::new, |epoch| {
            format!(", validation {:.1} %", 100.0 * epoch.validation_hardware.unwrap_or(epoch.validation_software))
        });
        progress.note(&format!("loss {loss:.3}, accuracy {:.1} %{validation}", 100.0 * accuracy));
        progress.advance(step.images as u64);
        if let Some(checkpoint) = checkpoint
            && (session.steps_done().is_multiple_of(checkpoint.every) || session.is_done())
        {
            checkpoint.write(&session)?;
        }
    }
    Ok(session.finish()?)
}

/// Removes the checkpoints of trainings that are done.
///
/// # Errors
/// If a file cannot be removed.
pub fn remove_checkpoints(directory: &Path) -> Result<(), ExploreError> {
    let error = |source| ExploreError::File { path: directory.to_owned(), source };
    for entry in std::fs::read_dir(directory).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("checkpoint-") && name.ends_with(".bin") {
            std::fs::remove_file(&path).map_err(error)?;
        }
    }
    Ok(())
}
