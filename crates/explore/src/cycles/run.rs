//! Timing an input, with everything that is told of it.

use super::input::Input;
use super::prices::{Prices, prices};
use crate::error::ExploreError;
use chip::machine::instruction::Instruction;
use chip::machine::report::Report;
use chip::machine::summary::Summary;
use chip::machine::work::Workload;
use chip::machine::{self, Recorder, Settings};
use chip::timing::{self, TimingError, lower};
use tile::actions::ActionCounts;

/// Most images that are streamed.
pub const MOST_IMAGES: u64 = 10_000;

/// Most operations of a run whose critical path is followed: the machine remembers each of them.
pub const MOST_OPERATIONS: u64 = 1 << 25;

/// What a run tells.
#[derive(Clone, Debug)]
pub struct CyclesReport {
    /// Cycles per second.
    pub clock_hz: f64,
    /// Images that were streamed.
    pub images: u64,
    /// What was executed for each.
    pub workload: Workload,
    /// What the machine tells of it.
    pub report: Report,
    /// Actions and prices; a trace does not know them.
    pub prices: Option<Prices>,
}

/// How full a region of a buffer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferPeak<'a> {
    /// The region.
    pub region: &'a str,
    /// Its tile.
    pub tile: u32,
    /// Most items that were in it.
    pub peak: u64,
    /// Items that it holds.
    pub capacity: u64,
    /// Bits of an item.
    pub item_bits: u64,
}

/// Requires a number of images that can be streamed.
///
/// # Errors
/// If it cannot.
pub fn check_images(images: u64) -> Result<(), ExploreError> {
    if (1..=MOST_IMAGES).contains(&images) {
        return Ok(());
    }
    Err(ExploreError::Request(format!("--images = {images} is not allowed: an integer from 1 to {MOST_IMAGES}")))
}

/// Times an input: `images` images back to back.
///
/// # Errors
/// If it makes no sense on its chip, cannot finish, or a price is missing.
pub fn cycles(input: &Input, images: u64) -> Result<CyclesReport, ExploreError> {
    check_images(images)?;
    let follow = |workload: &Workload| operations(workload, images) <= MOST_OPERATIONS;
    let run = execute(input, images, follow, None)?;
    let mut report = CyclesReport {
        clock_hz: input.chip().clock_hz,
        images,
        workload: run.workload,
        report: run.report,
        prices: None,
    };
    report.check_sums()?;
    if let (Input::Program(program), Some(counts)) = (input, run.counts_of_cores) {
        report.prices = Some(prices(program, &counts, &report)?);
    }
    Ok(report)
}

/// Upper bound of what the machine remembers to find a critical path.
fn operations(workload: &Workload, images: u64) -> u64 {
    let mut operations = 0_u64;
    for core in &workload.cores {
        let banks = core.banks.len() as u64;
        for instruction in &core.instructions {
            // A slice is read and converted in every bank; everything else is at most queued, sent and written.
            let of = match instruction {
                Instruction::Mvm { slices } => u64::from(*slices).saturating_mul(2 * banks).saturating_add(1),
                _ => 3,
            };
            operations = operations.saturating_add(of);
        }
    }
    operations.saturating_mul(images)
}

/// A run of the machine.
pub(super) struct Run {
    pub(super) workload: Workload,
    pub(super) report: Report,
    /// Actions of all images, one entry per core; of programs.
    counts_of_cores: Option<Vec<ActionCounts>>,
}

/// Executes an input; `follow` says whether to find the critical path.
pub(super) fn execute(
    input: &Input,
    images: u64,
    follow: impl FnOnce(&Workload) -> bool,
    recorder: Option<&mut dyn Recorder>,
) -> Result<Run, TimingError> {
    let mut settings = Settings { recorder, ..Settings::default() };
    match input {
        Input::Program(program) => {
            let lowered = lower::workload(program, &program.hardware())?;
            settings.critical_path = follow(&lowered.workload);
            let timing = timing::run_lowered(program, lowered, images, settings)?;
            let counts_of_cores = Some(timing.counts_of_cores);
            Ok(Run { workload: timing.lowered.workload, report: timing.report, counts_of_cores })
        }
        Input::Trace { workload, chip } => {
            let hardware = chip.hardware();
            workload.check(&hardware, images)?;
            workload.check_liveness(&hardware)?;
            settings.critical_path = follow(workload);
            let report = machine::run(workload, &hardware, images, settings)?;
            Ok(Run { workload: workload.clone(), report, counts_of_cores: None })
        }
    }
}

impl CyclesReport {
    /// Where the cycles went.
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        Summary { workload: &self.workload, report: &self.report }
    }

    /// Requires that the cycles of all units fit into 64 bits; a trace may state any number of banks.
    fn check_sums(&self) -> Result<(), ExploreError> {
        let (units, end) = (self.summary().units(), self.report.end);
        if units.saturating_mul(end.into()) <= u64::MAX.into() {
            return Ok(());
        }
        let what = format!("the run has {units} units and {end} cycles: allowed are products of at most {}", u64::MAX);
        Err(ExploreError::Request(what))
    }

    /// Cycles until the first image is done.
    #[must_use]
    pub fn first_image_cycles(&self) -> u64 {
        self.report.image_done.first().copied().unwrap_or(0)
    }

    /// Cycles from one image to the next in the second half of the run; of a single image its latency.
    #[must_use]
    pub fn interval_cycles(&self) -> f64 {
        let (cycles, images) = self.summary().steady_interval();
        cycles as f64 / images.max(1) as f64
    }

    /// The same in s.
    #[must_use]
    pub fn interval_s(&self) -> f64 {
        self.interval_cycles() / self.clock_hz
    }

    /// Regions with a capacity, those whose peaks come nearest to it first; equally full ones in the order of the workload.
    #[must_use]
    pub fn buffers(&self) -> Vec<BufferPeak<'_>> {
        let regions = self.workload.regions.iter().zip(&self.report.peaks);
        let mut buffers: Vec<BufferPeak<'_>> = regions
            .filter_map(|(region, &peak)| {
                let (region_name, item_bits) = (region.name.as_str(), region.item_bits);
                let capacity = region.capacity?;
                Some(BufferPeak { region: region_name, tile: region.tile, peak, capacity, item_bits })
            })
            .collect();
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        buffers.sort_by(|a, b| product(b.peak, a.capacity).cmp(&product(a.peak, b.capacity)));
        buffers
    }
}
