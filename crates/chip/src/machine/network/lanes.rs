//! Lanes: the queues of flits at the inputs of routers.
//!
//! The flits of a packet are behind one another in a lane, so that a lane is a queue of packets and a count of flits. The packet at the
//! front is kept apart: most lanes never hold a second one, and the queue behind it takes no memory until then.

use std::collections::VecDeque;

use super::NONE;
use super::plan::Plan;

/// Whether a packet came to the front of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// It did.
    New,
    /// Another one is there.
    Old,
}

/// A lane.
#[derive(Clone, Debug)]
struct Lane {
    /// The packet at the front, or [`NONE`].
    packet: u32,
    /// The output that the packet at the front has won, or [`NONE`].
    winner: u32,
    /// Flits of the packet at the front that have not left.
    left: u64,
    /// Flits in the lane.
    flits: u64,
    /// The input that it belongs to.
    port: u32,
    /// The output at the other end of the link, or [`NONE`] at a network interface.
    feeder: u32,
}

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// Packets behind the front and their flits.
    behind: Vec<VecDeque<(u32, u64)>>,
    /// Places that the feeder knows to be free.
    credits: Vec<u32>,
}

impl Lanes {
    pub(super) fn new(plan: &Plan, buffer_flits: u32) -> Self {
        let number = plan.ports_in_all() * plan.lanes();
        let lane = |number: u32| {
            let port = number / plan.lanes();
            Lane { packet: NONE, winner: NONE, left: 0, flits: 0, port, feeder: plan.entry(port) }
        };
        Self {
            lanes: (0..number).map(lane).collect(),
            behind: vec![VecDeque::new(); number as usize],
            credits: vec![buffer_flits; number as usize],
        }
    }

    /// A packet of `flits` begins to arrive, with `present` of them.
    pub(super) fn append(&mut self, lane: u32, packet: u32, flits: u64, present: u64) -> Front {
        let state = &mut self.lanes[lane as usize];
        state.flits += present;
        if state.packet != NONE {
            self.behind[lane as usize].push_back((packet, flits));
            return Front::Old;
        }
        state.packet = packet;
        state.left = flits;
        Front::New
    }

    /// Another flit of the packet that arrived last. Returns the output that may wait for it, or [`NONE`].
    pub(super) fn add_flit(&mut self, lane: u32) -> u32 {
        let state = &mut self.lanes[lane as usize];
        state.flits += 1;
        if state.flits == 1 { state.winner } else { NONE }
    }

    /// The input of a lane and the packet at its front.
    pub(super) fn front(&self, lane: u32) -> (u32, u32) {
        let state = &self.lanes[lane as usize];
        (state.port, state.packet)
    }

    /// The packet at the front has won an output.
    pub(super) fn win(&mut self, lane: u32, output: u32) {
        self.lanes[lane as usize].winner = output;
    }

    /// Whether the lane holds a flit of the packet at its front.
    pub(super) fn has_flit(&self, lane: u32) -> bool {
        self.lanes[lane as usize].flits > 0
    }

    /// A flit leaves. Returns the flits of its packet that have not left.
    pub(super) fn take_flit(&mut self, lane: u32) -> u64 {
        let state = &mut self.lanes[lane as usize];
        state.flits -= 1;
        state.left -= 1;
        state.left
    }

    /// The packet at the front has left; the next one, if there is one, comes to the front.
    pub(super) fn advance(&mut self, lane: u32) -> Front {
        let state = &mut self.lanes[lane as usize];
        state.winner = NONE;
        // A lane without flits has no packet behind the front either.
        match if state.flits == 0 { None } else { self.behind[lane as usize].pop_front() } {
            Some((packet, flits)) => {
                (state.packet, state.left) = (packet, flits);
                Front::New
            }
            None => {
                state.packet = NONE;
                Front::Old
            }
        }
    }

    /// The input that a lane belongs to and the output at the other end of its link.
    pub(super) fn ends(&self, lane: u32) -> (u32, u32) {
        let state = &self.lanes[lane as usize];
        (state.port, state.feeder)
    }

    /// The output at the other end of the link of a lane.
    pub(super) fn feeder(&self, lane: u32) -> u32 {
        self.lanes[lane as usize].feeder
    }

    /// Another free place is known to the feeder.
    pub(super) fn give_credit(&mut self, lane: u32) {
        self.credits[lane as usize] += 1;
    }

    /// Takes a credit if there is one.
    pub(super) fn take_credit(&mut self, lane: u32) -> bool {
        let credits = &mut self.credits[lane as usize];
        let any = *credits > 0;
        *credits -= u32::from(any);
        any
    }
}
