//! One converter bank: arrays, sample-and-hold, converters.

use super::error::TimingError;
use super::model::{BankTiming, MvmTiming};
use super::queue::{Agenda, Event};
use super::report::BankActivity;

/// What the arrays of a bank are doing, and since which cycle.
#[derive(Clone, Copy, Debug)]
enum Array {
    Idle,
    Reading(u64),
    /// The slice has been read and waits for the sample-and-hold.
    Waiting(u64),
}

/// State of a bank.
#[derive(Debug)]
pub(super) struct Bank {
    index: usize,
    timing: BankTiming,
    slices: u32,
    depth: u32,
    array: Array,
    /// Slices of the present window that have been latched.
    slices_latched: u32,
    /// Slices in the sample-and-hold, including the one in conversion.
    held: u32,
    /// Since when the converters work on the oldest held slice.
    converting: Option<u64>,
    /// Slices of the oldest unfinished window that have been converted.
    slices_converted: u32,
    /// Windows whose slices have all been latched.
    pub(super) latched: u64,
    /// Windows whose slices have all been converted.
    pub(super) converted: u64,
    pub(super) activity: BankActivity,
}

impl Bank {
    pub(super) fn new(index: usize, timing: BankTiming, mvm: &MvmTiming) -> Self {
        Self {
            index,
            timing,
            slices: mvm.slices,
            depth: mvm.sample_hold_depth,
            array: Array::Idle,
            slices_latched: 0,
            held: 0,
            converting: None,
            slices_converted: 0,
            latched: 0,
            converted: 0,
            activity: BankActivity::default(),
        }
    }

    /// The arrays have read a slice, which now waits for the sample-and-hold (for 0 cycles, if it has room).
    pub(super) fn read_end(&mut self, now: u64) {
        if let Array::Reading(since) = self.array {
            self.activity.reads += 1;
            self.activity.array_busy += now - since;
            self.array = Array::Waiting(now);
        }
    }

    /// The converters have finished a slice, whose place in the sample-and-hold is free.
    pub(super) fn convert_end(&mut self, now: u64) {
        if let Some(since) = self.converting.take() {
            self.activity.conversions += 1;
            self.activity.converter_busy += now - since;
            self.held -= 1;
            self.slices_converted += 1;
            if self.slices_converted == self.slices {
                self.slices_converted = 0;
                self.converted += 1;
            }
        }
    }

    /// Does what can be done now; `arrived` is the number of windows whose inputs the arrays may use.
    ///
    /// Once through is enough: latching enables a conversion and a read, and neither of these enables anything before it ends.
    pub(super) fn advance(&mut self, arrived: u64, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        self.latch(agenda.now);
        if self.converting.is_none() && self.held > 0 {
            self.converting = Some(agenda.now);
            agenda.after(self.timing.convert, Event::ConvertEnd(self.index))?;
        }
        // Windows are read one after the other, so as many have been started as have been latched.
        if matches!(self.array, Array::Idle) && self.latched < arrived {
            self.array = Array::Reading(agenda.now);
            agenda.after(self.timing.read, Event::ReadEnd(self.index))?;
        }
        Ok(())
    }

    fn latch(&mut self, now: u64) {
        if let Array::Waiting(since) = self.array
            && self.held < self.depth
        {
            self.activity.array_wait += now - since;
            self.array = Array::Idle;
            self.held += 1;
            self.slices_latched += 1;
            if self.slices_latched == self.slices {
                self.slices_latched = 0;
                self.latched += 1;
            }
        }
    }
}
