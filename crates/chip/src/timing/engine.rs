//! The event loop.

use super::buffer::{Buffer, Wiring, wire};
use super::check::check;
use super::error::TimingError;
use super::model::{InputTiming, StageTiming};
use super::queue::{Agenda, Entry, Event, EventQueue};
use super::report::TimingReport;
use super::stage::Stage;

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
    // Only stages that read nothing but images can begin.
    (0..stages.len()).try_for_each(|at| engine.try_start(at))?;
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
    /// In the order of the stages and their inputs.
    buffers: Vec<Buffer>,
    /// Stages that took places in buffers in this cycle.
    touched: Vec<usize>,
    /// Pixels per image of the last stage.
    image_pixels: u64,
    image_done: Vec<u64>,
    drained: u64,
}

impl<'a> Engine<'a> {
    fn new(timings: &'a [StageTiming], images: u64) -> Self {
        let buffer = |input: &InputTiming| match input.source {
            0 => Buffer::full(input.flow.input_pixels * images),
            _ => Buffer::empty(input.flow.capacity),
        };
        Self {
            now: 0,
            queue: EventQueue::default(),
            stages: timings
                .iter()
                .zip(wire(timings))
                .map(|(timing, wiring)| Stage::new(timing, wiring, images))
                .collect(),
            buffers: timings.iter().flat_map(|timing| &timing.inputs).map(buffer).collect(),
            touched: Vec::new(),
            image_pixels: timings.last().map_or(0, StageTiming::windows),
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
                self.try_start_neighbours(at, |wiring| &wiring.writers)?;
                self.try_start(at)
            }
            Event::Credit { input, freed } => self.credit(at, input, freed),
            Event::PixelDone => {
                self.pixel_done(at);
                self.try_start_neighbours(at, |wiring| &wiring.readers)
            }
            Event::Arrived | Event::ReadEnd(_) | Event::ConvertEnd(_) => {
                self.bank_event(at, entry.event)?;
                // A bank that latched its last slice may have been the last to hold an input register.
                self.try_start(at)
            }
        }
    }

    fn port_free(&mut self, at: usize) -> Result<(), TimingError> {
        let Some(stage) = self.stages.get_mut(at) else { return Ok(()) };
        let mut agenda = Agenda { queue: &mut self.queue, now: self.now, stage: at, name: stage.name() };
        stage.port_free(&mut self.buffers, &mut agenda)
    }

    /// Room in the buffer of one input, for which the stage before it may have waited.
    fn credit(&mut self, at: usize, input: usize, freed: u64) -> Result<(), TimingError> {
        let Some(wiring) = self.stages.get(at).map(Stage::wiring) else { return Ok(()) };
        if let Some(buffer) = wiring.inputs.get(input).and_then(|&buffer| self.buffers.get_mut(buffer)) {
            buffer.free(freed);
        }
        self.try_start_neighbours(at, |wiring| &wiring.writers)
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
        let Some(stage) = self.stages.get_mut(at) else { return };
        stage.written += 1;
        for &output in &stage.wiring().outputs {
            if let Some(buffer) = self.buffers.get_mut(output) {
                buffer.written += 1;
            }
        }
        let written = stage.written;
        self.drained = self.now;
        if at + 1 == self.stages.len() && written.is_multiple_of(self.image_pixels) {
            self.image_done.push(self.now);
        }
    }

    /// The neighbours of a stage may have been given pixels or room.
    fn try_start_neighbours(&mut self, at: usize, neighbours: fn(&Wiring) -> &[usize]) -> Result<(), TimingError> {
        let count = self.stages.get(at).map_or(0, |stage| neighbours(stage.wiring()).len());
        for index in 0..count {
            // Looked up again each time, as the stages change meanwhile; their wiring does not.
            let neighbour = self.stages.get(at).and_then(|stage| neighbours(stage.wiring()).get(index).copied());
            neighbour.map_or(Ok(()), |neighbour| self.try_start(neighbour))?;
        }
        Ok(())
    }

    /// At most one window starts, since it takes the port for at least an event.
    fn try_start(&mut self, at: usize) -> Result<(), TimingError> {
        let Some(stage) = self.stages.get_mut(at) else { return Ok(()) };
        let mut agenda = Agenda { queue: &mut self.queue, now: self.now, stage: at, name: stage.name() };
        if stage.try_start(&mut self.buffers, &mut agenda)? {
            self.touched.push(at);
        }
        Ok(())
    }

    /// Closes a cycle.
    fn settle(&mut self) {
        for at in self.touched.drain(..) {
            let outputs = self.stages.get(at).map_or(&[][..], |stage| &stage.wiring().outputs);
            for &output in outputs {
                if let Some(buffer) = self.buffers.get_mut(output) {
                    buffer.settle();
                }
            }
        }
    }

    fn into_report(self) -> Result<TimingReport, TimingError> {
        if let Some(stage) = self.stages.iter().find(|stage| stage.written != stage.total()) {
            let (written, expected) = (stage.written, stage.total());
            return Err(TimingError::Stuck { stage: stage.name().to_owned(), written, expected });
        }
        let buffers = self.buffers;
        Ok(TimingReport {
            cycles: self.image_done.last().copied().unwrap_or(0),
            drained: self.drained,
            image_done: self.image_done,
            stages: self.stages.into_iter().map(|stage| stage.into_activity(&buffers)).collect(),
        })
    }
}
