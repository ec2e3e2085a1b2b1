//! The timing engine, done naively: every cycle and every unit is visited, in the four phases of section 1 of `docs/timing.md`. There is no event queue and nothing
//! is skipped; sections are named where they are followed.

#![allow(dead_code, reason = "every test file uses a part")]

pub(crate) mod account;
mod arrays;
mod fetch;
pub(crate) mod formulas;
pub(crate) mod network;
mod parts;
mod region;
mod router;
mod steps;
mod tile;
mod world;
mod write_back;

use account::{Accounts, Cycles, Unit};
use chip::machine::hardware::Hardware;
use chip::machine::work::Workload;
use network::{LinkFlits, Network};
use parts::CoreState;
use region::RegionState;
use world::{Age, Service, World};
use write_back::Issued;

/// A run that goes on for longer is given up.
const LIMIT: u64 = 2_000_000;

/// What the cores did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// `load REGION`.
    pub(crate) loads: u64,
    /// Array reads, of all banks.
    pub(crate) reads: u64,
    /// Converted columns.
    pub(crate) conversions: u64,
    /// Of write-back instructions.
    pub(crate) issued: Issued,
}

/// A finished run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Instant at which each image was done.
    pub(crate) image_done: Vec<u64>,
    /// Instant of the last event.
    pub(crate) end: u64,
    /// Every unit with its base cycles.
    pub(crate) units: Vec<(Unit, Cycles)>,
    /// For each core.
    pub(crate) counts: Vec<Counts>,
    /// For each link.
    pub(crate) links: Vec<LinkFlits>,
    /// For each core: when the write-backs of all its images ended, one after the other.
    pub(crate) ends: Vec<Vec<u64>>,
    /// For each region: most places in use.
    pub(crate) peaks: Vec<u64>,
    /// Whether every region with readers was written and given back completely.
    pub(crate) settled: bool,
}

impl Outcome {
    /// The cycles of a unit.
    pub(crate) fn cycles(&self, unit: Unit) -> Cycles {
        self.units.iter().find(|known| known.0 == unit).expect("a unit of this chip").1
    }
}

/// A run that does not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// Since this instant nothing happens, although there is work left.
    Dead { since: u64 },
    /// It takes too long.
    Limit,
}

/// Runs images through a workload.
pub(crate) fn stepped(workload: &Workload, hardware: &Hardware, images: u64) -> Result<Outcome, Stuck> {
    let mut run = Run::new(workload, hardware, images);
    let mut quiet = 0;
    let Hardware { clocks, .. } = hardware;
    // Whatever waits for a clock starts within that many instants.
    let patience = clocks.arrays.max(clocks.digital).max(clocks.network).max(clocks.memory);
    while run.world.now < LIMIT {
        run.phases();
        if !run.is_moving() {
            if run.cores.iter().all(CoreState::is_over) {
                return Ok(run.outcome());
            }
            quiet += 1;
        } else {
            quiet = 0;
        }
        if quiet > patience {
            return Err(Stuck::Dead { since: run.world.now - patience });
        }
        run.account();
        run.world.now += 1;
    }
    Err(Stuck::Limit)
}

struct Run<'w> {
    workload: &'w Workload,
    world: World<'w>,
    cores: Vec<CoreState<'w>>,
    network: Network,
    tiles: u32,
    image_done: Vec<u64>,
    accounts: Accounts,
}

impl<'w> Run<'w> {
    fn new(workload: &'w Workload, hardware: &'w Hardware, images: u64) -> Self {
        let regions = workload.regions.iter().map(|region| RegionState::new(region, images)).collect();
        let world = World {
            hardware,
            now: 0,
            regions,
            requests: Vec::new(),
            active: Vec::new(),
            delivering: vec![],
            sent: vec![],
        };
        let core = |(number, core)| CoreState::new(number as u32, core, images, &world);
        let cores = workload.cores.iter().enumerate().map(core).collect();
        Self {
            workload,
            cores,
            network: Network::new(hardware.mesh, hardware.clocks.network),
            tiles: hardware.mesh.width * hardware.mesh.height,
            image_done: Vec::new(),
            accounts: Accounts::default(),
            world,
        }
    }

    /// Section 1.
    fn phases(&mut self) {
        self.ends();
        self.settle();
        self.network();
        for active in tile::grant(self.tiles, &mut self.world) {
            self.cores[active.request.age.core as usize].granted(&active);
        }
        for region in &mut self.world.regions {
            region.note_peak();
        }
    }

    fn ends(&mut self) {
        let now = self.world.now;
        let (ended, rest) = self.world.active.iter().copied().partition(|active| active.ends == now);
        self.world.active = rest;
        let ended: Vec<world::Active> = ended;
        for active in ended {
            if let Service::Store { region, item, .. } | Service::Arrival { region, item, .. } = active.request.service
            {
                self.world.regions[region as usize].write(item);
            }
            self.cores[active.request.age.core as usize].served(&active, &mut self.world);
        }
        let (there, rest) = self.world.delivering.iter().copied().partition(|(at, _)| *at == now);
        self.world.delivering = rest;
        let there: Vec<(u64, world::Request)> = there;
        there.into_iter().for_each(|(_, access)| self.world.deliver(access));
        for packet in self.network.ends(now) {
            self.cores[packet.sender.core as usize].write_back.completed(packet.sender.step);
        }
        for core in &mut self.cores {
            core.ends(&self.world);
        }
        let result = &self.world.regions[self.workload.result as usize];
        while result.has_image(self.image_done.len() as u64) {
            self.image_done.push(now);
        }
    }

    fn settle(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for core in &mut self.cores {
                changed |= core.settle(&mut self.world);
            }
        }
        self.world.sent.sort_by_key(|(age, _)| *age);
        for (_, packet) in self.world.sent.drain(..) {
            self.network.send(packet);
        }
    }

    fn network(&mut self) {
        let now = self.world.now;
        for packet in self.network.step(now) {
            let age = Age { instant: now, from_core: false, ..packet.sender };
            let bank = self.world.first_bank(packet.region, packet.item);
            let service = Service::Arrival { region: packet.region, item: packet.item, bank };
            let cycles = self.world.words(packet.bits);
            self.world.ask(age, packet.to, service, cycles);
        }
    }

    /// Whether an end of something is ahead.
    fn is_moving(&self) -> bool {
        !self.world.active.is_empty()
            || !self.world.requests.is_empty()
            || !self.world.delivering.is_empty()
            || self.network.is_moving()
            || self.cores.iter().any(CoreState::is_moving)
    }

    /// Section 6, for the cycle that begins now.
    fn account(&mut self) {
        for core in &self.cores {
            core.account(&self.world, &mut self.accounts);
        }
        tile::account(self.tiles, &self.world, &mut self.accounts);
        self.network.account(&mut self.accounts);
        self.accounts.next_cycle();
    }

    fn outcome(self) -> Outcome {
        let counts = |core: &CoreState<'_>| Counts {
            loads: core.fetch.loads,
            reads: core.banks.iter().map(|bank| bank.reads).sum(),
            conversions: core.banks.iter().map(|bank| bank.conversions).sum(),
            issued: core.write_back.issued,
        };
        let kept = |region: &&RegionState<'_>| !region.region.readers.is_empty();
        Outcome {
            end: self.world.now,
            counts: self.cores.iter().map(counts).collect(),
            links: self.network.link_flits(),
            ends: self.cores.iter().map(|core| core.shared.ends.clone()).collect(),
            peaks: self.world.regions.iter().map(|region| region.peak).collect(),
            settled: self.world.regions.iter().filter(kept).all(RegionState::is_settled),
            image_done: self.image_done,
            units: self.accounts.into_rows(),
        }
    }
}
