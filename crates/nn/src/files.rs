//! Network files: a directory with `network.toml` (what the layers are) and `weights.safetensors` (their parameters).
//!
//! Floats survive a round trip bit for bit, and the same network always gives the same bytes. Reading is bounded by the sizes that
//! `network.toml` states, which are themselves bounded, and no content can make it panic.

mod records;
mod tensors;

use crate::error::NetworkError;
use crate::network::Network;
use records::NetworkRecord;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file that describes the layers.
pub const NETWORK_FILE: &str = "network.toml";
/// Name of the file that holds the parameters.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// Version of the format; readers refuse any other.
pub const FORMAT_VERSION: u32 = 1;

/// Largest `network.toml`, in bytes.
const MAX_NETWORK_BYTES: usize = 1 << 20;

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
pub fn save(network: &Network, directory: &Path) -> Result<(), FileError> {
    network.validate().map_err(|source| FileError::Network { file: directory.to_owned(), source })?;
    let (network_file, weights_file) = (directory.join(NETWORK_FILE), directory.join(WEIGHTS_FILE));
    let text = toml::to_string(&NetworkRecord::new(network));
    let text = text.map_err(|error| FileError::damaged(&network_file, error.to_string()))?;
    let weights = tensors::encode(network).map_err(|problem| FileError::damaged(&weights_file, problem))?;
    fs::create_dir_all(directory).map_err(|source| FileError::io(directory, source))?;
    replace(&weights_file, &weights)?;
    replace(&network_file, text.as_bytes())
}

/// Reads the network that [`save`] wrote into `directory`.
///
/// # Errors
/// If a file is missing, damaged, larger than its content can be, of another version, or does not describe a valid network.
pub fn load(directory: &Path) -> Result<Network, FileError> {
    let (network_file, weights_file) = (directory.join(NETWORK_FILE), directory.join(WEIGHTS_FILE));
    let text = read(&network_file, MAX_NETWORK_BYTES)?;
    let text = String::from_utf8(text).map_err(|error| FileError::damaged(&network_file, error.to_string()))?;
    let record = records::parse(&text).map_err(|problem| FileError::damaged(&network_file, problem))?;
    let network_error = |source| FileError::Network { file: network_file.clone(), source };
    let mut network = record.into_network().map_err(network_error)?;
    let limit = tensors::largest_file(&network);
    let weights = read(&weights_file, limit)?;
    tensors::decode(&weights, &mut network).map_err(|problem| FileError::damaged(&weights_file, problem))?;
    network.validate().map_err(network_error)?;
    Ok(network)
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

/// Writes a file under another name and renames it, so that a reader sees the old content or the new one, never a part.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), FileError> {
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
mod tests;
