//! Requests for shared units, and their order.

use super::causes::Op;

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

/// Requests that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Requests(pub(super) Vec<Request>);

impl Requests {
    pub(super) fn add(&mut self, request: Request) {
        let at = self.0.partition_point(|other| other.age < request.age);
        self.0.insert(at, request);
    }
}
