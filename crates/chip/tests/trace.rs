//! Instruction traces and recordings: formats, what is refused, and what never ends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod record_export;
mod trace_check;
mod trace_format;
mod trace_liveness;
mod trace_support;
