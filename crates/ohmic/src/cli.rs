//! The command line's words.

use clap::{Args, Parser, Subcommand, ValueEnum};
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
    /// Train one network
    Train(Train),
    /// Compile a network for a chip
    Compile(Compile),
    /// Simulate a compiled program on many chip samples
    Simulate(Simulate),
    /// Run a grid over configuration keys
    Sweep(Sweep),
    /// Show how immune a device's states are, and what each mapping strategy makes of that
    States(States),
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

/// `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// Experiment: a name (see `ohmic list experiments`) or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "digits")]
    pub config: String,
    /// Chip samples per trained network (short for --set chips=N)
    #[arg(long, value_name = "N")]
    pub chips: Option<String>,
    /// Seed of all random numbers (short for --set seed=S)
    #[arg(long, value_name = "S")]
    pub seed: Option<String>,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for compare.csv, compare.svg and run.toml
    #[arg(short, long, value_name = "DIR", default_value = "out/compare")]
    pub output: PathBuf,
}

/// `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Experiment that holds network, training parameters and chip: a name or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "digits")]
    pub config: String,
    /// Training method (see `ohmic list methods`)
    #[arg(long, value_name = "NAME", default_value = "conventional")]
    pub method: String,
    /// Mapping strategy that the method has in view (see `ohmic list mappings`)
    #[arg(long, value_name = "NAME", default_value = "isaac")]
    pub mapping: String,
    /// Seed of initial weights, image order and noise (short for --set seed=S)
    #[arg(long, value_name = "S")]
    pub seed: Option<String>,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for network.toml, weights.safetensors, training.csv and run.toml
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `compile`.
#[derive(Debug, Args)]
pub struct Compile {
    /// Directory of a network, as `ohmic train` writes it
    pub network: PathBuf,
    /// Chip: a name (see `ohmic list chips`) or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    pub chip: String,
    /// Mapping strategy (see `ohmic list mappings`)
    #[arg(long, value_name = "NAME")]
    pub mapping: String,
    /// Name of the training method, for the record
    #[arg(long, value_name = "NAME", default_value = "unknown")]
    pub training: String,
    /// Seed of the chip samples on which converters are calibrated
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for program.toml, arrays.safetensors and run.toml
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Directory of a program, as `ohmic compile` writes it
    pub program: PathBuf,
    /// Chip samples
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub chips: u32,
    /// Seed of the chip samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Only the first so many images
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// IDX file of images instead of the program's own data set
    #[arg(long, value_name = "FILE", requires = "labels")]
    pub images: Option<PathBuf>,
    /// IDX file of labels
    #[arg(long, value_name = "FILE", requires = "images")]
    pub labels: Option<PathBuf>,
    /// Pixel value that stands for 1
    #[arg(long, value_name = "V", default_value_t = 255)]
    pub pixel_max: u8,
    /// Images that are streamed to measure the throughput
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub timing_images: u32,
    /// Directory for simulate.csv and run.toml; nothing is written without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `sweep`.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Sweep: a name (see `ohmic list sweeps`) or a TOML file
    pub sweep: String,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for sweep.csv, sweep.svg and run.toml
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `states`.
#[derive(Debug, Args)]
pub struct States {
    /// Chip whose cell is looked at: a name or a TOML file; --set cell.device.preset=NAME looks at another device
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    pub chip: String,
    /// States whose errors differ by less than this fraction are tied
    #[arg(long, value_name = "FRACTION", default_value_t = 0.12)]
    pub tie_tolerance: f64,
    /// Constrained slices, counted from the most significant
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub constrained_slices: usize,
    /// Show the error variance of every weight, not of every eighth
    #[arg(long)]
    pub all_weights: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for states.csv, weights.csv and run.toml; nothing is written without it
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
    /// Training methods
    Methods,
    /// Chip presets
    Chips,
    /// Cost tables
    Costs,
    /// Network architectures
    Networks,
    /// Data sets
    Datasets,
    /// Experiments
    Experiments,
    /// Sweeps
    Sweeps,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// A TOML file of any kind
    pub config: PathBuf,
    #[command(flatten)]
    pub overrides: Overrides,
}
