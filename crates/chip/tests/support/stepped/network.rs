//! Section 5: the network, one router and one flit after the other.

use std::collections::VecDeque;

use chip::machine::hardware::MeshHardware;

use super::account::{Accounts, Class, Unit};
use super::formulas::{flits, links, router as router_of};
use super::router::{Flit, Router, Way};
use super::world::Age;

/// An item on its way to a region in another tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) region: u32,
    /// Of the run.
    pub(crate) item: u64,
    pub(crate) bits: u64,
    pub(crate) sender: Age,
}

/// Flits that left for a link between two routers (column, row).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkFlits {
    pub(crate) from: (u32, u32),
    pub(crate) to: (u32, u32),
    pub(crate) flits: u64,
}

/// A flit leaves a lane of an input of a router through an output.
struct Move {
    router: usize,
    input: usize,
    output: usize,
}

/// Packets, by number, and everything on its way.
pub(crate) struct Network {
    mesh: MeshHardware,
    /// Base cycles of a network cycle.
    cycle: u64,
    virtual_output_queues: bool,
    routers: Vec<Router>,
    /// Flits that the interface of a tile has not handed to its router.
    interfaces: Vec<VecDeque<Flit>>,
    packets: Vec<Packet>,
    /// Packets that have left their last router: instant of arrival and number.
    arriving: Vec<(u64, usize)>,
    /// Last flits that were moved out of an interface: instant at which they have left, and number.
    leaving: Vec<(u64, usize)>,
    /// Tiles whose interface moved a flit in the last network cycle.
    interfaces_moved: Vec<bool>,
}

impl Network {
    pub(crate) fn new(mesh: MeshHardware, cycle: u64) -> Self {
        let virtual_output_queues = mesh.virtual_output_queues;
        let tiles = mesh.width * mesh.height;
        let mut places: Vec<(u32, u32)> = (0..tiles).map(|tile| router_of(&mesh, tile)).collect();
        places.sort_by_key(|(column, row)| (*row, *column));
        places.dedup();
        let last = (0..tiles).map(|tile| router_of(&mesh, tile)).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let build = |at: &(u32, u32)| Router::new(*at, last, &mesh, virtual_output_queues);
        Self {
            mesh,
            cycle,
            virtual_output_queues,
            routers: places.iter().map(build).collect(),
            interfaces: vec![VecDeque::new(); tiles as usize],
            packets: Vec::new(),
            arriving: Vec::new(),
            leaving: Vec::new(),
            interfaces_moved: vec![false; tiles as usize],
        }
    }

    /// Phase 1. Returns the packets whose last flit has now left the queue of its interface.
    pub(crate) fn ends(&mut self, now: u64) -> Vec<Packet> {
        for router in 0..self.routers.len() {
            for output in 0..self.routers[router].outputs.len() {
                self.end_output(router, output, now);
            }
        }
        let (left, rest) = self.leaving.iter().copied().partition(|(at, _)| *at == now);
        self.leaving = rest;
        let left: Vec<(u64, usize)> = left;
        left.into_iter().map(|(_, packet)| self.packets[packet]).collect()
    }

    fn end_output(&mut self, router: usize, output: usize, now: u64) {
        let state = &mut self.routers[router].outputs[output];
        let credits = &mut state.credits;
        state.returning.retain(|(at, lane)| {
            credits[*lane] += u32::from(*at == now);
            *at != now
        });
        if state.on_link.front().is_some_and(|(at, _)| *at == now) {
            let Some((_, flit)) = state.on_link.pop_front() else { return };
            let (next, input) = self.behind(router, output);
            let lane = self.lane_at(next, flit.packet);
            self.routers[next].inputs[input][lane].flits.push_back(flit);
        }
    }

    /// Phase 2: appends a packet to the queue of an interface.
    pub(crate) fn send(&mut self, packet: Packet) {
        let number = self.packets.len();
        self.packets.push(packet);
        let flits = flits(&self.mesh, packet.bits);
        for flit in 0..flits {
            let flit = Flit { packet: number, head: flit == 0, tail: flit + 1 == flits };
            self.interfaces[packet.from as usize].push_back(flit);
        }
    }

    /// Every interface hands a flit to its router.
    fn hand_on(&mut self) {
        for tile in 0..self.mesh.width * self.mesh.height {
            if let Some(flit) = self.interfaces[tile as usize].pop_front() {
                let (router, input) = self.interface(tile);
                let lane = self.lane_at(router, flit.packet);
                self.routers[router].inputs[input][lane].flits.push_back(flit);
            }
        }
    }

    /// Phase 3. Returns the packets that have arrived.
    pub(crate) fn step(&mut self, now: u64) -> Vec<Packet> {
        if now.is_multiple_of(self.cycle) {
            self.hand_on();
            self.interfaces_moved.fill(false);
            let moves: Vec<Move> = (0..self.routers.len()).flat_map(|router| self.decide(router)).collect();
            for one in moves {
                self.leave(&one, now);
            }
        }
        let (there, rest) = self.arriving.iter().copied().partition(|(at, _)| *at == now);
        self.arriving = rest;
        let there: Vec<(u64, usize)> = there;
        there.into_iter().map(|(_, packet)| self.packets[packet]).collect()
    }

    /// What every output of a router does; nothing has left yet.
    fn decide(&mut self, router: usize) -> Vec<Move> {
        let mut moves = Vec::new();
        for output in 0..self.routers[router].outputs.len() {
            if self.routers[router].outputs[output].owner.is_none() {
                self.compete(router, output);
            }
            let may_leave = self.may_leave(router, output);
            self.routers[router].outputs[output].moved = may_leave.is_some();
            moves.extend(may_leave.map(|input| Move { router, input, output }));
        }
        moves
    }

    fn compete(&mut self, router: usize, output: usize) {
        let inputs = self.routers[router].inputs.len();
        let first = self.routers[router].outputs[output].last.map_or(0, |last| last + 1);
        for input in (first..first + inputs).map(|input| input % inputs) {
            let Some(flit) = self.first(router, input, output) else { continue };
            if flit.head && self.route(router, flit.packet) == output {
                let state = &mut self.routers[router].outputs[output];
                state.owner = Some((flit.packet, input));
                state.last = Some(input);
                return;
            }
        }
    }

    /// The first flit that an output sees at an input.
    fn first(&self, router: usize, input: usize, output: usize) -> Option<Flit> {
        let lane = if self.virtual_output_queues { output } else { 0 };
        self.routers[router].inputs[input][lane].flits.front().copied()
    }

    fn may_leave(&self, router: usize, output: usize) -> Option<usize> {
        let state = &self.routers[router].outputs[output];
        let (packet, input) = state.owner?;
        let is_first = self.first(router, input, output).is_some_and(|flit| flit.packet == packet);
        let has_credit = matches!(self.routers[router].ways[output], Way::Tile(_)) || {
            let (next, _) = self.behind(router, output);
            state.credits[self.lane_at(next, packet)] > 0
        };
        (is_first && has_credit).then_some(input)
    }

    fn leave(&mut self, one: &Move, now: u64) {
        let lane = if self.virtual_output_queues { one.output } else { 0 };
        let flit = self.routers[one.router].inputs[one.input][lane].flits.pop_front().expect("a flit leaves");
        self.left_input(one, flit, lane, now);
        let to_tile = matches!(self.routers[one.router].ways[one.output], Way::Tile(_));
        if to_tile && flit.tail {
            let packet = &self.packets[flit.packet];
            let passed = links(&self.mesh, packet.from, packet.to) > 0;
            let arrives = if passed { now } else { now + self.mesh.router_cycles * self.cycle };
            self.arriving.push((arrives, flit.packet));
        }
        let hop = (self.mesh.router_cycles + self.mesh.link_cycles) * self.cycle;
        let lane = (!to_tile).then(|| self.lane_at(self.behind(one.router, one.output).0, flit.packet));
        let state = &mut self.routers[one.router].outputs[one.output];
        state.flits += 1;
        if let Some(lane) = lane {
            state.credits[lane] -= 1;
            state.on_link.push_back((now + hop, flit));
        }
        if flit.tail {
            state.owner = None;
        }
    }

    /// The place that a flit leaves becomes a credit, or its interface goes on.
    fn left_input(&mut self, one: &Move, flit: Flit, lane: usize, now: u64) {
        if let Way::Tile(tile) = self.routers[one.router].ways[one.input] {
            self.interfaces_moved[tile as usize] = true;
            if flit.tail {
                self.leaving.push((now + self.cycle, flit.packet));
            }
        } else {
            let (before, output) = self.behind(one.router, one.input);
            let usable = now + self.mesh.credit_cycles * self.cycle;
            self.routers[before].outputs[output].returning.push((usable, lane));
        }
    }

    /// The neighbour in the direction of a way, and the number of the way at the neighbour that leads back.
    fn behind(&self, router: usize, way: usize) -> (usize, usize) {
        let (column, row) = self.routers[router].at;
        let (at, back) = match self.routers[router].ways[way] {
            Way::West => ((column - 1, row), Way::East),
            Way::East => ((column + 1, row), Way::West),
            Way::North => ((column, row - 1), Way::South),
            Way::South => ((column, row + 1), Way::North),
            Way::Tile(tile) => panic!("no neighbour behind tile {tile}"),
        };
        let next = self.routers.iter().position(|router| router.at == at).expect("a neighbour");
        let back = self.routers[next].ways.iter().position(|way| *way == back).expect("a way back");
        (next, back)
    }

    /// The output of a packet at a router: along the row, then along the column.
    fn route(&self, router: usize, packet: usize) -> usize {
        let to = self.packets[packet].to;
        let (here, there) = (self.routers[router].at, router_of(&self.mesh, to));
        let way = match (here.0.cmp(&there.0), here.1.cmp(&there.1)) {
            (std::cmp::Ordering::Less, _) => Way::East,
            (std::cmp::Ordering::Greater, _) => Way::West,
            (_, std::cmp::Ordering::Less) => Way::South,
            (_, std::cmp::Ordering::Greater) => Way::North,
            _ => Way::Tile(to),
        };
        self.routers[router].ways.iter().position(|known| *known == way).expect("a way on")
    }

    /// The lane that a packet takes at an input of a router.
    fn lane_at(&self, router: usize, packet: usize) -> usize {
        if self.virtual_output_queues { self.route(router, packet) } else { 0 }
    }

    fn interface(&self, tile: u32) -> (usize, usize) {
        let at = router_of(&self.mesh, tile);
        let router = self.routers.iter().position(|router| router.at == at).expect("every tile has a router");
        let input = self.routers[router].ways.iter().position(|way| *way == Way::Tile(tile)).expect("an interface");
        (router, input)
    }

    /// Whether a flit or a packet is on its way. Credits that nobody waits for any more do not count.
    pub(crate) fn is_moving(&self) -> bool {
        let queued = |router: &Router| router.inputs.iter().flatten().any(|lane| !lane.flits.is_empty());
        let on_links = |router: &Router| router.outputs.iter().any(|output| !output.on_link.is_empty());
        !self.arriving.is_empty()
            || !self.leaving.is_empty()
            || self.interfaces.iter().any(|flits| !flits.is_empty())
            || self.routers.iter().any(|router| queued(router) || on_links(router))
    }

    pub(crate) fn account(&self, accounts: &mut Accounts) {
        for tile in 0..self.mesh.width * self.mesh.height {
            let (router, input) = self.interface(tile);
            let lanes = &self.routers[router].inputs[input];
            let is_empty = self.interfaces[tile as usize].is_empty() && lanes.iter().all(|lane| lane.flits.is_empty());
            let class = match (self.interfaces_moved[tile as usize], is_empty) {
                (true, _) => Class::Busy,
                (false, false) => Class::Link,
                (false, true) => Class::Idle,
            };
            accounts.count(Unit::Interface { tile }, class);
        }
        for (number, output) in self.links() {
            let (router, state) = (&self.routers[number], &self.routers[number].outputs[output]);
            let class = match (state.moved, state.owner) {
                (true, _) => Class::Busy,
                (false, Some(_)) => Class::Link,
                (false, None) => Class::Idle,
            };
            let to = self.routers[self.behind(number, output).0].at;
            accounts.count(Unit::Link { from: router.at, to }, class);
        }
    }

    /// Router and output of every link.
    fn links(&self) -> Vec<(usize, usize)> {
        let outputs = |(number, router): (usize, &Router)| {
            let is_link = |output: &usize| !matches!(router.ways[*output], Way::Tile(_));
            (0..router.ways.len()).filter(is_link).map(|output| (number, output)).collect::<Vec<_>>()
        };
        self.routers.iter().enumerate().flat_map(outputs).collect()
    }

    /// Flits that left for every link.
    pub(crate) fn link_flits(&self) -> Vec<LinkFlits> {
        let of = |(number, output): (usize, usize)| {
            let to = self.routers[self.behind(number, output).0].at;
            LinkFlits { from: self.routers[number].at, to, flits: self.routers[number].outputs[output].flits }
        };
        self.links().into_iter().map(of).collect()
    }
}
