//! The machine: laws, orders, closed forms, and agreement with a model that visits every unit in every cycle. One program, as building one for each file takes
//! longer than running them all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/gates.rs"]
mod gates;
mod machine_anomalies;
mod machine_differential;
mod machine_gates;
mod machine_laws;
mod machine_order;
mod machine_recorder;
mod machine_stepped;
mod machine_stepped_random;
mod machine_stepped_units;
#[path = "support/stepped/mod.rs"]
mod stepped;
#[path = "support/workloads/mod.rs"]
mod workloads;
