//! Instruction traces: a [`Workload`](super::work::Workload) as text that a person can read and another compiler can write.
//!
//! `traces/README.md` is the manual of the format. [`write()`] never repeats instructions by `repeat`; [`read()`] expands it.

mod error;
mod read;
mod words;
mod write;

pub use error::TraceError;
pub use read::{MOST_INSTRUCTIONS, read};
pub use write::write;

/// First word of every trace.
pub const FORMAT: &str = "ohmic-trace";

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;
