//! Comparisons that outlive the process: what is done lies in a store until all is done.

use crate::checkpoint::Checkpoints;
use crate::error::ExploreError;
use crate::evaluate::Evaluation;
use crate::store::{Disk, Id, Kind, Record, Store};
use std::path::Path;

/// Where a comparison keeps what is done.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The directory of the store; it is removed at the end.
    pub directory: &'a Path,
    /// Steps between two checkpoints of a training.
    pub every: u64,
    /// Whether to go on from what is there.
    pub resume: bool,
}

impl Keeping<'_> {
    /// Checkpoints of trainings, in a directory below.
    pub(super) fn checkpoints<'d>(&self, directory: &'d Path) -> Checkpoints<'d> {
        Checkpoints { files: &Disk, directory, every: self.every, resume: self.resume }
    }

    /// The evaluation that `key` stands for, and whether it was there: from the store, or run now and stored.
    ///
    /// # Errors
    /// If it cannot be run, read or written.
    pub(super) fn evaluation(
        &self,
        key: &str,
        run: impl FnOnce() -> Result<Evaluation, ExploreError>,
    ) -> Result<(Evaluation, bool), ExploreError> {
        let (store, id) = (Store::open(self.directory), Id::of(NAME, &[key.as_bytes()]));
        if let Some(record) = store.get(Kind::Evaluation, &id)? {
            match record.text(NAME).ok().and_then(|text| serde_json::from_str(text).ok()) {
                Some(evaluation) => return Ok((evaluation, true)),
                None => store.reject(Kind::Evaluation, &id, &record)?,
            }
        }
        let evaluation = run()?;
        let text = serde_json::to_string(&evaluation).map_err(|error| ExploreError::Table(error.to_string()))?;
        store.put(Kind::Evaluation, &id, &Record::default().with(NAME, text))?;
        Ok((evaluation, false))
    }

    /// Refuses to begin anew where an interrupted comparison could go on.
    pub(super) fn begin(&self) -> Result<(), ExploreError> {
        if self.resume || !self.directory.exists() {
            return Ok(());
        }
        let directory = self.directory.display();
        Err(ExploreError::Request(format!(
            "{directory} holds what an interrupted comparison has done; give --resume to go on from it, or remove it"
        )))
    }

    /// Removes everything.
    pub(super) fn remove(&self) -> Result<(), ExploreError> {
        match std::fs::remove_dir_all(self.directory) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ExploreError::File { path: self.directory.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

/// Of the kind, and of the part of a record.
const NAME: &str = "evaluation";
