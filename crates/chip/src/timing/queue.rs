//! The event queue: what happens next, in an order that depends on nothing but the input.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::error::TimingError;

/// What can happen to a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The load port has finished its window, or the interval of a pipelined unit has passed.
    PortFree,
    /// The oldest loaded window has become usable by the arrays.
    Arrived,
    /// The arrays of this bank have read a slice.
    ReadEnd(usize),
    /// The converters of this bank have converted a slice.
    ConvertEnd(usize),
    /// A pixel is in the buffers behind the stage.
    PixelDone,
    /// Pixels of one input have been given back.
    Credit {
        /// Which input of the stage.
        input: usize,
        /// How many, over all images.
        freed: u64,
    },
}

/// An event with its place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When it happens.
    pub(super) cycle: u64,
    /// The stage that it happens to.
    pub(super) stage: usize,
    /// How many events were scheduled before it: makes the order total.
    sequence: u64,
    pub(super) event: Event,
}

impl Entry {
    fn key(&self) -> (u64, usize, u64) {
        (self.cycle, self.stage, self.sequence)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Events to come, earliest first; those of one cycle by stage and then in the order in which they were scheduled.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    heap: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
}

impl EventQueue {
    pub(super) fn push(&mut self, cycle: u64, stage: usize, event: Event) {
        self.heap.push(Reverse(Entry { cycle, stage, sequence: self.scheduled, event }));
        self.scheduled += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

/// The queue as one stage sees it in one cycle.
pub(super) struct Agenda<'a> {
    pub(super) queue: &'a mut EventQueue,
    /// The present cycle.
    pub(super) now: u64,
    pub(super) stage: usize,
    /// Name of the stage, for errors.
    pub(super) name: &'a str,
}

impl Agenda<'_> {
    /// Schedules an event of this stage `delay` cycles from now; with a delay of 0 it still happens in this cycle.
    pub(super) fn after(&mut self, delay: u64, event: Event) -> Result<(), TimingError> {
        let overflow = || TimingError::Overflow { stage: self.name.to_owned() };
        let cycle = self.now.checked_add(delay).ok_or_else(overflow)?;
        self.queue.push(cycle, self.stage, event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_leave_by_cycle_then_stage_then_order_of_arrival() {
        let mut queue = EventQueue::default();
        for (cycle, stage, bank) in [(7, 0, 0), (3, 1, 1), (3, 0, 2), (3, 1, 3), (3, 0, 4)] {
            queue.push(cycle, stage, Event::ReadEnd(bank));
        }
        let order: Vec<Event> = std::iter::from_fn(|| queue.pop()).map(|entry| entry.event).collect();
        assert_eq!(order, [2, 4, 1, 3, 0].map(Event::ReadEnd));
    }
}
