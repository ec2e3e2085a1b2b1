//! Section 3: the write-back part of a core.

use chip::machine::instruction::{Instruction, VectorOperation};

use super::account::Class;
use super::network::Packet;
use super::parts::Shared;
use super::world::{Age, Service, World};

/// The last issued instruction of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doing {
    /// Is done.
    #[default]
    Nothing,
    /// Waits for an item of the run.
    Receive {
        region: u32,
        item: u64,
    },
    Requested,
    Occupied,
    /// Done at an instant.
    Latency(u64),
}

#[derive(Clone, Debug, Default)]
struct Work {
    doing: Doing,
    /// Received items that wait for the next `merge`.
    received: Vec<(u32, u64)>,
    /// Sends and stores that are not complete.
    outstanding: usize,
}

/// Counts of issued instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) merges: u64,
    pub(crate) vectors: u64,
    pub(crate) sends: u64,
    pub(crate) stores: u64,
}

pub(crate) struct WriteBack {
    /// Of every step of the run.
    work: Vec<Work>,
    pub(crate) issued: Issued,
}

impl WriteBack {
    pub(crate) fn new(total: usize) -> Self {
        Self { work: vec![Work::default(); total], issued: Issued::default() }
    }

    /// Phase 1.
    pub(crate) fn ends(&mut self, now: u64) {
        for work in &mut self.work {
            if work.doing == Doing::Latency(now) {
                work.doing = Doing::Nothing;
            }
        }
    }

    pub(crate) fn granted(&mut self, step: u64) {
        self.work[step as usize].doing = Doing::Occupied;
    }

    /// A send or store of a step is complete.
    pub(crate) fn completed(&mut self, step: u64) {
        self.work[step as usize].outstanding -= 1;
    }

    /// Phase 1: the occupancy of a `merge` or a `vector` ends.
    pub(crate) fn occupancy_ends(&mut self, step: u64, shared: &mut Shared<'_>, world: &mut World<'_>) {
        let place = shared.status[step as usize].issued - 1;
        let instruction = shared.step(step).write_back[place];
        let work = &mut self.work[step as usize];
        if matches!(instruction, Instruction::Merge { .. }) {
            for (region, item) in work.received.drain(..) {
                world.regions[region as usize].give(shared.number, item);
            }
        }
        let rest = (latency(instruction, world) - 1) * world.hardware.clocks.digital;
        work.doing = if rest == 0 { Doing::Nothing } else { Doing::Latency(world.now + rest) };
        if shared.step(step).slices.is_none() && shared.step(step).first_unit() == Some(place) {
            shared.inputs_held -= 1;
        }
    }

    /// Phase 2: goes through all steps once, in order.
    pub(crate) fn settle(&mut self, shared: &mut Shared<'_>, world: &mut World<'_>) -> bool {
        let mut changed = false;
        for step in 0..shared.total_steps() {
            if shared.status[step as usize].ended {
                continue;
            }
            if !shared.status[step as usize].begun {
                if !begin(step, shared, world) {
                    break;
                }
                changed = true;
            }
            changed |= self.go_on(step, shared, world);
        }
        changed
    }

    /// Does everything that a step in write-back can do.
    fn go_on(&mut self, step: u64, shared: &mut Shared<'_>, world: &mut World<'_>) -> bool {
        let mut changed = false;
        while self.receive(step, shared, world) || self.issue(step, shared, world) {
            changed = true;
        }
        let ended = self.end(step, shared);
        if ended {
            shared.ends.push(world.now);
        }
        changed | ended
    }

    fn receive(&mut self, step: u64, shared: &Shared<'_>, world: &mut World<'_>) -> bool {
        let work = &mut self.work[step as usize];
        let Doing::Receive { region, item } = work.doing else { return false };
        if !world.regions[region as usize].are_there_up_to(item) {
            return false;
        }
        work.doing = Doing::Nothing;
        if shared.step(step).merges_behind(shared.status[step as usize].issued - 1) {
            work.received.push((region, item));
        } else {
            world.regions[region as usize].give(shared.number, item);
        }
        true
    }

    fn issue(&mut self, step: u64, shared: &mut Shared<'_>, world: &mut World<'_>) -> bool {
        let place = shared.status[step as usize].issued;
        let Some(instruction) = shared.step(step).write_back.get(place).copied() else { return false };
        if self.work[step as usize].doing != Doing::Nothing || !may_issue(step, place, shared) {
            return false;
        }
        shared.status[step as usize].issued += 1;
        let before = shared.step(step).fetch.len() + usize::from(shared.step(step).slices.is_some());
        let core = shared.number;
        let age = Age { instant: world.now, from_core: true, core, step, place: before + place };
        self.execute(instruction, age, shared, world);
        true
    }

    fn execute(&mut self, instruction: Instruction, age: Age, shared: &mut Shared<'_>, world: &mut World<'_>) {
        let (tile, hardware) = (shared.core.tile, world.hardware);
        let work = &mut self.work[age.step as usize];
        match instruction {
            Instruction::Receive { region } => {
                work.doing = Doing::Receive { region, item: receives_before(region, age, shared) };
            }
            Instruction::Merge { values } => {
                world.ask(age, tile, Service::Merge, values.div_ceil(hardware.tile.adder_width));
                work.doing = Doing::Requested;
                self.issued.merges += 1;
            }
            Instruction::Vector { values, .. } => {
                world.ask(age, tile, Service::Vector, values.div_ceil(hardware.tile.vector_width));
                work.doing = Doing::Requested;
                self.issued.vectors += 1;
            }
            Instruction::Send { region, bits } => {
                let item = shared.next_item(region);
                let to = world.regions[region as usize].region.tile;
                world.sent.push((age, Packet { from: tile, to, region, item, bits, sender: age }));
                work.outstanding += 1;
                self.issued.sends += 1;
            }
            Instruction::Store { region, bits } => {
                let item = shared.next_item(region);
                let service = Service::Store { region, item, bank: world.first_bank(region, item) };
                world.ask(age, tile, service, world.words(bits));
                work.outstanding += 1;
                self.issued.stores += 1;
            }
            other => panic!("{other:?} is not written back"),
        }
    }

    fn end(&self, step: u64, shared: &mut Shared<'_>) -> bool {
        let work = &self.work[step as usize];
        let all = shared.step(step).write_back.len();
        let status = &mut shared.status[step as usize];
        if status.issued < all || work.doing != Doing::Nothing || work.outstanding > 0 {
            return false;
        }
        status.ended = true;
        if shared.step(step).slices.is_none() && shared.step(step).first_unit().is_none() {
            shared.inputs_held -= 1;
        }
        true
    }

    /// Whether a latency, or the shift-and-add before a write-back, is in progress.
    pub(crate) fn is_moving(&self, shared: &Shared<'_>) -> bool {
        self.work.iter().any(|work| matches!(work.doing, Doing::Latency(_)))
            || shared.status.iter().any(|status| status.converted_at.is_some() && !status.begun)
    }

    pub(crate) fn class(&self, shared: &Shared<'_>) -> Class {
        if shared.status.iter().all(|status| status.ended) {
            return Class::Idle;
        }
        let Some(oldest) = shared.status.iter().position(|status| status.begun && !status.ended) else {
            return if shared.core.banks.is_empty() { Class::Input } else { Class::Adc };
        };
        match self.work[oldest].doing {
            Doing::Receive { .. } => Class::Input,
            Doing::Requested => Class::Link,
            Doing::Occupied | Doing::Latency(_) => Class::Busy,
            Doing::Nothing => Class::Link,
        }
    }
}

/// Begins the write-back of a step if it may begin.
fn begin(step: u64, shared: &mut Shared<'_>, world: &World<'_>) -> bool {
    let begins = match shared.step(step).slices {
        Some(_) => {
            let shift_add = world.hardware.tile.shift_add_cycles * world.hardware.clocks.digital;
            shared.status[step as usize].converted_at.is_some_and(|at| at + shift_add <= world.now)
        }
        None => shared.status[step as usize].fetched && shared.take_output(step, world),
    };
    shared.status[step as usize].begun |= begins;
    begins
}

/// How many items of a region the core receives before an instruction, in the order of the program.
fn receives_before(region: u32, age: Age, shared: &Shared<'_>) -> u64 {
    let of = |step: u64| shared.step(step).write_back.iter();
    let own = shared.step(age.step);
    let place = age.place - own.fetch.len() - usize::from(own.slices.is_some());
    let instructions = (0..age.step).flat_map(of).chain(of(age.step).take(place));
    instructions.filter(|instruction| **instruction == Instruction::Receive { region }).count() as u64
}

/// Whether the step before has issued as many instructions, or all that it has.
fn may_issue(step: u64, place: usize, shared: &Shared<'_>) -> bool {
    let Some(before) = step.checked_sub(1) else { return true };
    let all = shared.step(before).write_back.len();
    shared.status[before as usize].issued > place || shared.status[before as usize].issued == all
}

fn latency(instruction: Instruction, world: &World<'_>) -> u64 {
    let tile = &world.hardware.tile;
    match instruction {
        Instruction::Vector { operation, .. } => {
            let at = VectorOperation::ALL.iter().position(|known| *known == operation);
            tile.vector_cycles[at.expect("all operations are listed")]
        }
        _ => tile.merge_cycles,
    }
}
