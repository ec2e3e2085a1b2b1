//! Which operation waited for which: the critical path.

use crate::machine::report::Unit;

/// Number of an operation; [`NONE`] stands for the start of the run.
pub(super) type Op = u32;

/// No operation.
pub(super) const NONE: Op = Op::MAX;

/// An operation: which unit it occupied, and the one whose end let it start.
#[derive(Clone, Copy, Debug)]
struct Entry {
    unit: Unit,
    cause: Op,
    end: u64,
}

/// Operations in the order of their starts, if anybody wants to know.
#[derive(Debug)]
pub(super) struct Causes {
    wanted: bool,
    log: Vec<Entry>,
    /// The last one to write the result region.
    pub(super) last: Op,
}

impl Causes {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, log: Vec::new(), last: NONE }
    }

    /// Notes an operation and returns its number.
    pub(super) fn note(&mut self, unit: Unit, cause: Op, end: u64) -> Op {
        if !self.wanted {
            return NONE;
        }
        self.log.push(Entry { unit, cause, end });
        (self.log.len() - 1) as Op
    }

    /// The one that ended last; among equals the first.
    pub(super) fn latest(&self, first: Op, second: Op) -> Op {
        let end = |op: Op| self.log.get(op as usize).map(|entry| entry.end);
        if end(second) > end(first) { second } else { first }
    }

    /// The path that ends with the last item of the result: units with the cycles in which the run waited for them, in order of time. The cycles between
    /// an operation and the one that let it start belong to the later one (they are those of a clock edge or of a latency).
    pub(super) fn path(&self) -> Vec<(Unit, u64)> {
        let mut path = Vec::new();
        let mut next = self.log.get(self.last as usize);
        let mut until = next.map_or(0, |last| last.end);
        while let Some(entry) = next {
            next = self.log.get(entry.cause as usize);
            // A unit takes the next request before the result of the last one is there: what overlaps belongs to the later operation.
            let since = next.map_or(0, |cause| cause.end.min(until));
            path.push((entry.unit, until - since));
            until = since;
        }
        path.reverse();
        path
    }
}
