//! The event engine: costs per event, and not per cycle.
//!
//! An instant goes through the four phases of `docs/timing.md`: ends, settling, network, grants. Only cores and tiles for which something has changed are
//! looked at, and the next instant is that of the next event; [`Settings::skip`] switches both off, which changes nothing but the cost.

pub(super) mod accounts;
mod agenda;
mod arrays;
mod bank;
mod causes;
mod core;
mod fetch;
mod region;
mod request;
mod tile;
mod world;
mod write_back;

pub use accounts::Recorder;

use self::accounts::Accounts;
use self::agenda::{Agenda, Event};
use self::causes::{Causes, NONE, Op};
use self::core::CoreState;
use self::region::RegionState;
use self::request::{Age, Request, Wanted};
use self::tile::{Edge, MemoryPort, Tile};
use self::world::{Packets, Worklist, World};
use super::account::{Class, Cycles};
use super::error::MachineError;
use super::hardware::{Hardware, MeshHardware};
use super::network::{Happening, Network};
use super::report::{Report, Unit, UnitKind, UnitReport};
use super::work::Workload;

/// How to run.
pub struct Settings<'r> {
    /// Whether to skip cycles, cores and tiles in which nothing happens.
    pub skip: bool,
    /// Who is told what happens when.
    pub recorder: Option<&'r mut dyn Recorder>,
    /// Whether to find the critical path, which takes memory for every operation.
    pub critical_path: bool,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { skip: true, recorder: None, critical_path: false }
    }
}

/// Executes a workload for `images` images; it must have passed [`Workload::check`].
///
/// # Errors
/// If it stands still before its end, or lasts longer than 64 bits of cycles.
pub fn run(
    workload: &Workload,
    hardware: &Hardware,
    images: u64,
    settings: Settings<'_>,
) -> Result<Report, MachineError> {
    let skip = settings.skip;
    let mut engine = Engine::new(workload, hardware, images, settings)?;
    loop {
        engine.instant();
        let Some(next) = engine.next(skip)? else { break };
        engine.world.now = next;
        if !skip {
            engine.world.awake.add_all();
            engine.world.granting.add_all();
        }
    }
    engine.into_report()
}

struct Engine<'a, 'r> {
    workload: &'a Workload,
    images: u64,
    cores: Vec<CoreState<'a>>,
    world: World<'a, 'r>,
    image_done: Vec<u64>,
    happenings: Vec<Happening>,
    network_at: Option<u64>,
    instants: u64,
    events: u64,
}

impl<'a, 'r> Engine<'a, 'r> {
    fn new(
        workload: &'a Workload,
        hardware: &'a Hardware,
        images: u64,
        settings: Settings<'r>,
    ) -> Result<Self, MachineError> {
        let mut accounts = Accounts::new(settings.recorder);
        let used = workload.cores.iter().map(|core| core.tile).chain(workload.regions.iter().map(|region| region.tile));
        let tiles = used.max().map_or(0, |last| last + 1);
        let memory = MemoryPort::new(&mut accounts);
        let mut world = World {
            hardware,
            now: 0,
            agenda: Agenda::default(),
            regions: workload.regions.iter().map(RegionState::new).collect(),
            tiles: (0..tiles).map(|tile| Tile::new(tile, &hardware.tile, &mut accounts)).collect(),
            memory,
            network: Network::new(&hardware.mesh, hardware.clocks.network).map_err(MachineError::Hardware)?,
            packets: Packets::default(),
            sends: Vec::new(),
            awake: Worklist::new(workload.cores.len()),
            granting: Worklist::new(tiles as usize),
            touched: Worklist::new(workload.regions.len()),
            accounts,
            causes: Causes::new(settings.critical_path),
        };
        world.awake.add_all();
        let core = |(number, core)| CoreState::new(number, core, images, &mut world);
        let cores = (0..).zip(&workload.cores).map(core).collect();
        Ok(Self {
            workload,
            images,
            cores,
            world,
            image_done: Vec::new(),
            happenings: Vec::new(),
            network_at: None,
            instants: 0,
            events: 0,
        })
    }

    /// One instant: ends, settling, network, grants.
    fn instant(&mut self) {
        self.instants += 1;
        let now = self.world.now;
        while let Some(event) = self.world.agenda.pop(now) {
            self.events += 1;
            self.happen(event);
        }
        while let Some(core) = self.world.awake.take() {
            self.cores[core as usize].settle(&mut self.world);
        }
        self.network();
        self.grant_memory();
        while let Some(tile) = self.world.granting.take() {
            self.grant(tile);
        }
        while let Some(region) = self.world.touched.take() {
            self.world.regions[region as usize].settle();
        }
    }

    fn happen(&mut self, event: Event) {
        let (world, cores) = (&mut self.world, &mut self.cores);
        match event {
            Event::Loaded(core) => {
                cores[core as usize].loaded();
                self.release(core);
            }
            Event::Read(core, bank) => {
                cores[core as usize].arrays.banks[bank as usize].read_end();
                world.awake.add(core);
            }
            Event::Converted(core, bank) => {
                cores[core as usize].arrays.banks[bank as usize].convert_end();
                world.awake.add(core);
            }
            Event::Added(core) => {
                let cause = cores[core as usize].arrays.converted_by.pop_front().unwrap_or(NONE);
                cores[core as usize].begin_write_back(false, cause);
                world.awake.add(core);
            }
            Event::Taken(core, step) => {
                cores[core as usize].taken(step, world);
                self.release(core);
            }
            Event::Computed(core, step) => {
                cores[core as usize].computed(step);
                world.awake.add(core);
            }
            Event::Stored(core, step, region, op) => {
                self.written(region, core, op);
                self.cores[core as usize].complete(step, op, &self.world);
                self.release(core);
            }
            Event::Injected(tag) => {
                let packet = world.packets.get(tag);
                let core = &mut cores[packet.age.core as usize];
                let op = world.causes.note(core.unit(UnitKind::Interface), packet.cause, world.now);
                core.complete(packet.age.step, op, world);
                world.awake.add(packet.age.core);
            }
            Event::Arrived(tag) => self.arrive(tag),
            Event::Written(tag, op) => self.packet_written(tag, op),
            Event::Tile(tile) => world.granting.add(tile),
            Event::Memory => self.release_memory(),
            Event::Core(core) => world.awake.add(core),
        }
    }

    /// Something of a core's tile is free, and the core may go on.
    fn release(&mut self, core: u32) {
        let tile = self.cores[core as usize].core.tile;
        self.world.awake.add(core);
        self.release_tile(tile);
    }

    fn release_tile(&mut self, tile: u32) {
        let World { tiles, granting, accounts, now, .. } = &mut self.world;
        tiles[tile as usize].release(*now, accounts);
        granting.add(tile);
    }

    fn release_memory(&mut self) {
        let World { memory, accounts, now, .. } = &mut self.world;
        if let Some(core) = memory.release(*now, accounts) {
            // What is left is latency.
            accounts.set(self.cores[core as usize].fetch.unit, Class::Input, *now);
        }
    }

    /// An item is in a region.
    fn written(&mut self, region: u32, core: u32, op: Op) {
        self.world.write(region, core, op);
        if region == self.workload.result {
            let state = &self.world.regions[region as usize];
            while (self.image_done.len() as u64) < self.images
                && state.holds(self.image_done.len() as u64, state.region().items)
            {
                self.image_done.push(self.world.now);
                self.world.causes.last = op;
            }
        }
    }

    /// A packet asks for a place in the buffer of its tile.
    fn arrive(&mut self, tag: u32) {
        let packet = self.world.packets.get(tag);
        let tile = &self.world.hardware.tile;
        let (words, cycles) = (tile.words(packet.bits), tile.transfer_cycles(packet.bits));
        let work = &mut self.cores[packet.age.core as usize].work;
        work.sent_words += words;
        work.sent_bits += packet.bits;
        let age = Age { since: self.world.now, is_core: false, ..packet.age };
        let bank = u64::from(packet.region).wrapping_add(packet.item);
        let tile = self.world.regions[packet.region as usize].region().tile;
        let unit = self.cores[packet.age.core as usize].unit(UnitKind::Interface);
        let cause = self.world.causes.note(unit, packet.cause, self.world.now);
        self.world.request(tile, Request { age, wanted: Wanted::Write { cycles, bank, packet: tag }, cause });
    }

    fn packet_written(&mut self, tag: u32, op: Op) {
        let packet = self.world.packets.remove(tag);
        let from = self.cores[packet.age.core as usize].write_back_unit;
        if let Some(recorder) = &mut self.world.accounts.recorder {
            recorder.item(from, packet.region, packet.age.since, self.world.now);
        }
        self.written(packet.region, packet.age.core, op);
        self.release_tile(self.world.regions[packet.region as usize].region().tile);
    }

    fn network(&mut self) {
        let World { network, now, agenda, hardware, sends, .. } = &mut self.world;
        sends.sort_unstable_by_key(|(age, _)| *age);
        for (_, send) in sends.drain(..) {
            // Checked workloads name no tile beyond the mesh.
            let _ = network.send(*now, send.from, send.to, send.flits, send.tag);
        }
        if now.is_multiple_of(hardware.clocks.network) {
            network.step(*now, &mut self.happenings);
        }
        let mut arrived = Vec::new();
        for happening in self.happenings.drain(..) {
            match happening {
                Happening::Injected { tag, at } => agenda.push(at, Event::Injected(tag)),
                Happening::Arrived { tag, at, .. } if at == *now => arrived.push(tag),
                Happening::Arrived { tag, at, .. } => agenda.push(at, Event::Arrived(tag)),
            }
        }
        self.network_at = network.next(*now);
        arrived.into_iter().for_each(|tag| self.arrive(tag));
    }

    fn grant(&mut self, tile: u32) {
        let clock = self.world.hardware.clocks.digital;
        let now = self.world.now;
        let next_edge = self.world.next_edge(clock);
        let mut granted = Vec::new();
        let World { tiles, accounts, causes, hardware, agenda, .. } = &mut self.world;
        let state = &mut tiles[tile as usize];
        if state.requests.0.is_empty() {
            return;
        }
        let again = !now.is_multiple_of(clock)
            || state.grant(Edge { now, clock }, hardware.tile.banks, (accounts, causes), |request, op| {
                granted.push((request, op));
            });
        if again && state.scheduled != next_edge {
            state.scheduled = next_edge;
            agenda.push(next_edge, Event::Tile(tile));
        }
        granted.into_iter().for_each(|(request, op)| self.granted(request, op));
    }

    fn grant_memory(&mut self) {
        let clock = self.world.hardware.clocks.memory;
        let now = self.world.now;
        let World { memory, accounts, causes, .. } = &mut self.world;
        if now.is_multiple_of(clock) {
            if let Some((request, op)) = memory.grant(Edge { now, clock }, (accounts, causes)) {
                self.granted(request, op);
            }
        } else if !memory.requests.0.is_empty() && memory.scheduled < now {
            memory.scheduled = (now / clock + 1) * clock;
            let at = memory.scheduled;
            self.world.agenda.push(at, Event::Memory);
        }
    }

    /// A core, or a packet, has got what it asked for.
    fn granted(&mut self, request: Request, op: Op) {
        self.world.follow(request, op);
        let core = &mut self.cores[request.age.core as usize];
        match request.wanted {
            Wanted::Load { .. } | Wanted::Memory { .. } => {
                core.fetch.cause = op;
                self.world.accounts.set(core.fetch.unit, Class::Busy, self.world.now);
            }
            Wanted::Add { .. } | Wanted::Vector { .. } => {
                core.computing(request.age.step, op);
                core.account(&mut self.world);
            }
            Wanted::Store { .. } | Wanted::Write { .. } => {}
        }
    }

    /// The next instant at which something happens.
    fn next(&self, skip: bool) -> Result<Option<u64>, MachineError> {
        if self.world.agenda.overflowed() {
            return Err(MachineError::Overflow);
        }
        let next = self.world.agenda.next().into_iter().chain(self.network_at).min();
        Ok(next.map(|next| if skip { next } else { self.world.now + 1 }))
    }

    fn into_report(mut self) -> Result<Report, MachineError> {
        if let Some(core) = self.cores.iter().find(|core| !core.done()) {
            let (ended, total) = (core.ended, core.total);
            return Err(MachineError::Stuck { core: core.core.name.clone(), ended, total });
        }
        let end = self.world.now;
        let mut units = self.world.accounts.close(end);
        units.extend(network_units(&self.world.network, &self.world.hardware.mesh, end));
        for core in &mut self.cores {
            core.work.steps = core.ended;
        }
        Ok(Report {
            image_done: self.image_done,
            end,
            units,
            critical_path: self.world.causes.path(),
            peaks: self.world.regions.iter().map(RegionState::peak).collect(),
            cores: self.cores.into_iter().map(|core| core.work).collect(),
            instants: self.instants,
            events: self.events,
        })
    }
}

/// The network interfaces and links.
fn network_units(network: &Network, mesh: &MeshHardware, end: u64) -> Vec<UnitReport> {
    let unit = |tile, kind, busy, blocked| {
        let mut cycles = Cycles::default();
        cycles.add(Class::Busy, busy);
        cycles.add(Class::Link, blocked);
        cycles.add(Class::Idle, end.saturating_sub(busy + blocked));
        UnitReport { unit: Unit { tile, core: None, kind }, cycles }
    };
    let interfaces = (0..).zip(network.interfaces(end));
    let mut units: Vec<UnitReport> =
        interfaces.map(|(tile, of)| unit(tile, UnitKind::Interface, of.busy, of.blocked)).collect();
    units.extend(network.links(end).map(|of| {
        let to = mesh.first_tile(of.direction.from(of.router));
        unit(mesh.first_tile(of.router), UnitKind::Link(to), of.busy, of.blocked)
    }));
    units
}
