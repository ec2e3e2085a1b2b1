//! Pass `choose`: a mapping strategy for every weighted layer, where none is named.
//!
//! Each layer is looked at under each candidate in closed form; no values are simulated. What counts is
//!
//! * the error that cells and converters are expected to give the outputs (`error`), over the variance of all outputs, windows and calibration
//!   images together;
//! * the energy for an image, as the chip prices the layer's own actions (`chip::energy::expected_energy`);
//! * the cycles for which an image keeps the layer busy (`latency`), which the timing engine tells.
//!
//! The score (`score`) weighs them, and the least one is chosen, of equal ones the first in the order of the candidates. Where the chosen ones
//! take more tiles than the chip has, some layers fall back (`budget`).
//!
//! Left out are leakage, movement between layers, lines and curved cells' errors, stuck cells, the converters' own errors, ranges and gains of single columns,
//! and what a layer makes of the errors before it.

mod budget;
mod candidate;
mod columns;
mod conversion;
mod error;
mod latency;
mod score;
mod seen;
#[cfg(test)]
mod tests;

pub use budget::Fallback;
pub use candidate::{Candidate, LEAST_ERROR};
pub use score::Weights;

use crate::error::CompileError;
use crate::front::images_within;
use crate::mapping::{AUTO, CellStates, Mapping, MixedMapping};
use candidate::Layer;
use chip::config::Chip;
use nn::datasets::Split;
use nn::quantised::{QuantisedLayer, QuantisedNetwork};
use score::Scale;
use seen::Seen;
use std::collections::BTreeSet;

/// With fewer images a choice is doubtful: fully connected layers see one window of each.
const LEAST_IMAGES: usize = 8;

/// What is chosen from, and by what.
#[derive(Clone, Copy, Debug)]
pub struct ChoiceSettings<'a> {
    /// The candidates, in the order in which ties are broken.
    pub candidates: &'a [Mapping],
    /// How much each prediction counts.
    pub weights: Weights,
}

/// A candidate with its score.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The candidate.
    pub candidate: Candidate,
    /// Its score; the less the better.
    pub score: f64,
}

/// What was chosen for a layer, and from what.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerChoice {
    /// Name of the layer.
    pub layer: String,
    /// The candidates that it can have, in their order.
    pub candidates: Vec<Scored>,
    /// The strategies that it cannot have, and why.
    pub refused: Vec<(Mapping, String)>,
    /// Index of the best candidate.
    best: usize,
    /// Index of the chosen one.
    chosen: usize,
}

impl LayerChoice {
    /// The chosen candidate.
    #[must_use]
    pub fn chosen(&self) -> &Candidate {
        &self.candidates[self.chosen].candidate
    }

    /// Its score.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.candidates[self.chosen].score
    }

    /// Whether a candidate, by its index, is the chosen one.
    #[must_use]
    pub fn is_chosen(&self, candidate: usize) -> bool {
        candidate == self.chosen
    }
}

/// The first of least score.
fn least<'a>(scored: impl Iterator<Item = (usize, &'a Scored)>) -> Option<(usize, &'a Scored)> {
    scored.reduce(|best, next| if next.1.score < best.1.score { next } else { best })
}

/// The choice for a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The weighted layers, in their order.
    pub layers: Vec<LayerChoice>,
    /// Tiles that the best candidates would take, and tiles of the chip.
    pub tiles: (u64, u64),
    /// The layers that did not get their best candidate.
    pub fallbacks: Vec<Fallback>,
    /// Calibration images that were looked at.
    pub images: usize,
    /// How many of them differ from each other and have more than one value.
    pub different: usize,
}

impl Choice {
    /// The mapping of every layer, for [`crate::CompilationSettings`].
    #[must_use]
    pub fn mapping(&self) -> Option<MixedMapping> {
        MixedMapping::new(AUTO, self.layers.iter().map(|layer| layer.chosen().mapping.clone()).collect())
    }

    /// What makes the choice doubtful, if anything does: few images, or few among many that are alike or empty.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let Self { images, different, .. } = self;
        let some = if different < images {
            format!(", of which {different} show something and differ")
        } else {
            String::new()
        };
        (*different < LEAST_IMAGES).then(|| {
            format!(
                "--mapping {AUTO} looked at {images} calibration images{some}; below {LEAST_IMAGES} its predictions are those of these images alone"
            )
        })
    }

    /// Score of the network: the sum over its layers.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.layers.iter().map(LayerChoice::score).sum()
    }
}

/// Chooses a mapping for every weighted layer of a network. `calibration` are training images, of which as many are looked at as calibrate converters.
///
/// # Errors
/// If the network is not valid, no candidate suits a layer, or none is small enough for the chip.
pub fn choose(
    network: &QuantisedNetwork,
    calibration: &Split,
    chip: &Chip,
    settings: &ChoiceSettings<'_>,
) -> Result<Choice, CompileError> {
    let most = chip.tile.adc.calibration_images as usize;
    let images = calibration.truncated(images_within(most, network.mac_count()));
    let seen = Seen::all(network, &images.images, chip)?;
    let (bare, cells) = (chip.without_wires(), CellStates::of(&chip.tile.cell));
    let mvm = |layer: &'_ QuantisedLayer| matches!(layer, QuantisedLayer::Mvm(_));
    let mut layers = Vec::new();
    for (layer, seen) in network.layers.iter().filter(|layer| mvm(layer)).zip(&seen) {
        let QuantisedLayer::Mvm(mvm) = layer else { continue };
        layers.push(candidates(&Layer { network, mvm, seen, chip: &bare, cells: &cells }, settings)?);
    }
    let layers = with_resolution(layers, settings.weights, chip.mesh.tiles());
    let (needed, available) = (best_tiles(&layers), chip.mesh.tiles());
    let least = budget::least_tiles(&layers);
    if least > available {
        let arrays = u64::from(chip.tile.arrays);
        let what = format!(
            "its {available} tiles have {} arrays; the smallest candidates of all layers need {least} tiles, {} arrays",
            available * arrays,
            least * arrays
        );
        return Err(CompileError::chip(chip, what));
    }
    let fallbacks = layers.iter().filter_map(|layer| fallback(layer, chip)).collect();
    Ok(Choice { layers, tiles: (needed, available), fallbacks, images: images.len(), different: different(&images) })
}

/// Images that differ from each other and have more than one value.
fn different(images: &Split) -> usize {
    let bits = |index: usize| images.image(index).iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
    let shows = |image: &Vec<u32>| image.len() == 1 || image.windows(2).any(|pair| pair[0] != pair[1]);
    (0..images.len()).map(bits).filter(shows).collect::<BTreeSet<_>>().len()
}

/// Scores candidates, chooses those that fit so many tiles, and prices converters anew with the resolution that the chosen ones demand of all, until they demand no more.
fn with_resolution(mut layers: Vec<Unscored>, weights: Weights, tiles: u64) -> Vec<LayerChoice> {
    let mut bits = 0;
    loop {
        let mut choice = scored(layers.clone(), weights);
        if budget::least_tiles(&choice) <= tiles {
            budget::fit(&mut choice, tiles);
        }
        let demanded = choice.iter().map(|layer| layer.chosen().adc_bits).max().unwrap_or(0);
        if demanded <= bits {
            return choice;
        }
        bits = demanded;
        layers.iter_mut().flat_map(|layer| &mut layer.candidates).for_each(|candidate| candidate.price_with(bits));
    }
}

/// Tiles of the best candidates.
fn best_tiles(layers: &[LayerChoice]) -> u64 {
    layers.iter().map(|layer| layer.candidates[layer.best].candidate.tiles).sum()
}

/// The candidates of a layer, and what it cannot have.
#[derive(Clone)]
struct Unscored {
    layer: String,
    candidates: Vec<Candidate>,
    refused: Vec<(Mapping, String)>,
}

fn candidates(layer: &Layer<'_>, settings: &ChoiceSettings<'_>) -> Result<Unscored, CompileError> {
    let name = &layer.mvm.name;
    let (mut candidates, mut refused) = (Vec::new(), Vec::new());
    for mapping in settings.candidates {
        match layer.candidate(mapping) {
            Ok(candidate) => candidates.push(candidate),
            Err(error) => refused.push((mapping.clone(), error.to_string())),
        }
    }
    if candidates.is_empty() {
        let reasons = refused.iter().map(|(mapping, why)| format!("{}: {why}", mapping.name())).collect::<Vec<_>>();
        return Err(CompileError::layer(
            name,
            format!("it can have no mapping of the candidates; {}", reasons.join("; ")),
        ));
    }
    Ok(Unscored { layer: name.clone(), candidates, refused })
}

/// The same with scores, the best chosen.
fn scored(layers: Vec<Unscored>, weights: Weights) -> Vec<LayerChoice> {
    let scale = Scale::new(weights, layers.iter().map(|layer| layer.candidates.as_slice()));
    let choice = |Unscored { layer, candidates, refused }: Unscored| {
        let with_score = |candidate: Candidate| Scored { score: scale.score(&candidate), candidate };
        let candidates: Vec<Scored> = candidates.into_iter().map(with_score).collect();
        let best = least(candidates.iter().enumerate()).map_or(0, |(index, _)| index);
        LayerChoice { layer, candidates, refused, best, chosen: best }
    };
    layers.into_iter().map(choice).collect()
}

fn fallback(layer: &LayerChoice, chip: &Chip) -> Option<Fallback> {
    let (best, chosen) = (&layer.candidates[layer.best], &layer.candidates[layer.chosen]);
    (layer.best != layer.chosen).then(|| Fallback {
        layer: layer.layer.clone(),
        best: best.candidate.mapping.name().to_owned(),
        chosen: chosen.candidate.mapping.name().to_owned(),
        score: chosen.score - best.score,
        arrays: best.candidate.tiles.saturating_sub(chosen.candidate.tiles) * u64::from(chip.tile.arrays),
    })
}
