//! What the files of a program hold, as text.

use super::Program;
use super::files::{ARRAYS, ProgramError, TEXT, contents, digest, encode};
use safetensors::tensor::SafeTensors;
use std::path::Path;

/// The files that [`super::save`] writes, with their sizes and SHA-256, and below the one of arrays a line for each: name, type, sizes, SHA-256 of its bytes.
///
/// # Errors
/// If the program cannot be written down.
pub fn listing(program: &Program) -> Result<String, ProgramError> {
    let (text, arrays) = encode(program, Path::new(""))?;
    let file = |name: &str, bytes: &[u8]| format!("{name}: {} bytes, SHA-256 {}\n", bytes.len(), digest(bytes));
    let unreadable = |error: safetensors::SafeTensorError| contents(ARRAYS.into(), error.to_string());
    let tensors = SafeTensors::deserialize(&arrays).map_err(unreadable)?;
    let mut named = tensors.tensors();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let lines = named.iter().map(|(name, view)| {
        format!("  {name}: {:?} {:?}, SHA-256 {}\n", view.dtype(), view.shape(), digest(view.data()))
    });
    Ok(file(TEXT, text.as_bytes()) + &file(ARRAYS, &arrays) + &lines.collect::<String>())
}
