//! Can the stages of a graph wait for each other in a circle?
//!
//! Where branches of different length meet, the pixels of the shorter one wait in its buffer. If that is full before the longer branch has
//! what its first window needs, the stage that writes both must not write on, and everything stands still. Whether that happens is a matter
//! of pixels and places only, and not of time: a window that was started ends, and gives back its pixels, without waiting for anything. So
//! windows are played here one after the other, in no time at all. One image is enough, since all of its places are free again at its end.

use super::buffer::{Wiring, wire};
use super::error::TimingError;
use super::model::{Flow, StageTiming};

/// Refuses a graph that would stand still at a stage that joins inputs; every buffer must hold what a window needs.
pub(super) fn check_joins(stages: &[StageTiming]) -> Result<(), TimingError> {
    if stages.iter().all(|stage| stage.inputs.len() < 2) {
        return Ok(());
    }
    let mut play = Play::new(stages);
    play.run();
    // A place more in a buffer that stops everything lets at least one window start, so this ends.
    while let Some(full) = play.full_before_a_join() {
        play.grow(full);
        play.run();
    }
    play.first_grown().map_or(Ok(()), Err)
}

/// The pixels of one input of a stage.
struct Edge<'a> {
    writer: Option<usize>,
    reader: usize,
    flow: &'a Flow,
    capacity: Option<u64>,
}

/// The windows of one image.
struct Play<'a> {
    stages: &'a [StageTiming],
    wiring: Vec<Wiring>,
    edges: Vec<Edge<'a>>,
    /// Windows that each stage has done.
    done: Vec<u64>,
    /// Stages that may be able to go on.
    awake: Vec<usize>,
}

impl<'a> Play<'a> {
    fn new(stages: &'a [StageTiming]) -> Self {
        let inputs =
            stages.iter().enumerate().flat_map(|(at, stage)| stage.inputs.iter().map(move |input| (at, input)));
        let edge = |(reader, input): (usize, &'a super::model::InputTiming)| {
            let writer = input.source.checked_sub(1);
            Edge { writer, reader, flow: &input.flow, capacity: writer.and(input.flow.capacity) }
        };
        Self {
            stages,
            wiring: wire(stages),
            edges: inputs.map(edge).collect(),
            done: vec![0; stages.len()],
            awake: (0..stages.len()).rev().collect(),
        }
    }

    /// Does every window that can be done.
    fn run(&mut self) {
        while let Some(at) = self.awake.pop() {
            let before = self.done[at];
            while self.reads(at).all(|edge| self.is_there(edge)) && self.writes(at).all(|edge| self.has_room(edge)) {
                self.done[at] += 1;
            }
            if self.done[at] > before {
                self.awake.extend(&self.wiring[at].writers);
                self.awake.extend(&self.wiring[at].readers);
            }
        }
    }

    fn reads(&self, at: usize) -> impl Iterator<Item = &Edge<'a>> {
        self.wiring[at].inputs.iter().map(|&edge| &self.edges[edge])
    }

    fn writes(&self, at: usize) -> impl Iterator<Item = &Edge<'a>> {
        self.wiring[at].outputs.iter().map(|&edge| &self.edges[edge])
    }

    /// Whether there is a next window of the reader and all that it reads here has been written.
    fn is_there(&self, edge: &Edge<'_>) -> bool {
        let need = edge.flow.need.get(self.done[edge.reader] as usize);
        need.is_some_and(|&need| edge.writer.is_none_or(|writer| self.done[writer] > need))
    }

    /// Whether one more pixel finds a place.
    fn has_room(&self, edge: &Edge<'_>) -> bool {
        let read = self.done[edge.reader].checked_sub(1);
        let freed = read.and_then(|window| edge.flow.freed.get(window as usize)).copied().unwrap_or(0);
        let written = edge.writer.map_or(0, |writer| self.done[writer]);
        edge.capacity.is_none_or(|capacity| written < freed.saturating_add(capacity))
    }

    /// The first full buffer in front of a stage that has all it needs there and waits for another input. When everything stands still
    /// there is one: follow the stages that wait for room to the last of them.
    fn full_before_a_join(&self) -> Option<usize> {
        let stops = |edge: &Edge<'_>| {
            let waits = edge.writer.is_some_and(|writer| self.reads(writer).all(|edge| self.is_there(edge)));
            let joins = self.is_there(edge) && !self.reads(edge.reader).all(|edge| self.is_there(edge));
            waits && joins && !self.has_room(edge)
        };
        self.edges.iter().position(stops)
    }

    fn grow(&mut self, at: usize) {
        let edge = &mut self.edges[at];
        edge.capacity = edge.capacity.map(|capacity| capacity.saturating_add(1));
        self.awake.extend(edge.writer);
    }

    /// The first buffer that had to grow, with the size that it has reached.
    fn first_grown(&self) -> Option<TimingError> {
        let grown = |edge: &&Edge<'_>| edge.writer.is_some() && edge.capacity != edge.flow.capacity;
        let edge = self.edges.iter().find(grown)?;
        Some(TimingError::Join {
            stage: self.stages[edge.reader].name.clone(),
            previous: self.stages[edge.writer?].name.clone(),
            capacity: edge.flow.capacity?,
            required: edge.capacity?,
        })
    }
}
