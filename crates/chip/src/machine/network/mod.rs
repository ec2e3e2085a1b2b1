//! The network: a mesh of routers with XY routes, wormhole switching, finite buffers and credits. `docs/timing.md`, section 5, states its
//! rules; this is their event-driven form, flit by flit.
//!
//! An output that waits is not looked at: a flit or a credit that it waits for wakes it. What a flit costs is thus the same in a mesh of
//! any size, and nothing happens in a network in which nothing can move.

mod check;
mod lanes;
mod output;
mod packets;
mod plan;
mod usage;
mod watch;

use std::collections::VecDeque;

use tile::check::{Check, Problem, Problems};

use super::hardware::MeshHardware;
use lanes::{Front, Lanes};
use output::Output;
use packets::{Packet, Packets};
use plan::Plan;
use usage::Interface;
pub use usage::{Direction, InterfaceUse, LinkUse};
pub use watch::NetworkSpan;
use watch::Watch;

/// No packet, no output, no lane.
const NONE: u32 = u32::MAX;

/// What a step tells about packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The last flit has left the queue of the network interface.
    Injected {
        /// What [`Network::send`] was given.
        tag: u32,
        /// Instant: one network cycle after the step, in base cycles.
        at: u64,
    },
    /// The last flit has arrived.
    Arrived {
        /// What [`Network::send`] was given.
        tag: u32,
        /// Instant in base cycles: that of the step or, for a packet that passed no link, `router_cycles` later.
        at: u64,
        /// The tile.
        to: u32,
    },
}

/// A tile that is not in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {tile} is not in a mesh of {tiles} tiles")]
pub struct NoSuchTile {
    /// The number given.
    pub tile: u32,
    /// Tiles in the mesh.
    pub tiles: u32,
}

/// A flit on its way through a router and over the link behind it.
#[derive(Clone, Copy, Debug)]
struct Flight {
    due: u64,
    lane: u32,
    /// Of a head only.
    packet: u32,
}

/// A network and all that is in it. Instants are base cycles.
#[derive(Debug)]
pub struct Network {
    plan: Plan,
    clock: u64,
    /// Base cycles from leaving a router to leaving the next one.
    hop: u64,
    /// Base cycles in a router, for packets that pass no link.
    router: u64,
    /// Base cycles until a freed place is a credit.
    credit: u64,
    packets: Packets,
    lanes: Lanes,
    outputs: Vec<Output>,
    interfaces: Vec<Interface>,
    /// Who wants to know when interfaces and links are in use.
    watch: Option<Box<Watch>>,
    /// In the order of their instants, as every hop takes equally long.
    flights: VecDeque<Flight>,
    /// (instant, lane), in the order of their instants.
    credits: VecDeque<(u64, u32)>,
    /// Outputs that have something to do at the next network cycle.
    ready: Vec<u32>,
    /// The list of the cycle in progress; empty between steps.
    current: Vec<u32>,
    /// Lanes in which the head of another packet came to the front in this cycle.
    revealed: Vec<u32>,
    /// Outputs that wait for a credit.
    starved: u32,
}

impl Network {
    /// An empty network; a network cycle lasts `clock` base cycles.
    ///
    /// # Errors
    /// The values of the mesh, or the clock, that are not allowed.
    pub fn new(mesh: &MeshHardware, clock: u64) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        mesh.check(&mut problems);
        problems.integer("clocks.network", clock, 1..=check::MOST_CYCLES);
        if !problems.found.is_empty() {
            return Err(problems.found);
        }
        let plan = Plan::new(mesh);
        let outputs = (0..plan.ports_in_all()).map(|port| Output::new(plan.entry(port))).collect();
        Ok(Self {
            clock,
            hop: (mesh.router_cycles + mesh.link_cycles) * clock,
            router: mesh.router_cycles * clock,
            credit: mesh.credit_cycles * clock,
            packets: Packets::default(),
            lanes: Lanes::new(&plan, mesh.buffer_flits),
            outputs,
            interfaces: vec![Interface::default(); plan.tiles() as usize],
            watch: None,
            flights: VecDeque::new(),
            credits: VecDeque::new(),
            ready: Vec::new(),
            current: Vec::new(),
            revealed: Vec::new(),
            starved: 0,
            plan,
        })
    }

    /// Appends a packet of `flits` (at least 1) to the queue of the network interface of tile `from`. It may move at this very instant's
    /// step, which must not have been taken yet. `tag` names the packet in [`Happening`]s.
    ///
    /// # Errors
    /// A tile that the mesh does not have.
    pub fn send(&mut self, now: u64, from: u32, to: u32, flits: u64, tag: u32) -> Result<(), NoSuchTile> {
        let tiles = self.plan.tiles();
        for tile in [from, to] {
            if tile >= tiles {
                return Err(NoSuchTile { tile, tiles });
            }
        }
        let flits = flits.max(1);
        let packet = self.packets.insert(Packet { flits, goal: self.plan.seat(to), to, tag });
        let port = self.plan.port_of_tile(from);
        let lane = self.plan.lane(port, self.plan.route(port, self.packets.get(packet).goal));
        self.interfaces[from as usize].append(now, flits);
        if let Some(watch) = &mut self.watch {
            watch.append(from, now, flits);
        }
        if self.lanes.append(lane, packet, flits, flits) == Front::New {
            self.request(lane);
        }
        Ok(())
    }

    /// One network cycle: what arrives until `now`, a multiple of the clock, is there; then every output decides. To be called at most
    /// once for an instant, and at none earlier than the one before. Happenings are in no particular order, but always in the same one.
    pub fn step(&mut self, now: u64, happenings: &mut Vec<Happening>) {
        self.land(now);
        self.return_credits(now);
        std::mem::swap(&mut self.ready, &mut self.current);
        for at in 0..self.current.len() {
            self.decide(self.current[at], now, happenings);
        }
        self.current.clear();
        // Only now, as an output must not see what comes to the front in this cycle.
        while let Some(lane) = self.revealed.pop() {
            self.request(lane);
        }
    }

    /// The earliest instant after `after` at which a step can change anything. `None`: nothing can move until something is sent.
    #[must_use]
    pub fn next(&self, after: u64) -> Option<u64> {
        let tick = (after / self.clock + 1) * self.clock;
        if !self.ready.is_empty() {
            return Some(tick);
        }
        let flight = self.flights.front().map(|flight| flight.due);
        let credit = self.credits.front().filter(|_| self.starved > 0).map(|credit| credit.0);
        flight.into_iter().chain(credit).min().map(|due| due.max(tick))
    }

    /// Whether every packet that was sent has arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Flits that arrive in the buffers of neighbours.
    fn land(&mut self, now: u64) {
        while let Some(&Flight { due, lane, packet }) = self.flights.front()
            && due <= now
        {
            self.flights.pop_front();
            if packet == NONE {
                let winner = self.lanes.add_flit(lane);
                if winner != NONE {
                    self.wake(winner);
                }
            } else if self.lanes.append(lane, packet, self.packets.get(packet).flits, 1) == Front::New {
                self.request(lane);
            }
        }
    }

    /// Credits that have become usable.
    fn return_credits(&mut self, now: u64) {
        while let Some(&(due, lane)) = self.credits.front()
            && due <= now
        {
            self.credits.pop_front();
            self.lanes.give_credit(lane);
            let feeder = self.lanes.feeder(lane);
            let output = &mut self.outputs[feeder as usize];
            if output.starved && output.goal == lane {
                output.starved = false;
                self.starved -= 1;
                self.wake(feeder);
            }
        }
    }

    /// The packet at the front of a lane competes for its output.
    fn request(&mut self, lane: u32) {
        let (port, packet) = self.lanes.front(lane);
        let output = self.plan.output(port, self.plan.route(port, self.packets.get(packet).goal));
        self.outputs[output as usize].requests |= 1 << self.plan.place(port);
        if self.outputs[output as usize].lane == NONE {
            self.wake(output);
        }
    }

    /// Lets an output decide at the next network cycle.
    fn wake(&mut self, output: u32) {
        let state = &mut self.outputs[output as usize];
        if !state.ready {
            state.ready = true;
            self.ready.push(output);
        }
    }
}
