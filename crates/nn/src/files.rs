//! A network in a directory: `network.toml` (what its nodes are) and `weights.safetensors` (their parameters), in the format of
//! [`crate::graph::files`].
//!
//! Floats survive a round trip bit for bit, and the same network always gives the same bytes. Reading is bounded, and no content can make
//! it panic.

use crate::error::NetworkError;
use crate::graph::{self, Graph};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file that describes the nodes.
pub const NETWORK_FILE: &str = "network.toml";
/// Name of the file that holds the parameters.
pub const WEIGHTS_FILE: &str = "weights.safetensors";

/// Why a network could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file does not hold what it should.
    #[error("{}: {problem}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong, where, and what is allowed.
        problem: String,
    },
    /// The network that the files describe, or that is to be written, cannot be used.
    #[error("{}: {source}", file.display())]
    Network {
        /// The directory or file.
        file: PathBuf,
        /// What is wrong with the network.
        source: NetworkError,
    },
}

impl FileError {
    pub(crate) fn damaged(file: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), problem: problem.into() }
    }

    fn io(file: &Path, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }
}

/// Writes a network into the directory `directory`, which is made if there is none; existing files are replaced, each at once.
///
/// # Errors
/// If the network is not valid or a file cannot be written.
pub fn save(network: &Graph, directory: &Path) -> Result<(), FileError> {
    network.validate().map_err(|source| FileError::Network { file: directory.to_owned(), source })?;
    fs::create_dir_all(directory).map_err(|source| FileError::io(directory, source))?;
    graph::files::save(network, &directory.join(NETWORK_FILE), &directory.join(WEIGHTS_FILE))
}

/// Reads the network that [`save`] wrote into `directory`.
///
/// # Errors
/// If a file is missing, damaged, too large, of another version, or does not describe a valid network.
pub fn load(directory: &Path) -> Result<Graph, FileError> {
    graph::files::load(&directory.join(NETWORK_FILE), &directory.join(WEIGHTS_FILE))
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(file: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let open = fs::File::open(file).map_err(|source| FileError::io(file, source))?;
    let mut bytes = Vec::new();
    let read = open.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|source| FileError::io(file, source))?;
    if bytes.len() > limit {
        return Err(FileError::damaged(file, format!("more than {limit} bytes, allowed: at most {limit}")));
    }
    Ok(bytes)
}

/// Writes a file under another name and renames it, so that a reader sees the old content or the new one, never a part, wherever the
/// process is killed.
///
/// # Errors
/// If it cannot be written.
pub fn replace(file: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let write = || {
        let mut open = fs::File::create(&temporary)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        fs::rename(&temporary, file)
    };
    write().map_err(|source| {
        // The temporary file is of no use any more; that it may stay behind changes nothing about the error.
        let _ = fs::remove_file(&temporary);
        FileError::io(file, source)
    })
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
