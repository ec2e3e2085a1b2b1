//! Do the devices have the numbers their sources give, and do programmed cells follow them?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod devices_effects;
mod devices_files;
mod devices_published;
mod devices_statistics;
mod devices_support;
