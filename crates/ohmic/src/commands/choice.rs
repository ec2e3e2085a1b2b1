//! What `--mapping auto` chose, as a table.

use crate::table::table;
use explore::auto::{Auto, ChoiceRow, choice_rows};
use explore::chip::config::Chip;
use explore::nn_compiler::choose::{Choice, Weights};

const HEADER: [&str; 10] =
    ["layer", "mapping", "chosen", "why", "relative\nerror", "energy\nnJ", "busy\ncycles", "arrays", "tiles", "score"];

/// `source` says whose images were looked at.
pub fn print(choice: &Choice, (auto, source): (&Auto, &str), chip: &Chip) {
    say!("{}", table(&HEADER, 4, choice_rows(choice, chip).iter().map(row)));
    let Weights { error, energy, latency } = auto.weights;
    say!(
        "relative error: expected mean square error of the outputs' sums over their variance, over outputs, windows and {} {source} together; energy, cost table {}, and busy cycles: of an \
         image, one copy of the layer.\nscore: mean of the three over their least sums over the layers, weights {error}, {energy} and {latency}; {:.3} in all, 1 is the \
         best in everything",
        choice.images,
        chip.costs.name,
        choice.score()
    );
    super::warn(choice.doubt().into_iter().collect());
}

fn row(row: &ChoiceRow) -> Vec<String> {
    let missing = || "-".to_owned();
    let count = |number: Option<u64>| number.map_or_else(missing, |number| number.to_string());
    vec![
        row.layer.clone(),
        row.mapping.clone(),
        if row.chosen { "yes" } else { "" }.to_owned(),
        row.why.clone(),
        row.relative_error.map_or_else(missing, |error| format!("{error:.2e}")),
        row.energy_j.map_or_else(missing, |energy_j| format!("{:.3}", 1e9 * energy_j)),
        count(row.latency_cycles),
        count(row.arrays),
        count(row.tiles),
        row.score.map_or_else(missing, |score| format!("{score:.4}")),
    ]
}
