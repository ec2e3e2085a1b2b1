//! The mesh of routers: laws, published numbers, and agreement with a model that visits every cycle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

mod network_laws;
mod network_saturation;
mod network_stepped;
mod network_switch;
#[path = "support/network/mod.rs"]
mod support;
