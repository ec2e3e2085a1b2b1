//! Files that several tests read: reference outputs, and what lies beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder with third-party networks and data sets, if it is there: `OHMIC_SHARED`, or `../shared` beside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("OHMIC_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    folder.join("models").is_dir().then_some(folder)
}

/// Rows of numbers.
pub(crate) fn csv(file: &Path) -> Vec<Vec<f32>> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split(',').map(|number| number.parse().unwrap()).collect()).collect()
}

/// Sizes and values of a little-endian `f32` array in C order.
pub(crate) fn npy(file: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = fs::read(file).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{}", file.display());
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    let sizes = header.split(['(', ')']).nth(1).unwrap();
    let sizes: Vec<usize> = sizes.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let (values, rest) = bytes[start..].as_chunks::<4>();
    assert!(rest.is_empty() && values.len() == sizes.iter().product::<usize>());
    (sizes, values.iter().map(|&value| f32::from_le_bytes(value)).collect())
}

/// Checks results of one image: to 1e-3 of each value, and to 1e-4 of the largest where values nearly cancel.
pub(crate) fn assert_close(what: &str, result: &[f32], reference: &[f32]) {
    assert_eq!(result.len(), reference.len(), "{what}");
    let largest = reference.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    for (index, (value, expected)) in result.iter().zip(reference).enumerate() {
        let allowed = 1e-3 * expected.abs() + 1e-4 * largest;
        assert!((value - expected).abs() <= allowed, "{what}, value {index}: {value}, expected {expected}");
    }
}
