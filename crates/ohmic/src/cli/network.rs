//! Arguments of the commands that read networks.

use clap::{Args, ValueEnum};
use explore::nn_compiler::front::Quantisation;
use explore::nn_compiler::quantise::Range;
use std::path::PathBuf;

/// Where files of networks and data sets are.
#[derive(Debug, Args)]
pub struct Places {
    /// Directory of network files that a document names [default: that of the document, then $OHMIC_MODELS]
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    #[command(flatten)]
    pub data: Data,
}

/// Where files of data sets are.
#[derive(Debug, Args)]
pub struct Data {
    /// Directory of data sets, each below its name (see `ohmic list datasets`), or that of the one that is wanted [default: $OHMIC_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// How a network becomes one in integers.
#[derive(Debug, Args)]
pub struct Integers {
    /// Give every output channel a weight scale of its own
    #[arg(long)]
    pub per_channel: bool,
    /// Make the weight ranges of neighbouring layers equal first
    #[arg(long)]
    pub equalise: bool,
    /// How the range of weights is chosen: max, percentile:P or mean-squared-error
    #[arg(long, value_name = "RANGE", default_value = "max", value_parser = Range::parse)]
    pub weight_range: Range,
    /// How the range of activations is chosen on calibration images: max, percentile:P or mean-squared-error
    #[arg(long, value_name = "RANGE", default_value = "max", value_parser = Range::parse)]
    pub activation_range: Range,
}

impl Integers {
    /// Each flag, and whether it asks for something else than the default.
    pub fn given(&self) -> [(&'static str, bool); 4] {
        let Self { per_channel, equalise, weight_range, activation_range } = *self;
        [
            ("--per-channel", per_channel),
            ("--equalise", equalise),
            ("--weight-range", weight_range != Range::default()),
            ("--activation-range", activation_range != Range::default()),
        ]
    }

    /// As the compiler takes it.
    pub fn quantisation(&self) -> Quantisation {
        let Self { per_channel, equalise, weight_range, activation_range } = *self;
        Quantisation { equalise, per_channel, weight_range, activation_range }
    }
}

/// How a network is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// As it was read, in 32-bit floats.
    Float,
    /// In integers: what an ideal chip computes.
    Integer,
    /// One chip sample of a chip.
    Analog,
}

/// `infer`.
#[derive(Debug, Args)]
pub struct Infer {
    /// Network: a name (see `ohmic list networks`), a TOML or ONNX file, or a directory that `ohmic train` wrote
    pub network: String,
    /// How the network is run
    #[arg(long, value_enum, default_value_t = EngineName::Float)]
    pub engine: EngineName,
    /// Only the first so many test images
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// NumPy file of images instead of a data set: images x channels x rows x columns (or images x values), channels first whatever the layout of
    /// the network, before the scale, mean and std of its document
    #[arg(long, value_name = "FILE.npy")]
    pub input: Option<PathBuf>,
    /// NumPy file of images, as --input, that the ranges of integers and converters are found on [default: the training images of the network's data
    /// set, or, if it has none, the images of --input]
    #[arg(long, value_name = "FILE.npy")]
    pub calibrate: Option<PathBuf>,
    /// NumPy file for the results, images x results
    #[arg(long, value_name = "FILE.npy")]
    pub output: Option<PathBuf>,
    /// CSV file for the results, one image a line
    #[arg(long, value_name = "FILE.csv")]
    pub logits: Option<PathBuf>,
    /// Chip whose widths of weights and inputs the integers have, and which is simulated by the analog engine [default: default]
    #[arg(long, value_name = "NAME|FILE")]
    pub chip: Option<String>,
    /// Mapping strategy of the analog engine, or `auto` as for `ohmic compile` [default: isaac]
    #[arg(long, value_name = "NAME|auto")]
    pub mapping: Option<String>,
    /// With --mapping auto: TOML file of kind `auto` that says what to choose from and what counts; single keys by --set auto.KEY=VALUE
    #[arg(long, value_name = "FILE.toml")]
    pub auto: Option<String>,
    /// Seed of the chip sample of the analog engine [default: 1]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Number of the chip sample of the analog engine [default: 0]
    #[arg(long, value_name = "N")]
    pub chip_sample: Option<u64>,
    #[command(flatten)]
    pub integers: Integers,
    #[command(flatten)]
    pub places: Places,
    /// Override a key of the chip, e.g. --set format.weight_bits=6
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
