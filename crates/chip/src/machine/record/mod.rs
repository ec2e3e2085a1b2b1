//! Recordings of a run: what every unit did when, and which packets went where.
//!
//! A recording covers a window of cycles. [`Recording::span`] and [`Recording::flow`] clip to it, so that a long run can be recorded in
//! part. [`write_json`] makes of it what `ui.perfetto.dev` opens, [`write_vcd`] what waveform viewers do.

mod json;
mod time;
mod vcd;

pub use json::write_json;
pub use time::Timebase;
pub use vcd::write_vcd;

use super::account::Class;

/// What happened in the cycles `from..until`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// First cycle.
    pub from: u64,
    /// Cycle behind the last one.
    pub until: u64,
    /// Units, which spans and flows name by their place in this list.
    pub units: Vec<RecordedUnit>,
    /// What units did, in any order; those of a unit do not overlap. Between them it is idle.
    pub spans: Vec<Span>,
    /// Items on their way, in any order.
    pub flows: Vec<FlowArrow>,
}

/// A unit: a row of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedUnit {
    /// The tile that it belongs to; none if it belongs to the chip.
    pub tile: Option<u32>,
    /// Name.
    pub name: String,
    /// The stage that it works for; empty if it is shared.
    pub stage: String,
}

/// Cycles `start..end` in which a unit was in one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The unit.
    pub unit: u32,
    /// What it did.
    pub class: Class,
    /// First cycle.
    pub start: u64,
    /// Cycle behind the last one.
    pub end: u64,
    /// The step of a core that it belongs to, where one is known and it belongs to one.
    pub step: Option<u32>,
}

/// How an item goes from one unit to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowKind {
    /// Over the network.
    Packet,
    /// By way of the tile's buffer alone.
    Store,
}

impl FlowKind {
    /// Its name in traces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Packet => "packet",
            Self::Store => "store",
        }
    }
}

/// An item on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowArrow {
    /// Which way it takes.
    pub kind: FlowKind,
    /// The unit that sends it.
    pub from_unit: u32,
    /// When.
    pub at: u64,
    /// The unit to which it comes.
    pub to_unit: u32,
    /// When; not before `at`.
    pub until: u64,
}

/// Why a recording cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The window ends before it begins.
    #[error("recording: its window ends at cycle {until}, before it begins at {from}")]
    Window {
        /// First cycle.
        from: u64,
        /// Cycle behind the last.
        until: u64,
    },
    /// A span or flow is not within the window, ends before it begins, or names a unit that is not there.
    #[error(
        "recording: {what} {number}, unit {unit}, cycles {start} to {end}: allowed are units below {units}, and cycles from {from} to {until} in order"
    )]
    Outside {
        /// `span` or `flow`.
        what: &'static str,
        /// Its place in the list.
        number: usize,
        /// Its unit, or the greater one.
        unit: u32,
        /// Where it starts.
        start: u64,
        /// Where it ends.
        end: u64,
        /// Units of the recording.
        units: usize,
        /// First cycle of the window.
        from: u64,
        /// Cycle behind the last one of the window.
        until: u64,
    },
    /// A unit cannot do two things at once.
    #[error("recording: spans of unit {unit} overlap at cycle {at}: allowed is one at a time")]
    Overlap {
        /// The unit.
        unit: u32,
        /// Where the later one begins.
        at: u64,
    },
    /// The clock cannot be the time base.
    #[error("recording: clock_hz = {clock_hz} is not allowed: a whole number from 1 to 1e15 Hz; or export in cycles")]
    Clock {
        /// The clock, Hz.
        clock_hz: f64,
    },
    /// The file cannot be written.
    #[error("recording: {0}")]
    Write(#[from] std::io::Error),
}

impl Recording {
    /// An empty recording of the cycles `from..until`.
    #[must_use]
    pub fn new(from: u64, until: u64) -> Self {
        Self { from, until: until.max(from), ..Self::default() }
    }

    /// Adds a unit and returns its number.
    pub fn unit(&mut self, tile: Option<u32>, name: impl Into<String>, stage: impl Into<String>) -> u32 {
        self.units.push(RecordedUnit { tile, name: name.into(), stage: stage.into() });
        (self.units.len() - 1) as u32
    }

    /// Adds what of a span lies within the window.
    pub fn span(&mut self, span: Span) {
        let (start, end) = (span.start.max(self.from), span.end.min(self.until));
        if start < end {
            self.spans.push(Span { start, end, ..span });
        }
    }

    /// Adds a flow that begins and ends within the window.
    pub fn flow(&mut self, flow: FlowArrow) {
        if self.from <= flow.at && flow.at <= flow.until && flow.until < self.until {
            self.flows.push(flow);
        }
    }

    /// Requires what the exports rely on.
    ///
    /// # Errors
    /// [`RecordError`] with the first span or flow that is not allowed.
    pub fn check(&self) -> Result<(), RecordError> {
        let Self { from, until, .. } = *self;
        if until < from {
            return Err(RecordError::Window { from, until });
        }
        let units = self.units.len();
        let outside = |what, number, unit: u32, start, end| {
            let inside = from <= start && start <= end && end <= until && (unit as usize) < units;
            let error = RecordError::Outside { what, number, unit, start, end, units, from, until };
            if inside { Ok(()) } else { Err(error) }
        };
        for (number, span) in self.spans.iter().enumerate() {
            outside("span", number, span.unit, span.start, span.end)?;
        }
        for (number, flow) in self.flows.iter().enumerate() {
            outside("flow", number, flow.from_unit.max(flow.to_unit), flow.at, flow.until)?;
        }
        self.check_overlap()
    }

    fn check_overlap(&self) -> Result<(), RecordError> {
        let spans = self.in_order();
        let pairs = spans.iter().zip(spans.iter().skip(1));
        for (span, next) in pairs.filter(|(span, next)| span.unit == next.unit) {
            if next.start < span.end {
                return Err(RecordError::Overlap { unit: span.unit, at: next.start });
            }
        }
        Ok(())
    }

    /// Spans that are not empty, by unit and time.
    fn in_order(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = self.spans.iter().copied().filter(|span| span.start < span.end).collect();
        spans.sort_by_key(|span| (span.unit, span.start, span.end, span.class, span.step));
        spans
    }
}
