//! Do the laws hold that bind the crates together? Exactness of an ideal chip, equal counts of both engines, energy as the sum of what was
//! counted, and how results change when one thing changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "../crates/chip/tests/support/compare.rs"]
mod compare;
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
mod laws_loading;
mod laws_machine;
mod laws_memory;
mod laws_metamorphic;
mod laws_noise;
mod laws_noise_addresses;
mod laws_replicas;
mod laws_vector;
#[path = "../crates/chip/tests/support/stepped/mod.rs"]
mod stepped;
mod support;
