//! The content of a stored file: what it is, named parts, and a hash over all of it.
//!
//! ```text
//! ohmic-store 1 row 3f2a...
//! result 1234
//! (1234 bytes)
//! sha256 91bc...
//! ```

use crate::digest::hex;
use sha2::{Digest, Sha256};

use super::Kind;
use super::id::Id;

const MAGIC: &str = "ohmic-store 1";

/// The named parts of a stored thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    parts: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// With one part more; names have no blanks.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.parts.push((name.to_owned(), bytes.into()));
        self
    }

    /// A part.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn part(&self, name: &str) -> Result<&[u8], String> {
        let found = self.parts.iter().find(|(part, _)| part == name);
        found.map(|(_, bytes)| bytes.as_slice()).ok_or_else(|| format!("there is no part `{name}`"))
    }

    /// A part as text.
    ///
    /// # Errors
    /// If there is none of this name, or it is no text.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        std::str::from_utf8(self.part(name)?).map_err(|error| format!("part `{name}`: {error}"))
    }

    /// The bytes of a file.
    pub(super) fn encode(&self, kind: Kind, id: &Id) -> Vec<u8> {
        let mut bytes = format!("{MAGIC} {} {id}\n", kind.name()).into_bytes();
        for (name, part) in &self.parts {
            bytes.extend(format!("{name} {}\n", part.len()).bytes());
            bytes.extend(part);
            bytes.push(b'\n');
        }
        let hash = digest(&bytes);
        bytes.extend(format!("sha256 {hash}\n").bytes());
        bytes
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// If they are not what [`Self::encode`] wrote of this kind and name.
    pub(super) fn decode(bytes: &[u8], kind: Kind, id: &Id) -> Result<Self, String> {
        const HASH_LINE: usize = "sha256 \n".len() + 64;
        let (content, hash) = bytes.split_at(bytes.len().saturating_sub(HASH_LINE));
        if hash != format!("sha256 {}\n", digest(content)).as_bytes() {
            return Err("damaged: it does not end with the hash of its content".to_owned());
        }
        let (first, mut rest) = line(content)?;
        let expected = format!("{MAGIC} {} {id}", kind.name());
        if first != expected {
            return Err(format!("begins with `{first}`, allowed: `{expected}`"));
        }
        let mut record = Self::default();
        while !rest.is_empty() {
            let (header, after) = line(rest)?;
            let (name, length) = header.split_once(' ').ok_or("a part has no length")?;
            let length: usize = length.parse().map_err(|_| format!("part `{name}` has the length `{length}`"))?;
            let part = after.get(..length).ok_or_else(|| format!("part `{name}` ends too early"))?;
            rest = after[length..].strip_prefix(b"\n").ok_or_else(|| format!("part `{name}` has no end"))?;
            record.parts.push((name.to_owned(), part.to_vec()));
        }
        Ok(record)
    }
}

fn line(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("a line has no end")?;
    let text = std::str::from_utf8(&bytes[..end]).map_err(|error| error.to_string())?;
    Ok((text, &bytes[end + 1..]))
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}
