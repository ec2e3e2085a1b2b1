//! Are the chips of `configs/chips` what was published, and does a chip refuse what it cannot be?
//!
//! Everything is computed from the shipped files: times by `Chip::hardware`, energies by the cost tables. `docs/chips.md` is the table of
//! these numbers; `cargo test -p ohmic --test chips -- --nocapture` prints them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]
#![allow(clippy::print_stdout, reason = "the table of docs/chips.md is printed")]

mod chips_keys;
mod chips_neurram;
mod chips_published;
mod chips_sources;
mod support;
