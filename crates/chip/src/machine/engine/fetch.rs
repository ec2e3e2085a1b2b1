//! The fetch part of a core: synchronisation and loads.

use super::causes::{NONE, Op};
use super::core::CoreState;
use super::packets::Packet;
use super::request::{Age, Request, Wanted};
use super::world::World;
use crate::machine::account::Class;
use crate::machine::instruction::Instruction;

/// Where the fetch part is.
#[derive(Debug)]
pub(super) struct Fetch {
    /// The step that it fetches.
    step: u64,
    /// The instruction that it is at.
    at: usize,
    state: State,
    /// Whether it has waited at this instruction.
    blocked: bool,
    /// The operation that brought it here.
    pub(super) cause: Op,
    /// Loads requested so far.
    loads: u64,
    /// Its number in the accounts.
    pub(super) unit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The step needs an input register.
    Begin,
    Running,
    /// A load has been requested or is under way.
    Loading,
}

impl Fetch {
    pub(super) fn new(unit: u32) -> Self {
        Self { step: 0, at: 0, state: State::Begin, blocked: false, cause: NONE, loads: 0, unit }
    }
}

impl CoreState<'_> {
    /// Goes on as far as possible; whether a step was fetched.
    pub(super) fn advance_fetch(&mut self, world: &mut World<'_, '_>) -> bool {
        let before = self.fetched;
        let blocked = loop {
            match self.fetch.state {
                State::Loading => break None,
                State::Begin if self.fetch.step == self.total => break Some(Class::Idle),
                State::Begin if self.input_registers == 0 => break Some(Class::OutputFull),
                State::Begin => {
                    self.unblock(self.register_freed_by);
                    self.input_registers -= 1;
                    self.fetch.at = self.step(self.fetch.step).1.start;
                    self.fetch.state = State::Running;
                }
                State::Running => {
                    if let Some(class) = self.fetch_instruction(world) {
                        break Some(class);
                    }
                }
            }
        };
        if let Some(class) = blocked {
            self.fetch.blocked = true;
            world.accounts.set(self.fetch.unit, class, world.now);
        }
        self.fetched > before
    }

    /// Goes on; if it has waited, because of this operation.
    fn unblock(&mut self, cause: Op) {
        if std::mem::take(&mut self.fetch.blocked) {
            self.fetch.cause = cause;
        }
    }

    /// Executes an instruction, or says what it waits for.
    fn fetch_instruction(&mut self, world: &mut World<'_, '_>) -> Option<Class> {
        let (image, step) = self.step(self.fetch.step);
        if self.fetch.at == step.arrays {
            self.fetched += 1;
            self.fetched_by.push_back(self.fetch.cause);
            self.fetch.step += 1;
            self.fetch.state = State::Begin;
            return None;
        }
        match self.instruction(self.fetch.at) {
            Instruction::Wait { region, count } => {
                if !world.regions[region as usize].holds(image, count) {
                    return Some(Class::Input);
                }
                self.unblock(world.regions[region as usize].written_by);
            }
            Instruction::Room { region } => {
                if !world.regions[region as usize].take_place(self.number) {
                    return Some(Class::OutputFull);
                }
                self.unblock(world.regions[region as usize].freed_by);
                world.touched.add(region);
            }
            Instruction::Free { region, count } => {
                world.regions[region as usize].free(self.number, image, count, self.fetch.cause);
                world.wake_writers(region);
            }
            Instruction::Load { region, bits } => return Some(self.request_load(region, bits, world)),
            Instruction::LoadMemory { region, bits } => return Some(self.request_memory(region, bits, world)),
            _ => {}
        }
        self.fetch.at += 1;
        None
    }

    fn request_load(&mut self, region: u32, bits: u64, world: &mut World<'_, '_>) -> Class {
        let tile = &world.hardware.tile;
        let wanted = Wanted::Load {
            cycles: tile.transfer_cycles(bits).saturating_add(tile.access_cycles),
            bank: u64::from(region).wrapping_add(self.fetch.loads),
        };
        self.fetch.loads += 1;
        self.work.load_words += tile.words(bits);
        self.work.load_bits += bits;
        self.ask(wanted, world)
    }

    fn request_memory(&mut self, region: u32, bits: u64, world: &mut World<'_, '_>) -> Class {
        let memory = world.hardware.memory;
        self.work.memory_bits += bits;
        let item = world.regions[region as usize].dispatch(self.number);
        let (age, cause) = (self.fetch_age(world.now), self.fetch.cause);
        let packet = world.packets.add(Packet { age, region, bits, item, cause, from_memory: true });
        let occupancy = bits.div_ceil(memory.bits_per_cycle);
        self.ask(Wanted::Memory { occupancy, latency: memory.latency, packet }, world)
    }

    fn fetch_age(&self, since: u64) -> Age {
        Age { since, is_core: true, core: self.number, step: self.fetch.step, at: self.fetch.at }
    }

    fn ask(&mut self, wanted: Wanted, world: &mut World<'_, '_>) -> Class {
        let age = self.fetch_age(world.now);
        world.request(self.core.tile, Request { age, wanted, cause: self.fetch.cause });
        self.fetch.state = State::Loading;
        Class::Link
    }

    /// The load has arrived, or the memory port has taken it.
    pub(super) fn loaded(&mut self) {
        self.fetch.blocked = false;
        self.fetch.at += 1;
        self.fetch.state = State::Running;
    }
}
