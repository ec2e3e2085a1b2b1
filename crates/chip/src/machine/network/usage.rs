//! How long links and network interfaces were in use and blocked: `docs/timing.md`, section 6.

use super::output::Output;
use super::{NONE, Network};

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the column before.
    West,
    /// To the column behind.
    East,
    /// To the row before.
    North,
    /// To the row behind.
    South,
}

impl Direction {
    /// All directions, in the order of a router's ports.
    pub const ALL: [Self; 4] = [Self::West, Self::East, Self::North, Self::South];

    /// The neighbour of a router, which must have one there; both are column and row.
    #[must_use]
    pub fn from(self, (column, row): (u32, u32)) -> (u32, u32) {
        match self {
            Self::West => (column - 1, row),
            Self::East => (column + 1, row),
            Self::North => (column, row - 1),
            Self::South => (column, row + 1),
        }
    }
}

/// What became of the time of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkUse {
    /// Column and row of the router that it leaves, in routers.
    pub router: (u32, u32),
    /// Where it leads.
    pub direction: Direction,
    /// Flits that left for it.
    pub flits: u64,
    /// Base cycles in which a flit left for it.
    pub busy: u64,
    /// Base cycles in which it belonged to a packet and no flit left.
    pub blocked: u64,
}

/// What became of the time of a network interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceUse {
    /// Flits that left its queues.
    pub flits: u64,
    /// Base cycles in which at least one flit left.
    pub busy: u64,
    /// Base cycles in which its queues were not empty and no flit left.
    pub blocked: u64,
}

/// The account of a network interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    /// The network cycle in which it can take the next flit out of the queue of what was sent.
    free: u64,
    /// Flits in its queues that have not begun to leave in a run.
    queued: u64,
    flits: u64,
    busy: u64,
    /// When the last flit of all runs will be gone.
    until: u64,
    /// Since when there are flits in the queue.
    since: u64,
    /// Base cycles in which there were, up to the last time that the queue became empty.
    open: u64,
}

impl Interface {
    /// Flits are sent; the interface puts one a network cycle into the lane of their output. The cycle of the first, `cycle` or later.
    pub(super) fn append(&mut self, now: u64, cycle: u64, flits: u64) -> u64 {
        if self.queued == 0 {
            // The cycle of the last flit that left counts as busy to its end.
            self.since = now.max(self.until);
        }
        self.queued += flits;
        let due = self.free.max(cycle);
        self.free = due.saturating_add(flits);
        due
    }

    /// Flits leave the queue, one behind the other, which takes so many base cycles from now on. Others may leave beside them.
    pub(super) fn leave(&mut self, now: u64, cycles: u64, flits: u64) {
        let until = self.until.max(now + cycles);
        // All that left until now began before now, so that there is no gap up to `self.until`.
        self.busy += until - self.until.max(now);
        self.until = until;
        self.flits += flits;
        self.queued -= flits;
        if self.queued == 0 {
            self.open += self.until - self.since;
        }
    }

    /// `coming` flits of the runs leave at `end` or later.
    fn usage(&self, end: u64, coming: u64) -> InterfaceUse {
        let busy = self.busy - self.until.saturating_sub(end);
        // Up to here `open` counts.
        let counted = if self.queued == 0 { self.until.max(end) } else { self.since };
        let blocked = (self.open + end).saturating_sub(counted + busy);
        InterfaceUse { flits: self.flits - coming, busy, blocked }
    }
}

impl Network {
    /// The use of all links up to `end`, which is the end of a network cycle: of the one of the last step, or a later one before which
    /// [`Network::next`] names no step. Routers are in the order of their rows, the links of a router in that of [`Direction::ALL`].
    pub fn links(&self, end: u64) -> impl Iterator<Item = LinkUse> + '_ {
        let link = move |(port, output): (u32, &Output)| {
            let at = self.plan.direction(port).filter(|_| self.plan.entry(port) != NONE)?;
            let direction = *Direction::ALL.get(at as usize)?;
            let current = if output.lane == NONE { 0 } else { end.saturating_sub(output.since * self.clock) };
            let flits = output.flits - self.coming(output, end);
            let busy = flits * self.clock;
            let blocked = (output.owned * self.clock + current).saturating_sub(busy);
            Some(LinkUse { router: self.plan.router(port), direction, flits, busy, blocked })
        };
        (0..).zip(&self.outputs).filter_map(link)
    }

    /// The use of all network interfaces, by tile, up to `end`, as for [`Network::links`].
    pub fn interfaces(&self, end: u64) -> impl Iterator<Item = InterfaceUse> + '_ {
        let mut coming = vec![0; self.interfaces.len()];
        for output in self.outputs.iter().filter(|output| output.lane != NONE) {
            let lane = &self.lanes[output.lane as usize];
            if let Some(tile) = self.plan.tile_of_port(lane.port) {
                coming[tile as usize] += self.coming(output, end);
            }
        }
        self.interfaces.iter().zip(coming).map(move |(interface, coming)| interface.usage(end, coming))
    }

    /// Flits that an output has let through, but that leave at `end` or later.
    fn coming(&self, output: &Output, end: u64) -> u64 {
        output.until.saturating_sub(end.div_ceil(self.clock))
    }
}
