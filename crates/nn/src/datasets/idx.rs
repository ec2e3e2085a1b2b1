//! The IDX format of the MNIST files: arrays of unsigned bytes behind a short header, plain or compressed with gzip.
//!
//! Layout (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"): two zero bytes, the type of the values
//! (0x08, unsigned byte, is the only one read here), the number of dimensions, one big-endian 32-bit size per dimension, the values
//! with the last dimension changing fastest.

use super::DataError;
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::{Cursor, Read};

/// Code of the value type "unsigned byte".
const UNSIGNED_BYTE: u8 = 0x08;
/// Most dimensions an array may have.
const MAX_DIMENSIONS: usize = 4;

/// An array of unsigned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxArray {
    /// Sizes, the one that changes slowest first.
    pub dimensions: Vec<usize>,
    /// The values, as many as the product of the sizes.
    pub values: Vec<u8>,
}

/// Reads an IDX array from the bytes of a file, compressed or not. No more than `max_values` values, and little beyond them, are ever
/// held in memory, whatever the file claims or unpacks to.
///
/// # Errors
/// If the bytes are not exactly one IDX array of unsigned bytes; the message names `file` and what is wrong in it.
pub fn read_idx(file: &str, bytes: &[u8], max_values: usize) -> Result<IdxArray, DataError> {
    let header_limit = 4 + 4 * MAX_DIMENSIONS;
    let unpacked = unpack(file, bytes, max_values.saturating_add(header_limit))?;
    let (dimensions, values) = read_header(file, &unpacked)?;
    let expected = dimensions.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let expected = expected.filter(|&count| count <= max_values).ok_or_else(|| {
        DataError::damaged(file, format!("the header claims {dimensions:?} values, allowed: at most {max_values}"))
    })?;
    if values.len() != expected {
        let problem =
            format!("{} values follow the header, allowed: {expected}, as {dimensions:?} claims", values.len());
        return Err(DataError::damaged(file, problem));
    }
    Ok(IdxArray { dimensions, values: values.to_vec() })
}

/// What compressed files begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a file holds, without its compression, if there is one. Names do not tell: a file is compressed if it begins like one.
///
/// # Errors
/// If its first bytes cannot be read.
pub fn content<'a>(mut file: impl Read + 'a) -> std::io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(GZIP.len() as u64).read_to_end(&mut start)?;
    let compressed = start == GZIP;
    let whole = Cursor::new(start).chain(file);
    Ok(if compressed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// Removes the compression, if there is one; more than `limit` bytes are an error.
pub(super) fn unpack<'a>(file: &str, bytes: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, DataError> {
    let unpacked = if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        // All members are read, so that anything appended to the file is an error too.
        let mut reader = MultiGzDecoder::new(bytes).take((limit as u64).saturating_add(1));
        let read = reader.read_to_end(&mut unpacked);
        read.map_err(|error| DataError::damaged(file, format!("damaged gzip data: {error}")))?;
        Cow::Owned(unpacked)
    } else {
        Cow::Borrowed(bytes)
    };
    if unpacked.len() > limit {
        return Err(DataError::damaged(file, format!("more than {limit} bytes, allowed: at most {limit}")));
    }
    Ok(unpacked)
}

/// The sizes, and what follows the header.
fn read_header<'a>(file: &str, bytes: &'a [u8]) -> Result<(Vec<usize>, &'a [u8]), DataError> {
    let cut = || DataError::damaged(file, format!("{} bytes, too short for an IDX header", bytes.len()));
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let [0, 0, kind, count] = *magic else {
        return Err(DataError::damaged(file, format!("starts with bytes {magic:02x?}, allowed: 00 00 08 and a count")));
    };
    if kind != UNSIGNED_BYTE {
        return Err(DataError::damaged(file, format!("value type 0x{kind:02x}, allowed: 0x08 (unsigned byte)")));
    }
    let count = usize::from(count);
    if !(1..=MAX_DIMENSIONS).contains(&count) {
        return Err(DataError::damaged(file, format!("{count} dimensions, allowed: 1 to {MAX_DIMENSIONS}")));
    }
    let (sizes, values) = rest.split_at_checked(4 * count).ok_or_else(cut)?;
    let (sizes, _) = sizes.as_chunks::<4>();
    Ok((sizes.iter().map(|&size| u32::from_be_bytes(size) as usize).collect(), values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const SMALL: [u8; 18] = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn problem(bytes: &[u8]) -> String {
        read_idx("x.idx", bytes, 100).unwrap_err().to_string()
    }

    #[test]
    fn plain_and_compressed_arrays_are_the_same() {
        let array = IdxArray { dimensions: vec![2, 3], values: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(read_idx("x.idx", &SMALL, 6), Ok(array.clone()));
        assert_eq!(read_idx("x.idx", &gzip(&SMALL), 6), Ok(array));
    }

    #[test]
    fn every_damage_is_named() {
        assert_eq!(problem(&[]), "x.idx: 0 bytes, too short for an IDX header");
        assert_eq!(problem(&SMALL[..9]), "x.idx: 9 bytes, too short for an IDX header");
        assert_eq!(problem(&SMALL[..17]), "x.idx: 5 values follow the header, allowed: 6, as [2, 3] claims");
        assert_eq!(problem(&[0, 0, 13, 1, 0, 0, 0, 0]), "x.idx: value type 0x0d, allowed: 0x08 (unsigned byte)");
        assert_eq!(problem(&[0, 0, 8, 9, 0, 0, 0, 0]), "x.idx: 9 dimensions, allowed: 1 to 4");
        assert_eq!(problem(b"PNG!"), "x.idx: starts with bytes [50, 4e, 47, 21], allowed: 00 00 08 and a count");
        let huge = [&[0, 0, 8, 4][..], &[0xff; 16]].concat();
        assert!(problem(&huge).contains("allowed: at most 100"), "{}", problem(&huge));
        let longer = [&SMALL[..], &[0]].concat();
        assert!(problem(&longer).contains("7 values follow the header"));
        let appended = [&gzip(&SMALL)[..], b"x"].concat();
        assert!(problem(&appended).starts_with("x.idx: damaged gzip data"));
    }

    #[test]
    fn a_compression_bomb_is_stopped_at_the_limit() {
        let bomb = gzip(&vec![0u8; 10_000_000]);
        assert_eq!(problem(&bomb), "x.idx: more than 120 bytes, allowed: at most 120");
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), start in 0usize..3) {
            let prefix: [&[u8]; 3] = [&[], &[0, 0, 8], &[0x1f, 0x8b, 8]];
            let bytes = [prefix[start], &bytes].concat();
            if let Ok(array) = read_idx("x.idx", &bytes, 32) {
                prop_assert_eq!(array.dimensions.iter().product::<usize>(), array.values.len());
            }
        }

        #[test]
        fn truncated_files_are_errors(cut in 0usize..1000) {
            let packed = gzip(&SMALL);
            prop_assert!(read_idx("x.idx", &packed[..cut % packed.len()], 100).is_err());
            prop_assert!(read_idx("x.idx", &SMALL[..cut % SMALL.len()], 100).is_err());
        }

        #[test]
        fn flipped_bits_of_a_compressed_file_never_change_the_values_unnoticed(byte in 10usize..1000, bit in 0u32..8) {
            let mut packed = gzip(&SMALL);
            let byte = byte.min(packed.len() - 1);
            packed[byte] ^= 1 << bit;
            let read = read_idx("x.idx", &packed, 100);
            prop_assert!(read.is_err() || read.is_ok_and(|array| array.values == [1, 2, 3, 4, 5, 6]));
        }
    }
}
