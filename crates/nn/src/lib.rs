//! Networks without hardware: layers, float and integer inference, data sets, network files.

mod argmax;
mod axis;
pub mod coding;
mod concat;
pub mod datasets;
pub mod error;
pub mod files;
pub mod gemm;
pub mod graph;
mod integer;
mod integer_fast;
pub mod layers;
pub mod network;
pub mod onnx;
pub mod quantised;
mod quantised_check;
mod table;
pub mod window;

pub use argmax::argmax;
pub use axis::Axis;
pub use error::{Invalid, NetworkError};
pub use graph::Graph;
pub use network::{Layer, Network, Op, Shape};
pub use window::Window;
