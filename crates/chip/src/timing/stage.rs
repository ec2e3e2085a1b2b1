//! A stage: the windows it has started, its unit, and the buffers between stages.

use super::error::TimingError;
use super::model::{IntervalTiming, StageTiming, UnitTiming};
use super::mvm::Mvm;
use super::queue::{Agenda, Event};
use super::report::StageActivity;

/// The pixels between two stages, counted over all images.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Pixels that it holds at once; `None` is unlimited.
    capacity: Option<u64>,
    /// Pixels whose computation the stage before has started.
    reserved: u64,
    /// Pixels that the stage before has written.
    pub(super) written: u64,
    /// Pixels that the stage behind has given back.
    freed: u64,
    peak: u64,
}

impl Buffer {
    /// The images of the first stage, which stand ready.
    pub(super) fn full(pixels: u64) -> Self {
        Self { written: pixels, ..Self::default() }
    }

    pub(super) fn empty(capacity: Option<u64>) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// Whether there is room for one more pixel. More may have been freed than reserved: pixels that no window reads.
    fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.reserved < self.freed.saturating_add(capacity))
    }

    pub(super) fn free(&mut self, freed: u64) {
        self.freed = self.freed.max(freed);
    }

    /// To be called when all of a cycle's events have happened: a place that is freed and taken in one cycle is one place.
    pub(super) fn settle(&mut self) {
        self.peak = self.peak.max(self.reserved.saturating_sub(self.freed));
    }
}

#[derive(Debug)]
enum Unit<'a> {
    Mvm(Mvm<'a>),
    Interval(&'a IntervalTiming),
}

/// State of a stage.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    timing: &'a StageTiming,
    unit: Unit<'a>,
    /// Windows of all images, started and in all.
    started: u64,
    total: u64,
    /// The next window within its image.
    window: usize,
    /// Input pixels of all images before that of the next window.
    base: u64,
    /// Since when the port is taken: loading, or within the interval after a start.
    port: Option<u64>,
    /// Input pixels that are given back when the window now in the port has been read.
    frees: u64,
    /// Since when the next window waits for nothing but room in the next buffer.
    blocked: Option<u64>,
    activity: StageActivity,
}

impl<'a> Stage<'a> {
    /// `images` times the windows and pixels of an image must fit `u64`.
    pub(super) fn new(timing: &'a StageTiming, images: u64) -> Self {
        let unit = match &timing.unit {
            UnitTiming::Mvm(mvm) => Unit::Mvm(Mvm::new(mvm)),
            UnitTiming::Interval(interval) => Unit::Interval(interval),
        };
        Self {
            timing,
            unit,
            started: 0,
            total: timing.flow.need.len() as u64 * images,
            window: 0,
            base: 0,
            port: None,
            frees: 0,
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

    /// Starts the next window if everything it waits for is there.
    pub(super) fn try_start(
        &mut self,
        input: &Buffer,
        output: &mut Buffer,
        agenda: &mut Agenda<'_>,
    ) -> Result<bool, TimingError> {
        if !self.wants_start(input) {
            return Ok(false);
        }
        if !output.has_room() {
            self.blocked.get_or_insert(agenda.now);
            return Ok(false);
        }
        if let Some(since) = self.blocked.take() {
            self.activity.stall += agenda.now - since;
        }
        output.reserved += 1;
        self.start(agenda)?;
        Ok(true)
    }

    /// Whether the next window waits for nothing but room in the next buffer.
    fn wants_start(&self, input: &Buffer) -> bool {
        let register_free = match &self.unit {
            Unit::Mvm(mvm) => mvm.register_free(self.started),
            Unit::Interval(_) => true,
        };
        let need = self.timing.flow.need.get(self.window);
        let there = need.is_some_and(|need| input.written > self.base + need);
        self.started < self.total && self.port.is_none() && register_free && there
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
                agenda.after(unit.release, Event::Credit(self.frees))?;
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
        let flow = &self.timing.flow;
        self.frees = self.base + flow.freed.get(self.window).copied().unwrap_or(0);
        self.started += 1;
        self.window += 1;
        if self.window == flow.need.len() {
            self.window = 0;
            self.base += flow.input_pixels;
        }
    }

    /// The port is free again; a load has then read its window out of the input buffer.
    pub(super) fn port_free(&mut self, input: &mut Buffer, agenda: &mut Agenda<'_>) -> Result<(), TimingError> {
        let since = self.port.take();
        let Unit::Mvm(mvm) = &self.unit else { return Ok(()) };
        self.activity.loads += 1;
        self.activity.load_busy += since.map_or(0, |since| agenda.now - since);
        input.free(self.frees);
        agenda.after(mvm.timing.load_latency, Event::Arrived)
    }

    /// The MVM unit, to which the events of loaded inputs and banks belong.
    pub(super) fn mvm(&mut self) -> Option<&mut Mvm<'a>> {
        match &mut self.unit {
            Unit::Mvm(mvm) => Some(mvm),
            Unit::Interval(_) => None,
        }
    }

    /// What the stage did, given the buffers before and behind it.
    pub(super) fn into_activity(self, input: &Buffer, output: &Buffer) -> StageActivity {
        let banks = match &self.unit {
            Unit::Mvm(mvm) => mvm.banks.iter().map(|bank| bank.activity).collect(),
            Unit::Interval(_) => Vec::new(),
        };
        StageActivity { pixels: output.written, peak_occupancy: input.peak, banks, ..self.activity }
    }
}
