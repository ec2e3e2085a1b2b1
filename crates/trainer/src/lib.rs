//! Training.

pub mod layers;
