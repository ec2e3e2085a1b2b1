//! Weights: conventional, noise-injection and mapping-aware biased training.
//!
//! ```text
//!  data set, architecture ----> [train] quantisation-aware, straight-through ----> network
//!                                  ^                                   |
//!  chip + mapping --> [target] error and favourable weights   checkpoint by validation
//!                        [constraint] important columns        accuracy on chip samples
//! ```

mod adam;
pub mod architecture;
mod batch;
pub mod config;
pub mod constraint;
mod error;
mod layer;
pub mod layers;
pub mod target;
pub mod train;

pub use architecture::Architecture;
pub use config::{METHODS, Method, Training};
pub use error::TrainError;
pub use target::Target;
pub use train::{Epoch, Job, Trained, train};
