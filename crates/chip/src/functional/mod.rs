//! The functional engine: what a chip sample computes for a batch of images.
//!
//! ```text
//!  codes --window--> rows --[digits, one input slice a cycle]--> crossbar sums --[ADC]--> codes
//!      --shift and add over cycles--> per slice --x step x significance--> sum over slices and row partitions
//!      - offset * sum(inputs) + bias --> requantise --> codes of the next stage
//! ```
//! Every loop that moves hardware counts it; the timing engine counts the same actions from its events.

mod array;
mod cells;
mod converters;
mod mvm;
mod noise;
mod sample;
mod unit;
mod usage;

pub use cells::{Cells, SampleAddress, StageCells};
pub use sample::ChipSample;
pub use usage::ConverterUse;

use crate::program::{PoolStage, Program, Stage};
use mvm::MvmEngine;
use tile::actions::ActionCounts;
use tile::crossbar::DrivenRow;

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

/// Watches the sums that reach the converters (for calibration and diagnosis).
pub trait ColumnProbe {
    /// One array was read.
    fn observe(&mut self, read: &Observation<'_>);
}

/// The column sums of one array for one input slice.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Index of the MVM stage.
    pub layer: usize,
    /// Index of the crossbar in its stage.
    pub crossbar: usize,
    /// 1 for the negative array of a pair that is subtracted after conversion.
    pub array: usize,
    /// Number of slices; column `c` belongs to slice `c % slices`.
    pub slices: usize,
    /// The driven word lines, counted within the crossbar.
    pub driven: &'a [DrivenRow],
    /// Sums of all columns, in level spacings times DAC steps.
    pub sums: &'a [f32],
    /// Digital factor that compensation of drift puts on what the converters make of them.
    pub drift_gain: f64,
}

/// Runs a batch of images through a chip sample.
///
/// `images` holds input codes, pixel-major, one image after the other. The result does not depend on how images are batched, save that
/// counts and energies add up, and that the noise of single conversions belongs to an image's position in the batch, and
/// that the converters' error statistics are rounded in the order of the images.
///
/// # Errors
/// If the currents of nonlinear cells behind wires cannot be solved for some input.
pub fn infer<'a>(
    program: &'a Program,
    sample: &'a ChipSample,
    images: &[i32],
    probe: Option<&'a mut dyn ColumnProbe>,
) -> Result<Inference, String> {
    let mut run = Run::new(program, sample, probe);
    let mut scores = Vec::new();
    for (index, image) in images.chunks_exact(program.input.len().max(1)).enumerate() {
        scores.extend(run.image(index as u64, image)?);
    }
    Ok(run.finish(scores))
}

struct Run<'a> {
    program: &'a Program,
    engines: Vec<MvmEngine<'a>>,
    probe: Option<&'a mut dyn ColumnProbe>,
    counts: ActionCounts,
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, sample: &'a ChipSample, probe: Option<&'a mut dyn ColumnProbe>) -> Self {
        let engine = |(layer, stage)| MvmEngine::new(program, layer as usize, stage, sample);
        let engines = program.mvm_stages().map(engine).collect();
        Self { program, engines, probe, counts: ActionCounts::default() }
    }

    fn image(&mut self, image: u64, codes: &[i32]) -> Result<Vec<f64>, String> {
        let mut map = codes.to_vec();
        let mut scores = Vec::new();
        let mut layer = 0;
        for (index, stage) in self.program.stages.iter().enumerate() {
            match stage {
                Stage::Mvm(_) => {
                    (map, scores) = self.engines[layer].run(image, &map, &mut self.counts, &mut self.probe)?;
                    layer += 1;
                }
                Stage::Pool(pool) => map = run_pool(pool, self.program, &map, &mut self.counts),
            }
            self.send(index);
        }
        Ok(if scores.is_empty() { map.iter().map(|&code| f64::from(code)).collect() } else { scores })
    }

    /// Moves every pixel of a stage's result to the tiles of the next stage.
    fn send(&mut self, index: usize) {
        for _ in 0..self.program.stages[index].window().count() {
            self.counts.flit_hop += self.program.send_flit_hops(index);
        }
    }

    fn finish(self, scores: Vec<f64>) -> Inference {
        let array_energy_j = self.engines.iter().map(MvmEngine::array_energy_j).sum();
        let converters = self.engines.iter().flat_map(MvmEngine::converter_use).collect();
        let saturated_outputs = self.engines.iter().map(MvmEngine::saturated_outputs).sum();
        let bounds = self.engines.iter().map(MvmEngine::wire_error_bound);
        Inference {
            scores,
            classes: self.program.classes(),
            counts: self.counts,
            array_energy_j,
            converters,
            saturated_outputs,
            wire_error_bound: bounds.fold(0.0, f64::max),
        }
    }
}

fn run_pool(pool: &PoolStage, program: &Program, map: &[i32], counts: &mut ActionCounts) -> Vec<i32> {
    let channels = pool.window.input.channels as usize;
    let mut result = Vec::with_capacity(pool.window.count() * channels);
    for index in 0..pool.window.count() {
        let start = result.len();
        result.resize(start + channels, 0);
        let mut values = 0;
        for pixel in pool.window.pixels(index) {
            for channel in 0..channels {
                let code = pixel.map_or(0, |pixel| map[pixel * channels + channel]);
                result[start + channel] = code.max(result[start + channel]);
                values += 1;
            }
        }
        counts.compare += values - channels as u64;
        let word_bits = program.chip.tile.buffer.word_bits;
        let bits = u64::from(pool.window.input.bits);
        let (read, written) = (values * bits, channels as u64 * bits);
        counts.buffer_read += read.div_ceil(u64::from(word_bits));
        counts.buffer_write += written.div_ceil(u64::from(word_bits));
        counts.bus_bit += read + written;
    }
    result
}
