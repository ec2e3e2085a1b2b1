//! Lanes: the queues of flits at the inputs of routers.
//!
//! The flits of a packet are behind one another in a lane, so that a lane is a queue of packets and runs of flits. The packet at the
//! front is kept apart: most lanes never hold a second one, and the queue behind it takes no memory until then.

use std::collections::VecDeque;

use super::NONE;
use super::plan::Plan;
use super::runs::Runs;

/// Whether a packet came to the front of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// It did.
    New,
    /// Another one is there, or none.
    Old,
}

/// A lane.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// The packet at the front, or [`NONE`].
    pub(super) packet: u32,
    /// The output that waits for a flit of the packet at the front, which it has won, or [`NONE`].
    pub(super) waiting: u32,
    /// The input that it belongs to.
    pub(super) port: u32,
    /// The output at the other end of the link, or [`NONE`] at a network interface.
    pub(super) feeder: u32,
    /// Flits of the packet at the front that have not been let through.
    pub(super) left: u64,
    /// Flits in the lane and on their way to it that have not been let through, as the output of the packet at the front sees them.
    pub(super) flits: Runs,
    /// Free places and those that will be free, as the feeder sees them.
    pub(super) credits: Runs,
    /// Packets behind the front and their flits.
    behind: VecDeque<(u32, u64)>,
}

impl Lane {
    /// All lanes, empty.
    pub(super) fn all(plan: &Plan, buffer_flits: u32) -> Vec<Self> {
        let lane = |number: u32| {
            let port = number / plan.lanes();
            let (flits, credits) = (Runs::default(), Runs::of(buffer_flits.into()));
            let (feeder, behind) = (plan.entry(port), VecDeque::new());
            Self { packet: NONE, waiting: NONE, port, feeder, left: 0, flits, credits, behind }
        };
        (0..plan.ports_in_all() * plan.lanes()).map(lane).collect()
    }

    /// The head of a packet of `flits` is there.
    pub(super) fn append(&mut self, packet: u32, flits: u64) -> Front {
        if self.packet != NONE {
            self.behind.push_back((packet, flits));
            return Front::Old;
        }
        (self.packet, self.left) = (packet, flits);
        Front::New
    }

    /// The packet at the front has left; the next one, if it is there, comes to the front.
    pub(super) fn advance(&mut self) -> Front {
        let next = self.behind.pop_front();
        (self.packet, self.left) = next.unwrap_or((NONE, 0));
        if next.is_some() { Front::New } else { Front::Old }
    }
}
