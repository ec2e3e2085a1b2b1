//! The functional engine: what a chip sample computes for a batch of images.
//!
//! ```text
//!  codes --window--> rows --[digits, one input slice a cycle]--> crossbar sums --[ADC]--> codes
//!      --shift and add over cycles--> per slice --x step x significance--> sum over slices and row partitions
//!      - offset * sum(inputs) + bias --> requantise --> codes of the next stage
//! ```
//! Every loop that moves hardware counts it; the timing engine counts the same actions from its events.

mod array;
mod block;
mod cells;
mod conduction;
mod converters;
mod merge;
mod merged;
mod mvm;
mod noise;
mod padded;
mod plan;
mod probe;
mod row_block;
mod sample;
mod totals;
mod usage;
mod vector;
mod windows;

pub use cells::{Cells, SampleAddress, StageCells};
pub use conduction::{RowDrives, expected_array_energy_j};
pub use probe::{ColumnProbe, Observation};
pub use sample::ChipSample;
pub use usage::ConverterUse;

use crate::program::Program;
use block::{BlockResult, BlockRun};
use plan::StagePlan;
use rayon::prelude::*;
use tile::actions::ActionCounts;
use tile::kernel::Isa;

/// Blocks whose results are kept until they are added up.
const BLOCKS_AT_ONCE: usize = 16;
/// Most values of the largest map of all images of a block.
const BLOCK_VALUES: usize = 1 << 20;
/// Most images of a block: enough that a stage of one window an image fills a block of windows.
const MOST_BLOCK_IMAGES: usize = 256;

/// What a chip sample did with a batch of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// Class scores, `[image][class]`.
    pub scores: Vec<f64>,
    /// Number of classes.
    pub classes: usize,
    /// Actions of the whole batch.
    pub counts: ActionCounts,
    /// Energy of the conducting cells over the whole batch, J.
    pub array_energy_j: f64,
    /// What the converters saw, one entry per slice of every MVM stage.
    pub converters: Vec<ConverterUse>,
    /// Outputs that were limited to the width of the accumulators.
    pub saturated_outputs: u64,
    /// Bound on the error that solving the wires leaves in any column sum, level spacings; 0 without wires.
    pub wire_error_bound: f64,
}

impl Inference {
    /// Class of every image: the highest score, the lowest index among equals.
    #[must_use]
    pub fn predictions(&self) -> Vec<usize> {
        self.scores.chunks_exact(self.classes.max(1)).map(highest).collect()
    }

    /// Share of the images whose prediction is the label.
    #[must_use]
    pub fn accuracy(&self, labels: &[u8]) -> f64 {
        let predictions = self.predictions();
        let correct = predictions.iter().zip(labels).filter(|&(&class, &label)| class == usize::from(label));
        correct.count() as f64 / labels.len().max(1) as f64
    }
}

fn highest(scores: &[f64]) -> usize {
    let best =
        scores.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &s)| if s > best.1 { (i, s) } else { best });
    best.0
}

/// How a batch is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Instruction set; changes the speed only.
    pub isa: Isa,
    /// Whether the converters' error statistics are wanted, which take a third of the time.
    pub errors: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { isa: Isa::best(), errors: true }
    }
}

/// Runs a batch of images through a chip sample, with all statistics.
///
/// `images` holds input codes, pixel-major, one image after the other. The result does not depend on how images are batched, save that
/// counts and energies add up, that the noise of single conversions belongs to an image's position in the batch, and that the
/// converters' error statistics are rounded in the order of the images.
///
/// # Errors
/// If `images` is no whole number of images or has a code that the program's input does not have, or if the currents of nonlinear
/// cells behind wires cannot be solved for some input.
pub fn infer(
    program: &Program,
    sample: &ChipSample,
    images: &[i32],
    probe: Option<&mut dyn ColumnProbe>,
) -> Result<Inference, String> {
    demand_codes(program, images)?;
    match probe {
        None => infer_with(program, sample, images, Settings::default()),
        Some(probe) => {
            let plans = plans(program, sample);
            let mut all = BlockResult::empty(&plans);
            for (first, images) in blocks(program, images) {
                let run = BlockRun::new(program, &plans, Settings::default());
                all.append(run.run(first, images, Some(&mut *probe))?);
            }
            Ok(summarise(program, &plans, all))
        }
    }
}

/// The same with other settings. Blocks of images run in parallel and are summed in their order.
///
/// # Errors
/// As [`infer`].
pub fn infer_with(
    program: &Program,
    sample: &ChipSample,
    images: &[i32],
    settings: Settings,
) -> Result<Inference, String> {
    demand_codes(program, images)?;
    let plans = plans(program, sample);
    let blocks: Vec<(u64, &[i32])> = blocks(program, images).collect();
    let run = |&(first, images): &(u64, &[i32])| BlockRun::new(program, &plans, settings).run(first, images, None);
    let mut all = BlockResult::empty(&plans);
    // Some at a time, so that memory does not grow with their number.
    for some in blocks.chunks(BLOCKS_AT_ONCE) {
        let results = some.par_iter().map(run).collect::<Result<Vec<_>, _>>()?;
        results.into_iter().for_each(|result| all.append(result));
    }
    Ok(summarise(program, &plans, all))
}

fn demand_codes(program: &Program, images: &[i32]) -> Result<(), String> {
    let (values, (lowest, highest)) = (program.input.len(), program.input.codes());
    if values == 0 || !images.len().is_multiple_of(values) {
        return Err(format!("{} codes are no whole number of images of {values}", images.len()));
    }
    match images.iter().find(|code| !(lowest..=highest).contains(*code)) {
        Some(code) => Err(format!("code {code} of an image is not allowed: {lowest} to {highest}")),
        None => Ok(()),
    }
}

fn plans<'a>(program: &'a Program, sample: &'a ChipSample) -> Vec<StagePlan<'a>> {
    program.mvm_stages().map(|(layer, stage)| StagePlan::new(program, layer as usize, stage, sample)).collect()
}

/// Blocks of images with the number of their first image. Their size follows from the program alone, so that results do not depend on the
/// number of threads.
fn blocks<'i>(program: &Program, images: &'i [i32]) -> impl Iterator<Item = (u64, &'i [i32])> {
    let largest_map = program.stages.iter().map(|stage| stage.output().len()).chain([program.input.len()]).max();
    let per_block = (BLOCK_VALUES / largest_map.unwrap_or(1).max(1)).clamp(1, MOST_BLOCK_IMAGES);
    let values = per_block * program.input.len().max(1);
    images.chunks(values).enumerate().map(move |(index, images)| ((index * per_block) as u64, images))
}

fn summarise(program: &Program, plans: &[StagePlan<'_>], all: BlockResult) -> Inference {
    let stages = || plans.iter().zip(&all.totals);
    Inference {
        classes: program.classes(),
        counts: all.counts,
        array_energy_j: stages().map(|(plan, totals)| totals.array_energy_j(plan)).sum(),
        converters: stages().flat_map(|(plan, totals)| totals.converter_use(plan)).collect(),
        saturated_outputs: all.totals.iter().map(|totals| totals.saturated_outputs).sum(),
        wire_error_bound: all.totals.iter().map(|totals| totals.wire_error_bound).fold(0.0, f64::max),
        scores: all.scores,
    }
}
