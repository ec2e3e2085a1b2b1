//! Networks without hardware: graphs, float and integer inference, data sets, network files.

mod argmax;
mod axis;
pub mod coding;
mod concat;
pub mod convolution;
pub mod datasets;
pub mod error;
pub mod files;
pub mod gemm;
pub mod graph;
mod integer;
mod integer_fast;
pub mod onnx;
pub mod quantised;
mod quantised_check;
mod shape;
mod short_float;
mod table;
pub mod window;

pub use argmax::argmax;
pub use axis::Axis;
pub use error::{Invalid, NetworkError};
pub use graph::Graph;
pub use integer_fast::LayerRun;
pub use shape::Shape;
pub use window::Window;
