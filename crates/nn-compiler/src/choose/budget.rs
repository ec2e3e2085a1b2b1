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

/// Where the best candidates take more than `available` tiles, gives the layers those of the least score in all that fit, as the smallest must.
///
/// A knapsack in whole tiles: `least[t]` is the least score of the layers so far in at most `t` tiles.
pub(super) fn fit(layers: &mut [LayerChoice], available: u64) {
    if tiles(layers) <= available {
        return;
    }
    let most = available as usize;
    let mut least = vec![0.0; most + 1];
    let mut picks = Vec::with_capacity(layers.len());
    for layer in layers.iter() {
        let within = |tiles: usize| {
            let left = |of: u64| tiles.checked_sub(of as usize).map_or(f64::INFINITY, |left| least[left]);
            let scores = layer.candidates.iter().map(|of| left(of.candidate.tiles) + of.score);
            scores
                .enumerate()
                .fold((f64::INFINITY, 0), |best, (index, score)| if score < best.0 { (score, index) } else { best })
        };
        let (scores, of_layer): (Vec<f64>, Vec<usize>) = (0..=most).map(within).unzip();
        least = scores;
        picks.push(of_layer);
    }
    let mut left = most;
    for (layer, picks) in layers.iter_mut().zip(&picks).rev() {
        layer.chosen = picks[left];
        left = left.saturating_sub(layer.chosen().tiles as usize);
    }
}
