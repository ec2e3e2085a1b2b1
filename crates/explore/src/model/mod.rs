//! Networks to infer and compile: what `ohmic train` wrote, ONNX files, and documents that say what a network expects of an image.

mod config;
mod graphs;
mod labels;
mod load;
mod normalise;

pub use config::{InputConfig, InputLayout, Labels, ModelConfig};
pub use load::{MODELS, Model, load};
