//! NumPy arrays (`.npy`, C order): what conductances, images and results are exchanged in.
//!
//! Format: NumPy Enhancement Proposal 1 (numpy.lib.format).

const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";
/// The data start at a multiple of this.
const ALIGNMENT: usize = 64;

/// A matrix as the bytes of a `.npy` file.
#[must_use]
pub fn to_bytes(rows: usize, columns: usize, values: &[f64]) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(ALIGNMENT) - unpadded));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// NumPy's name of the kind of number, as `<f8`.
    pub kind: String,
    /// Length of every axis, slowest first.
    pub shape: Vec<usize>,
    /// The numbers, in C order.
    pub values: Vec<f64>,
}

/// Reads a matrix of `rows x columns`.
///
/// # Errors
/// If the bytes are no array that can be read, or one of another shape; the text says what was expected.
pub fn from_bytes(rows: usize, columns: usize, bytes: &[u8]) -> Result<Vec<f64>, String> {
    let Array { kind, shape, values } = read(bytes)?;
    if kind != "<f8" {
        return Err(format!("holds numbers of the kind {kind}; expected are 64-bit floats, <f8"));
    }
    if shape == [rows, columns] {
        Ok(values)
    } else {
        Err(format!("has the shape {shape:?}; expected is [{rows}, {columns}]"))
    }
}

/// Reads an array in C order of floats or integers, little end first, of any shape.
///
/// # Errors
/// If the bytes are no such array; the text says what was expected.
pub fn read(bytes: &[u8]) -> Result<Array, String> {
    let (header, data) = split(bytes)?;
    let header: String = String::from_utf8_lossy(header).chars().filter(|c| !c.is_whitespace()).collect();
    let refuse = |part: &str, meaning: &str| format!("its header is {header}; expected is {part} ({meaning})");
    if !header.contains("'fortran_order':False") {
        return Err(refuse("'fortran_order':False", "C order"));
    }
    let kind = between(&header, "'descr':'", "'").unwrap_or_default();
    let (width, value) = number(kind).ok_or_else(|| refuse("'descr':'<f8'", "or <f4, |u1, |i1, <i2, <i4, <i8"))?;
    let axes = between(&header, "'shape':(", ")").map(|axes| axes.split(',').filter(|axis| !axis.is_empty()));
    let shape: Option<Vec<usize>> = axes.and_then(|axes| axes.map(|axis| axis.parse().ok()).collect());
    let shape = shape.ok_or_else(|| refuse("'shape':(...)", "whole numbers"))?;
    let count = shape.iter().try_fold(1_usize, |count, &axis| count.checked_mul(axis));
    if count.and_then(|count| count.checked_mul(width)) != Some(data.len()) {
        return Err(format!(
            "holds {} bytes of data, which are not those of the shape {shape:?} with numbers of {width} bytes",
            data.len()
        ));
    }
    Ok(Array { kind: kind.to_owned(), shape, values: data.chunks_exact(width).map(value).collect() })
}

/// The header and the data of versions 1 to 3, whose headers have lengths of 2, 4 and 4 bytes.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    const SHORT: &str = "ends within its header";
    let rest = bytes.strip_prefix(&MAGIC[..6]).ok_or("not a .npy file")?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
    let (length, rest) = match version {
        [1, 0] => rest.split_first_chunk::<2>().map(|(length, rest)| (u32::from(u16::from_le_bytes(*length)), rest)),
        [2 | 3, 0] => rest.split_first_chunk::<4>().map(|(length, rest)| (u32::from_le_bytes(*length), rest)),
        [major, minor] => return Err(format!("is of version {major}.{minor}; expected is 1.0, 2.0 or 3.0")),
    }
    .ok_or(SHORT)?;
    rest.split_at_checked(length as usize).ok_or_else(|| SHORT.to_owned())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(inner, _)| inner)
}

/// Width of a number in bytes, and how it is read.
type Number = (usize, fn(&[u8]) -> f64);

/// The numbers of a kind that can be read.
fn number(kind: &str) -> Option<Number> {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N])
    }
    Some(match kind {
        "<f8" => (8, |bytes| f64::from_le_bytes(array(bytes))),
        "<f4" => (4, |bytes| f32::from_le_bytes(array(bytes)).into()),
        "|u1" => (1, |bytes| u8::from_le_bytes(array(bytes)).into()),
        "|i1" => (1, |bytes| i8::from_le_bytes(array(bytes)).into()),
        "<i2" => (2, |bytes| i16::from_le_bytes(array(bytes)).into()),
        "<i4" => (4, |bytes| i32::from_le_bytes(array(bytes)).into()),
        "<i8" => (8, |bytes| i64::from_le_bytes(array(bytes)) as f64),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte for byte what `numpy.save` writes for `numpy.array([[1.0, -2.5]])`.
    #[test]
    fn the_bytes_are_those_of_numpy() {
        let mut expected =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        expected.extend([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0x04, 0xc0]);
        assert_eq!(to_bytes(1, 2, &[1.0, -2.5]), expected);
    }

    #[test]
    fn other_files_are_refused() {
        // Numbers whose bytes are characters, as texts are replaced in them.
        let good = to_bytes(2, 3, &[2.0; 6]);
        let replaced = |from: &str, to: &str| String::from_utf8_lossy(&good[8..]).replace(from, to).into_bytes();
        let with = |from: &str, to: &str| [&good[..8], replaced(from, to).as_slice()].concat();
        for (bytes, part) in [
            (b"PK".to_vec(), "not a .npy file"),
            (good[..9].to_vec(), "within its header"),
            (good[..40].to_vec(), "within its header"),
            (good[..good.len() - 1].to_vec(), "holds 47 bytes of data"),
            ([good.as_slice(), &[0]].concat(), "holds 49 bytes of data"),
            (with("<f8", "<c8"), "<f4, |u1"),
            (with("<f8", "<f4"), "the shape [2, 3] with numbers of 4 bytes"),
            (with("(2, 3)", "(3, 2)"), "has the shape [3, 2]; expected is [2, 3]"),
            (with("(2, 3)", "(2, x)"), "whole numbers"),
            (with("False", "True "), "C order"),
        ] {
            let error = from_bytes(2, 3, &bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn other_numbers_and_versions_are_read() {
        let array = |version: u8, kind: &str, data: &[u8]| {
            let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2,), }}\n");
            let length = header.len() as u32;
            let length = if version == 1 { length.to_le_bytes()[..2].to_vec() } else { length.to_le_bytes().to_vec() };
            read(&[&MAGIC[..6], &[version, 0], &length, header.as_bytes(), data].concat())
        };
        let expected = |kind: &str| Ok(Array { kind: kind.to_owned(), shape: vec![2], values: vec![3.0, -1.0] });
        assert_eq!(array(1, "|i1", &[3, 255]), expected("|i1"));
        assert_eq!(array(2, "<i2", &[3, 0, 255, 255]), expected("<i2"));
        assert_eq!(array(3, "<f4", &[0, 0, 0x40, 0x40, 0, 0, 0x80, 0xbf]), expected("<f4"));
        assert_eq!(array(1, "<i8", &[[3, 0, 0, 0, 0, 0, 0, 0], [255; 8]].concat()), expected("<i8"));
        assert!(array(4, "|u1", &[0, 0]).unwrap_err().contains("version 4.0"));
    }

    proptest! {
        #[test]
        fn matrices_survive(rows in 1_usize..9, columns in 1_usize..9, seed: u64) {
            let values: Vec<f64> = (0..rows * columns).map(|at| f64::from_bits(seed.rotate_left(at as u32) >> 2)).collect();
            prop_assert_eq!(from_bytes(rows, columns, &to_bytes(rows, columns, &values)).unwrap(), values);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
            let _ = from_bytes(2, 2, &[MAGIC.as_slice(), &bytes].concat());
        }
    }
}
