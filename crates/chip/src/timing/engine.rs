//! The event loop.

use super::check::check;
use super::error::TimingError;
use super::model::StageTiming;
use super::queue::{Agenda, Entry, Event, EventQueue};
use super::report::TimingReport;
use super::stage::{Buffer, Stage};

/// Times `images` images that stream through the pipeline back to back.
///
/// All images stand ready at cycle 0. The cost grows with the number of events, about two per bank and slice, and not with the cycles
/// between them.
///
/// # Errors
/// Refuses malformed pipelines, buffers with which the pipeline would stand still for ever, and times beyond 64 bits.
pub fn simulate(stages: &[StageTiming], images: u64) -> Result<TimingReport, TimingError> {
    check(stages, images)?;
    let mut engine = Engine::new(stages, images);
    // Only the first stage has inputs, so it alone can begin.
    engine.try_start(0)?;
    while let Some(entry) = engine.queue.pop() {
        if entry.cycle > engine.now {
            engine.settle();
            engine.now = entry.cycle;
        }
        engine.happen(entry)?;
    }
    engine.settle();
    engine.into_report()
}

/// All state of a simulation.
///
/// The rules are a marked graph: every operation starts as soon as the operations it waits for have ended, and none competes with another.
/// Hence the order of events within a cycle changes no time.
struct Engine<'a> {
    now: u64,
    queue: EventQueue,
    stages: Vec<Stage<'a>>,
    /// Buffer `i` is the input of stage `i`; one more takes the results.
    buffers: Vec<Buffer>,
    /// Buffers in which a place was taken in this cycle.
    touched: Vec<usize>,
    /// Pixels per image of the last stage.
    image_pixels: u64,
    image_done: Vec<u64>,
    drained: u64,
}

impl<'a> Engine<'a> {
    fn new(timings: &'a [StageTiming], images: u64) -> Self {
        let ready = timings.first().map_or(0, |first| first.flow.input_pixels * images);
        let between = timings.iter().skip(1).map(|stage| Buffer::empty(stage.flow.capacity));
        Self {
            now: 0,
            queue: EventQueue::default(),
            stages: timings.iter().map(|timing| Stage::new(timing, images)).collect(),
            buffers: std::iter::once(Buffer::full(ready)).chain(between).chain([Buffer::empty(None)]).collect(),
            touched: Vec::new(),
            image_pixels: timings.last().map_or(0, |last| last.flow.need.len() as u64),
            image_done: Vec::new(),
            drained: 0,
        }
    }

    /// Applies an event and starts what it enables.
    fn happen(&mut self, entry: Entry) -> Result<(), TimingError> {
        let at = entry.stage;
        match entry.event {
            Event::PortFree => {
                self.port_free(at)?;
                self.try_start_before(at)?;
                self.try_start(at)
            }
            Event::Credit(freed) => {
                if let Some(buffer) = self.buffers.get_mut(at) {
                    buffer.free(freed);
                }
                self.try_start_before(at)
            }
            Event::PixelDone => {
                self.pixel_done(at);
                self.try_start(at + 1)
            }
            Event::Arrived | Event::ReadEnd(_) | Event::ConvertEnd(_) => {
                self.bank_event(at, entry.event)?;
                // A bank that latched its last slice may have been the last to hold an input register.
                self.try_start(at)
            }
        }
    }

    fn port_free(&mut self, at: usize) -> Result<(), TimingError> {
        let (Some(stage), Some(input)) = (self.stages.get_mut(at), self.buffers.get_mut(at)) else { return Ok(()) };
        let mut agenda = Agenda { queue: &mut self.queue, now: self.now, stage: at, name: stage.name() };
        stage.port_free(input, &mut agenda)
    }

    fn bank_event(&mut self, at: usize, event: Event) -> Result<(), TimingError> {
        let Some(stage) = self.stages.get_mut(at) else { return Ok(()) };
        let mut agenda = Agenda { queue: &mut self.queue, now: self.now, stage: at, name: stage.name() };
        let Some(mvm) = stage.mvm() else { return Ok(()) };
        match event {
            Event::ReadEnd(bank) => mvm.read_end(bank, &mut agenda),
            Event::ConvertEnd(bank) => mvm.convert_end(bank, &mut agenda),
            _ => mvm.arrive(&mut agenda),
        }
    }

    fn pixel_done(&mut self, at: usize) {
        let Some(output) = self.buffers.get_mut(at + 1) else { return };
        output.written += 1;
        self.drained = self.now;
        if at + 1 == self.stages.len() && output.written.is_multiple_of(self.image_pixels) {
            self.image_done.push(self.now);
        }
    }

    /// The stage before `at`, if any, may have been given room.
    fn try_start_before(&mut self, at: usize) -> Result<(), TimingError> {
        at.checked_sub(1).map_or(Ok(()), |before| self.try_start(before))
    }

    /// At most one window starts, since it takes the port for at least an event.
    fn try_start(&mut self, at: usize) -> Result<(), TimingError> {
        let Some(stage) = self.stages.get_mut(at) else { return Ok(()) };
        let Some([input, output]) = self.buffers.get_mut(at..at + 2) else { return Ok(()) };
        let mut agenda = Agenda { queue: &mut self.queue, now: self.now, stage: at, name: stage.name() };
        if stage.try_start(input, output, &mut agenda)? {
            self.touched.push(at + 1);
        }
        Ok(())
    }

    /// Closes a cycle.
    fn settle(&mut self) {
        for at in self.touched.drain(..) {
            if let Some(buffer) = self.buffers.get_mut(at) {
                buffer.settle();
            }
        }
    }

    fn into_report(self) -> Result<TimingReport, TimingError> {
        for (stage, output) in self.stages.iter().zip(self.buffers.iter().skip(1)) {
            let (written, expected) = (output.written, stage.total());
            if written != expected {
                return Err(TimingError::Stuck { stage: stage.name().to_owned(), written, expected });
            }
        }
        let around = self.buffers.iter().zip(self.buffers.iter().skip(1));
        let stages = self.stages.into_iter().zip(around);
        Ok(TimingReport {
            cycles: self.image_done.last().copied().unwrap_or(0),
            drained: self.drained,
            image_done: self.image_done,
            stages: stages.map(|(stage, (input, output))| stage.into_activity(input, output)).collect(),
        })
    }
}
