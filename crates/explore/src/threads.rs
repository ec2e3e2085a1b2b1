//! How many threads work.

use crate::error::ExploreError;

const MOST: usize = 1024;

/// Sets the number of threads for all later work; can be done once. Results do not depend on it.
///
/// # Errors
/// If the number is not allowed, or threads are already at work.
pub fn set_threads(threads: usize) -> Result<(), ExploreError> {
    if !(1..=MOST).contains(&threads) {
        return Err(ExploreError::Request(format!(
            "--threads = {threads} is not allowed: an integer from 1 to {MOST}"
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| ExploreError::Request(format!("--threads: {error}")))
}
