//! From a network to a chip program, one pass a file.
//!
//! ```text
//! graph -> [canonicalise -> fold -> equalise -> fuse -> quantise] -> [choose] -> fit -> [mapping] -> partition, place -> emit -> calibrate -> chip program [-> replicate]
//! ```
//! The passes know levels, codes and level spacings; what a level is in siemens, volts or joules they do not know.

mod calibrate;
pub mod choose;
pub mod compile;
mod emit;
mod encode;
mod error;
pub mod favourable;
mod fit;
mod flip;
pub mod front;
pub mod fuse;
pub mod inspect;
pub mod mapping;
mod outline;
pub mod partition;
pub mod passes;
pub mod place;
pub mod quantise;
mod refusals;
mod replicate;
pub mod report;
mod warnings;

pub use chip::config::Chip;
pub use compile::{CompilationSettings, compile, compile_quantised};
pub use error::CompileError;
pub use outline::outline;
pub use refusals::Refusals;
pub use replicate::{Limit, replicate};
pub use warnings::warnings;
