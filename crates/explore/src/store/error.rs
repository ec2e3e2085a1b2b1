//! Why a store refuses.

use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The same computation gave two results.
    #[error("the same computation gave two results: {} and {}; one of them was made by another program, or a machine computes wrongly", first.display(), second.display())]
    Conflict {
        /// The result that was there.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
}
