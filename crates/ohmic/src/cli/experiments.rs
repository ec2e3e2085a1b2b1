//! The words of `compare`, `recommend` and `train`.

use super::Overrides;
use super::network::{Data, Places};
use clap::Args;
use explore::Keeping;
use std::path::{Path, PathBuf};

/// What survives the process.
#[derive(Debug, Args)]
pub struct Checkpointing {
    /// Write the state of trainings after every so many steps, and every finished simulation, so that the work can be taken up again wherever it is
    /// killed
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_every: Option<u64>,
    /// Go on from what is in the output directory, if there is something; the result is that of a run that was never interrupted
    #[arg(long, requires = "checkpoint_every")]
    pub resume: bool,
}

impl Checkpointing {
    /// Where what is done is kept, if it is to be.
    pub fn keeping<'a>(&self, directory: &'a Path) -> Option<Keeping<'a>> {
        self.checkpoint_every.map(|every| Keeping { directory, every, resume: self.resume })
    }
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
    pub checkpoints: Checkpointing,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for compare.csv, ratios.csv, efficiency.csv, training.csv, converters.csv, the pictures and run.toml
    #[arg(short, long, value_name = "DIR", default_value = "out/compare")]
    pub output: PathBuf,
}

/// `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Experiment that holds network, training parameters and chip: a name or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "digits")]
    pub config: String,
    /// Network whose weights are trained further, instead of the experiment's from random weights: a name (see `ohmic list networks`), a TOML or
    /// ONNX file, or a directory that `ohmic train` wrote
    #[arg(long, value_name = "NETWORK")]
    pub from: Option<String>,
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
    pub checkpoints: Checkpointing,
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for network.toml, weights.safetensors, training.csv, training.svg and run.toml
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// `recommend`.
#[derive(Debug, Args)]
pub struct Recommend {
    /// Search: a name (see `ohmic list recommendations`) or a TOML file; network, chip and training are keys below `experiment`
    #[arg(default_value = "digits", value_name = "NAME|FILE")]
    pub search: String,
    /// Least hardware accuracy, a share (short for --set budget.accuracy=A)
    #[arg(long, value_name = "A")]
    pub accuracy: Option<String>,
    /// Most energy of an inference (short for --set budget.energy_j=E)
    #[arg(long, value_name = "JOULE")]
    pub energy: Option<String>,
    /// Longest latency of an inference (short for --set budget.latency_s=T)
    #[arg(long, value_name = "SECONDS")]
    pub latency: Option<String>,
    /// Network whose weights are trained further, instead of the experiment's from random weights: a name (see `ohmic list networks`), a TOML or
    /// ONNX file, or a directory that `ohmic train` wrote
    #[arg(long, value_name = "NETWORK")]
    pub from: Option<String>,
    #[command(flatten)]
    pub checkpoints: Checkpointing,
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Directory for recommend.csv, recommended.toml (the experiment of what is recommended) and run.toml
    #[arg(short, long, value_name = "DIR", default_value = "out/recommend")]
    pub output: PathBuf,
}
