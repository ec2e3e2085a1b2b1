//! Names of what is stored: hashes of all that it depends on.

use std::fmt;

use sha2::{Digest, Sha256};

/// The version of the model. Results of another version have other names; raised with every change after which the same configuration gives other
/// bytes.
pub const MODEL: &str = concat!(env!("CARGO_PKG_VERSION"), " model 3");

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 32]);

impl Id {
    /// The name of a thing of the kind `kind` that depends on the model and on `parts`.
    pub fn of(kind: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in [MODEL.as_bytes(), kind.as_bytes()].iter().chain(parts) {
            // Lengths keep the end of one part from passing for the beginning of the next.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The name that 64 hexadecimal digits stand for.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let small = |digit: &u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit);
        if digits.len() != 64 || !digits.iter().all(small) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
