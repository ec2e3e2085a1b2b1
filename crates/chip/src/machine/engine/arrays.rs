//! The arrays of a core: banks that work on its input registers.

use super::agenda::Event;
use super::bank::Bank;
use super::causes::{NONE, Op};
use super::core::CoreState;
use super::world::World;
use crate::machine::hardware::Hardware;
use crate::machine::report::UnitKind;
use crate::machine::work::Core;
use std::collections::VecDeque;

/// State of the arrays.
#[derive(Debug)]
pub(super) struct Arrays {
    pub(super) banks: Vec<Bank>,
    /// Steps that every bank has latched: their input registers are free.
    latched: u64,
    /// Steps that every bank has converted.
    converted: u64,
    /// What converted the steps whose write-back has not begun.
    pub(super) converted_by: VecDeque<Op>,
}

impl Arrays {
    /// The banks of a core whose steps have `slices` slices or more.
    pub(super) fn new(core: &Core, slices: u32, hardware: &Hardware, mut unit: impl FnMut(UnitKind) -> u32) -> Self {
        let mut bank = |(number, columns)| {
            let least_step = conversions(slices, columns, hardware);
            Bank::new((columns, least_step), unit(UnitKind::Arrays(number)), unit(UnitKind::Converters(number)))
        };
        let banks = (0..).zip(&core.banks).map(|(number, entry)| bank((number, entry.columns))).collect();
        Self { banks, latched: 0, converted: 0, converted_by: VecDeque::new() }
    }
}

/// Base cycles in which a bank converts so many slices.
fn conversions(slices: u32, columns: u64, hardware: &Hardware) -> u64 {
    let Hardware { tile, clocks, .. } = hardware;
    let cycles = |slice| tile.convert_cycles(slice, columns, clocks).saturating_mul(clocks.arrays);
    // Behind the end of the table all slices take the same.
    let listed = (tile.conversion.len() as u32).min(slices);
    let rest = u64::from(slices - listed).saturating_mul(cycles(listed));
    (0..listed).map(cycles).fold(rest, u64::saturating_add)
}

impl CoreState<'_> {
    /// Base cycles that a bank needs at least until it has converted what is left of the run.
    pub(super) fn conversions_left(&self, bank: usize) -> u64 {
        self.arrays.banks[bank].conversions_left(self.total)
    }

    /// Lets every bank do what it can; whether a step was latched or converted by all.
    pub(super) fn advance_arrays(&mut self, world: &mut World<'_, '_>) -> bool {
        let mut waits_for_clock = false;
        for at in 0..self.arrays.banks.len() {
            waits_for_clock |= self.advance_bank(at, world);
        }
        if waits_for_clock {
            let edge = world.next_edge(world.hardware.clocks.arrays);
            if self.scheduled != edge {
                self.scheduled = edge;
                world.agenda.push(edge, Event::Core(self.number));
            }
        }
        self.pass_steps(world)
    }

    /// Sees whether the slowest bank is done with a step.
    fn pass_steps(&mut self, world: &mut World<'_, '_>) -> bool {
        let Some(latched) = self.arrays.banks.iter().map(|bank| bank.latched).min() else { return false };
        let passed = latched - self.arrays.latched;
        self.arrays.latched = latched;
        self.input_registers += passed as u32;
        if passed > 0 {
            self.fetched_by.drain(..passed as usize);
            let latched = self.arrays.banks.iter().map(|bank| bank.latched_by);
            self.register_freed_by = latched.reduce(|a, b| world.causes.latest(a, b)).unwrap_or(NONE);
        }
        let converted = self.arrays.banks.iter().map(|bank| bank.converted).min().unwrap_or(0);
        while self.arrays.converted < converted {
            self.arrays.converted += 1;
            let by = self.arrays.banks.iter().map(|bank| bank.converted_by);
            self.arrays.converted_by.push_back(by.reduce(|a, b| world.causes.latest(a, b)).unwrap_or(NONE));
            let (cycles, clock) = (world.hardware.tile.shift_add_cycles, world.hardware.clocks.digital);
            world.after(cycles, clock, Event::Added(self.number));
        }
        passed > 0
    }

    /// Latches, converts and reads what can be. Whether something waits for a clock edge.
    fn advance_bank(&mut self, at: usize, world: &mut World<'_, '_>) -> bool {
        let depth = world.hardware.tile.sample_hold_depth;
        loop {
            let slices = self.slices(self.arrays.banks[at].latched);
            let bank = &mut self.arrays.banks[at];
            self.work.reads[at] += u64::from(bank.latch(depth, slices, &world.causes));
            // A conversion that takes no time makes room for the next slice.
            if !self.convert(at, world) {
                break;
            }
        }
        let edge = world.is_edge(world.hardware.clocks.arrays);
        let bank = &self.arrays.banks[at];
        let reads = bank.can_read(self.fetched);
        if reads && edge {
            self.read(at, world);
        }
        let bank = &self.arrays.banks[at];
        !edge && (reads || bank.can_convert(self.has_output_register(bank.converted)))
    }

    /// Input slices of a step; checked workloads have an `mvm` in every step of a core with banks.
    fn slices(&self, step: u64) -> u32 {
        self.step(step).1.slices(&self.core.instructions).unwrap_or(1)
    }

    /// Whether a step has an output register or can have one.
    fn has_output_register(&self, step: u64) -> bool {
        step.saturating_sub(self.ended) < self.output_registers
    }

    /// Starts a conversion, if one can start; whether it has ended already.
    fn convert(&mut self, at: usize, world: &mut World<'_, '_>) -> bool {
        let (hardware, now) = (world.hardware, world.now);
        let clock = hardware.clocks.arrays;
        let bank = &self.arrays.banks[at];
        if !world.is_edge(clock) || !bank.can_convert(self.has_output_register(bank.converted)) {
            return false;
        }
        let (slice, slices) = (bank.slice_to_convert(), self.slices(bank.converted));
        let delay = hardware.tile.convert_cycles(slice, bank.columns, &hardware.clocks).saturating_mul(clock);
        let mut cause = self.arrays.banks[at].convertible_by(&world.causes);
        if slice == 0 {
            cause = world.causes.latest(cause, self.ended_by);
        }
        let unit = self.unit(UnitKind::Converters(at as u32));
        let op = world.causes.note(unit, cause, now.saturating_add(delay));
        let bank = &mut self.arrays.banks[at];
        bank.convert(slices, op);
        self.work.conversions[at] += 1;
        if delay == 0 {
            bank.convert_end();
        } else {
            world.agenda.after(now, delay, Event::Converted(self.number, at as u32));
        }
        delay == 0
    }

    /// Starts an array read.
    fn read(&mut self, at: usize, world: &mut World<'_, '_>) {
        let (hardware, now) = (world.hardware, world.now);
        let bank = &self.arrays.banks[at];
        let delay = hardware.tile.read_cycles(bank.slice_to_read()).saturating_mul(hardware.clocks.arrays);
        let mut cause = bank.latched_by;
        if bank.slice_to_read() == 0 {
            let ahead = (bank.latched - self.arrays.latched) as usize;
            let fetched_by = self.fetched_by.get(ahead).copied().unwrap_or(NONE);
            cause = world.causes.latest(fetched_by, cause);
        }
        let unit = self.unit(UnitKind::Arrays(at as u32));
        let op = world.causes.note(unit, cause, now.saturating_add(delay));
        self.arrays.banks[at].read(op);
        world.agenda.after(now, delay, Event::Read(self.number, at as u32));
    }

    /// Says what the banks do from now on.
    pub(super) fn account_arrays(&self, world: &mut World<'_, '_>) {
        let now = world.now;
        for bank in &self.arrays.banks {
            let (arrays, converters) = bank.classes(self.total, self.ended, self.output_registers);
            world.accounts.set(bank.arrays_unit, arrays, now);
            world.accounts.set(bank.converters_unit, converters, now);
        }
    }
}
