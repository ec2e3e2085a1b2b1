//! The state of a training as bytes: fields in a fixed order, numbers little-endian, lists behind their lengths, and a hash at the end.

use crate::error::TrainError;
use sha2::{Digest, Sha256};

/// What the file of a checkpoint begins with; the last byte is the version of the format.
const MAGIC: [u8; 8] = *b"ohmic-t\x03";

/// Length of a SHA-256.
const HASH_BYTES: usize = 32;

/// State that is written into a checkpoint and read back in the same order.
pub(crate) trait Stored {
    /// Appends the state.
    fn store(&self, writer: &mut Writer);

    /// Replaces the state; lists keep their lengths.
    ///
    /// # Errors
    /// If there is not enough left, or a list has another length.
    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError>;
}

/// A number of a fixed size.
pub(crate) trait Number: Copy {
    /// Appends it.
    fn put(self, bytes: &mut Vec<u8>);
    /// Reads it, if there is enough.
    fn get(bytes: &mut &[u8]) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn get(bytes: &mut &[u8]) -> Option<Self> {
                let (own, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*own))
            }
        }
    )*};
}

numbers!(u8, i32, i64, u32, u64, f32, f64);

impl Stored for Vec<bool> {
    fn store(&self, writer: &mut Writer) {
        writer.list(&self.iter().map(|&flag| u8::from(flag)).collect::<Vec<u8>>());
    }

    fn restore(&mut self, reader: &mut Reader<'_>) -> Result<(), TrainError> {
        let mut flags = vec![0_u8; self.len()];
        reader.list(&mut flags)?;
        *self = flags.into_iter().map(|flag| flag == 1).collect();
        Ok(())
    }
}

/// A checkpoint under construction.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Begins the checkpoint of the training `key`.
    pub(crate) fn new(key: &str) -> Self {
        let mut writer = Self(MAGIC.to_vec());
        writer.list(key.as_bytes());
        writer
    }

    /// Appends a number.
    pub(crate) fn number(&mut self, number: impl Number) {
        number.put(&mut self.0);
    }

    /// Appends a list.
    pub(crate) fn list<N: Number>(&mut self, values: &[N]) {
        self.number(values.len() as u64);
        values.iter().for_each(|value| value.put(&mut self.0));
    }

    /// The bytes with their hash.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let hash = Sha256::digest(&self.0);
        self.0.extend(hash);
        self.0
    }
}

/// A checkpoint being read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins to read the checkpoint of the training `key`.
    ///
    /// # Errors
    /// If the bytes are no checkpoint, damaged, of another version, or of another training.
    pub(crate) fn new(bytes: &'a [u8], key: &str) -> Result<Self, TrainError> {
        let problem = |what: &str| TrainError::Checkpoint(what.to_owned());
        let rest = bytes.strip_prefix(&MAGIC).ok_or_else(|| problem("it is none of this version of the program"))?;
        let (content, hash) = bytes.split_at(bytes.len() - rest.len().min(HASH_BYTES));
        if Sha256::digest(content).as_slice() != hash {
            return Err(problem(
                "it is damaged, its hash is not that of its content; delete it, or go on without --resume",
            ));
        }
        let mut reader = Self(&rest[..rest.len() - HASH_BYTES]);
        let mut found = vec![0; key.len()];
        match reader.list(&mut found) {
            Ok(()) if found == key.as_bytes() => Ok(reader),
            _ => Err(problem(
                "it is that of a training with another configuration, network, data set or seed; write to another directory, or go on without --resume",
            )),
        }
    }

    /// Reads a number.
    pub(crate) fn number<N: Number>(&mut self) -> Result<N, TrainError> {
        N::get(&mut self.0).ok_or_else(|| TrainError::Checkpoint("it ends too early".to_owned()))
    }

    /// Reads a list into one of the same length.
    pub(crate) fn list<N: Number>(&mut self, into: &mut [N]) -> Result<(), TrainError> {
        let length: u64 = self.number()?;
        if length != into.len() as u64 {
            return Err(TrainError::Checkpoint(format!("it has a list of {length} numbers, allowed: {}", into.len())));
        }
        into.iter_mut().try_for_each(|value| {
            *value = self.number()?;
            Ok(())
        })
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(self) -> Result<(), TrainError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(TrainError::Checkpoint(format!("it has {left} bytes too many"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let mut writer = Writer::new("key");
        writer.number(7_u32);
        writer.list(&[1.5_f32, f32::NAN, -0.0]);
        writer.list(&[-1_i32]);
        writer.finish()
    }

    #[test]
    fn what_was_written_is_read_bit_for_bit() {
        let bytes = written();
        let mut reader = Reader::new(&bytes, "key").unwrap();
        let (mut floats, mut integers) = ([0.0_f32; 3], [0_i32]);
        assert_eq!(reader.number::<u32>().unwrap(), 7);
        reader.list(&mut floats).unwrap();
        reader.list(&mut integers).unwrap();
        assert_eq!(floats.map(f32::to_bits), [1.5, f32::NAN, -0.0].map(f32::to_bits));
        assert_eq!(integers, [-1]);
        reader.finish().unwrap();
    }

    #[test]
    fn damage_and_other_trainings_are_named() {
        let bytes = written();
        let problem =
            |bytes: &[u8], key| Reader::new(bytes, key).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(problem(&bytes, "key"), "");
        assert!(problem(&bytes, "kez").contains("another configuration"));
        for index in 8..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            assert!(problem(&damaged, "key").contains("damaged"), "byte {index}");
        }
        for length in 0..bytes.len() {
            assert_ne!(problem(&bytes[..length], "key"), "", "{length} bytes");
        }
        let mut reader = Reader::new(&bytes, "key").unwrap();
        assert!(reader.list(&mut [0_u8; 2]).unwrap_err().to_string().contains("allowed: 2"));
        let mut reader = Reader::new(&bytes, "key").unwrap();
        let _: u32 = reader.number().unwrap();
        assert!(reader.finish().unwrap_err().to_string().contains("bytes too many"));
    }
}
