//! Recording a run: what every unit did when, and which items went where.

use super::input::Input;
use super::names::unit_name;
use super::run::{check_images, execute};
use crate::error::ExploreError;
use chip::machine::Recorder;
use chip::machine::account::Class;
use chip::machine::instruction::Instruction;
use chip::machine::record::{FlowArrow, FlowKind, Recording, Span};
use chip::machine::report::{Unit, UnitKind, UnitReport};
use chip::machine::work::{Region, Workload};
use std::collections::BTreeMap;

/// Most spans, and most items on their way, of a recording.
pub const MOST_EVENTS: usize = 2_000_000;

/// The cycles that are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First cycle.
    pub from: u64,
    /// Cycle behind the last one; without it the end of the run.
    pub until: Option<u64>,
}

/// Keeps what lies in the window, and counts what there is no room for.
struct Collector {
    /// Its spans name units as the machine numbers them.
    recording: Recording,
    items: Vec<Item>,
    spans: u64,
    flows: u64,
    most: usize,
}

/// An item from a unit to a region.
struct Item {
    from: u32,
    region: u32,
    start: u64,
    end: u64,
}

impl Recorder for Collector {
    fn span(&mut self, unit: u32, class: Class, start: u64, end: u64) {
        let inside = start < self.recording.until && end > self.recording.from;
        if class == Class::Idle || !inside {
            return;
        }
        self.spans += 1;
        if self.recording.spans.len() < self.most {
            self.recording.span(Span { unit, class, start, end, step: None });
        }
    }

    fn item(&mut self, from: u32, region: u32, start: u64, end: u64) {
        if start < self.recording.from || end >= self.recording.until {
            return;
        }
        self.flows += 1;
        if self.items.len() < self.most {
            self.items.push(Item { from, region, start, end });
        }
    }
}

/// Records a run of `images` images. Interfaces and links of the network that nothing passes are left out.
///
/// # Errors
/// If the input cannot be run, the window is empty or lies behind the end, or holds more than [`MOST_EVENTS`].
pub fn record(input: &Input, images: u64, window: Window) -> Result<Recording, ExploreError> {
    record_at_most(input, images, window, MOST_EVENTS)
}

pub(super) fn record_at_most(
    input: &Input,
    images: u64,
    window: Window,
    most: usize,
) -> Result<Recording, ExploreError> {
    check_images(images)?;
    let Window { from, until } = window;
    if let Some(until) = until.filter(|&until| until <= from) {
        let what = format!("--until {until} is not allowed: a cycle after --from {from}");
        return Err(ExploreError::Request(what));
    }
    let recording = Recording::new(from, until.unwrap_or(u64::MAX));
    let mut collector = Collector { recording, items: Vec::new(), spans: 0, flows: 0, most };
    let run = execute(input, images, |_| false, Some(&mut collector))?;
    let end = run.report.end;
    if from >= end {
        let what = format!("--from {from} is not allowed: the run has the cycles 0 to {end}");
        return Err(ExploreError::Request(what));
    }
    let events = collector.spans.max(collector.flows);
    if events > most as u64 {
        let what = format!(
            "the recording has {} spans and {} items, allowed are {most} of each: record a part of the cycles 0 to {end} with --from and --until",
            collector.spans, collector.flows
        );
        return Err(ExploreError::Request(what));
    }
    Ok(finish(collector, &run.workload, &run.report.units, end))
}

/// Names the units and leads the items to those who read them.
fn finish(collector: Collector, workload: &Workload, units: &[UnitReport], end: u64) -> Recording {
    let mut recording = collector.recording;
    recording.until = recording.until.min(end);
    let mut numbers = BTreeMap::new();
    let mut rows = vec![0; units.len()];
    for (row, UnitReport { unit, cycles }) in rows.iter_mut().zip(units) {
        let network = matches!(unit.kind, UnitKind::Interface | UnitKind::Link(_));
        if network && cycles.of(Class::Idle) == cycles.total() {
            continue;
        }
        let tile = Some(unit.tile).filter(|_| unit.kind != UnitKind::Memory);
        let stage = unit.core.and_then(|core| workload.cores.get(core as usize)).map_or("", |core| &core.stage);
        *row = recording.unit(tile, unit_name(workload, *unit), stage);
        numbers.insert(*unit, *row);
    }
    let row = |unit: u32| rows.get(unit as usize).copied().unwrap_or_default();
    recording.spans.iter_mut().for_each(|span| span.unit = row(span.unit));
    let readers: Vec<Vec<u32>> = (0..)
        .zip(&workload.regions)
        .map(|(region, of)| readers(workload, region, of).filter_map(|unit| numbers.get(&unit).copied()).collect())
        .collect();
    for &Item { from, region, start: at, end: until } in &collector.items {
        let tile_of = |unit: u32| units.get(unit as usize).map(|of| of.unit.tile);
        let to_tile = workload.regions.get(region as usize).map(|region| region.tile);
        let kind = if tile_of(from) == to_tile { FlowKind::Store } else { FlowKind::Packet };
        for &to_unit in readers.get(region as usize).into_iter().flatten() {
            recording.flow(FlowArrow { kind, from_unit: row(from), at, to_unit, until });
        }
    }
    recording
}

/// The units that read a region: the write-back of a core that receives from it, the fetch of one that loads from it.
fn readers<'a>(workload: &'a Workload, number: u32, region: &'a Region) -> impl Iterator<Item = Unit> + 'a {
    region.readers.iter().filter_map(move |&reader| {
        let core = workload.cores.get(reader as usize)?;
        let receives = core.instructions.contains(&Instruction::Receive { region: number });
        let kind = if receives { UnitKind::WriteBack } else { UnitKind::Fetch };
        Some(Unit { tile: core.tile, core: Some(reader), kind })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::Source;
    use std::path::Path;

    /// A recording that is full is refused with the way out; one that just fits is not.
    #[test]
    fn too_many_events_are_refused() {
        let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces");
        let source = Source { path: &traces.join("two-stages.trace"), chip: Some("default"), set: &[] };
        let input = Input::load(source).unwrap();
        let whole = record(&input, 1, Window::default()).unwrap();
        let spans = whole.spans.len();
        let flows = |kind| whole.flows.iter().filter(|flow| flow.kind == kind).count();
        assert_eq!((flows(FlowKind::Packet), flows(FlowKind::Store)), (8, 0), "nobody reads the result");
        assert!(spans > whole.flows.len(), "{spans} spans");
        assert_eq!(record_at_most(&input, 1, Window::default(), spans).unwrap(), whole);
        let error = record_at_most(&input, 1, Window::default(), spans - 1).unwrap_err().to_string();
        let expected = format!(
            "the recording has {spans} spans and 16 items, allowed are {} of each: \
             record a part of the cycles 0 to 6698 with --from and --until",
            spans - 1
        );
        assert_eq!(error, expected);
        // A part of it fits.
        let window = Window { from: 100, until: Some(200) };
        let part = record_at_most(&input, 1, window, spans - 1).unwrap();
        assert!(part.spans.len() < spans && part.spans.iter().all(|span| span.start >= 100 && span.end <= 200));
    }
}
