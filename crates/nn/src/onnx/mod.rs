//! Reading of ONNX files.
//!
//! One file of the operator sets 7 to 28 with one image as input and one result becomes a [`Graph`]. Constants are folded, sizes
//! inferred, codes of quantised models turned into the numbers that they stand for, with the rounding as nodes of the graph. Every node that
//! cannot be imported is named in one error. Reading is bounded by the size of the file, and no content can make it panic.

mod builder;
mod error;
mod import;
mod input;
mod limits;
mod names;
mod node;
mod ops;
pub mod proto;
mod tensor;
mod value;

pub use error::{OnnxError, Refusal};

use crate::graph::Graph;
use prost::Message;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 29;
/// Sets of operators that can be read.
pub const OPSETS: std::ops::RangeInclusive<i64> = 7..=28;

/// What a file does not say of its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Name of the network.
    pub name: String,
    /// Name of the data set it was made for.
    pub dataset: String,
    /// Where the channels of the input stand in the model.
    pub layout: Layout,
    /// Which result is the network's, by its name, if there are several.
    pub output: Option<String>,
}

/// Order of the axes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Channel, row, column; the order of the graph.
    ChannelsFirst,
    /// Row, column, channel: the graph takes channels first nevertheless, and reorders them for the model.
    ChannelsLast,
}

impl Options {
    /// Channels first, and the only result.
    #[must_use]
    pub fn new(name: impl Into<String>, dataset: impl Into<String>) -> Self {
        Self { name: name.into(), dataset: dataset.into(), layout: Layout::ChannelsFirst, output: None }
    }
}

/// The network in the bytes of an ONNX file.
///
/// # Errors
/// If the bytes are not a model of a known version, are damaged, refer to other files, or hold nodes that cannot be imported, which are all
/// named with what could be done.
pub fn import(bytes: &[u8], options: &Options) -> Result<Graph, OnnxError> {
    let model_error = |problem: String| OnnxError::Model { name: options.name.clone(), problem };
    if bytes.len() > MAX_FILE_BYTES {
        return Err(model_error(format!("more than {MAX_FILE_BYTES} bytes, allowed: at most {MAX_FILE_BYTES}")));
    }
    if bytes.is_empty() {
        return Err(model_error("the file is empty, allowed: an ONNX model".to_owned()));
    }
    limits::check(bytes).map_err(model_error)?;
    let model = proto::ModelProto::decode(bytes);
    let model = model.map_err(|error| model_error(format!("not an ONNX file, or damaged: {error}")))?;
    import::import(&model, bytes.len(), options)
}

/// The network in an ONNX file.
///
/// # Errors
/// If the file cannot be read, or as [`import`].
pub fn load(file: &Path, options: &Options) -> Result<Graph, OnnxError> {
    let io_error = |source| OnnxError::Io { file: file.to_owned(), source };
    let mut bytes = Vec::new();
    let open = fs::File::open(file).map_err(io_error)?;
    open.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io_error)?;
    import(&bytes, options)
}
