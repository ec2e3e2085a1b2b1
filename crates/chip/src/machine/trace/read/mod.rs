//! Text as a workload.
//!
//! Memory is bounded by the length of the text and by [`MOST_INSTRUCTIONS`]: what `repeat` stands for is expanded when its last `end` has
//! been read, from a tree that is no longer than the text.

mod body;
mod declare;
mod lines;

use super::error::{Fault, TraceError, shown};
use super::words::{Words, number};
use super::{FORMAT, VERSION};
use crate::machine::work::Workload;
use body::{Body, Counts};
use lines::Lines;
use std::io::BufRead;

/// Instructions that a trace may have after `repeat` has been expanded: 24 bytes each, 0.8 GB altogether.
pub const MOST_INSTRUCTIONS: usize = 1 << 25;

/// Reads a trace. Whether the workload makes sense is for [`Workload::check`] to say.
///
/// # Errors
/// [`TraceError`] with the line's number, its text and what is allowed there.
pub fn read(text: impl BufRead) -> Result<Workload, TraceError> {
    let mut lines = Lines::new(text);
    let mut reader = Reader::default();
    while let Some(line) = lines.next()? {
        let at =
            |Fault { found, allowed }| TraceError::Line { line: line.number, text: shown(line.text), found, allowed };
        let words = Words::new(line.text);
        if !words.is_empty() {
            reader.line(line.number, words).map_err(at)?;
        }
    }
    let missing = reader.missing();
    missing.map_or(Ok(reader.workload), |missing| Err(TraceError::End { line: lines.number().max(1), missing }))
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    workload: Workload,
    header: bool,
    result: bool,
    ended: bool,
    /// Repetitions that are open, the innermost last.
    open: Vec<Body>,
    /// The last counts of the core that is read.
    counts: Counts,
    /// Instructions of all cores.
    instructions: usize,
}

impl Reader {
    fn line(&mut self, number: usize, mut words: Words<'_>) -> Result<(), Fault> {
        let first = words.expect_word("a word")?;
        match first {
            _ if self.ended => return Err(Fault::new(format!("`{}`", shown(first)), "nothing behind `end trace`")),
            _ if !self.header => self.read_header(first, &mut words)?,
            "region" => self.read_region(&mut words)?,
            "result" => self.read_result(&mut words)?,
            "core" => self.read_core(&mut words)?,
            "banks" => self.read_banks(&mut words)?,
            "repeat" => self.read_repeat(&mut words)?,
            "end" => self.read_end(&mut words)?,
            _ => self.read_instruction(number, first, &mut words)?,
        }
        words.end()
    }

    fn read_header(&mut self, first: &str, words: &mut Words<'_>) -> Result<(), Fault> {
        let allowed = format!("the first line is `{FORMAT} {VERSION}`");
        let version = words.word().unwrap_or("");
        if first != FORMAT || number::<u32>(version, &allowed)? != VERSION {
            return Err(Fault::new(format!("`{}`", shown(&format!("{first} {version}"))), allowed));
        }
        self.header = true;
        Ok(())
    }

    /// What should have come before the end.
    fn missing(&self) -> Option<String> {
        let missing = match () {
            () if !self.header => format!("its first line should be `{FORMAT} {VERSION}`"),
            () if !self.ended => "its last line should be `end trace`".to_owned(),
            () => return None,
        };
        Some(missing)
    }
}
