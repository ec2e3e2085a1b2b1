//! The command line's words.

mod cells;
mod cycles;
mod experiments;
pub mod network;
pub mod sweep;

pub use cells::{Conductances, ExportSpice, Polarity, States};
pub use cycles::{As, Cycles, Timed, Trace};
pub use experiments::{Compare, Recommend, Train};
use network::Data;
pub use network::{Infer, Integers, Places};
pub use sweep::Sweep;

use clap::{Args, Parser, Subcommand, ValueEnum};
use explore::nn_compiler::place::Placement;
use std::path::PathBuf;

/// Cycle-level simulator of memristor computation-in-memory accelerators: accuracy, energy and latency for each mapping strategy.
#[derive(Debug, Parser)]
#[command(name = "ohmic", version, max_term_width = 120)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Threads; the result does not depend on it. Default: one per core.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Form of the data on standard output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Form of the data on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people.
    Text,
    /// JSON for programs.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train, compile and simulate every mapping strategy x training method, and print one table
    Compare(Compare),
    /// Find mapping strategy, training method and converters that keep a budget
    Recommend(Recommend),
    /// Train one network
    Train(Train),
    /// Run a network on images: in float, in integers, or on one chip sample
    Infer(Infer),
    /// Compile a network for a chip
    Compile(Compile),
    /// Simulate a compiled program on many chip samples
    Simulate(Simulate),
    /// Show where the cycles of a program, an outline or an instruction trace go: stalls, critical path, buffers, energy by stage
    Cycles(Cycles),
    /// Write what every unit does in every cycle, for Perfetto or a waveform viewer, or write the instructions
    Trace(Trace),
    /// Run an experiment at many points of its configuration, on one machine or many; what is there already is not computed again
    Sweep(Sweep),
    /// Show how immune a device's states are, and what each mapping strategy makes of that
    States(States),
    /// Write the programmed conductances of one chip sample as NumPy arrays
    Conductances(Conductances),
    /// Write one programmed array as an ngspice deck, and compare ngspice's currents with ours
    ExportSpice(ExportSpice),
    /// List what there is to choose from
    List(List),
    /// Check a configuration and print it resolved
    Check(Check),
}

/// Overrides of configuration keys.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Override a key, e.g. --set tile.adc.bits=6; leading parts of a key may be left out while it stays unambiguous
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `compile`.
#[derive(Debug, Args)]
pub struct Compile {
    /// Network: a name (see `ohmic list networks`), a TOML or ONNX file, or a directory that `ohmic train` wrote
    pub network: String,
    /// Chip: a name (see `ohmic list chips`) or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    pub chip: String,
    /// Mapping strategy (see `ohmic list mappings`), or `auto`: for each layer the one that is best by predicted error, energy and latency
    #[arg(long, value_name = "NAME|auto")]
    pub mapping: String,
    /// With --mapping auto: TOML file of kind `auto` that says what to choose from and what counts; single keys by --set auto.KEY=VALUE
    #[arg(long, value_name = "FILE.toml")]
    pub auto: Option<String>,
    /// Name of the training method, for the record
    #[arg(long, value_name = "NAME", default_value = "unknown")]
    pub training: String,
    /// Seed of the chip samples on which converters are calibrated
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Copy the stages that an image keeps busy longest, as long as the program has no more than so many arrays
    #[arg(long, value_name = "ARRAYS")]
    pub replicate: Option<u64>,
    /// Place of the tiles on the mesh: row-major or communication-aware
    #[arg(long, value_name = "NAME", default_value = "row-major", value_parser = Placement::parse)]
    pub placement: Placement,
    /// NumPy file of images that ranges are found on, for a network without a data set
    #[arg(long, value_name = "FILE.npy")]
    pub calibrate: Option<PathBuf>,
    /// Test images on which the accuracy in software is measured
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub accuracy_images: usize,
    #[command(flatten)]
    pub integers: Integers,
    #[command(flatten)]
    pub places: Places,
    /// Print the network or its program as it is behind a pass (see `ohmic list passes`), and write nothing
    #[arg(long, value_name = "PASS")]
    pub dump_after: Option<String>,
    /// Print what became of each layer, and write report.csv and floor-plan.svg
    #[arg(long)]
    pub report: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for program.toml, arrays.safetensors, run.toml and, with --mapping auto, choice.csv
    #[arg(short, long, value_name = "DIR", required_unless_present = "dump_after")]
    pub output: Option<PathBuf>,
}

/// `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Directory of a program, as `ohmic compile` writes it
    pub program: PathBuf,
    /// Chip samples [default: 100, of given conductances 1]
    #[arg(long, value_name = "N", conflicts_with = "conductances")]
    pub chips: Option<u32>,
    /// Seed of the chip samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Only the first so many images
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub data: Data,
    /// Images instead of the program's own data set: a NumPy file (.npy) as `ohmic compile --calibrate` takes it, or an IDX file of bytes
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub images: Option<PathBuf>,
    /// Class of every image, counted from 0: a NumPy file (.npy), a text with one a line (.csv, .txt), or an IDX file
    #[arg(long, value_name = "FILE", requires = "images")]
    pub labels: Option<PathBuf>,
    /// Byte of an IDX file of images that stands for 1
    #[arg(long, value_name = "V", default_value_t = 255)]
    pub pixel_max: u8,
    /// Images that are streamed to measure the throughput
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub timing_images: u32,
    /// CSV of stuck cells with the columns tile,array,row,column,fault (low or high), on every chip sample
    #[arg(long, value_name = "FILE", conflicts_with = "conductances")]
    pub fault_map: Option<PathBuf>,
    /// Directory of conductances, as `ohmic conductances` writes it, instead of cells drawn from the device
    #[arg(long, value_name = "DIR")]
    pub conductances: Option<PathBuf>,
    /// Directory for simulate.csv, converters.csv and run.toml; nothing is written without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(value_enum)]
    pub what: Listed,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Device presets
    Devices,
    /// Models of a device's variation
    Variations,
    /// ADC presets
    Adcs,
    /// Mapping strategies
    Mappings,
    /// Passes of the compiler
    Passes,
    /// Training methods
    Methods,
    /// Chip presets
    Chips,
    /// Cost tables
    Costs,
    /// Network architectures
    Networks,
    /// Networks of shapes, without weights, for `cycles` and `trace`
    Outlines,
    /// Data sets
    Datasets,
    /// Experiments
    Experiments,
    /// Sweeps
    Sweeps,
    /// Searches for `recommend`
    Recommendations,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// A TOML file of any kind
    pub config: PathBuf,
    #[command(flatten)]
    pub overrides: Overrides,
}
