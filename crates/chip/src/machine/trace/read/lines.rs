//! Lines of bounded length, with their numbers.

use crate::machine::trace::error::{TraceError, shown};
use std::io::{BufRead, Read};

/// Bytes of a line, its end included.
const LONGEST: u64 = 1 << 20;

pub(super) struct Lines<R> {
    text: R,
    number: usize,
    bytes: Vec<u8>,
}

pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, number: 0, bytes: Vec::new() }
    }

    /// Lines read so far.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The next line without its end.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, TraceError> {
        self.bytes.clear();
        let line = self.number.saturating_add(1);
        let mut limited = self.text.by_ref().take(LONGEST + 1);
        let read = limited.read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|error| TraceError::Read { line, reason: error.to_string() })?;
        if read == 0 {
            return Ok(None);
        }
        self.number = line;
        let fault = |found: &str, allowed: String| {
            let start = &self.bytes[..self.bytes.len().min(400)];
            let text = shown(&String::from_utf8_lossy(start));
            TraceError::Line { line, text, found: found.to_owned(), allowed }
        };
        if self.bytes.len() as u64 > LONGEST {
            return Err(fault("a line of this length", format!("at most {LONGEST} bytes")));
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => {
                // Some editors begin a file with a byte-order mark.
                let text = if line == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
                Ok(Some(Line { number: line, text: text.trim_end_matches(['\n', '\r']) }))
            }
            Err(_) => Err(fault("a byte that is not UTF-8", "UTF-8".to_owned())),
        }
    }
}
