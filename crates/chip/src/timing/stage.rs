//! A stage: the windows it has started, and its unit.

use super::buffer::{Buffer, Wiring};
use super::error::TimingError;
use super::model::{IntervalTiming, StageTiming, UnitTiming};
use super::mvm::Mvm;
use super::queue::{Agenda, Event};
use super::report::StageActivity;

#[derive(Debug)]
enum Unit<'a> {
    Mvm(Mvm<'a>),
    Interval(&'a IntervalTiming),
}

/// State of a stage.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    timing: &'a StageTiming,
    wiring: Wiring,
    unit: Unit<'a>,
    /// Windows of all images, started and in all.
    started: u64,
    total: u64,
    /// The next window within its image.
    window: usize,
    /// Images before that of the next window.
    images: u64,
    /// Pixels written.
    pub(super) written: u64,
    /// Since when the port is taken: loading, or within the interval after a start.
    port: Option<u64>,
    /// Pixels of each input that are given back when the window now in the port has been read.
    frees: Vec<u64>,
    /// Since when the next window waits for nothing but room in the buffers behind.
    blocked: Option<u64>,
    activity: StageActivity,
}

impl<'a> Stage<'a> {
    /// `images` times the windows and pixels of an image must fit `u64`.
    pub(super) fn new(timing: &'a StageTiming, wiring: Wiring, images: u64) -> Self {
        let unit = match &timing.unit {
            UnitTiming::Mvm(mvm) => Unit::Mvm(Mvm::new(mvm)),
            UnitTiming::Interval(interval) => Unit::Interval(interval),
        };
        Self {
            timing,
            wiring,
            unit,
            started: 0,
            total: timing.windows() * images,
            window: 0,
            images: 0,
            written: 0,
            port: None,
            frees: Vec::new(),
            blocked: None,
            activity: StageActivity { name: timing.name.clone(), ..StageActivity::default() },
        }
    }

    /// The name, for errors.
    pub(super) fn name(&self) -> &'a str {
        &self.timing.name
    }

    /// Pixels to be written over all images.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The buffers around it.
    pub(super) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Starts the next window if everything it waits for is there, and takes room for its pixel in every buffer behind.
    pub(super) fn try_start(&mut self, buffers: &mut [Buffer], agenda: &mut Agenda<'_>) -> Result<bool, TimingError> {
        if !self.wants_start(buffers) {
            return Ok(false);
        }
        if !self.wiring.outputs.iter().all(|&at| buffers.get(at).is_some_and(Buffer::has_room)) {
            self.blocked.get_or_insert(agenda.now);
            return Ok(false);
        }
        if let Some(since) = self.blocked.take() {
            self.activity.stall += agenda.now - since;
        }
        for &at in &self.wiring.outputs {
            if let Some(output) = buffers.get_mut(at) {
                output.reserved += 1;
            }
        }
        self.start(agenda)?;
        Ok(true)
    }

    /// Whether the next window waits for nothing but room in the buffers behind.
    fn wants_start(&self, buffers: &[Buffer]) -> bool {
        let register_free = match &self.unit {
            Unit::Mvm(mvm) => mvm.register_free(self.started),
            Unit::Interval(_) => true,
        };
        self.started < self.total && self.port.is_none() && register_free && self.inputs_there(buffers)
    }

    /// Whether every input holds what the next window reads of it.
    fn inputs_there(&self, buffers: &[Buffer]) -> bool {
        self.timing.inputs.iter().zip(&self.wiring.inputs).all(|(input, &at)| {
            let need = input.flow.need.get(self.window).map(|need| self.images * input.flow.input_pixels + need);
            buffers.get(at).zip(need).is_some_and(|(buffer, need)| buffer.written > need)
        })
    }

    fn start(&mut self, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        self.take_window();
        match &self.unit {
            Unit::Mvm(mvm) => {
                self.port = Some(agenda.now);
                agenda.after(mvm.timing.load, Event::PortFree)
            }
            Unit::Interval(unit) => {
                self.activity.loads += 1;
                agenda.after(unit.latency, Event::PixelDone)?;
                for (input, &freed) in self.frees.iter().enumerate() {
                    agenda.after(unit.release, Event::Credit { input, freed })?;
                }
                // Without a next window the interval ends nothing, and must not make the time overflow.
                if self.started < self.total {
                    self.port = Some(agenda.now);
                    agenda.after(unit.interval, Event::PortFree)?;
                }
                Ok(())
            }
        }
    }

    /// Moves on to the next window, of the next image if need be.
    fn take_window(&mut self) {
        let (images, window) = (self.images, self.window);
        let frees = self
            .timing
            .inputs
            .iter()
            .map(|input| images * input.flow.input_pixels + input.flow.freed.get(window).copied().unwrap_or(0));
        self.frees.clear();
        self.frees.extend(frees);
        self.started += 1;
        self.window += 1;
        if self.window as u64 == self.timing.windows() {
            self.window = 0;
            self.images += 1;
        }
    }

    /// The port is free again; a load has then read its window out of the buffers.
    pub(super) fn port_free(&mut self, buffers: &mut [Buffer], agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        let since = self.port.take();
        let Unit::Mvm(mvm) = &self.unit else { return Ok(()) };
        self.activity.loads += 1;
        self.activity.load_busy += since.map_or(0, |since| agenda.now - since);
        for (&at, &freed) in self.wiring.inputs.iter().zip(&self.frees) {
            if let Some(input) = buffers.get_mut(at) {
                input.free(freed);
            }
        }
        agenda.after(mvm.timing.load_latency, Event::Arrived)
    }

    /// The MVM unit, to which the events of loaded inputs and banks belong.
    pub(super) fn mvm(&mut self) -> Option<&mut Mvm<'a>> {
        match &mut self.unit {
            Unit::Mvm(mvm) => Some(mvm),
            Unit::Interval(_) => None,
        }
    }

    /// What the stage did.
    pub(super) fn into_activity(self, buffers: &[Buffer]) -> StageActivity {
        let banks = match &self.unit {
            Unit::Mvm(mvm) => mvm.banks.iter().map(|bank| bank.activity).collect(),
            Unit::Interval(_) => Vec::new(),
        };
        let peaks = self.wiring.inputs.iter().filter_map(|&at| buffers.get(at)).map(|input| input.peak);
        StageActivity { pixels: self.written, peak_occupancy: peaks.collect(), banks, ..self.activity }
    }
}
