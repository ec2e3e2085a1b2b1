//! The write-back of a step: merging, vector operations, sends and stores.

use super::agenda::Event;
use super::causes::{NONE, Op};
use super::core::CoreState;
use super::packets::{Packet, Send};
use super::request::{Age, Request, Wanted};
use super::world::World;
use crate::machine::account::Class;
use crate::machine::instruction::{Instruction, VectorOperation};
use std::collections::VecDeque;

/// A step in write-back.
#[derive(Debug)]
pub(super) struct WriteBack {
    pub(super) step: u64,
    /// The instruction that it is at.
    at: usize,
    state: State,
    /// Instructions issued.
    issued: usize,
    /// Sends and stores that are not complete.
    pending: u32,
    /// Items of the run that it receives: what it receives is decided by its place in the program.
    receives: VecDeque<u64>,
    /// Regions and their items that the next merge gives back.
    received: Vec<(u32, u64)>,
    holds_input_register: bool,
    /// Whether it has waited at this instruction.
    blocked: bool,
    /// The operation that brought it here.
    cause: Op,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At an instruction that has not been issued, or behind the last.
    Ready,
    Receiving,
    /// A unit has been requested.
    Requested,
    /// A unit works.
    Computing,
}

impl CoreState<'_> {
    /// Begins and advances write-backs; whether one ended.
    pub(super) fn advance_write_back(&mut self, world: &mut World<'_, '_>) -> bool {
        if self.arrays.banks.is_empty() {
            while self.begun < self.fetched && self.begun - self.ended < self.output_registers {
                let fetched = self.fetched_by.pop_front().unwrap_or(NONE);
                let cause = world.causes.latest(fetched, self.ended_by);
                self.begin_write_back(true, cause, world);
            }
        }
        for index in 0..self.active.len() {
            while self.issue(index, world) {}
        }
        let (active, ended) = (self.active.len(), self.ended);
        for index in (0..active).rev() {
            self.end_write_back(index, world);
        }
        self.ended > ended
    }

    /// The next step begins its write-back.
    pub(super) fn begin_write_back(&mut self, holds_input_register: bool, cause: Op, world: &mut World<'_, '_>) {
        let step = self.begun;
        let range = self.step(step).1.write_back();
        let at = range.start;
        let mut receives = VecDeque::new();
        for instruction in &self.core.instructions[range] {
            if let Instruction::Receive { region } = *instruction {
                receives.push_back(world.regions[region as usize].expect(self.number));
            }
        }
        self.active.push_back(WriteBack {
            step,
            at,
            state: State::Ready,
            issued: 0,
            pending: 0,
            receives,
            received: Vec::new(),
            holds_input_register,
            blocked: false,
            cause,
        });
        self.begun += 1;
    }

    /// Removes a write-back that has nothing more to do.
    fn end_write_back(&mut self, index: usize, world: &World<'_, '_>) {
        let active = &self.active[index];
        let end = self.step(active.step).1.end;
        if active.state == State::Ready && active.at == end && active.pending == 0 {
            self.ended_by = world.causes.latest(active.cause, self.ended_by);
            if active.holds_input_register {
                self.input_registers += 1;
                self.register_freed_by = active.cause;
            }
            self.end_step(world.now);
            self.active.remove(index);
        }
    }

    /// The write-back of the step before, if that has not ended: of those under way an older one may be next to this one.
    fn before(&self, index: usize) -> Option<&WriteBack> {
        let before = self.active.get(index.checked_sub(1)?)?;
        (before.step + 1 == self.active[index].step).then_some(before)
    }

    /// Whether the step before has issued as many instructions as this one is about to.
    fn in_turn(&self, index: usize) -> bool {
        let Some(before) = self.before(index) else { return true };
        let all = self.step(before.step).1.write_back().len();
        before.issued > self.active[index].issued || before.issued == all
    }

    /// Goes on by one instruction, if that is possible.
    fn issue(&mut self, index: usize, world: &mut World<'_, '_>) -> bool {
        let (step, at, state) = (self.active[index].step, self.active[index].at, self.active[index].state);
        let (end, instruction) = (self.step(step).1.end, self.core.instructions.get(at).copied());
        let Some(instruction) = instruction.filter(|_| at < end) else { return false };
        match state {
            State::Requested | State::Computing => return false,
            State::Ready if !self.in_turn(index) => {
                self.active[index].blocked = true;
                return false;
            }
            State::Ready => {
                if std::mem::take(&mut self.active[index].blocked)
                    && let Some(cause) = self.before(index).map(|before| before.cause)
                {
                    self.active[index].cause = cause;
                }
                self.active[index].issued += 1;
            }
            State::Receiving => {}
        }
        match instruction {
            Instruction::Receive { region } => self.receive(index, region, world),
            Instruction::Merge { values } => self.merge(index, values, world),
            Instruction::Vector { operation, values } => self.vector(index, operation, values, world),
            Instruction::Send { region, bits } => self.send(index, region, bits, world),
            Instruction::Store { region, bits } => self.store(index, region, bits, world),
            _ => true,
        }
    }

    fn receive(&mut self, index: usize, region: u32, world: &mut World<'_, '_>) -> bool {
        let active = &mut self.active[index];
        let item = active.receives.front().copied().unwrap_or(0);
        let there = world.regions[region as usize].has(item);
        active.state = if there { State::Ready } else { State::Receiving };
        active.blocked |= !there;
        if there {
            if std::mem::take(&mut active.blocked) {
                active.cause = world.regions[region as usize].written_by;
            }
            active.receives.pop_front();
            active.received.push((region, item));
            active.at += 1;
            let at = active.at;
            let rest = at..self.step(self.active[index].step).1.end;
            if !rest.into_iter().any(|at| matches!(self.instruction(at), Instruction::Merge { .. })) {
                self.give_back(index, world);
            }
        }
        there
    }

    /// Gives back what the step has received.
    fn give_back(&mut self, index: usize, world: &mut World<'_, '_>) {
        for (region, item) in std::mem::take(&mut self.active[index].received) {
            world.regions[region as usize].free_received(self.number, item, self.active[index].cause);
            world.wake_writers(region);
        }
    }

    fn merge(&mut self, index: usize, values: u64, world: &mut World<'_, '_>) -> bool {
        let tile = &world.hardware.tile;
        self.work.merged_values += values;
        let wanted = Wanted::Add { occupancy: values.div_ceil(tile.adder_width), latency: tile.merge_cycles };
        self.ask_for_unit(index, wanted, world)
    }

    fn vector(&mut self, index: usize, operation: VectorOperation, values: u64, world: &mut World<'_, '_>) -> bool {
        let tile = &world.hardware.tile;
        self.work.vector_values[operation as usize] += values;
        let latency = tile.vector_cycles[operation as usize];
        let wanted = Wanted::Vector { occupancy: values.div_ceil(tile.vector_width), latency };
        self.ask_for_unit(index, wanted, world)
    }

    fn ask_for_unit(&mut self, index: usize, wanted: Wanted, world: &mut World<'_, '_>) -> bool {
        let age = self.age(index, world.now);
        let cause = self.active[index].cause;
        world.request(self.core.tile, Request { age, wanted, cause });
        self.active[index].state = State::Requested;
        false
    }

    fn age(&self, index: usize, since: u64) -> Age {
        let active = &self.active[index];
        Age { since, is_core: true, core: self.number, step: active.step, at: active.at }
    }

    fn send(&mut self, index: usize, region: u32, bits: u64, world: &mut World<'_, '_>) -> bool {
        let item = world.regions[region as usize].dispatch(self.number);
        let age = self.age(index, world.now);
        let to = world.regions[region as usize].region().tile;
        let mesh = &world.hardware.mesh;
        let flits = mesh.flits(bits);
        self.work.flit_hops += flits * mesh.links(self.core.tile, to);
        let tag =
            world.packets.add(Packet { age, region, bits, item, cause: self.active[index].cause, from_memory: false });
        world.sends.push((age, Send { from: self.core.tile, to, flits, tag }));
        self.leave(index)
    }

    fn store(&mut self, index: usize, region: u32, bits: u64, world: &mut World<'_, '_>) -> bool {
        let tile = &world.hardware.tile;
        let (words, cycles) = (tile.words(bits), tile.transfer_cycles(bits));
        let bank = u64::from(region).wrapping_add(world.regions[region as usize].dispatch(self.number));
        self.work.store_words += words;
        self.work.store_bits += bits;
        let age = self.age(index, world.now);
        let cause = self.active[index].cause;
        world.request(self.core.tile, Request { age, wanted: Wanted::Store { cycles, bank, region }, cause });
        self.leave(index)
    }

    /// The step goes on, although a send or a store is not complete.
    fn leave(&mut self, index: usize) -> bool {
        let active = &mut self.active[index];
        active.pending += 1;
        active.at += 1;
        active.state = State::Ready;
        true
    }

    fn find(&mut self, step: u64) -> Option<usize> {
        self.active.iter().position(|active| active.step == step)
    }

    /// The unit that the step has asked for works.
    pub(super) fn computing(&mut self, step: u64, op: Op) {
        if let Some(index) = self.find(step) {
            self.active[index].state = State::Computing;
            self.active[index].cause = op;
        }
    }

    /// The unit has taken in all values of the step.
    pub(super) fn taken(&mut self, step: u64, world: &mut World<'_, '_>) {
        let Some(index) = self.find(step) else { return };
        if matches!(self.instruction(self.active[index].at), Instruction::Merge { .. }) {
            self.give_back(index, world);
        }
        if std::mem::take(&mut self.active[index].holds_input_register) {
            self.input_registers += 1;
            self.register_freed_by = self.active[index].cause;
        }
    }

    /// The unit has done with the step.
    pub(super) fn computed(&mut self, step: u64) {
        if let Some(index) = self.find(step) {
            self.active[index].state = State::Ready;
            self.active[index].at += 1;
        }
    }

    /// A send or a store of the step is complete.
    pub(super) fn complete(&mut self, step: u64, by: Op, world: &World<'_, '_>) {
        if let Some(index) = self.find(step) {
            let active = &mut self.active[index];
            active.pending -= 1;
            self.ended_by = world.causes.latest(by, self.ended_by);
        }
    }

    /// What the write-back does, judged by its oldest step.
    pub(super) fn write_back_class(&self) -> Class {
        match self.active.front().map(|active| active.state) {
            None if self.done() => Class::Idle,
            None if self.arrays.banks.is_empty() => Class::Input,
            None => Class::Adc,
            Some(State::Receiving) => Class::Input,
            Some(State::Computing) => Class::Busy,
            Some(State::Requested | State::Ready) => Class::Link,
        }
    }
}

impl World<'_, '_> {
    /// Schedules what follows from a grant.
    pub(super) fn follow(&mut self, request: Request, op: Op) {
        let Age { core, step, .. } = request.age;
        let (digital, memory) = (self.hardware.clocks.digital, self.hardware.clocks.memory);
        let (occupied, cycles) = request.wanted.cycles();
        match request.wanted {
            Wanted::Load { .. } => self.after(cycles, digital, Event::Loaded(core)),
            Wanted::Store { region, .. } => self.after(cycles, digital, Event::Stored(core, step, region, op)),
            Wanted::Write { packet, .. } => self.after(cycles, digital, Event::Written(packet, op)),
            Wanted::Add { .. } | Wanted::Vector { .. } => {
                self.after(occupied, digital, Event::Taken(core, step));
                self.after(cycles, digital, Event::Computed(core, step));
            }
            Wanted::Memory { packet, .. } => {
                self.after(occupied, memory, Event::Memory);
                self.after(cycles, memory, Event::Delivered(packet));
            }
        }
    }
}
