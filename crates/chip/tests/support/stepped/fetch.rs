//! Section 3: the fetch part of a core.

use chip::machine::instruction::Instruction;

use super::account::Class;
use super::parts::Shared;
use super::world::{Age, Service, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Waits for an input register.
    Begin,
    /// Goes through the instructions of the step.
    Instructions,
    Requested,
    Transfer,
    Over,
}

pub(crate) struct Fetch {
    doing: Doing,
    /// Step of the run.
    step: u64,
    /// Instruction of the step.
    place: usize,
    /// `load REGION` that were requested.
    pub(crate) loads: u64,
}

impl Fetch {
    pub(crate) fn new() -> Self {
        Self { doing: Doing::Begin, step: 0, place: 0, loads: 0 }
    }

    pub(crate) fn granted(&mut self) {
        self.doing = Doing::Transfer;
    }

    /// A load has left its bus, or the memory port.
    pub(crate) fn loaded(&mut self) {
        self.place += 1;
        self.doing = Doing::Instructions;
    }

    /// Does one thing, if one is possible.
    pub(crate) fn settle(&mut self, shared: &mut Shared<'_>, world: &mut World<'_>) -> bool {
        match self.doing {
            Doing::Begin if self.step == shared.total_steps() => {
                self.doing = Doing::Over;
                true
            }
            Doing::Begin => self.begin(shared, world),
            Doing::Instructions => self.instruction(shared, world),
            Doing::Requested | Doing::Transfer | Doing::Over => false,
        }
    }

    fn begin(&mut self, shared: &mut Shared<'_>, world: &World<'_>) -> bool {
        if shared.inputs_held == world.hardware.tile.input_registers {
            return false;
        }
        shared.inputs_held += 1;
        self.place = 0;
        self.doing = Doing::Instructions;
        true
    }

    fn instruction(&mut self, shared: &mut Shared<'_>, world: &mut World<'_>) -> bool {
        let image = shared.image(self.step);
        let Some(instruction) = shared.step(self.step).fetch.get(self.place).copied() else {
            shared.status[self.step as usize].fetched = true;
            self.step += 1;
            self.doing = Doing::Begin;
            return true;
        };
        let is_done = match instruction {
            Instruction::Wait { region, count } => world.regions[region as usize].first_are_there(image, count),
            Instruction::Room { region } => shared.take_room(region, world),
            Instruction::Free { region, count } => {
                let region = &mut world.regions[region as usize];
                region.give_before(shared.number, image * region.region.items + count);
                true
            }
            load => {
                self.request(load, shared, world);
                return true;
            }
        };
        self.place += usize::from(is_done);
        is_done
    }

    fn request(&mut self, load: Instruction, shared: &mut Shared<'_>, world: &mut World<'_>) {
        let (service, cycles) = match load {
            Instruction::Load { region, bits } => {
                let bank = world.first_bank(region, self.loads);
                self.loads += 1;
                (Service::Load { bank }, world.hardware.tile.access_cycles + world.words(bits))
            }
            Instruction::LoadMemory { region, bits } => {
                let item = shared.next_item(region);
                let cycles = bits.div_ceil(world.hardware.memory.bits_per_cycle);
                (Service::Memory { region, item, bits }, cycles)
            }
            other => panic!("{other:?} is no load"),
        };
        let age = Age { instant: world.now, from_core: true, core: shared.number, step: self.step, place: self.place };
        world.ask(age, shared.core.tile, service, cycles);
        self.doing = Doing::Requested;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.doing == Doing::Over
    }

    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.doing, Doing::Requested | Doing::Transfer)
    }

    pub(crate) fn class(&self, shared: &Shared<'_>) -> Class {
        match self.doing {
            Doing::Begin => Class::OutputFull,
            Doing::Instructions => match shared.step(self.step).fetch.get(self.place) {
                Some(Instruction::Wait { .. }) => Class::Input,
                Some(Instruction::Room { .. }) => Class::OutputFull,
                other => panic!("nothing holds up {other:?}"),
            },
            Doing::Requested => Class::Link,
            Doing::Transfer => Class::Busy,
            Doing::Over => Class::Idle,
        }
    }
}
