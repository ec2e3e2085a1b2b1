//! The crossbars of a stage: input registers and the banks that work on them.

use super::bank::Bank;
use super::error::TimingError;
use super::model::MvmTiming;
use super::queue::{Agenda, Event};

/// State of an MVM unit behind its load port.
#[derive(Debug)]
pub(super) struct Mvm<'a> {
    pub(super) timing: &'a MvmTiming,
    /// Windows whose inputs the arrays may use.
    arrived: u64,
    /// Windows that every bank has latched: their input registers are free.
    latched: u64,
    /// Windows that every bank has converted.
    converted: u64,
    pub(super) banks: Vec<Bank>,
}

impl<'a> Mvm<'a> {
    pub(super) fn new(timing: &'a MvmTiming) -> Self {
        let banks = timing.banks.iter().enumerate().map(|(index, bank)| Bank::new(index, *bank, timing)).collect();
        Self { timing, arrived: 0, latched: 0, converted: 0, banks }
    }

    /// Whether one more than the `started` windows finds an input register.
    pub(super) fn register_free(&self, started: u64) -> bool {
        started - self.latched < u64::from(self.timing.input_registers)
    }

    /// A window has become usable by every bank.
    pub(super) fn arrive(&mut self, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        self.arrived += 1;
        (0..self.banks.len()).try_for_each(|index| self.advance(index, agenda))
    }

    pub(super) fn read_end(&mut self, index: usize, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        if let Some(bank) = self.banks.get_mut(index) {
            bank.read_end(agenda.now);
        }
        self.advance(index, agenda)
    }

    pub(super) fn convert_end(&mut self, index: usize, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        if let Some(bank) = self.banks.get_mut(index) {
            bank.convert_end(agenda.now);
        }
        self.advance(index, agenda)
    }

    /// Lets a bank do what it can, then sees whether it was the last one to be done with a window. A bank passes one window per event at
    /// most, so the slowest bank does too.
    fn advance(&mut self, index: usize, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        let Some(bank) = self.banks.get_mut(index) else { return Ok(()) };
        bank.advance(self.arrived, agenda)?;
        let (latched, converted) = (bank.latched, bank.converted);
        if latched > self.latched && self.banks.iter().all(|bank| bank.latched > self.latched) {
            self.latched += 1;
        }
        if converted > self.converted && self.banks.iter().all(|bank| bank.converted > self.converted) {
            self.converted += 1;
            agenda.after(self.timing.post, Event::PixelDone)?;
        }
        Ok(())
    }
}
