//! The candidates of every layer as rows: what is expected of each, and why it was chosen or not.

use chip::config::Chip;
use nn_compiler::choose::{Choice, LayerChoice, Scored};
use serde::Serialize;

/// A candidate of a layer: what is expected of it and what became of it. Numbers are missing where the layer cannot have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChoiceRow {
    /// Name of the layer.
    pub layer: String,
    /// The candidate.
    pub mapping: String,
    /// Whether the layer has it.
    pub chosen: bool,
    /// Mean square error of the outputs' sums over the variance of these sums over outputs, windows and images.
    pub relative_error: Option<f64>,
    /// Energy for an image, J, without leakage and movement between layers.
    pub energy_j: Option<f64>,
    /// Cost table that prices it.
    pub cost_table: String,
    /// Cycles for which an image keeps one copy of the layer busy.
    pub latency_cycles: Option<u64>,
    /// Cells that hold weights.
    pub cells: Option<u64>,
    /// Arrays.
    pub arrays: Option<u64>,
    /// Tiles.
    pub tiles: Option<u64>,
    /// Weighted mean of error, energy and latency, each over its least sum over the layers; the less the better.
    pub score: Option<f64>,
    /// Why it was chosen or not.
    pub why: String,
}

/// Every candidate of every layer.
#[must_use]
pub fn choice_rows(choice: &Choice, chip: &Chip) -> Vec<ChoiceRow> {
    let layer = |layer: &LayerChoice| {
        let scored = layer
            .candidates
            .iter()
            .enumerate()
            .map(|(index, scored)| row(layer, (index, scored), why(choice, layer, index), chip));
        let refused = layer.refused.iter().map(|(mapping, why)| ChoiceRow {
            layer: layer.layer.clone(),
            mapping: mapping.name().to_owned(),
            chosen: false,
            relative_error: None,
            energy_j: None,
            cost_table: chip.costs.name.clone(),
            latency_cycles: None,
            cells: None,
            arrays: None,
            tiles: None,
            score: None,
            why: format!("refused: {why}"),
        });
        scored.chain(refused).collect::<Vec<_>>()
    };
    choice.layers.iter().flat_map(layer).collect()
}

fn row(layer: &LayerChoice, (index, scored): (usize, &Scored), why: String, chip: &Chip) -> ChoiceRow {
    let candidate = &scored.candidate;
    ChoiceRow {
        layer: layer.layer.clone(),
        mapping: candidate.mapping.name().to_owned(),
        chosen: layer.is_chosen(index),
        relative_error: Some(candidate.error),
        energy_j: Some(candidate.energy_j),
        cost_table: chip.costs.name.clone(),
        latency_cycles: Some(candidate.latency_cycles),
        cells: Some(candidate.cells),
        arrays: Some(candidate.arrays),
        tiles: Some(candidate.tiles),
        score: Some(scored.score),
        why,
    }
}

fn why(choice: &Choice, layer: &LayerChoice, index: usize) -> String {
    let (needed, available) = choice.tiles;
    let fallback = choice.fallbacks.iter().find(|fallback| fallback.layer == layer.layer);
    let scored = &layer.candidates[index];
    match (layer.is_chosen(index), fallback) {
        (true, None) => "best score".to_owned(),
        (true, Some(of)) => format!(
            "fell back from {}, score +{:.4}, {} arrays saved: the best of all layers take {needed} tiles, the chip has {available}",
            of.best, of.score, of.arrays
        ),
        (false, Some(of)) if of.best == scored.candidate.mapping.name() => {
            "best score, but too large with the rest".to_owned()
        }
        (false, _) if scored.score < layer.score() => "better score, but too large with the rest".to_owned(),
        (false, _) if scored.score == layer.score() => "as good, but later in the list".to_owned(),
        (false, _) => format!("{:.3} times the chosen score", scored.score / layer.score()),
    }
}
