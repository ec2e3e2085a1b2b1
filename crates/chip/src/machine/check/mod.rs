//! Whether a workload makes sense on a chip, before anything is executed.
//!
//! Everything that `docs/timing.md` takes for granted is required here, so that the engine meets no case that the rules do not cover. Whether
//! the workload can finish is another question (`machine::liveness`), which is only asked of those that make sense.

mod cores;
mod error;
mod regions;
mod shares;
mod sizes;

pub use error::{Place, WorkloadError};

use super::hardware::Hardware;
use super::work::Workload;

impl Workload {
    /// Requires that the workload makes sense for so many images.
    ///
    /// # Errors
    /// The first value that is not allowed, with its region, or its core and the instruction's number.
    pub fn check(&self, hardware: &Hardware, images: u64) -> Result<(), WorkloadError> {
        regions::check(self, hardware)?;
        cores::check(self, hardware)?;
        shares::check(self)?;
        sizes::check(self, hardware, images)
    }
}
