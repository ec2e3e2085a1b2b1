//! Outputs of routers: who gets them and what they let through.

use super::lanes::Front;
use super::packets::Packet;
use super::{Happening, Head, NEVER, NONE, Network};

/// An output.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// The lane whose first packet it belongs to, or [`NONE`].
    pub(super) lane: u32,
    /// The lane that the packet takes at the neighbour, or [`NONE`] at a tile.
    goal: u32,
    /// The input at the other end of the link, or [`NONE`] at a tile.
    entry: u32,
    /// Places of the inputs that compete, as bits.
    pub(super) requests: u8,
    /// The place behind the last winner.
    turn: u8,
    /// Whether it waits for a credit.
    starved: bool,
    /// Whether the next flit is a head.
    head: bool,
    /// The network cycle of its next decision, or [`NEVER`].
    pub(super) due: u64,
    /// Flits that it has let through.
    pub(super) flits: u64,
    /// Network cycles for which it belonged to packets that have left.
    pub(super) owned: u64,
    /// Since which network cycle it belongs to this packet.
    pub(super) since: u64,
    /// The network cycle behind the last flit that it has let through.
    pub(super) until: u64,
}

impl Output {
    pub(super) fn new(entry: u32) -> Self {
        let (lane, goal, requests, turn) = (NONE, NONE, 0, 0);
        let (starved, head, due, flits, owned, since, until) = (false, false, NEVER, 0, 0, 0, 0);
        Self { lane, goal, entry, requests, turn, starved, head, due, flits, owned, since, until }
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
    /// What an output does in a network cycle: it lets through all flits that can follow each other from now on, as far as is known.
    /// Nobody else takes them, or the credits for them, so that nothing that happens until then can change it.
    pub(super) fn decide(&mut self, output: u32, now: u64, happenings: &mut Vec<Happening>) {
        self.outputs[output as usize].due = NEVER;
        if self.outputs[output as usize].lane == NONE && !self.grant(output, now) {
            return;
        }
        let state = &mut self.outputs[output as usize];
        let lane = &mut self.lanes[state.lane as usize];
        if lane.left == 0 {
            self.release(output, now, happenings);
            return;
        }
        let mut count = lane.flits.in_a_row(now, lane.left);
        if count == 0 {
            match lane.flits.next() {
                Some(next) => self.wake(output, next),
                None => lane.waiting = output,
            }
            return;
        }
        if state.goal != NONE {
            let credits = &mut self.lanes[state.goal as usize].credits;
            count = credits.in_a_row(now, count);
            if count == 0 {
                match credits.next() {
                    Some(next) => self.wake(output, next),
                    None => state.starved = true,
                }
                return;
            }
            credits.take(now, count);
            self.fill(output, now, count);
        }
        self.empty(output, now, count, happenings);
    }

    /// The output without a packet gets one, if an input competes.
    fn grant(&mut self, output: u32, now: u64) -> bool {
        let state = &mut self.outputs[output as usize];
        let Some(place) = state.choose() else { return false };
        let own = self.plan.place(output);
        state.lane = self.plan.lane(self.plan.output(output, place), own);
        state.head = true;
        state.since = now;
        if let Some(watch) = &mut self.watch {
            watch.grant(output, now * self.clock);
        }
        if state.entry != NONE {
            let packet = self.packets.get(self.lanes[state.lane as usize].packet);
            state.goal = self.plan.lane(state.entry, self.plan.route(state.entry, packet.goal));
        }
        true
    }

    /// Flits, one a cycle from now on, are on their way to the lane at the neighbour.
    fn fill(&mut self, output: u32, now: u64, count: u64) {
        let state = &mut self.outputs[output as usize];
        let due = now + self.hop;
        if std::mem::take(&mut state.head) {
            self.heads.push_back(Head { due, lane: state.goal, packet: self.lanes[state.lane as usize].packet });
        }
        let goal = &mut self.lanes[state.goal as usize];
        goal.flits.add(now, due, count);
        let waiting = std::mem::replace(&mut goal.waiting, NONE);
        if waiting != NONE {
            self.wake(waiting, due);
        }
    }

    /// Flits, one a cycle from now on, leave the lane of the packet that the output belongs to.
    fn empty(&mut self, output: u32, now: u64, count: u64, happenings: &mut Vec<Happening>) {
        let state = &mut self.outputs[output as usize];
        state.flits += count;
        state.until = now + count;
        let number = state.lane;
        let lane = &mut self.lanes[number as usize];
        lane.flits.take(now, count);
        lane.left -= count;
        let (left, feeder) = (lane.left, lane.feeder);
        if feeder != NONE {
            let due = now + self.credit;
            lane.credits.add(now, due, count);
            let behind = &mut self.outputs[feeder as usize];
            if behind.starved && behind.goal == number {
                behind.starved = false;
                self.wake(feeder, due);
            }
        }
        self.book(output, (number, feeder), now, count);
        match count {
            1 if left == 0 => self.release(output, now, happenings),
            // The last flit leaves in the last cycle of its run.
            _ => self.wake(output, now + count - u64::from(left == 0)),
        }
    }

    /// Counts flits, one a cycle from now on, that leave an output, and the network interface if no router feeds their lane.
    fn book(&mut self, output: u32, (lane, feeder): (u32, u32), now: u64, count: u64) {
        let (start, cycles) = (now * self.clock, count * self.clock);
        let port = self.lanes[lane as usize].port;
        let tile = if feeder == NONE { self.plan.tile_of_port(port) } else { None };
        if let Some(tile) = tile {
            self.interfaces[tile as usize].leave(start, cycles, count);
        }
        if let Some(watch) = &mut self.watch {
            watch.pass(output, start, cycles);
            tile.iter().for_each(|&tile| watch.leave(tile, start, cycles, count));
        }
    }

    /// The last flit of a packet leaves a router in this cycle.
    fn release(&mut self, output: u32, now: u64, happenings: &mut Vec<Happening>) {
        let state = &mut self.outputs[output as usize];
        let number = std::mem::replace(&mut state.lane, NONE);
        let goal = std::mem::replace(&mut state.goal, NONE);
        state.owned += now + 1 - state.since;
        let competed = state.requests != 0;
        if let Some(watch) = &mut self.watch {
            watch.release(output);
        }
        let lane = &mut self.lanes[number as usize];
        let (packet, injected) = (lane.packet, lane.feeder == NONE);
        if lane.advance() == Front::New {
            self.revealed.push(number);
        }
        let at = now * self.clock;
        if injected {
            happenings.push(Happening::Injected { tag: self.packets.get(packet).tag, at: at + self.clock });
        }
        if goal == NONE {
            let Packet { tag, to, .. } = self.packets.remove(packet);
            let at = if injected { at + self.router } else { at };
            happenings.push(Happening::Arrived { tag, at, to });
        }
        if competed {
            self.wake(output, now + 1);
        }
    }
}
