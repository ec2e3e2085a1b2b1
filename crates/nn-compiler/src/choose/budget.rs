//! Choices that fit the chip: layers do not share tiles, and there are only so many.

use super::LayerChoice;

/// A layer that got another mapping than the best, because not all of the best fit the chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallback {
    /// The layer.
    pub layer: String,
    /// Its best candidate.
    pub best: String,
    /// What it got.
    pub chosen: String,
    /// By how much the score is higher.
    pub score: f64,
    /// Arrays of the tiles that this saves.
    pub arrays: u64,
}

/// Tiles of the chosen candidates.
pub(super) fn tiles(layers: &[LayerChoice]) -> u64 {
    layers.iter().map(|layer| layer.chosen().tiles).sum()
}

/// Tiles of the smallest candidates.
pub(super) fn least_tiles(layers: &[LayerChoice]) -> u64 {
    layers.iter().map(|layer| layer.candidates.iter().map(|of| of.candidate.tiles).min().unwrap_or(0)).sum()
}

/// Gives layers smaller candidates until all fit `available` tiles, as the smallest must: the next one is always that of the least increase of the score per
/// tile that it saves, of equal ones the first. Where a single mapping for all layers fits and has a lower score in all, it is taken.
pub(super) fn fit(layers: &mut [LayerChoice], available: u64) {
    if tiles(layers) <= available {
        return;
    }
    while tiles(layers) > available {
        let Some((layer, candidate)) = cheapest_step(layers) else { return };
        layers[layer].chosen = candidate;
    }
    let score = |layers: &[LayerChoice]| layers.iter().map(|layer| layer.score()).sum::<f64>();
    for same in single_mappings(layers) {
        if tiles(&same) <= available && score(&same) < score(layers) {
            layers.clone_from_slice(&same);
        }
    }
}

/// The layer and its smaller candidate whose score rises least per tile saved.
fn cheapest_step(layers: &[LayerChoice]) -> Option<(usize, usize)> {
    let mut cheapest: Option<(f64, usize, usize)> = None;
    for (index, layer) in layers.iter().enumerate() {
        for (other, of) in layer.candidates.iter().enumerate() {
            let saved = layer.chosen().tiles.saturating_sub(of.candidate.tiles);
            if saved == 0 {
                continue;
            }
            let price = (of.score - layer.score()) / saved as f64;
            if cheapest.is_none_or(|(least, ..)| price < least) {
                cheapest = Some((price, index, other));
            }
        }
    }
    cheapest.map(|(_, layer, candidate)| (layer, candidate))
}

/// Every choice of one mapping for all layers that all of them can have.
fn single_mappings(layers: &[LayerChoice]) -> Vec<Vec<LayerChoice>> {
    let Some(first) = layers.first() else { return Vec::new() };
    let with = |layer: &LayerChoice, mapping: &str| {
        let chosen = layer.candidates.iter().position(|of| of.candidate.mapping.name() == mapping)?;
        Some(LayerChoice { chosen, ..layer.clone() })
    };
    let all = |mapping: &str| layers.iter().map(|layer| with(layer, mapping)).collect::<Option<Vec<_>>>();
    first.candidates.iter().filter_map(|of| all(of.candidate.mapping.name())).collect()
}
