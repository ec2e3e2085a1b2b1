//! NumPy arrays of 64-bit floats (`.npy` version 1.0, C order): what conductances are exchanged in.
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

/// Reads a matrix of `rows x columns`.
///
/// # Errors
/// If the bytes are no such matrix of 64-bit floats in C order; the text says what was expected.
pub fn from_bytes(rows: usize, columns: usize, bytes: &[u8]) -> Result<Vec<f64>, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("not a .npy file of version 1.0")?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or("ends within its header")?;
    let (header, data) = rest.split_at_checked(u16::from_le_bytes(*length).into()).ok_or("ends within its header")?;
    let header: String = String::from_utf8_lossy(header).chars().filter(|c| !c.is_whitespace()).collect();
    for (part, meaning) in [
        ("'descr':'<f8'".to_owned(), "64-bit floats, little end first"),
        ("'fortran_order':False".to_owned(), "C order"),
        (format!("'shape':({rows},{columns})"), "that shape"),
    ] {
        if !header.contains(&part) {
            return Err(format!("its header is {header}; expected is {part} ({meaning})"));
        }
    }
    let (values, rest) = data.as_chunks::<8>();
    if values.len() != rows * columns || !rest.is_empty() {
        return Err(format!(
            "holds {} bytes of data, {rows} x {columns} values take {}",
            data.len(),
            8 * rows * columns
        ));
    }
    Ok(values.iter().map(|&value| f64::from_le_bytes(value)).collect())
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
        let good = to_bytes(2, 3, &[0.5; 6]);
        let replaced = |from: &str, to: &str| String::from_utf8_lossy(&good[8..]).replace(from, to).into_bytes();
        let with = |from: &str, to: &str| [&good[..8], replaced(from, to).as_slice()].concat();
        for (bytes, part) in [
            (b"PK".to_vec(), "not a .npy file"),
            (good[..9].to_vec(), "within its header"),
            (good[..40].to_vec(), "within its header"),
            (good[..good.len() - 1].to_vec(), "holds 47 bytes"),
            ([good.as_slice(), &[0]].concat(), "holds 49 bytes"),
            (with("<f8", "<f4"), "64-bit floats"),
            (with("(2, 3)", "(3, 2)"), "'shape':(2,3)"),
            (with("False", "True "), "C order"),
        ] {
            let error = from_bytes(2, 3, &bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn matrices_survive(rows in 1_usize..9, columns in 1_usize..9, seed: u64) {
            let values: Vec<f64> = (0..rows * columns).map(|at| f64::from_bits(seed.rotate_left(at as u32) >> 2)).collect();
            prop_assert_eq!(from_bytes(rows, columns, &to_bytes(rows, columns, &values)).unwrap(), values);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = from_bytes(2, 2, &bytes);
            let _ = from_bytes(2, 2, &[MAGIC.as_slice(), &bytes].concat());
        }
    }
}
