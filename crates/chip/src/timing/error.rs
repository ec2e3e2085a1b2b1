//! Why a program cannot be timed.

use crate::machine::MachineError;
use crate::machine::check::WorkloadError;
use crate::machine::liveness::LivenessError;
use thiserror::Error;

/// An error of the timing engine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TimingError {
    /// A tile's buffer cannot hold what its stages need to go on.
    #[error(
        "the buffer of tile {tile} has {bytes} bytes and needs {needed_bytes}, most of them for `{region}`; allowed is tile.buffer.bytes >= {needed_bytes}"
    )]
    Buffer {
        /// The tile.
        tile: u32,
        /// The region that takes most of it.
        region: String,
        /// What it needs, bytes.
        needed_bytes: u64,
        /// What it has, bytes.
        bytes: u64,
    },
    /// The global buffer cannot hold a pixel of the images, or a row of weights.
    #[error(
        "memory.buffer_bytes = {bytes} is not allowed: {what} needs {needed_bytes} bytes; allowed is memory.buffer_bytes >= {needed_bytes}"
    )]
    GlobalBuffer {
        /// What goes through it.
        what: &'static str,
        /// What it needs, bytes.
        needed_bytes: u64,
        /// What it has, bytes.
        bytes: u64,
    },
    /// Stages would wait for each other for ever.
    #[error(transparent)]
    Liveness(#[from] LivenessError),
    /// The workload is malformed.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// The run stopped.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// There is nothing to time.
    #[error("the number of images is 0; allowed is 1 and more")]
    NoImages,
}
