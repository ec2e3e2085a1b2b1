//! Section 3: a bank of arrays with its converters.

use std::collections::VecDeque;

use chip::machine::work;

use super::account::Class;
use super::formulas::{convert_cycles, read_cycles};
use super::parts::Shared;
use super::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrays {
    /// Wait for a fetched step or for the clock.
    Waiting,
    /// Read until an instant.
    Reading(u64),
    /// Hold a result that the sample-and-hold has no room for.
    Holding,
}

pub(crate) struct Bank {
    bank: work::Bank,
    /// Slices of the run as (step, slice), that the arrays have not latched.
    to_read: VecDeque<(u64, u32)>,
    /// Slices in the sample-and-hold, the one in conversion included.
    held: VecDeque<(u64, u32)>,
    arrays: Arrays,
    /// Instant at which the conversion of the first one held ends.
    converting: Option<u64>,
    /// Slices of the run that are not converted.
    to_convert: usize,
    pub(crate) reads: u64,
    pub(crate) conversions: u64,
}

impl Bank {
    pub(crate) fn new(bank: work::Bank, shared: &Shared<'_>) -> Self {
        let slices = |step| (0..shared.step(step).slices.unwrap_or(0)).map(move |slice| (step, slice));
        let to_read: VecDeque<_> = (0..shared.total_steps()).flat_map(slices).collect();
        let to_convert = to_read.len();
        let held = VecDeque::new();
        Self { bank, to_read, held, arrays: Arrays::Waiting, converting: None, to_convert, reads: 0, conversions: 0 }
    }

    /// Phase 1.
    pub(crate) fn ends(&mut self, shared: &mut Shared<'_>, world: &World<'_>) {
        if self.arrays == Arrays::Reading(world.now) {
            self.arrays = Arrays::Holding;
        }
        if self.converting == Some(world.now) {
            self.end_conversion(shared, world);
        }
    }

    fn end_conversion(&mut self, shared: &mut Shared<'_>, world: &World<'_>) {
        self.converting = None;
        self.to_convert -= 1;
        let (step, slice) = self.held.pop_front().expect("a conversion has a slice");
        self.conversions += self.bank.count * self.bank.columns;
        if Some(slice + 1) == shared.step(step).slices {
            let banks = shared.core.banks.len();
            let status = &mut shared.status[step as usize];
            status.converted += 1;
            if status.converted == banks {
                status.converted_at = Some(world.now);
            }
        }
    }

    /// Phase 2.
    pub(crate) fn settle(&mut self, shared: &mut Shared<'_>, world: &World<'_>) -> bool {
        let latched = self.latch(shared, world);
        let read = self.read(shared, world);
        let converts = self.convert(shared, world);
        latched | read | converts
    }

    fn latch(&mut self, shared: &mut Shared<'_>, world: &World<'_>) -> bool {
        if self.arrays != Arrays::Holding || self.held.len() == world.hardware.tile.sample_hold_depth as usize {
            return false;
        }
        let (step, slice) = self.to_read.pop_front().expect("a result has a slice");
        self.held.push_back((step, slice));
        self.arrays = Arrays::Waiting;
        if Some(slice + 1) == shared.step(step).slices {
            let status = &mut shared.status[step as usize];
            status.latched += 1;
            if status.latched == shared.core.banks.len() {
                shared.inputs_held -= 1;
            }
        }
        true
    }

    fn read(&mut self, shared: &Shared<'_>, world: &World<'_>) -> bool {
        let Some(&(step, slice)) = self.to_read.front() else { return false };
        if self.arrays != Arrays::Waiting || !world.is_arrays() || !shared.status[step as usize].fetched {
            return false;
        }
        let cycles = read_cycles(&world.hardware.tile, slice) * world.hardware.clocks.arrays;
        self.arrays = Arrays::Reading(world.now + cycles);
        self.reads += self.bank.count;
        true
    }

    fn convert(&mut self, shared: &mut Shared<'_>, world: &World<'_>) -> bool {
        let Some(&(step, slice)) = self.held.front() else { return false };
        if self.converting.is_some() || !world.is_arrays() || (slice == 0 && !shared.take_output(step, world)) {
            return false;
        }
        let clocks = &world.hardware.clocks;
        let cycles = convert_cycles(&world.hardware.tile, slice, self.bank.columns, clocks) * clocks.arrays;
        self.converting = Some(world.now + cycles);
        if cycles == 0 {
            self.end_conversion(shared, world);
        }
        true
    }

    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.arrays, Arrays::Reading(_)) || self.converting.is_some()
    }

    pub(crate) fn arrays_class(&self) -> Class {
        match self.arrays {
            Arrays::Reading(_) => Class::Busy,
            Arrays::Holding => Class::Adc,
            Arrays::Waiting if self.to_read.is_empty() => Class::Idle,
            Arrays::Waiting => Class::Input,
        }
    }

    pub(crate) fn converters_class(&self, shared: &Shared<'_>, world: &World<'_>) -> Class {
        match self.held.front() {
            _ if self.converting.is_some() => Class::Busy,
            _ if self.to_convert == 0 => Class::Idle,
            Some((step, 0)) if !shared.output_is_free(*step as usize, world) => Class::OutputFull,
            _ => Class::Input,
        }
    }
}
