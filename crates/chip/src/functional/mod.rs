//! The functional engine: what a chip sample computes for a batch of images.
//!
//! ```text
//!  codes --window--> rows --[digits, one input slice a cycle]--> crossbar sums --[ADC]--> codes
//!      --shift and add over cycles--> per slice --x step x significance--> sum over slices and row partitions
//!      - offset * sum(inputs) + bias --> requantise --> codes of the next stage
//! ```
//! Every loop that moves hardware counts it; the timing engine counts the same actions from its events.

mod mvm;
mod sample;

pub use sample::ChipSample;

use crate::program::{PoolStage, Program, Stage};
use mvm::MvmEngine;
use tile::actions::ActionCounts;

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
}

/// What the converters of one slice of one stage saw.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConverterUse {
    /// Name of the stage.
    pub stage: String,
    /// Slice, 0 = least significant.
    pub slice: usize,
    /// Number of conversions.
    pub conversions: u64,
    /// How many of them clipped.
    pub clipped: u64,
    /// Lowest and highest code seen.
    pub codes: (i64, i64),
    /// Number of codes the converter has.
    pub available_codes: u64,
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
    /// Sums of all columns of one crossbar for one input slice; column `c` belongs to slice `c % slices`.
    fn observe(&mut self, layer: usize, slices: usize, sums: &[f32]);
}

/// Runs a batch of images through a chip sample.
///
/// `images` holds input codes, pixel-major, one image after the other. The result does not depend on how images are batched, save that
/// counts and energies add up.
#[must_use]
pub fn infer<'a>(
    program: &'a Program,
    sample: &'a ChipSample,
    images: &[u32],
    probe: Option<&'a mut dyn ColumnProbe>,
) -> Inference {
    let mut run = Run::new(program, sample, probe);
    let mut scores = Vec::new();
    for image in images.chunks_exact(program.input.len().max(1)) {
        scores.extend(run.image(image));
    }
    run.finish(scores)
}

struct Run<'a> {
    program: &'a Program,
    engines: Vec<MvmEngine<'a>>,
    probe: Option<&'a mut dyn ColumnProbe>,
    counts: ActionCounts,
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, sample: &'a ChipSample, probe: Option<&'a mut dyn ColumnProbe>) -> Self {
        let engines = program.mvm_stages().zip(sample.stages());
        let engines = engines.map(|((_, stage), crossbars)| MvmEngine::new(program, stage, crossbars)).collect();
        Self { program, engines, probe, counts: ActionCounts::default() }
    }

    fn image(&mut self, codes: &[u32]) -> Vec<f64> {
        let mut map = codes.to_vec();
        let mut scores = Vec::new();
        let mut layer = 0;
        for (index, stage) in self.program.stages.iter().enumerate() {
            match stage {
                Stage::Mvm(_) => {
                    (map, scores) = self.engines[layer].run(layer, &map, &mut self.counts, &mut self.probe);
                    layer += 1;
                }
                Stage::Pool(pool) => map = run_pool(pool, self.program, &map, &mut self.counts),
            }
            self.send(index);
        }
        if scores.is_empty() { map.iter().map(|&code| f64::from(code)).collect() } else { scores }
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
        Inference { scores, classes: self.program.classes(), counts: self.counts, array_energy_j, converters }
    }
}

fn run_pool(pool: &PoolStage, program: &Program, map: &[u32], counts: &mut ActionCounts) -> Vec<u32> {
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
