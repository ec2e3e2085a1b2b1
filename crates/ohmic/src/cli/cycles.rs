//! The words of `cycles` and `trace`.

use super::Overrides;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What is timed.
#[derive(Debug, Args)]
pub struct Timed {
    /// Directory of a program, as `ohmic compile` writes it, or an instruction trace (*.trace, see traces/README.md)
    #[arg(required_unless_present = "outline", conflicts_with = "outline")]
    pub input: Option<PathBuf>,
    /// A network of shapes, without weights, instead: a name (see `ohmic list outlines`) or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub outline: Option<String>,
    /// Mapping strategy of an outline (see `ohmic list mappings`) [default: differential]
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// Copy the stages of an outline that an image keeps busy longest, as long as it has no more than so many arrays
    #[arg(long, value_name = "ARRAYS", allow_negative_numbers = true)]
    pub replicate: Option<u64>,
    /// Chip of an instruction trace or an outline: a name (see `ohmic list chips`) or a TOML file; a program holds its own [default of
    /// outlines: large]
    #[arg(long, value_name = "NAME|FILE")]
    pub chip: Option<String>,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `cycles`.
#[derive(Debug, Args)]
pub struct Cycles {
    #[command(flatten)]
    pub timed: Timed,
    /// Images that are streamed back to back; from 2 on a steady rate is told
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub images: u64,
    /// Directory for cycles.csv and run.toml; nothing is written without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `trace`.
#[derive(Debug, Args)]
pub struct Trace {
    #[command(flatten)]
    pub timed: Timed,
    /// Images that are streamed back to back [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub images: Option<u64>,
    /// First cycle of the recording [default: 0]
    #[arg(long, value_name = "C")]
    pub from: Option<u64>,
    /// Cycle behind the last one of the recording [default: the end of the run]
    #[arg(long, value_name = "C")]
    pub until: Option<u64>,
    /// What to write [default: by the ending of FILE: .json, .vcd, .trace]
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub form: Option<As>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// What a trace is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum As {
    /// Trace events in JSON: open the file at ui.perfetto.dev
    Perfetto,
    /// Value change dump for waveform viewers
    Vcd,
    /// The instructions of one image, as `ohmic cycles` reads them
    Instructions,
}
