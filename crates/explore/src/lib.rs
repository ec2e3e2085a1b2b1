//! Experiments.

pub mod config;
pub mod plot;
pub mod results;
pub mod statistics;
