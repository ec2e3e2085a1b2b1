//! Why a trace cannot be read.

/// Why [`read`](super::read()) refused a trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The bytes cannot be read.
    #[error("line {line}: cannot be read: {reason}")]
    Read {
        /// Line, from 1.
        line: usize,
        /// What the operating system says.
        reason: String,
    },
    /// A line is not what may stand there.
    #[error("line {line}: `{text}`: {found} is not allowed here: {allowed}")]
    Line {
        /// Line, from 1.
        line: usize,
        /// The line, cut off if it is long.
        text: String,
        /// What is wrong.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// The trace ends too early.
    #[error("line {line}: the trace ends, but {missing}")]
    End {
        /// The last line, from 1.
        line: usize,
        /// What should have come.
        missing: String,
    },
}

/// A fault in a line before the reader adds the line's number and text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) found: String,
    pub(super) allowed: String,
}

impl Fault {
    pub(super) fn new(found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { found: found.into(), allowed: allowed.into() }
    }
}

/// As much of a line as an error shows.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut cut: String = text.trim().chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(MOST).is_some() {
        cut.push_str("...");
    }
    cut
}
