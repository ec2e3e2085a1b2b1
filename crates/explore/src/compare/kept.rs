//! Comparisons that outlive the process: what is done lies in a directory until all is done.

use crate::checkpoint::Checkpoints;
use crate::digest::hex;
use crate::error::ExploreError;
use crate::evaluate::Evaluation;
use crate::store::Disk;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Where a comparison keeps what is done.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The directory; it is removed at the end.
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

    /// The evaluation that `key` stands for: from its file, or run now and written down.
    ///
    /// # Errors
    /// If it cannot be run, read or written.
    pub(super) fn evaluation(
        &self,
        key: &str,
        run: impl FnOnce() -> Result<Evaluation, ExploreError>,
    ) -> Result<(Evaluation, bool), ExploreError> {
        let digest = hex(Sha256::digest(key));
        let path = self.directory.join(format!("evaluation-{}.json", &digest[..16]));
        if self.resume && path.exists() {
            return Ok((read(&path, &digest)?, true));
        }
        let evaluation = run()?;
        std::fs::create_dir_all(self.directory).map_err(|source| file_error(self.directory, source))?;
        let text = serde_json::to_string(&(&digest, &evaluation)).map_err(|error| refuse(&path, &error))?;
        nn::files::replace(&path, text.as_bytes())?;
        Ok((evaluation, false))
    }

    /// Removes what an earlier comparison left, unless this one goes on from it.
    pub(super) fn begin(&self) -> Result<(), ExploreError> {
        if self.resume { Ok(()) } else { self.remove() }
    }

    /// Removes everything.
    pub(super) fn remove(&self) -> Result<(), ExploreError> {
        match std::fs::remove_dir_all(self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error(self.directory, error)),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path, digest: &str) -> Result<Evaluation, ExploreError> {
    let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    let (found, evaluation): (String, Evaluation) =
        serde_json::from_str(&text).map_err(|error| refuse(path, &error))?;
    if found == digest { Ok(evaluation) } else { Err(refuse(path, &"is that of another comparison")) }
}

fn file_error(path: &Path, source: std::io::Error) -> ExploreError {
    ExploreError::File { path: PathBuf::from(path), source }
}

fn refuse(path: &Path, what: &dyn std::fmt::Display) -> ExploreError {
    ExploreError::Request(format!("{}: {what}; remove it, or run without --resume", path.display()))
}
