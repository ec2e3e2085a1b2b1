//! Weights: conventional, noise-injection and mapping-aware biased training.
//!
//! ```text
//!  data set, architecture ----> [train] quantisation-aware, straight-through ----> network
//!                                  ^                                   |
//!  chip + mapping --> [target] error and favourable weights   checkpoint by validation
//!                        [constraint] important columns        accuracy on chip samples
//! ```

pub mod architecture;
mod augment;
mod batch;
mod checkpoint;
pub mod config;
pub mod constraint;
mod effective;
mod error;
mod layer;
mod layers;
mod measure;
mod optimiser;
mod parts;
mod run;
mod session;
mod start;
pub mod target;
pub mod train;
mod trained;

pub use architecture::Architecture;
pub use augment::Augmentation;
pub use config::{METHODS, Method, Training};
pub use error::TrainError;
pub use session::{Progress, Session};
pub use start::Start;
pub use target::Target;
pub use train::{Epoch, Job, Trained, train};
