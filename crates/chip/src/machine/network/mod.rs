//! The network: a mesh of routers with XY routes, wormhole switching, finite buffers and credits. `docs/timing.md`, section 5, states its
//! rules; this is their event-driven form, run by run.
//!
//! What an output lets through depends on the flits of one lane and the credits for another, which nobody else takes. So it lets through at once all
//! flits that are there or known to come and for which there is or will be a credit, one a cycle, and decides again in the cycle behind them. The neighbours
//! are told of runs of flits and credits as soon as they are certain, and can plan ahead themselves. An output that waits is not looked at: a run that it
//! waits for wakes it. What a run costs is thus the same in a mesh of any size, and nothing happens in a network in which nothing can move.

mod agenda;
mod check;
mod lanes;
mod output;
mod packets;
mod plan;
mod runs;
mod usage;
mod watch;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tile::check::{Check, Problem, Problems};

use super::hardware::MeshHardware;
use agenda::Agenda;
use lanes::{Front, Lane};
use output::Output;
use packets::{Packet, Packets};
use plan::Plan;
use usage::Interface;
pub use usage::{Direction, InterfaceUse, LinkUse};
pub use watch::NetworkSpan;
use watch::Watch;

/// No packet, no output, no lane.
const NONE: u32 = u32::MAX;

/// No decision is due.
const NEVER: u64 = u64::MAX;

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

/// The first flit of a packet on its way to a lane: through a router and over the link behind it, or in a network interface behind other packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    /// Network cycle.
    due: u64,
    lane: u32,
    packet: u32,
}

/// A network and all that is in it. Instants of its methods for others are base cycles; inside, they are network cycles.
#[derive(Debug)]
pub struct Network {
    plan: Plan,
    /// Base cycles of a network cycle.
    clock: u64,
    /// Network cycles from leaving a router to leaving the next one.
    hop: u64,
    /// Base cycles in a router, for packets that pass no link.
    router: u64,
    /// Network cycles until a freed place is a credit.
    credit: u64,
    packets: Packets,
    lanes: Vec<Lane>,
    outputs: Vec<Output>,
    interfaces: Vec<Interface>,
    /// Who wants to know when interfaces and links are in use.
    watch: Option<Box<Watch>>,
    /// In the order of their instants, as every hop takes equally long.
    heads: VecDeque<Head>,
    /// Those of packets that interfaces have not begun to hand on.
    queued: BinaryHeap<Reverse<Head>>,
    agenda: Agenda,
    /// Outputs that decide in the cycle in progress; empty between steps.
    deciding: Vec<u32>,
    /// Lanes in which the head of another packet came to the front in this cycle.
    revealed: Vec<u32>,
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
            hop: mesh.router_cycles + mesh.link_cycles,
            router: mesh.router_cycles * clock,
            credit: mesh.credit_cycles,
            packets: Packets::default(),
            lanes: Lane::all(&plan, mesh.buffer_flits),
            outputs,
            interfaces: vec![Interface::default(); plan.tiles() as usize],
            watch: None,
            heads: VecDeque::new(),
            queued: BinaryHeap::new(),
            agenda: Agenda::new(),
            deciding: Vec::new(),
            revealed: Vec::new(),
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
        let number = self.plan.lane(port, self.plan.route(port, self.packets.get(packet).goal));
        let cycle = now.div_ceil(self.clock);
        let due = self.interfaces[from as usize].append(now, cycle, flits);
        if let Some(watch) = &mut self.watch {
            watch.append(from, now, flits);
        }
        self.lanes[number as usize].flits.add(cycle, due, flits);
        let head = Head { due, lane: number, packet };
        if due > cycle {
            self.queued.push(Reverse(head));
        } else {
            self.land_one(head, cycle);
        }
        Ok(())
    }

    /// One network cycle: what arrives until `now`, a multiple of the clock, is there; then every output decides that has to. To be called at most
    /// once for an instant, at none earlier than the one before, and at all that [`Network::next`] names. Happenings are in no particular order, but
    /// always in the same one.
    pub fn step(&mut self, now: u64, happenings: &mut Vec<Happening>) {
        let cycle = now / self.clock;
        self.land(cycle);
        let mut deciding = std::mem::take(&mut self.deciding);
        self.agenda.take(cycle, &mut deciding);
        for output in deciding.drain(..) {
            self.decide(output, cycle, happenings);
        }
        self.deciding = deciding;
        // Only now, as an output must not see what comes to the front in this cycle.
        while let Some(lane) = self.revealed.pop() {
            self.request(lane, cycle + 1);
        }
    }

    /// The earliest instant after `after` at which a step changes anything. `None`: nothing can move until something is sent.
    #[must_use]
    pub fn next(&self, after: u64) -> Option<u64> {
        let heads = self.heads.front().into_iter().chain(self.queued.peek().map(|Reverse(head)| head));
        let due = heads.map(|head| head.due).chain(self.agenda.next()).min()?;
        Some(due.max(after / self.clock + 1) * self.clock)
    }

    /// Whether every packet that was sent has arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Heads that arrive in the buffers of neighbours, and those that interfaces hand on.
    fn land(&mut self, now: u64) {
        while let Some(&head) = self.heads.front()
            && head.due <= now
        {
            self.heads.pop_front();
            self.land_one(head, now);
        }
        while let Some(&Reverse(head)) = self.queued.peek()
            && head.due <= now
        {
            self.queued.pop();
            self.land_one(head, now);
        }
    }

    fn land_one(&mut self, Head { lane, packet, .. }: Head, now: u64) {
        let flits = self.packets.get(packet).flits;
        if self.lanes[lane as usize].append(packet, flits) == Front::New {
            self.request(lane, now);
        }
    }

    /// The packet at the front of a lane competes for its output from a cycle on.
    fn request(&mut self, lane: u32, cycle: u64) {
        let Lane { port, packet, .. } = self.lanes[lane as usize];
        let output = self.plan.output(port, self.plan.route(port, self.packets.get(packet).goal));
        let state = &mut self.outputs[output as usize];
        state.requests |= 1 << self.plan.place(port);
        if state.lane == NONE {
            self.wake(output, cycle);
        }
    }

    /// Lets an output decide in a cycle, if it does not do so anyway.
    fn wake(&mut self, output: u32, cycle: u64) {
        let state = &mut self.outputs[output as usize];
        if state.due == NEVER {
            state.due = cycle;
            self.agenda.add(cycle, output);
        }
    }
}
