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
mod grants;
mod packets;
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
use self::packets::{Packets, network_units};
use self::region::RegionState;
use self::tile::{MemoryPort, Tile};
use self::world::{Worklist, World};
use super::error::MachineError;
use super::hardware::Hardware;
use super::network::{Happening, Network};
use super::report::{CoreTimes, Report, UnitKind};
use super::work::Workload;

/// How to run.
pub struct Settings<'r> {
    /// Whether to skip cycles, cores and tiles in which nothing happens.
    pub skip: bool,
    /// Who is told what happens when.
    pub recorder: Option<&'r mut dyn Recorder>,
    /// Whether to find the critical path, which takes memory for every operation.
    pub critical_path: bool,
    /// The last cycle in which the run may end; it stops as soon as it cannot.
    pub until: u64,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self { skip: true, recorder: None, critical_path: false, until: u64::MAX }
    }
}

/// Executes a workload for `images` images; it must have passed [`Workload::check`].
///
/// # Errors
/// If it stands still before its end, or lasts longer than 64 bits of cycles, or than it may.
pub fn run(
    workload: &Workload,
    hardware: &Hardware,
    images: u64,
    settings: Settings<'_>,
) -> Result<Report, MachineError> {
    let (skip, until) = (settings.skip, settings.until);
    let mut engine = Engine::new(workload, hardware, images, settings)?;
    loop {
        engine.instant();
        let Some(next) = engine.next(skip)? else { break };
        if engine.late || next > until {
            return Err(MachineError::Late { until });
        }
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
    /// The last cycle in which the run may end, and whether it will end later.
    until: u64,
    late: bool,
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
            awake: Worklist::new(workload.cores.len(), settings.critical_path),
            granting: Worklist::new(tiles as usize, settings.critical_path),
            touched: Worklist::new(workload.regions.len(), false),
            accounts,
            causes: Causes::new(settings.critical_path),
        };
        world.awake.add_all();
        if world.accounts.recorder.is_some() {
            world.network.watch();
        }
        let core = |(number, core)| CoreState::new(number, core, images, &mut world);
        let cores = (0..).zip(&workload.cores).map(core).collect();
        Ok(Self {
            workload,
            images,
            cores,
            world,
            image_done: Vec::new(),
            until: settings.until,
            late: false,
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
            self.events += u64::from(event.is_end());
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
                let state = &mut cores[core as usize];
                state.arrays.banks[bank as usize].convert_end();
                self.late |= world.now.saturating_add(state.conversions_left(bank as usize)) > self.until;
                world.awake.add(core);
            }
            Event::Added(core) => {
                let cause = cores[core as usize].arrays.converted_by.pop_front().unwrap_or(NONE);
                cores[core as usize].begin_write_back(false, cause, world);
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
                let item = self.world.regions[region as usize].next_item(core);
                self.written((region, item), core, op);
                self.cores[core as usize].complete(step, op, &self.world);
                self.release(core);
            }
            Event::Injected(number, step, cause) => {
                let core = &mut cores[number as usize];
                let op = world.causes.note(core.unit(UnitKind::Interface), cause, world.now);
                core.complete(step, op, world);
                world.awake.add(number);
            }
            Event::Arrived(tag) => self.arrive(tag),
            Event::Written(tag, op) => self.packet_written(tag, op),
            Event::Tile(tile) => world.granting.add(tile),
            Event::Memory => self.release_memory(),
            Event::MemoryEdge => {}
            Event::Delivered(tag) => self.delivered(tag),
            Event::Core(core) => world.awake.add(core),
        }
    }

    /// An item is in a region.
    fn written(&mut self, (region, item): (u32, u64), core: u32, op: Op) {
        self.world.write(region, item, core, op);
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
        self.world.network.end_watch(end);
        self.world.record_network();
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
            times: times(&self.cores, self.world.accounts.starts(self.cores.len())),
            cores: self.cores.into_iter().map(|core| core.work).collect(),
            instants: self.instants,
            events: self.events,
        })
    }
}

/// When the cores worked; one that never did began when it ended.
fn times(cores: &[CoreState<'_>], starts: Vec<Option<u64>>) -> Vec<CoreTimes> {
    let of_core = |(core, start): (&CoreState<'_>, Option<u64>)| {
        let times = core.times;
        CoreTimes { first_start: start.unwrap_or(times.last_end), ..times }
    };
    cores.iter().zip(starts).map(of_core).collect()
}
