//! Arrays of NumPy: an `.npz` is a zip of `.npy` files, of which CrossSim's cases use three element types in row-major order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zip::ZipArchive;

/// One array, row-major.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

/// All arrays of a file. Whoever reads one takes it, so that what nobody has read can be named in the end.
pub(crate) struct Arrays(BTreeMap<String, Array>);

impl Arrays {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut archive = ZipArchive::new(file).map_err(|error| error.to_string())?;
        let mut arrays = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
            let file_name = entry.name().to_owned();
            let name = file_name.strip_suffix(".npy").ok_or_else(|| format!("`{file_name}` is not an array"))?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|error| format!("{name}: {error}"))?;
            arrays.insert(name.to_owned(), parse(&bytes).map_err(|error| format!("{name}: {error}"))?);
        }
        Ok(Self(arrays))
    }

    /// The values of an array that must have this shape.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>, String> {
        let array = self.0.remove(name).ok_or_else(|| format!("array `{name}` is missing"))?;
        match array.shape == shape {
            true => Ok(array.values),
            false => Err(format!("array `{name}` has the shape {:?} instead of {shape:?}", array.shape)),
        }
    }

    /// Like [`Self::take`], for an array that some cases do not have.
    pub(crate) fn take_if_there(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f64>>, String> {
        if self.0.contains_key(name) { self.take(name, shape).map(Some) } else { Ok(None) }
    }

    /// An error if some array has not been read: it would be a part of the case that the test does not know.
    pub(crate) fn all_read(&self) -> Result<(), String> {
        let unread: Vec<&str> = self.0.keys().map(String::as_str).collect();
        if unread.is_empty() { Ok(()) } else { Err(format!("arrays that nothing reads: {unread:?}")) }
    }
}

/// Reads format version 1.0: magic, version, length of the header (2 bytes), header (a Python literal), elements.
fn parse(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY\x01\x00").ok_or("not a .npy file of version 1.0")?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or("cut off")?;
    let (header, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or("cut off")?;
    let header = std::str::from_utf8(header).map_err(|error| error.to_string())?;
    if field(header, "'fortran_order': ", ',')? != "False" {
        return Err("not in row-major order".to_owned());
    }
    let dimensions = field(header, "'shape': (", ')')?.split(',').map(str::trim).filter(|text| !text.is_empty());
    let shape: Vec<usize> =
        dimensions.map(str::parse).collect::<Result<_, _>>().map_err(|error| format!("shape: {error}"))?;
    let values = match field(header, "'descr': '", '\'')? {
        "<i8" => elements(data, |bytes| i64::from_le_bytes(bytes) as f64)?,
        "<f8" => elements(data, f64::from_le_bytes)?,
        "<f4" => elements(data, |bytes| f64::from(f32::from_le_bytes(bytes)))?,
        other => return Err(format!("elements of type `{other}`")),
    };
    match values.len() == shape.iter().product::<usize>() && values.iter().all(|value| value.is_finite()) {
        true => Ok(Array { shape, values }),
        false => Err(format!("{} elements for the shape {shape:?}, or some are not finite", values.len())),
    }
}

/// The text between `before` and the next `end`.
fn field<'a>(header: &'a str, before: &str, end: char) -> Result<&'a str, String> {
    let found = header.split_once(before).and_then(|(_, rest)| rest.split_once(end));
    found.map(|(text, _)| text).ok_or_else(|| format!("no {before}.. in the header {header}"))
}

fn elements<const N: usize>(data: &[u8], read: impl Fn([u8; N]) -> f64) -> Result<Vec<f64>, String> {
    let (chunks, rest) = data.as_chunks::<N>();
    if rest.is_empty() { Ok(chunks.iter().copied().map(read).collect()) } else { Err("cut off".to_owned()) }
}
