//! Section 3: a core, and what its three parts know of each other.

use std::collections::BTreeMap;

use chip::machine::work::Core;

use super::account::{Accounts, Unit};
use super::arrays::Bank;
use super::fetch::Fetch;
use super::steps::{Step, cut};
use super::world::{Active, Service, World};
use super::write_back::WriteBack;

/// How far a step of the run is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) fetched: bool,
    /// Banks that have latched its last slice.
    pub(crate) latched: usize,
    /// Banks that have converted its last slice.
    pub(crate) converted: usize,
    /// Instant at which the last bank converted its last slice.
    pub(crate) converted_at: Option<u64>,
    /// Has or had an output register.
    pub(crate) has_output: bool,
    /// Write-back has begun.
    pub(crate) begun: bool,
    /// Write-back instructions issued.
    pub(crate) issued: usize,
    /// Write-back has ended.
    pub(crate) ended: bool,
}

/// What the parts of a core share.
pub(crate) struct Shared<'w> {
    pub(crate) number: u32,
    pub(crate) core: &'w Core,
    pub(crate) steps: Vec<Step>,
    pub(crate) images: u64,
    /// Of every step of the run.
    pub(crate) status: Vec<Status>,
    pub(crate) inputs_held: u32,
    /// When write-backs ended, in this order.
    pub(crate) ends: Vec<u64>,
    /// For each region that the core writes: its items of the run, rooms taken, items sent or stored.
    writes: BTreeMap<u32, (Vec<u64>, usize, usize)>,
}

impl<'w> Shared<'w> {
    pub(crate) fn total_steps(&self) -> u64 {
        self.steps.len() as u64 * self.images
    }

    pub(crate) fn image(&self, step: u64) -> u64 {
        step / self.steps.len() as u64
    }

    pub(crate) fn step(&self, step: u64) -> &Step {
        &self.steps[step as usize % self.steps.len()]
    }

    pub(crate) fn take_room(&mut self, region: u32, world: &mut World<'_>) -> bool {
        let (items, rooms, _) = self.writes.get_mut(&region).expect("a core asks for room where it writes");
        let region = &mut world.regions[region as usize];
        if !region.has_room(items[*rooms]) {
            return false;
        }
        *rooms += 1;
        region.take();
        true
    }

    /// The number in the run of the next item that the core writes.
    pub(crate) fn next_item(&mut self, region: u32) -> u64 {
        let (items, rooms, written) = self.writes.get_mut(&region).expect("a core writes its regions");
        assert!(written < rooms, "a place is taken before an item is written");
        *written += 1;
        items[*written - 1]
    }

    /// Takes an output register for a step, in order of steps, if one is free.
    pub(crate) fn take_output(&mut self, step: u64, world: &World<'_>) -> bool {
        let step = step as usize;
        if !self.status[step].has_output && self.output_is_free(step, world) {
            self.status[step].has_output = true;
        }
        self.status[step].has_output
    }

    /// Whether a step has an output register or could have one now.
    pub(crate) fn output_is_free(&self, step: usize, world: &World<'_>) -> bool {
        let held = self.status[..step].iter().filter(|status| status.has_output && !status.ended).count();
        let in_order = step == 0 || self.status[step - 1].has_output;
        self.status[step].has_output || (in_order && held < world.hardware.tile.output_registers as usize)
    }
}

pub(crate) struct CoreState<'w> {
    pub(crate) shared: Shared<'w>,
    pub(crate) fetch: Fetch,
    pub(crate) banks: Vec<Bank>,
    pub(crate) write_back: WriteBack,
}

impl<'w> CoreState<'w> {
    pub(crate) fn new(number: u32, core: &'w Core, images: u64, world: &World<'_>) -> Self {
        let steps = cut(&core.instructions);
        let total = steps.len() * images as usize;
        let writes = (0..world.regions.len() as u32)
            .map(|region| (region, (world.regions[region as usize].items_of(number), 0, 0)))
            .collect();
        let shared = Shared {
            number,
            core,
            steps,
            images,
            status: vec![Status::default(); total],
            inputs_held: 0,
            ends: Vec::new(),
            writes,
        };
        let banks = core.banks.iter().map(|bank| Bank::new(*bank, &shared)).collect();
        Self { banks, fetch: Fetch::new(), write_back: WriteBack::new(total), shared }
    }

    /// Phase 1, but for shared units.
    pub(crate) fn ends(&mut self, world: &World<'_>) {
        for bank in &mut self.banks {
            bank.ends(&mut self.shared, world);
        }
        self.write_back.ends(world.now);
    }

    /// Phase 2: one round. Returns whether anything was done.
    pub(crate) fn settle(&mut self, world: &mut World<'_>) -> bool {
        let mut changed = self.fetch.settle(&mut self.shared, world);
        for bank in &mut self.banks {
            changed |= bank.settle(&mut self.shared, world);
        }
        changed | self.write_back.settle(&mut self.shared, world)
    }

    pub(crate) fn granted(&mut self, active: &Active) {
        match active.request.service {
            Service::Load { .. } | Service::Memory { .. } => self.fetch.granted(),
            Service::Merge | Service::Vector => self.write_back.granted(active.request.age.step),
            Service::Store { .. } | Service::Arrival { .. } => {}
        }
    }

    /// The occupancy of a shared unit ends.
    pub(crate) fn served(&mut self, active: &Active, world: &mut World<'_>) {
        let step = active.request.age.step;
        match active.request.service {
            Service::Load { .. } => self.fetch.loaded(),
            Service::Memory { .. } => {
                self.fetch.loaded();
                let memory = world.hardware.memory;
                let arrives = world.now + (memory.latency - 1) * world.hardware.clocks.memory;
                world.delivering.push((arrives, active.request));
            }
            Service::Merge | Service::Vector => self.write_back.occupancy_ends(step, &mut self.shared, world),
            Service::Store { .. } => self.write_back.completed(step),
            Service::Arrival { .. } => {}
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.fetch.is_over() && self.shared.status.iter().all(|status| status.ended)
    }

    /// Whether an end of something is ahead, apart from shared units.
    pub(crate) fn is_moving(&self) -> bool {
        self.fetch.is_moving() || self.banks.iter().any(Bank::is_moving) || self.write_back.is_moving(&self.shared)
    }

    pub(crate) fn account(&self, world: &World<'_>, accounts: &mut Accounts) {
        let core = self.shared.number;
        accounts.count(Unit::Fetch { core }, self.fetch.class(&self.shared));
        for (at, bank) in self.banks.iter().enumerate() {
            accounts.count(Unit::Arrays { core, bank: at }, bank.arrays_class());
            accounts.count(Unit::Converters { core, bank: at }, bank.converters_class(&self.shared, world));
        }
        accounts.count(Unit::WriteBack { core }, self.write_back.class(&self.shared));
    }
}
