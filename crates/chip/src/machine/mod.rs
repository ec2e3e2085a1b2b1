//! The machine: a chip that executes instructions in integer cycles, with contention for everything that is shared.
//!
//! It knows no program and no network: [`work::Workload`] says what is to be done, [`hardware::Hardware`] how fast everything is, and
//! `docs/timing.md` states every rule that [`run`] follows.

pub mod account;
pub mod check;
mod engine;
mod error;
pub mod hardware;
pub mod instruction;
pub mod liveness;
pub mod network;
pub mod record;
pub mod report;
mod steps;
pub mod summary;
pub mod trace;
pub mod work;

pub use engine::{Recorder, Settings, run};
pub use error::MachineError;
