//! The words of `states`, `conductances` and `export-spice`.

use super::Overrides;
use super::network::Data;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `states`.
#[derive(Debug, Args)]
pub struct States {
    /// Chip whose cell is looked at: a name or a TOML file; --set cell.device.preset=NAME looks at another device
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    pub chip: String,
    /// Constrained slices, counted from the most significant
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "devices")]
    pub constrained_slices: usize,
    /// Show the error variance of every weight, not of every eighth
    #[arg(long, conflicts_with = "devices")]
    pub all_weights: bool,
    /// Compare the states of these devices instead: names (see `ohmic list devices`) or TOML files, or `all`. --set then sets keys of
    /// the devices, e.g. --set samples_per_state=1000; of the chip only the read voltage counts
    #[arg(long, value_name = "all|NAME|FILE,...", value_delimiter = ',')]
    pub devices: Vec<String>,
    /// Bits per cell to compare the devices at
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,2,3,4", requires = "devices")]
    pub bits: Vec<u32>,
    /// Show every state of every device
    #[arg(long, requires = "devices")]
    pub details: bool,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for states.csv, weights.csv and run.toml (with --devices: states.csv, sets.csv, unavailable.csv, states.svg and run.toml);
    /// nothing is written without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `conductances`.
#[derive(Debug, Args)]
pub struct Conductances {
    /// Directory of a program, as `ohmic compile` writes it
    pub program: PathBuf,
    /// Index of the chip sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub chip_sample: u64,
    /// Seed of the chip samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// CSV of stuck cells with the columns tile,array,row,column,fault (low or high)
    #[arg(long, value_name = "FILE")]
    pub fault_map: Option<PathBuf>,
    /// Directory for conductances.csv and one .npy (siemens, rows x columns) per array
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `export-spice`.
#[derive(Debug, Args)]
pub struct ExportSpice {
    /// Directory of a program, as `ohmic compile` writes it
    pub program: PathBuf,
    /// Stage (layer); default: the first
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// Index of the crossbar in its stage
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub crossbar: usize,
    /// Which array of a pair
    #[arg(long, value_enum, default_value_t = Polarity::Positive)]
    pub polarity: Polarity,
    /// Index of the chip sample
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub chip_sample: u64,
    /// Seed of the chip samples
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Drive the word lines as in one read of this test image; without it all are at full scale
    #[arg(long, value_name = "N")]
    pub image: Option<usize>,
    #[command(flatten)]
    pub data: Data,
    /// Which read of the array during the image, in the order of windows and input slices
    #[arg(long, value_name = "N", default_value_t = 0, requires = "image")]
    pub read: usize,
    /// Run ngspice on the deck and compare currents; exit code 1 if they differ
    #[arg(long)]
    pub run: bool,
    /// Largest difference of a current, relative to the largest one
    #[arg(long, value_name = "X", default_value_t = 1e-6)]
    pub tolerance: f64,
    /// File of the deck
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// An array of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Polarity {
    /// The positive one; the only one of a single array.
    Positive,
    /// The negative one.
    Negative,
}
