//! Do the laws hold that bind the crates together? Exactness of an ideal chip, equal counts of both engines, energy as the sum of what was
//! counted, and how results change when one thing changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod laws_arrays;
mod laws_cells;
mod laws_conductances;
mod laws_converters;
mod laws_counts;
mod laws_encodings;
mod laws_energy;
mod laws_exactness;
mod laws_examples;
mod laws_graphs;
mod laws_graphs_refused;
mod laws_groups;
mod laws_metamorphic;
mod laws_noise;
mod laws_noise_addresses;
mod laws_replicas;
mod laws_vector;
mod support;
