//! A network as the chip has it and as the integer reference has it.

use chip::config::Chip;
use chip::functional::{ChipSample, ColumnProbe, Inference, Observation, infer};
use chip::program::Program;
use nn::Graph;
use nn::datasets::{Dataset, Split};
use nn::quantised::QuantisedNetwork;
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Goal, Quantisation, quantised};
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile};
use tile::address::Purpose;

/// Seed of the chip samples.
pub(crate) const SEED: u64 = 7;

/// A network in both forms.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    pub(crate) reference: QuantisedNetwork,
}

impl Compiled {
    pub(crate) fn new(network: &Graph, dataset: &Dataset, mapping: &Mapping, chip: &Chip) -> Self {
        let settings = CompilationSettings { dataset, training: "none", mapping, chip, seed: SEED };
        let quantisation = Quantisation::default();
        let program = compile(network, &quantisation, &settings).unwrap();
        let reference = quantised(network, &dataset.train, chip, &quantisation, Goal::Integers).unwrap().network;
        Self { program, reference }
    }

    /// What one chip sample computes.
    pub(crate) fn infer(&self, chip_sample: u64, images: &Split) -> Inference {
        infer(&self.program, &sample(&self.program, chip_sample), &encode_images(&self.program, &images.images), None)
            .unwrap()
    }

    /// Scores that the integer reference computes, image after image.
    pub(crate) fn expected(&self, images: &Split) -> Vec<f64> {
        let scores = |image| self.reference.infer(images.image(image)).unwrap();
        (0..images.len()).flat_map(scores).map(|score| score as f64).collect()
    }

    /// Mean squared difference of the scores of one chip sample from the reference.
    pub(crate) fn squared_error(&self, chip_sample: u64, images: &Split) -> f64 {
        let expected = self.expected(images);
        let pairs = self.infer(chip_sample, images).scores.into_iter().zip(&expected);
        pairs.map(|(score, expected)| (score - expected).powi(2)).sum::<f64>() / expected.len() as f64
    }
}

/// A chip sample as results are reported on.
pub(crate) fn sample(program: &Program, chip_sample: u64) -> ChipSample {
    ChipSample::program(program, SEED, Purpose::Programming, chip_sample).unwrap()
}

/// Mean and variance.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

/// One read of an array: crossbar, array of a pair, the digit on every driven row, and the sums of the columns.
pub(crate) type Read = (usize, usize, Vec<(usize, f64)>, Vec<f64>);

/// Keeps every read of the first stage.
#[derive(Default)]
pub(crate) struct Reads(pub(crate) Vec<Read>);

impl ColumnProbe for Reads {
    fn observe(&mut self, read: &Observation<'_>) {
        if read.layer == 0 {
            let driven = read.driven().iter().map(|row| (row.row as usize, f64::from(row.digit))).collect();
            self.0.push((read.crossbar, read.array, driven, read.sums.iter().map(|&sum| sum.into()).collect()));
        }
    }
}

/// All reads of the first stage for a batch of images in codes.
pub(crate) fn reads(program: &Program, sample: &ChipSample, codes: &[i32]) -> Vec<Read> {
    let mut reads = Reads::default();
    infer(program, sample, codes, Some(&mut reads)).unwrap();
    reads.0
}
