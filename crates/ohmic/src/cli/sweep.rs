//! Words of `ohmic sweep`.

use super::Overrides;
use super::network::Data;
use clap::{Args, Subcommand, ValueEnum};
use explore::sweep::Shard;
use std::path::PathBuf;

/// `sweep`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Sweep {
    /// One step of a sweep; without one, all of them.
    #[command(subcommand)]
    pub step: Option<Step>,
    #[command(flatten)]
    pub whole: Whole,
}

/// The steps.
#[derive(Debug, Subcommand)]
pub enum Step {
    /// Show what there is to do, and check it
    Plan(Plan),
    /// Compute what the store lacks, together with other processes that do the same
    Run(Run),
    /// Say how far it is; exit code 1 while rows are missing
    Status(Status),
    /// Write the table and the pictures of what the store holds
    Csv(Csv),
    /// Let a scheduler or GNU parallel run it, again and again until it is complete
    Submit(Submit),
    /// Remove from the store what is not needed any more
    Gc(Gc),
}

/// A sweep.
#[derive(Debug, Args)]
pub struct Planned {
    /// Sweep: a name (see `ohmic list sweeps`) or a TOML file
    pub sweep: String,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Simulate more chip samples than the experiment says until half the 95 % interval of the mean accuracy is no wider (short for --set
    /// target_ci=W; at most 1000 or --set most_chips=N)
    #[arg(long, value_name = "W")]
    pub target_ci: Option<String>,
    #[command(flatten)]
    pub data: Data,
}

/// How results are computed.
#[derive(Debug, Args)]
pub struct Computed {
    /// Compute again what is there, and compare; exit code 70 if it differs
    #[arg(long)]
    pub verify: bool,
    /// Try again what has failed before
    #[arg(long)]
    pub retry: bool,
}

/// A sweep from the beginning to its pictures.
#[derive(Debug, Args)]
pub struct Whole {
    /// Sweep: a name (see `ohmic list sweeps`) or a TOML file
    #[arg(required = true)]
    pub sweep: Option<String>,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Simulate more chip samples than the experiment says until half the 95 % interval of the mean accuracy is no wider (short for --set
    /// target_ci=W; at most 1000 or --set most_chips=N)
    #[arg(long, value_name = "W")]
    pub target_ci: Option<String>,
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub computed: Computed,
    /// Directory of results, which sweeps may share [default: `store` in the output directory]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Directory for sweep.csv, differences.csv, report.html, the pictures and run.toml
    #[arg(short, long, value_name = "DIR", required = true)]
    pub output: Option<PathBuf>,
}

/// `sweep plan`.
#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results; what is there already is not counted as work
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// List every row with its name in the store
    #[arg(long)]
    pub rows: bool,
}

/// `sweep run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results, shared by all processes
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Begin with part K of N, K from 0, and go on with what others leave undone [default: as SLURM_ARRAY_TASK_ID, OMPI_COMM_WORLD_RANK,
    /// JOB_COMPLETION_INDEX, HQ_TASK_ID or PARALLEL_SEQ say]
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub computed: Computed,
}

/// `sweep status`.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Read every row instead of counting files; damaged ones are put aside
    #[arg(long)]
    pub check: bool,
}

/// `sweep csv`.
#[derive(Debug, Args)]
pub struct Csv {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Leave out the rows that are missing instead of refusing
    #[arg(long)]
    pub partial: bool,
    /// Directory for sweep.csv, differences.csv, report.html, the pictures and run.toml; nothing is written without it
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `sweep gc`.
#[derive(Debug, Args)]
pub struct Gc {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Once this sweep is complete and nobody is at work, also remove the rows that are not of it, and all trained networks
    #[arg(long)]
    pub others: bool,
}

/// Who runs the shards of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A job array of Slurm.
    Slurm,
    /// GNU parallel, on this machine or over ssh.
    Parallel,
}

/// `sweep submit`.
#[derive(Debug, Args)]
pub struct Submit {
    #[command(flatten)]
    pub planned: Planned,
    /// Directory of results, on a disk that all machines see; script, plan and logs go below `submit` in it
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// Who runs the shards
    #[arg(long, value_enum)]
    pub engine: Engine,
    /// Number of processes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub shards: u32,
    /// Threads of each process
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub shard_threads: u32,
    /// Machines for GNU parallel, as its --sshloginfile wants them [default: this one]
    #[arg(long, value_name = "FILE")]
    pub machines: Option<PathBuf>,
    /// Write the script, print it with its command, and submit nothing
    #[arg(long)]
    pub dry_run: bool,
}
