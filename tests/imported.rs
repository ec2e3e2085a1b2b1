//! Do networks from elsewhere become programs that compute what they say? The repository's own ONNX files, and the third-party networks beside
//! the repository where they are.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests may fail and say why")]

mod imported_commands;
mod imported_own;
mod imported_third_party;
mod support;
