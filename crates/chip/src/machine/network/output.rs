//! Outputs of routers: who gets them and what they let through.

use super::lanes::Front;
use super::packets::Packet;
use super::{Flight, Happening, NONE, Network};

/// An output.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// The lane whose first packet it belongs to, or [`NONE`].
    pub(super) lane: u32,
    /// The lane that the packet takes at the neighbour, or [`NONE`] at a tile.
    pub(super) goal: u32,
    /// The input at the other end of the link, or [`NONE`] at a tile.
    entry: u32,
    /// Places of the inputs that compete, as bits.
    pub(super) requests: u8,
    /// The place behind the last winner.
    turn: u8,
    /// Whether it decides at the next network cycle.
    pub(super) ready: bool,
    /// Whether it waits for a credit.
    pub(super) starved: bool,
    /// Whether the next flit is a head.
    head: bool,
    /// Flits that have left.
    pub(super) flits: u64,
    /// Base cycles for which it belonged to packets that have left.
    pub(super) owned: u64,
    /// Since when it belongs to this packet.
    pub(super) since: u64,
}

impl Output {
    pub(super) fn new(entry: u32) -> Self {
        let (lane, goal, requests, turn) = (NONE, NONE, 0, 0);
        let (ready, starved, head, flits, owned, since) = (false, false, false, 0, 0, 0);
        Self { lane, goal, entry, requests, turn, ready, starved, head, flits, owned, since }
    }

    /// Chooses the place of an input, round robin.
    fn choose(&mut self) -> Option<u32> {
        if self.requests == 0 {
            return None;
        }
        let from_turn = self.requests & (u8::MAX << self.turn);
        let place = if from_turn == 0 { self.requests } else { from_turn }.trailing_zeros();
        self.requests &= !(1 << place);
        // Place 8 does not exist and would shift out of range; there the search begins anew in either case.
        self.turn = ((place + 1) % 8) as u8;
        Some(place)
    }
}

impl Network {
    /// What an output does in a network cycle.
    pub(super) fn decide(&mut self, output: u32, now: u64, happenings: &mut Vec<Happening>) {
        self.outputs[output as usize].ready = false;
        if self.outputs[output as usize].lane == NONE {
            self.grant(output, now);
        }
        let state = &mut self.outputs[output as usize];
        let (lane, goal) = (state.lane, state.goal);
        if lane == NONE || !self.lanes.has_flit(lane) {
            return;
        }
        if goal != NONE {
            if !self.lanes.take_credit(goal) {
                state.starved = true;
                self.starved += 1;
                return;
            }
            let packet = if state.head { self.lanes.front(lane).1 } else { NONE };
            self.flights.push_back(Flight { due: now + self.hop, lane: goal, packet });
        }
        state.head = false;
        state.flits += 1;
        self.leave(output, lane, now, happenings);
    }

    /// The output without a packet gets one, if an input competes.
    fn grant(&mut self, output: u32, now: u64) {
        let state = &mut self.outputs[output as usize];
        let Some(place) = state.choose() else { return };
        let own = self.plan.place(output);
        state.lane = self.plan.lane(self.plan.output(output, place), own);
        state.head = true;
        state.since = now;
        if let Some(watch) = &mut self.watch {
            watch.grant(output, now);
        }
        if state.entry != NONE {
            let packet = self.lanes.front(state.lane).1;
            state.goal = self.plan.lane(state.entry, self.plan.route(state.entry, self.packets.get(packet).goal));
        }
        self.lanes.win(state.lane, output);
    }

    /// A flit leaves a lane by the output that the lane's packet has won.
    fn leave(&mut self, output: u32, lane: u32, now: u64, happenings: &mut Vec<Happening>) {
        let (port, feeder) = self.lanes.ends(lane);
        let source = if feeder == NONE { self.plan.tile_of_port(port) } else { None };
        if let Some(watch) = &mut self.watch {
            watch.pass(output, now, self.clock);
            source.iter().for_each(|&tile| watch.leave(tile, now, self.clock, 1));
        }
        match source {
            Some(tile) => self.interfaces[tile as usize].leave(now, self.clock),
            None => self.credits.push_back((now + self.credit, lane)),
        }
        if self.lanes.take_flit(lane) > 0 {
            self.wake(output);
            return;
        }
        let number = self.lanes.front(lane).1;
        if source.is_some() {
            happenings.push(Happening::Injected { tag: self.packets.get(number).tag, at: now + self.clock });
        }
        if self.outputs[output as usize].goal == NONE {
            let Packet { tag, to, .. } = self.packets.remove(number);
            let at = if source.is_some() { now + self.router } else { now };
            happenings.push(Happening::Arrived { tag, at, to });
        }
        self.release(output, lane, now);
    }

    /// The last flit of a packet has left a router.
    fn release(&mut self, output: u32, lane: u32, now: u64) {
        let state = &mut self.outputs[output as usize];
        (state.lane, state.goal) = (NONE, NONE);
        state.owned += now + self.clock - state.since;
        let competed = state.requests != 0;
        if let Some(watch) = &mut self.watch {
            watch.release(output);
        }
        if self.lanes.advance(lane) == Front::New {
            self.revealed.push(lane);
        }
        if competed {
            self.wake(output);
        }
    }
}
