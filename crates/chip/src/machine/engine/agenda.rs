//! What ends when.

use super::causes::Op;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The end of an operation, or a reason to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A load of this core has arrived in its input register.
    Loaded(u32),
    /// The arrays of a bank of this core have read a slice.
    Read(u32, u32),
    /// The converters of a bank of this core have converted a slice.
    Converted(u32, u32),
    /// The shift-and-add behind a step of this core is over.
    Added(u32),
    /// The adder tree or the vector unit can take the next request; it worked for this step of this core.
    Taken(u32, u64),
    /// The result of the adder tree or the vector unit is there.
    Computed(u32, u64),
    /// A store of this core's step to this region, and the operation that it was.
    Stored(u32, u64, u32, Op),
    /// The last flit of a packet that this core's step sent has left the queue of its network interface, and what let it be sent.
    Injected(u32, u64, Op),
    /// A packet has arrived completely.
    Arrived(u32),
    /// A packet is in the buffer, and the operation that wrote it.
    Written(u32, Op),
    /// A clock edge for which requests of this tile have waited.
    Tile(u32),
    /// The memory port is free.
    Memory,
    /// Data from the memory are at the port.
    Delivered(u32),
    /// A clock edge for which the memory port has waited.
    MemoryEdge,
    /// A clock edge for which this core has waited.
    Core(u32),
}

impl Event {
    /// Whether something ends, so that it happens whether cycles are skipped or not; everything else is a reason to look again.
    pub(super) fn is_end(self) -> bool {
        !matches!(self, Self::Tile(_) | Self::Core(_) | Self::MemoryEdge)
    }
}

/// Events to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(u64, Event)>>,
    /// Whether an event would have been later than 64 bits can say.
    overflowed: bool,
}

impl Agenda {
    pub(super) fn push(&mut self, at: u64, event: Event) {
        self.heap.push(Reverse((at, event)));
    }

    /// Schedules an event `delay` cycles behind `now`.
    pub(super) fn after(&mut self, now: u64, delay: u64, event: Event) {
        match now.checked_add(delay) {
            Some(at) if delay < u64::MAX / 2 => self.push(at, event),
            _ => self.overflowed = true,
        }
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The instant of the next event.
    pub(super) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// An event of this instant.
    pub(super) fn pop(&mut self, now: u64) -> Option<Event> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, event))| event)
    }
}
