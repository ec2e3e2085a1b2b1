//! A core: fetch, arrays and write-back, side by side on its steps.

use std::collections::VecDeque;

use super::arrays::Arrays;
use super::causes::{NONE, Op};
use super::fetch::Fetch;
use super::world::World;
use super::write_back::WriteBack;
use crate::machine::instruction::Instruction;
use crate::machine::report::{CoreTimes, Unit, UnitKind, Work};
use crate::machine::steps::{Step, steps};
use crate::machine::work::Core;

/// State of a core. Steps are counted over the whole run.
pub(super) struct CoreState<'a> {
    pub(super) number: u32,
    pub(super) core: &'a Core,
    /// Steps of an image.
    pub(super) steps: Vec<Step>,
    /// Steps of the run.
    pub(super) total: u64,
    pub(super) input_registers: u32,
    pub(super) output_registers: u64,
    pub(super) fetch: Fetch,
    /// Steps fetched.
    pub(super) fetched: u64,
    /// What fetched them, from the first that is still needed.
    pub(super) fetched_by: VecDeque<Op>,
    /// What freed the last input register and the last output register.
    pub(super) register_freed_by: Op,
    pub(super) ended_by: Op,
    pub(super) arrays: Arrays,
    /// Write-backs begun, those under way (oldest first), and ended.
    pub(super) begun: u64,
    pub(super) active: VecDeque<WriteBack>,
    pub(super) ended: u64,
    pub(super) write_back_unit: u32,
    /// A clock edge for which it is scheduled already.
    pub(super) scheduled: u64,
    pub(super) work: Work,
    /// When images ended.
    pub(super) times: CoreTimes,
}

impl<'a> CoreState<'a> {
    pub(super) fn new(number: u32, core: &'a Core, images: u64, world: &mut World<'_, '_>) -> Self {
        let steps: Vec<Step> = steps(&core.instructions).collect();
        let tile = &world.hardware.tile;
        let slices = steps.iter().filter_map(|step| step.slices(&core.instructions)).min().unwrap_or(0);
        let unit = |kind| Unit { tile: core.tile, core: Some(number), kind };
        Self {
            number,
            core,
            total: steps.len() as u64 * images,
            steps,
            input_registers: tile.input_registers,
            output_registers: tile.output_registers.into(),
            fetch: Fetch::new(world.accounts.add(unit(UnitKind::Fetch))),
            fetched: 0,
            fetched_by: VecDeque::new(),
            register_freed_by: NONE,
            ended_by: NONE,
            arrays: Arrays::new(core, slices, world.hardware, |kind| world.accounts.add(unit(kind))),
            begun: 0,
            active: VecDeque::new(),
            ended: 0,
            write_back_unit: world.accounts.add(unit(UnitKind::WriteBack)),
            scheduled: 0,
            work: Work { reads: vec![0; core.banks.len()], conversions: vec![0; core.banks.len()], ..Work::default() },
            times: CoreTimes::default(),
        }
    }

    /// A step of the run: which image it belongs to, and which step of that it is.
    pub(super) fn step(&self, number: u64) -> (u64, Step) {
        let steps = self.steps.len() as u64;
        (number / steps, self.steps[(number % steps) as usize])
    }

    /// Names a unit of the core.
    pub(super) fn unit(&self, kind: UnitKind) -> Unit {
        Unit { tile: self.core.tile, core: Some(self.number), kind }
    }

    pub(super) fn instruction(&self, at: usize) -> Instruction {
        self.core.instructions[at]
    }

    /// Does everything that can be done in this instant without asking anybody.
    pub(super) fn settle(&mut self, world: &mut World<'_, '_>) {
        loop {
            let fetched = self.advance_fetch(world);
            let passed = self.advance_arrays(world);
            let written = self.advance_write_back(world);
            if !(fetched || passed || written) {
                break;
            }
        }
        self.account(world);
    }

    /// Says what the core's units do from now on.
    pub(super) fn account(&self, world: &mut World<'_, '_>) {
        self.account_arrays(world);
        let class = self.write_back_class();
        let now = world.now;
        world.accounts.set(self.write_back_unit, class, now);
    }

    /// A write-back has ended.
    pub(super) fn end_step(&mut self, now: u64) {
        self.ended += 1;
        if self.ended == self.steps.len() as u64 {
            self.times.first_end = now;
        }
        self.times.last_end = now;
    }

    pub(super) fn done(&self) -> bool {
        self.ended == self.total
    }
}
