//! Trace events as JSON, which `ui.perfetto.dev` and `chrome://tracing` open.
//!
//! The format is Google's "Trace Event Format": tiles are processes, units are threads, spans are complete events (`X`) whose name and category are
//! the class, flows are pairs of `s` and `f` with the same number. Cycles in which a unit is idle are left out.

use super::time::{Scale, microseconds};
use super::{RecordError, RecordedUnit, Recording, Timebase};
use crate::machine::account::Class;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Writes a recording event by event. The same recording gives the same bytes.
///
/// # Errors
/// [`RecordError`] if the recording or the clock is not allowed, or `out` fails.
pub fn write_json(recording: &Recording, time: Timebase, mut out: impl Write) -> Result<(), RecordError> {
    recording.check()?;
    let scale = time.scale()?;
    let base = match time {
        Timebase::Cycles => "\"1 us is 1 cycle\"".to_owned(),
        Timebase::Clock { clock_hz } => format!("\"clock of {clock_hz} Hz\""),
    };
    writeln!(out, "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"time\":{base},")?;
    writeln!(out, "\"first_cycle\":{},\"end_cycle\":{}}},\"traceEvents\":[", recording.from, recording.until)?;
    let mut events = Events { out: &mut out, first: true };
    write_names(recording, &mut events)?;
    write_spans(recording, scale, &mut events)?;
    write_flows(recording, scale, &mut events)?;
    writeln!(out, "\n]}}")?;
    out.flush()?;
    Ok(())
}

/// Events with commas between them.
struct Events<'a, W> {
    out: &'a mut W,
    first: bool,
}

impl<W: Write> Events<'_, W> {
    fn push(&mut self, event: &str) -> io::Result<()> {
        let comma = if std::mem::replace(&mut self.first, false) { "" } else { ",\n" };
        write!(self.out, "{comma}{{{event}}}")
    }
}

/// Process of a tile, or of the chip. Number 0 means the idle process to viewers.
fn process(unit: &RecordedUnit) -> u64 {
    unit.tile.map_or(1, |tile| u64::from(tile) + 2)
}

/// Process and thread of a unit.
fn address(recording: &Recording, unit: u32) -> String {
    let process = recording.units.get(unit as usize).map_or(1, process);
    format!("\"pid\":{process},\"tid\":{}", u64::from(unit) + 1)
}

/// A text as JSON.
fn quoted(text: &str) -> io::Result<String> {
    serde_json::to_string(text).map_err(io::Error::other)
}

fn write_names<W: Write>(recording: &Recording, events: &mut Events<'_, W>) -> io::Result<()> {
    let tiles: BTreeSet<Option<u32>> = recording.units.iter().map(|unit| unit.tile).collect();
    for tile in tiles {
        let name = tile.map_or_else(|| "chip".to_owned(), |tile| format!("tile {tile}"));
        let process = tile.map_or(1, |tile| u64::from(tile) + 2);
        events.push(&format!(
            "\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{process},\"args\":{{\"name\":\"{name}\"}}"
        ))?;
        events.push(&format!(
            "\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":{process},\"args\":{{\"sort_index\":{process}}}"
        ))?;
    }
    for (number, unit) in recording.units.iter().enumerate() {
        let (address, name) = (address(recording, number as u32), quoted(&unit.name)?);
        events.push(&format!("\"ph\":\"M\",\"name\":\"thread_name\",{address},\"args\":{{\"name\":{name}}}"))?;
        events.push(&format!(
            "\"ph\":\"M\",\"name\":\"thread_sort_index\",{address},\"args\":{{\"sort_index\":{number}}}"
        ))?;
    }
    Ok(())
}

fn write_spans<W: Write>(recording: &Recording, scale: Scale, events: &mut Events<'_, W>) -> io::Result<()> {
    let stages = recording.units.iter().map(|unit| quoted(&unit.stage)).collect::<io::Result<Vec<_>>>()?;
    for span in recording.in_order().into_iter().filter(|span| span.class != Class::Idle) {
        let (start, end) = (scale.femtoseconds(span.start), scale.femtoseconds(span.end));
        let (ts, dur) = (microseconds(start), microseconds(end - start));
        let (class, colour) = (span.class.name(), colour(span.class));
        let stage = stages.get(span.unit as usize).map_or("\"\"", String::as_str);
        let address = address(recording, span.unit);
        let step = span.step.map_or_else(String::new, |step| format!("\"step\":{step},"));
        events.push(&format!(
            "\"ph\":\"X\",\"name\":\"{class}\",\"cat\":\"{class}\",\"cname\":\"{colour}\",\"ts\":{ts},\"dur\":{dur},{address},\
             \"args\":{{\"stage\":{stage},{step}\"cycle\":{},\"cycles\":{}}}",
            span.start,
            span.end - span.start
        ))?;
    }
    Ok(())
}

fn write_flows<W: Write>(recording: &Recording, scale: Scale, events: &mut Events<'_, W>) -> io::Result<()> {
    let mut flows = recording.flows.clone();
    flows.sort_by_key(|flow| (flow.at, flow.from_unit, flow.until, flow.to_unit, flow.kind));
    for (number, flow) in flows.iter().enumerate() {
        let event = |phase: &str, cycle: u64, unit: u32| {
            let (ts, address) = (microseconds(scale.femtoseconds(cycle)), address(recording, unit));
            let kind = flow.kind.name();
            format!("{phase},\"name\":\"{kind}\",\"cat\":\"{kind}\",\"id\":{number},\"ts\":{ts},{address}")
        };
        events.push(&event("\"ph\":\"s\"", flow.at, flow.from_unit))?;
        events.push(&event("\"ph\":\"f\",\"bp\":\"e\"", flow.until, flow.to_unit))?;
    }
    Ok(())
}

/// The viewer's name of a class's colour.
fn colour(class: Class) -> &'static str {
    match class {
        Class::Busy => "good",
        Class::Input => "thread_state_runnable",
        Class::Adc => "thread_state_iowait",
        Class::OutputFull => "terrible",
        Class::Link => "bad",
        Class::Idle => "grey",
    }
}
