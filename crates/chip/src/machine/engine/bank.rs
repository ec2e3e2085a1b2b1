//! One converter bank: arrays, sample-and-hold, converters.

use super::causes::{Causes, NONE, Op};
use crate::machine::account::Class;
use std::collections::VecDeque;

/// What the arrays of a bank are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Array {
    Idle,
    Reading,
    /// The slice has been read and waits for the sample-and-hold.
    Waiting,
}

/// State of a bank. Steps are counted over the whole run.
#[derive(Debug)]
pub(super) struct Bank {
    pub(super) columns: u64,
    /// Base cycles in which the slices of a step are converted, at least.
    least_step: u64,
    array: Array,
    /// Slices of the present step that have been latched.
    slices_latched: u32,
    /// Slices in the sample-and-hold, including the one in conversion.
    held: u32,
    converting: bool,
    /// Slices of the oldest unfinished step that have been converted.
    slices_converted: u32,
    /// Slices of that step.
    slices_to_convert: u32,
    /// Steps whose slices have all been latched.
    pub(super) latched: u64,
    /// Steps whose slices have all been converted.
    pub(super) converted: u64,
    /// The operations that read and that latched the last slice.
    read_by: Op,
    pub(super) latched_by: Op,
    /// The operation that converted the last slice.
    pub(super) converted_by: Op,
    /// Those that latched the slices that are held.
    held_by: VecDeque<Op>,
    /// Numbers in the accounts.
    pub(super) arrays_unit: u32,
    pub(super) converters_unit: u32,
}

impl Bank {
    pub(super) fn new((columns, least_step): (u64, u64), arrays_unit: u32, converters_unit: u32) -> Self {
        Self {
            columns,
            least_step,
            array: Array::Idle,
            slices_latched: 0,
            held: 0,
            converting: false,
            slices_converted: 0,
            slices_to_convert: 0,
            latched: 0,
            converted: 0,
            read_by: NONE,
            latched_by: NONE,
            converted_by: NONE,
            held_by: VecDeque::new(),
            arrays_unit,
            converters_unit,
        }
    }

    /// The arrays have read a slice.
    pub(super) fn read_end(&mut self) {
        self.array = Array::Waiting;
    }

    /// The converters have converted a slice, whose place in the sample-and-hold is free.
    pub(super) fn convert_end(&mut self) {
        self.converting = false;
        self.held -= 1;
        self.slices_converted += 1;
        if self.slices_converted == self.slices_to_convert {
            self.slices_converted = 0;
            self.converted += 1;
        }
    }

    /// Base cycles that the converters need at least for what is left of `total` steps, as far as it is known: between two steps.
    pub(super) fn conversions_left(&self, total: u64) -> u64 {
        if self.slices_converted > 0 { 0 } else { (total - self.converted).saturating_mul(self.least_step) }
    }

    /// Moves a slice of a step of `slices` slices into the sample-and-hold, if it waits and there is room.
    pub(super) fn latch(&mut self, depth: u32, slices: u32, causes: &Causes) -> bool {
        let latches = self.array == Array::Waiting && self.held < depth;
        if latches {
            self.array = Array::Idle;
            self.held += 1;
            self.latched_by = causes.latest(self.read_by, self.converted_by);
            self.held_by.push_back(self.latched_by);
            self.slices_latched += 1;
            if self.slices_latched == slices {
                self.slices_latched = 0;
                self.latched += 1;
            }
        }
        latches
    }

    /// Whether a conversion could start; the first of a step needs an output register.
    pub(super) fn can_convert(&self, has_register: bool) -> bool {
        !self.converting && self.held > 0 && (self.slices_converted > 0 || has_register)
    }

    /// What lets the next conversion start: its slice is there, the converters are free.
    pub(super) fn convertible_by(&mut self, causes: &Causes) -> Op {
        causes.latest(self.held_by.pop_front().unwrap_or(NONE), self.converted_by)
    }

    pub(super) fn convert(&mut self, slices: u32, op: Op) {
        self.converting = true;
        self.converted_by = op;
        self.slices_to_convert = slices;
    }

    /// Whether an array read could start; `fetched` steps are in input registers or have been.
    pub(super) fn can_read(&self, fetched: u64) -> bool {
        self.array == Array::Idle && self.latched < fetched
    }

    pub(super) fn read(&mut self, op: Op) {
        self.array = Array::Reading;
        self.read_by = op;
    }

    pub(super) fn slice_to_read(&self) -> u32 {
        self.slices_latched
    }

    pub(super) fn slice_to_convert(&self) -> u32 {
        self.slices_converted
    }

    /// What arrays and converters do, if the run has `total` steps, of which `ended` have given back their output registers.
    pub(super) fn classes(&self, total: u64, ended: u64, output_registers: u64) -> (Class, Class) {
        let arrays = match self.array {
            Array::Reading => Class::Busy,
            Array::Waiting => Class::Adc,
            Array::Idle if self.latched == total => Class::Idle,
            Array::Idle => Class::Input,
        };
        let has_register = self.converted.saturating_sub(ended) < output_registers;
        let converters = match (self.converting, self.held) {
            (true, _) => Class::Busy,
            (false, 0) if self.converted == total => Class::Idle,
            (false, 0) => Class::Input,
            (false, _) if self.slices_converted > 0 || has_register => Class::Input,
            (false, _) => Class::OutputFull,
        };
        (arrays, converters)
    }
}
