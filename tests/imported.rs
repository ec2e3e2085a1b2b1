//! Do networks from elsewhere become programs that compute what they say? The repository's own ONNX files, and the third-party networks beside
//! the repository where they are.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests may fail and say why")]

mod imported_commands;
mod imported_damage;
mod imported_documents;
mod imported_large;
mod imported_own;
mod imported_random;
mod imported_refused;
mod imported_resnet18;
mod imported_third_party;
mod imported_weights;
#[path = "../crates/nn/tests/support/random_graph/mod.rs"]
mod random_graph;
#[path = "support/skip.rs"]
mod skip;
mod support;
#[path = "../crates/nn/tests/support/writer.rs"]
mod writer;
