//! A network as the chip has it and as the integer reference has it.

use chip::config::Chip;
use chip::functional::{ChipSample, Inference, infer};
use chip::program::Program;
use nn::datasets::{Dataset, Split};
use nn::network::Network;
use nn::quantised::QuantisedNetwork;
use nn_compiler::compile::{Compilation, compile, encode_images};
use nn_compiler::mapping::MappingStrategy;
use nn_compiler::quantise::quantise;
use tile::address::Purpose;

/// Seed of the chip samples.
pub(crate) const SEED: u64 = 7;

/// A network in both forms.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    pub(crate) reference: QuantisedNetwork,
}

impl Compiled {
    /// The compiler finds the ranges of activations on the first 256 training images; so does the reference.
    pub(crate) fn new(network: &Network, dataset: &Dataset, mapping: &dyn MappingStrategy, chip: &Chip) -> Self {
        let request = Compilation { network, dataset, training: "none", mapping, chip, seed: SEED };
        let program = compile(&request).unwrap();
        let calibration = dataset.train.truncated(256);
        let reference = quantise(network, chip.format.weight_bits, chip.format.input_bits, &calibration).unwrap();
        Self { program, reference }
    }

    /// What one chip sample computes.
    pub(crate) fn infer(&self, chip_sample: u64, images: &Split) -> Inference {
        infer(&self.program, &sample(&self.program, chip_sample), &encode_images(&self.program, &images.images), None)
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
