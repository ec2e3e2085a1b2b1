//! The timing engine: how many cycles a pipeline takes, and what every unit of it does meanwhile.
//!
//! A stage of crossbars works like this. One load port fills the input registers of the stage; every converter bank then works at its own
//! pace on the same registers:
//!
//! ```text
//!  input buffer      load port      input registers      bank 0
//!  (pixels of the   +---------+    +---------------+    +--------+   +---------------+   +-----------+
//!   stage before)   | `load`  |    |    MVM m      |-+->| arrays |-->|sample-and-hold|-->| ADC bank  |-+
//!  ================>| cycles  |===>+---------------+ |  | `read` |   |  `sample_     |   | `convert` | |   +--------+
//!        ^          +---------+    |    MVM m+1    | |  +--------+   |   hold_depth` |   +-----------+ +==>| `post` |==> next buffer
//!        |               |         +---------------+ |   bank 1, 2, ...                                |   +--------+        |
//!        |               |         `input_registers` +->   ...                                       --+                     |
//!        +-- credit -----+                                                     credit: `capacity` pixels of the next buffer --+
//! ```
//!
//! * Where several stages read a result, each has a buffer of its own for it, and the stage that writes it needs room in all of them. A stage
//!   with several inputs takes a window when each holds what the window reads of it.
//! * The port takes one window (one MVM) at a time. It starts when the window's pixels are in the input buffer, an input register is free
//!   and the next buffer has room for the pixel to come. At the end of the load the window gives its pixels back.
//! * An array reads one input slice per `read` cycles and keeps the result until the sample-and-hold has room for it.
//! * The converters take the held slices in order, `convert` cycles each; a slice leaves the sample-and-hold when it is converted.
//! * An input register is free again when every bank has latched its last slice, and the pixel is written `post` cycles after the last
//!   conversion of the slowest bank.
//!
//! A stage of the other kind, [`model::UnitTiming::Interval`], starts one window per `interval` cycles and writes it `latency` later.
//!
//! Buffers with which the stages would wait for each other for ever are refused before the first cycle.
//!
//! [`simulate`] plays the events in order of time, so it costs per event and not per cycle, and gives the same answer on every run.

mod bank;
mod buffer;
mod check;
mod engine;
mod error;
mod liveness;
pub mod lower;
pub mod model;
mod mvm;
mod queue;
mod report;
mod stage;
mod vector;

pub use engine::simulate;
pub use error::TimingError;
pub use report::{BankActivity, StageActivity, TimingReport};
