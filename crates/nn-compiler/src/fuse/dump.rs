//! Layers as text.

use super::{Format, Layer, LayerKind, Layers};

/// The layers as text, one a line.
#[must_use]
pub fn dump(layers: &Layers) -> String {
    let coding = match (&layers.normalisation, &layers.input_format) {
        (None, None) => "pixels",
        (Some(_), None) => "normalised pixels",
        (None, Some(_)) => "pixels in a prescribed format",
        (Some(_), Some(_)) => "normalised pixels in a prescribed format",
    };
    let mut text = format!("input %0 {} {coding}\n", layers.input);
    for (index, Layer { name, inputs, kind, after, shape, .. }) in layers.layers.iter().enumerate() {
        let sources: Vec<String> = inputs.iter().map(|source| format!("%{source}")).collect();
        let kind = match kind {
            LayerKind::Weighted(weighted) => {
                format!("weighted {} x {} in {} groups", weighted.bias.len(), weighted.window.rows(), weighted.groups)
            }
            LayerKind::MaxPool(_) => "max-pool".to_owned(),
            LayerKind::AveragePool { .. } => "average-pool".to_owned(),
            LayerKind::Add => "add".to_owned(),
            LayerKind::Concat => "concat".to_owned(),
            LayerKind::Table(function) => format!("table {function:?}"),
            LayerKind::Refused => "refused".to_owned(),
        };
        let relu = if after.relu { " relu" } else { "" };
        let highest = after.highest.map_or_else(String::new, |highest| format!(" at most {highest}"));
        let format = after.format.map_or_else(String::new, |Format { step, lowest, highest, .. }| {
            format!(" codes {lowest} to {highest} of {step}")
        });
        text += &format!("%{} {shape} = {kind} {} `{name}`{relu}{highest}{format}\n", index + 1, sources.join(" "));
    }
    text
}
