//! The buffers between stages.

use super::model::StageTiming;

/// The pixels on their way from a stage to one input of a later one, counted over all images.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// Pixels that it holds at once; `None` is unlimited.
    capacity: Option<u64>,
    /// Pixels whose computation the stage before has started.
    pub(super) reserved: u64,
    /// Pixels that the stage before has written.
    pub(super) written: u64,
    /// Pixels that the stage behind has given back.
    freed: u64,
    pub(super) peak: u64,
}

impl Buffer {
    /// The images, which stand ready.
    pub(super) fn full(pixels: u64) -> Self {
        Self { written: pixels, ..Self::default() }
    }

    pub(super) fn empty(capacity: Option<u64>) -> Self {
        Self { capacity, ..Self::default() }
    }

    /// Whether there is room for one more pixel. More may have been freed than reserved: pixels that no window reads.
    pub(super) fn has_room(&self) -> bool {
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

/// The buffers around one stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Wiring {
    /// Those it reads, in the order of its inputs.
    pub(super) inputs: Vec<usize>,
    /// The stages that write them; nobody writes images.
    pub(super) writers: Vec<usize>,
    /// Those it writes.
    pub(super) outputs: Vec<usize>,
    /// The stages that read them.
    pub(super) readers: Vec<usize>,
}

/// The buffers around every stage, numbered by stage and input. Sources must be stages of the list.
pub(super) fn wire(stages: &[StageTiming]) -> Vec<Wiring> {
    let mut wiring = vec![Wiring::default(); stages.len()];
    let inputs = stages.iter().enumerate().flat_map(|(at, stage)| stage.inputs.iter().map(move |input| (at, input)));
    for (buffer, (at, input)) in inputs.enumerate() {
        let writer = input.source.checked_sub(1);
        if let Some(writer) = writer.and_then(|writer| wiring.get_mut(writer)) {
            writer.outputs.push(buffer);
            writer.readers.push(at);
        }
        if let Some(reader) = wiring.get_mut(at) {
            reader.inputs.push(buffer);
            reader.writers.extend(writer);
        }
    }
    wiring
}
