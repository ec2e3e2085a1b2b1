//! Experiments: from a configuration to tables, figures and files.

pub mod compare;
pub mod config;
mod error;
pub mod evaluate;
pub mod experiment;
pub mod plot;
pub mod progress;
pub mod results;
pub mod statistics;
pub mod training;

pub use error::ExploreError;
