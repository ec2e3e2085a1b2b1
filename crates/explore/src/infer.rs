//! Running a network on images: in float, in integers, or on one chip sample.

use crate::error::ExploreError;
use crate::progress::Progress;
use chip::functional::{Cells, ChipSample, SampleAddress, Settings, infer_with};
use chip::program::Program;
use nn::argmax;
use nn::datasets::Split;
use nn::graph::Graph;
use nn::quantised::QuantisedNetwork;
use nn_compiler::quantise::Quantised;
use tile::address::Purpose;

/// Images that are run at a time; progress is told between them.
const BLOCK: usize = 64;

/// How a network is run.
#[derive(Clone, Copy, Debug)]
pub enum Engine<'a> {
    /// The network as it was read, in 32-bit floats.
    Float(&'a Graph),
    /// The network in integers: what an ideal chip computes.
    Integer(&'a Quantised),
    /// One chip sample of a chip.
    Analog(&'a AnalogChip<'a>),
}

/// A chip sample.
#[derive(Clone, Copy, Debug)]
pub struct AnalogChip<'a> {
    /// The compiled network.
    pub program: &'a Program,
    /// Value of one step of its scores.
    pub score_scale: f64,
    /// Seed of the chip sample.
    pub seed: u64,
    /// Number of the chip sample.
    pub chip_sample: u64,
}

/// What a network says of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// Scores of a class and more: `[image][class]`, in the units of the network.
    pub logits: Vec<f64>,
    /// Numbers of an image.
    pub classes: usize,
    /// Additions on a chip that its accumulators were too narrow for.
    pub saturated: u64,
}

impl Inferred {
    /// The scores of every image.
    pub fn images(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.logits.chunks_exact(self.classes.max(1))
    }

    /// Images whose highest score is at their label; ties go to the lowest class.
    #[must_use]
    pub fn correct(&self, labels: &[u8]) -> usize {
        self.images().zip(labels).filter(|(scores, label)| argmax(scores) == usize::from(**label)).count()
    }
}

/// Share of clipped input values above which there is a warning.
const MOST_CLIPPED: f64 = 0.01;

/// What is wrong with images for a network in integers, if anything is: more than 1 % of their values lie beyond its input codes.
#[must_use]
pub fn input_warning(network: &QuantisedNetwork, images: &Split) -> Option<String> {
    let clipped = |index: usize| network.coding.clipped(network.input, images.image(index));
    let share = (0..images.len()).map(clipped).sum::<usize>() as f64 / images.images.len().max(1) as f64;
    (share > MOST_CLIPPED).then(|| {
        format!(
            "{:.1} % of the values of the images lie beyond the codes of the input and are clipped; a network of a data set takes pixels 0 to 1, and \
             --calibrate FILE.npy finds the range on other images",
            100.0 * share
        )
    })
}

/// Makes scores of images, and counts the additions that saturated.
type Runner<'a> = Box<dyn Fn(&[f32]) -> Result<(Vec<f64>, u64), ExploreError> + 'a>;

/// Runs a network on images.
///
/// # Errors
/// If images are not those of the network, or its chip cannot be programmed.
pub fn infer(engine: Engine<'_>, images: &Split, progress: &dyn Progress) -> Result<Inferred, ExploreError> {
    progress.begin("inferring", images.len() as u64);
    let run: Runner<'_> = match engine {
        Engine::Float(graph) => Box::new(|images| Ok((graph.forward(images)?.into_iter().map(f64::from).collect(), 0))),
        Engine::Integer(Quantised { network, score_scale }) => Box::new(move |images| {
            let scores = network.infer_all(images)?;
            Ok((scores.into_iter().flatten().map(|score| score as f64 * score_scale).collect(), 0))
        }),
        Engine::Analog(chip) => chip.engine()?,
    };
    let (mut logits, mut saturated) = (Vec::new(), 0);
    for block in images.images.chunks((BLOCK * images.features).max(1)) {
        let (scores, of_block) = run(block)?;
        logits.extend(scores);
        saturated += of_block;
        progress.advance((block.len() / images.features.max(1)) as u64);
    }
    progress.end();
    Ok(Inferred { classes: logits.len() / images.len().max(1), logits, saturated })
}

impl<'a> AnalogChip<'a> {
    /// Makes the chip sample.
    fn engine(&self) -> Result<Runner<'a>, ExploreError> {
        let Self { program, score_scale, seed, chip_sample } = *self;
        let address = SampleAddress { seed, purpose: Purpose::Programming, chip_sample };
        let cells = Cells::program(program, address).map_err(ExploreError::Request)?;
        let sample = ChipSample::from_cells(program, &cells).map_err(ExploreError::Request)?;
        Ok(Box::new(move |images| {
            let codes = nn_compiler::compile::encode_images(program, images);
            let inference = infer_with(program, &sample, &codes, Settings { errors: false, ..Settings::default() });
            let inference = inference.map_err(ExploreError::Request)?;
            let saturated = inference.converters.iter().map(|seen| seen.saturated).sum::<u64>();
            let scores = inference.scores.into_iter().map(|score| score * score_scale).collect();
            Ok((scores, saturated + inference.saturated_outputs))
        }))
    }
}
