//! Comparisons and recommendations that outlive the process: what is done lies in a store until all is done.

use crate::checkpoint::{Checkpoints, TrainOptions};
use crate::config::{self, to_toml};
use crate::datasets::content_digest;
use crate::digest::hex;
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::output::VERSION;
use crate::store::{Disk, Id, Kind, Record, Store};
use nn::Graph;
use nn::datasets::Dataset;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use trainer::Method;

/// Where what is done is kept.
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
    /// Refuses to begin anew where an interrupted run could go on.
    ///
    /// # Errors
    /// If there is one and it is not to be resumed.
    pub fn begin(&self) -> Result<(), ExploreError> {
        if self.resume || !self.directory.exists() {
            return Ok(());
        }
        let directory = self.directory.display();
        Err(ExploreError::Request(format!(
            "{directory} holds what an interrupted run has done; give --resume to go on from it, or remove it"
        )))
    }

    /// Removes everything.
    fn remove(&self) -> Result<(), ExploreError> {
        match std::fs::remove_dir_all(self.directory) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ExploreError::File { path: self.directory.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// What `key` stands for, and whether it was there: from the store, or computed now and stored.
    fn result<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        run: impl FnOnce() -> Result<T, ExploreError>,
    ) -> Result<(T, bool), ExploreError> {
        let (store, id) = (Store::open(self.directory), Id::of(NAME, &[key.as_bytes()]));
        if let Some(record) = store.get(Kind::Evaluation, &id)? {
            match record.text(NAME).ok().and_then(|text| serde_json::from_str(text).ok()) {
                Some(result) => return Ok((result, true)),
                None => store.reject(Kind::Evaluation, &id, &record)?,
            }
        }
        let result = run()?;
        let text = serde_json::to_string(&result).map_err(|error| ExploreError::Table(error.to_string()))?;
        store.put(Kind::Evaluation, &id, &Record::default().with(NAME, text))?;
        Ok((result, false))
    }
}

/// What a run has done already: nothing is kept without a [`Keeping`].
pub(crate) struct Kept<'a> {
    keeping: Option<&'a Keeping<'a>>,
    /// What stands for the images; empty if nothing is kept.
    data: String,
}

/// What a result is of.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) mapping: &'a str,
    pub(crate) method: Method,
    pub(crate) seed_index: u32,
    pub(crate) network: &'a Graph,
    /// What is asked, beside what the experiment says.
    pub(crate) question: &'a str,
}

impl<'a> Kept<'a> {
    /// What there is of a run on a data set.
    ///
    /// # Errors
    /// If an interrupted run could go on, and is not to.
    pub(crate) fn begin(keeping: Option<&'a Keeping<'a>>, dataset: &Dataset) -> Result<Self, ExploreError> {
        keeping.map_or(Ok(()), Keeping::begin)?;
        let data = keeping.map_or_else(String::new, |_| content_digest(dataset));
        Ok(Self { keeping, data })
    }

    /// How networks of a stage are trained, starting from `from` if that is given.
    pub(crate) fn train<T>(&self, from: Option<&Graph>, stage: &str, run: impl FnOnce(&TrainOptions<'_>) -> T) -> T {
        let directory = self.keeping.map_or_else(PathBuf::new, |keeping| keeping.directory.join(stage));
        let checkpoints = self.keeping.map(|&Keeping { every, resume, .. }| Checkpoints {
            files: &Disk,
            directory: &directory,
            every,
            resume,
        });
        run(&TrainOptions { from, checkpoints })
    }

    /// The result for a subject, and whether it was there.
    ///
    /// # Errors
    /// If it cannot be computed, read or written.
    pub(crate) fn result<T: Serialize + DeserializeOwned>(
        &self,
        subject: &Subject<'_>,
        run: impl FnOnce() -> Result<T, ExploreError>,
    ) -> Result<(T, bool), ExploreError> {
        match self.keeping {
            Some(keeping) => keeping.result(&self.key(subject)?, run),
            None => Ok((run()?, false)),
        }
    }

    /// All that a result depends on.
    fn key(&self, subject: &Subject<'_>) -> Result<String, ExploreError> {
        let Subject { experiment, mapping, method, seed_index, network, question } = *subject;
        let (method, data) = (method.name(), &self.data);
        let experiment = to_toml(config::Kind::Experiment, experiment)?;
        // Equal networks have equal texts, and floats are written exactly.
        let network = hex(Sha256::digest(format!("{network:?}")));
        Ok(format!("{VERSION} {mapping} {method} {seed_index} {network} {data}\n{experiment}{question}"))
    }

    /// Removes everything, as all is done.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub(crate) fn end(&self) -> Result<(), ExploreError> {
        self.keeping.map_or(Ok(()), Keeping::remove)
    }
}

/// Of the kind, and of the part of a record.
const NAME: &str = "evaluation";

#[cfg(test)]
pub(crate) mod tests;
