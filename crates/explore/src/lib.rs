//! Experiments: from a configuration to tables, figures and files.

pub mod auto;
pub mod checkpoint;
pub mod compare;
pub mod conductances;
pub mod config;
pub mod cycles;
pub mod datasets;
pub mod diagnosis;
mod digest;
mod error;
pub mod evaluate;
pub mod experiment;
pub mod image_files;
pub mod infer;
mod kept;
pub mod model;
pub mod npy;
pub mod outline;
pub mod output;
pub mod plot;
pub mod progress;
pub mod recommend;
pub mod report;
pub mod results;
pub mod simulate;
pub mod spice;
pub mod states;
pub mod statistics;
pub mod store;
pub mod sweep;
pub mod threads;
pub mod training;

pub use error::ExploreError;
pub use kept::Keeping;

// The crates below this one, so that a front end depends on this one only.
pub use {chip, nn, nn_compiler, tile, trainer};
