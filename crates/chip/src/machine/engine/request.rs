//! Requests for shared units, and their order.

use super::causes::Op;
use std::collections::VecDeque;

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) age: Age,
    pub(super) wanted: Wanted,
    /// What led to it.
    pub(super) cause: Op,
}

/// Who asks, and since when: requests are served in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    /// Instant of the request.
    pub(super) since: u64,
    /// False for packets, which come before cores.
    pub(super) is_core: bool,
    /// The core, or the sender of the packet.
    pub(super) core: u32,
    pub(super) step: u64,
    /// Place of the instruction.
    pub(super) at: usize,
}

/// What is asked for. Durations are in cycles of the unit's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Load bus and port.
    Load { cycles: u64, bank: u64 },
    /// Store bus and port.
    Store { cycles: u64, bank: u64, region: u32 },
    /// A port, for a packet.
    Write { cycles: u64, bank: u64, packet: u32 },
    /// Adder tree.
    Add { occupancy: u64, latency: u64 },
    /// Vector unit.
    Vector { occupancy: u64, latency: u64 },
    /// Memory port, for what then goes into the buffer like a packet.
    Memory { occupancy: u64, latency: u64, packet: u32 },
}

impl Wanted {
    /// Cycles for which the unit is occupied, and until the result is there.
    pub(super) fn cycles(self) -> (u64, u64) {
        match self {
            Self::Load { cycles, .. } | Self::Store { cycles, .. } | Self::Write { cycles, .. } => (cycles, cycles),
            Self::Add { occupancy, latency }
            | Self::Vector { occupancy, latency }
            | Self::Memory { occupancy, latency, .. } => (occupancy, occupancy.saturating_add(latency - 1)),
        }
    }
}

/// Requests that wait. Those of an instant come in any order and are put in the order of age once, when units are granted.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Oldest first; all of earlier instants than the new ones.
    waiting: VecDeque<Request>,
    new: Vec<Request>,
}

impl Requests {
    pub(super) fn add(&mut self, request: Request) {
        self.new.push(request);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.new.is_empty()
    }

    /// The request with so many older ones, if there are more.
    pub(super) fn get(&mut self, older: usize) -> Option<Request> {
        self.new.sort_unstable_by_key(|request| request.age);
        self.waiting.extend(self.new.drain(..));
        self.waiting.get(older).copied()
    }

    /// Removes the request with so many older ones.
    pub(super) fn remove(&mut self, older: usize) {
        self.waiting.remove(older);
    }
}
