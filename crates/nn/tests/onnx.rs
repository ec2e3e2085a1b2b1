//! The reader of ONNX files: what every operator computes, third-party networks, random graphs, and what is refused. One program, as building one for each file
//! takes longer than running them all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod attributes;
mod documented;
mod messages;
mod models;
mod operators;
#[path = "support/random_graph/mod.rs"]
mod random_graph;
mod random_graphs;
mod refused;
#[path = "../../../tests/support/skip.rs"]
mod skip;
mod support;
#[path = "support/writer.rs"]
mod writer;
mod zero_points;
