//! From a network to a chip program, one pass a file.
//!
//! ```text
//! network -> [quantise] -> [mapping] -> partition, place -> [compile] emit -> calibrate -> chip program
//! ```
//! The passes know levels, codes and level spacings; what a level is in siemens, volts or joules they do not know.

mod calibrate;
pub mod compile;
mod error;
pub mod favourable;
mod flip;
pub mod mapping;
pub mod partition;
pub mod quantise;

pub use chip::config::Chip;
pub use compile::{Compilation, compile};
pub use error::CompileError;
