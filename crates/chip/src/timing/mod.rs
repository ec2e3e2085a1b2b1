//! The timing of programs: a program becomes a workload of the machine, the machine executes it, and what its cores did becomes action counts.
//!
//! `docs/timing.md` states the rules of the machine; [`lower`] says what becomes of stages.

mod actions;
mod buffers;
mod error;
mod loading;
pub mod lower;
mod writing;

pub use actions::stage_actions;
pub use error::TimingError;
pub use loading::loading;
pub use writing::{WeightWriting, weight_writing};

use crate::machine::report::Report;
use crate::machine::summary::Summary;
use crate::machine::{Settings, run as execute};
use crate::program::Program;
use lower::Lowered;
use tile::actions::ActionCounts;

/// Result of [`run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramTiming {
    /// What was executed.
    pub lowered: Lowered,
    /// What the machine tells of it.
    pub report: Report,
    /// Actions of all images, one entry per core.
    pub counts_of_cores: Vec<ActionCounts>,
    /// Actions of all images.
    pub counts: ActionCounts,
}

/// Streams `images` images through a program, back to back; all of them are there at cycle 0.
///
/// # Errors
/// If a buffer is too small for the images or for the loading of weights; the text names it and the size it needs.
pub fn run(program: &Program, images: u64) -> Result<ProgramTiming, TimingError> {
    run_with(program, images, Settings::default())
}

/// As [`run`], with settings of the machine.
///
/// # Errors
/// Those of [`run`].
pub fn run_with(program: &Program, images: u64, settings: Settings<'_>) -> Result<ProgramTiming, TimingError> {
    if images == 0 {
        return Err(TimingError::NoImages);
    }
    let lowered = lower::workload(program, &program.hardware())?;
    run_lowered(program, lowered, images, settings)
}

/// As [`run_with`], of a program that is lowered already.
///
/// # Errors
/// Those of [`run`].
pub fn run_lowered(
    program: &Program,
    lowered: Lowered,
    images: u64,
    settings: Settings<'_>,
) -> Result<ProgramTiming, TimingError> {
    let hardware = program.hardware();
    lowered.workload.check(&hardware, images)?;
    let report = execute(&lowered.workload, &hardware, images, settings)?;
    let cores = lowered.roles.iter().zip(&lowered.workload.cores).zip(&report.cores);
    let counts_of_cores: Vec<ActionCounts> =
        cores.map(|((role, core), work)| actions::actions(program, *role, core.tile, work)).collect();
    let mut counts = ActionCounts::default();
    counts_of_cores.iter().for_each(|of_core| counts += *of_core);
    Ok(ProgramTiming { lowered, report, counts_of_cores, counts })
}

impl ProgramTiming {
    /// Cycles of the base clock until the last image is done.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.summary().cycles()
    }

    /// Where the cycles went.
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        Summary { workload: &self.lowered.workload, report: &self.report }
    }

    /// The steady rate as `(cycles, images)`: the second half of the images took this many cycles.
    ///
    /// The first half is left out because the pipeline is still filling. A single image has no rate; it gives its own latency.
    #[must_use]
    pub fn steady_interval(&self) -> (u64, u64) {
        self.summary().steady_interval()
    }
}
