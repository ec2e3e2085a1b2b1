//! Value change dumps (IEEE 1364-2005, clause 18), which waveform viewers open.
//!
//! Every unit is a vector of three bits, which a comment in the file explains, in the scope of its tile. The header has neither date nor path.

use super::time::Scale;
use super::{RecordError, RecordedUnit, Recording, Timebase};
use crate::machine::account::Class;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Writes a recording. The same recording gives the same bytes.
///
/// # Errors
/// [`RecordError`] if the recording or the clock is not allowed, or `out` fails.
pub fn write_vcd(recording: &Recording, time: Timebase, mut out: impl Write) -> Result<(), RecordError> {
    recording.check()?;
    let ticks = Ticks::new(time.scale()?, recording.until);
    write_header(&ticks, &mut out)?;
    write_scopes(recording, &mut out)?;
    write_changes(recording, &ticks, &mut out)?;
    out.flush()?;
    Ok(())
}

/// The number of a class in the vectors. Idle is 0, so that viewers draw it low.
fn code(class: Class) -> u8 {
    match class {
        Class::Idle => 0,
        Class::Busy => 1,
        Class::Input => 2,
        Class::Adc => 3,
        Class::OutputFull => 4,
        Class::Link => 5,
    }
}

/// Time units of the file.
struct Ticks {
    /// `$timescale`.
    unit: String,
    /// Time units of a cycle.
    per_cycle: u64,
    /// Whether they say how long a cycle lasts.
    exact: bool,
}

impl Ticks {
    /// The coarsest unit in which a cycle is a whole number; if there is none, or `last` would not fit, a unit is a cycle.
    fn new(scale: Scale, last: u64) -> Self {
        let exact = scale.period().and_then(|period| {
            let (mut unit, mut power) = (1_u128, 0);
            while period.is_multiple_of(unit * 10) && power < 17 {
                (unit, power) = (unit * 10, power + 1);
            }
            let per_cycle = u64::try_from(period / unit).ok()?;
            last.checked_mul(per_cycle)?;
            Some(Self { unit: unit_name(power)?, per_cycle, exact: true })
        });
        exact.unwrap_or_else(|| Self { unit: "1 ns".to_owned(), per_cycle: 1, exact: false })
    }
}

/// `10^power` femtoseconds in words.
fn unit_name(power: usize) -> Option<String> {
    let unit = ["fs", "ps", "ns", "us", "ms", "s"].get(power / 3)?;
    Some(format!("{} {unit}", ["1", "10", "100"].get(power % 3)?))
}

fn write_header(ticks: &Ticks, out: &mut impl Write) -> io::Result<()> {
    let codes: Vec<String> = Class::ALL.iter().map(|&class| format!("{} {}", code(class), class.name())).collect();
    writeln!(out, "$comment units in {} $end", codes.join(", "))?;
    let cycle = match ticks.exact {
        true => format!("{} time units are one cycle", ticks.per_cycle),
        false => "one time unit is one cycle, whatever the time scale says".to_owned(),
    };
    writeln!(out, "$comment {cycle} $end")?;
    writeln!(out, "$timescale {} $end", ticks.unit)
}

fn write_scopes(recording: &Recording, out: &mut impl Write) -> io::Result<()> {
    let mut tiles = BTreeMap::<Option<u32>, Vec<(u64, &RecordedUnit)>>::new();
    for (number, unit) in recording.units.iter().enumerate() {
        tiles.entry(unit.tile).or_default().push((number as u64, unit));
    }
    writeln!(out, "$scope module chip $end")?;
    for (tile, units) in &tiles {
        if let Some(tile) = tile {
            writeln!(out, "$scope module tile_{tile} $end")?;
        }
        let mut taken = BTreeSet::new();
        for &(number, unit) in units {
            writeln!(out, "$var wire 3 {} {} $end", identifier(number), signal(&unit.name, number, &mut taken))?;
        }
        if tile.is_some() {
            writeln!(out, "$upscope $end")?;
        }
    }
    writeln!(out, "$upscope $end\n$enddefinitions $end")
}

/// A unit's short name in the dump: its number in base 94, in printable characters.
fn identifier(mut number: u64) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'!' + (number % 94) as u8));
        number /= 94;
        if number == 0 {
            return text;
        }
        number -= 1;
    }
}

/// A unit's name as an identifier that no other unit of the scope has.
fn signal(name: &str, number: u64, taken: &mut BTreeSet<String>) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let digit = plain.chars().next().is_none_or(|c| c.is_ascii_digit());
    let mut name = if digit { format!("_{plain}") } else { plain };
    while !taken.insert(name.clone()) {
        name = format!("{name}_{number}");
    }
    name
}

fn write_changes(recording: &Recording, ticks: &Ticks, out: &mut impl Write) -> io::Result<()> {
    let time = |cycle: u64| cycle.saturating_mul(ticks.per_cycle);
    let mut changes = changes(recording).into_iter().peekable();
    writeln!(out, "#{}\n$dumpvars", time(recording.from))?;
    for unit in 0..recording.units.len() as u32 {
        let first = changes.next_if(|&(cycle, other, _)| cycle == recording.from && other == unit);
        write_value(unit, first.map_or(0, |(_, _, code)| code), out)?;
    }
    writeln!(out, "$end")?;
    let mut now = recording.from;
    for (cycle, unit, code) in changes {
        if cycle != now {
            writeln!(out, "#{}", time(cycle))?;
            now = cycle;
        }
        write_value(unit, code, out)?;
    }
    if recording.until != now { writeln!(out, "#{}", time(recording.until)) } else { Ok(()) }
}

fn write_value(unit: u32, code: u8, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "b{code:03b} {}", identifier(unit.into()))
}

/// Cycle, unit and new state of every change, in order. At the end of the window nothing changes any more.
fn changes(recording: &Recording) -> Vec<(u64, u32, u8)> {
    let mut changes = Vec::new();
    let mut last = None;
    for span in recording.in_order() {
        let (mut state, mut end) = (0, recording.from);
        if let Some((unit, code, at)) = last {
            if unit == span.unit {
                (state, end) = (code, at);
            } else if at < recording.until && code != 0 {
                changes.push((at, unit, 0));
            }
        }
        if span.start > end && state != 0 {
            changes.push((end, span.unit, 0));
            state = 0;
        }
        if code(span.class) != state {
            changes.push((span.start, span.unit, code(span.class)));
        }
        last = Some((span.unit, code(span.class), span.end));
    }
    if let Some((unit, _, at)) = last.filter(|&(_, code, at)| code != 0 && at < recording.until) {
        changes.push((at, unit, 0));
    }
    changes.sort_unstable();
    changes
}
