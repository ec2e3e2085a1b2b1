//! Writing a recording, or the instructions themselves, to a file.

use super::input::{Input, TRACE};
use super::record::{Window, record};
use crate::error::ExploreError;
use chip::machine::record::{FlowKind, RecordError, Recording, Timebase, write_json, write_vcd};
use chip::machine::trace;
use chip::machine::work::Workload;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What a trace is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Trace events as JSON, for ui.perfetto.dev.
    Perfetto,
    /// Value change dump, for waveform viewers.
    Vcd,
    /// The instructions that are executed, not what happens.
    Instructions,
}

impl Form {
    /// The form that goes with the ending of a file's name.
    ///
    /// # Errors
    /// If none does.
    pub fn of(path: &Path) -> Result<Self, ExploreError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        match ending.as_str() {
            "json" => Ok(Self::Perfetto),
            "vcd" => Ok(Self::Vcd),
            TRACE => Ok(Self::Instructions),
            _ => {
                let allowed = "FILE.json (perfetto), FILE.vcd or FILE.trace (instructions), or --as";
                Err(ExploreError::Request(format!("{}: what to write? allowed is {allowed}", path.display())))
            }
        }
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A recording.
    Recording {
        /// First cycle.
        from: u64,
        /// Cycle behind the last one.
        until: u64,
        /// Units.
        units: u64,
        /// What they did.
        spans: u64,
        /// Items that went over the network.
        packets: u64,
        /// Items that were stored in the tile in which they are read.
        stores: u64,
    },
    /// Instructions.
    Instructions {
        /// Cores.
        cores: u64,
        /// Instructions of one image, all cores together.
        instructions: u64,
    },
}

/// Runs an input and writes what happens in a window, or writes its instructions. The same input gives the same bytes.
///
/// # Errors
/// Those of [`record`], or if the file cannot be written.
pub fn export(input: &Input, images: u64, window: Window, form: Form, path: &Path) -> Result<Written, ExploreError> {
    if form == Form::Instructions {
        let workload = input.workload()?;
        return write_instructions(&workload, path);
    }
    let recording = record(input, images, window)?;
    write_recording(&recording, timebase(input.chip().clock_hz), form, path)
}

/// Cycles as long as they last, where a viewer that keeps whole nanoseconds can tell them apart.
fn timebase(clock_hz: f64) -> Timebase {
    if clock_hz.fract() == 0.0 && (1.0..=1e9).contains(&clock_hz) {
        Timebase::Clock { clock_hz }
    } else {
        Timebase::Cycles
    }
}

fn write_recording(recording: &Recording, time: Timebase, form: Form, path: &Path) -> Result<Written, ExploreError> {
    let written = match form {
        Form::Vcd => write_vcd(recording, time, create(path)?),
        _ => write_json(recording, time, create(path)?),
    };
    written.map_err(|error| match error {
        RecordError::Write(source) => ExploreError::File { path: path.to_owned(), source },
        other => ExploreError::Request(other.to_string()),
    })?;
    let flows = |kind| recording.flows.iter().filter(|flow| flow.kind == kind).count() as u64;
    Ok(Written::Recording {
        from: recording.from,
        until: recording.until,
        units: recording.units.len() as u64,
        spans: recording.spans.len() as u64,
        packets: flows(FlowKind::Packet),
        stores: flows(FlowKind::Store),
    })
}

fn write_instructions(workload: &Workload, path: &Path) -> Result<Written, ExploreError> {
    let mut file = create(path)?;
    let written = trace::write(workload, &mut file).and_then(|()| file.flush());
    written.map_err(|source| ExploreError::File { path: path.to_owned(), source })?;
    let instructions = workload.cores.iter().map(|core| core.instructions.len() as u64).sum();
    Ok(Written::Instructions { cores: workload.cores.len() as u64, instructions })
}

/// Opens a file for writing, with its directory.
fn create(path: &Path) -> Result<BufWriter<File>, ExploreError> {
    let fail = |source| ExploreError::File { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(fail)?;
    }
    Ok(BufWriter::new(File::create(path).map_err(fail)?))
}
