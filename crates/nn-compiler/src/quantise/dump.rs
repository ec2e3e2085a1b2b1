//! A network in integers as text, one layer a line.

use super::Quantised;
use nn::quantised::{MvmOutput, QuantisedLayer};

/// The layers with their codes; weights are named by their range.
#[must_use]
pub fn dump(quantised: &Quantised) -> String {
    let network = &quantised.network;
    let format = network.coding.format;
    let mut text = format!("input %0 {} codes {}\n", network.input, codes(format.bits, format.signed));
    for (index, layer) in network.layers.iter().enumerate() {
        let sources: Vec<String> = layer.inputs().iter().map(|source| format!("%{source}")).collect();
        let (kind, codes) = describe(layer);
        let (name, shape) = (layer.name(), layer.output_shape());
        text += &format!("%{} {shape} = {kind} {} `{name}`{codes}\n", index + 1, sources.join(" "));
    }
    text + &format!("a step of the scores is {}\n", quantised.score_scale)
}

fn describe(layer: &QuantisedLayer) -> (String, String) {
    match layer {
        QuantisedLayer::Mvm(mvm) => {
            let lowest = mvm.weights.iter().min().copied().unwrap_or(0);
            let highest = mvm.weights.iter().max().copied().unwrap_or(0);
            let kind = format!("mvm {} x {}, weights {lowest} to {highest}", mvm.outputs, mvm.group_rows());
            let codes = match &mvm.output {
                MvmOutput::Codes { bits, signed, .. } => format!(" codes {}", codes(*bits, *signed)),
                MvmOutput::Scores => " scores".to_owned(),
            };
            (kind, codes)
        }
        QuantisedLayer::MaxPool(_) => ("max-pool".to_owned(), String::new()),
        QuantisedLayer::AveragePool(_) => ("average-pool".to_owned(), String::new()),
        QuantisedLayer::Add(add) => ("add".to_owned(), format!(" codes {}", codes(add.bits, add.signed))),
        QuantisedLayer::Concat(concat) => {
            ("concat".to_owned(), format!(" codes {}", codes(concat.bits, concat.signed)))
        }
        QuantisedLayer::Table(table) => ("table".to_owned(), format!(" codes {}", codes(table.bits, table.signed))),
    }
}

fn codes(bits: u32, signed: bool) -> String {
    let highest = (1_u64 << bits) - 1;
    if signed { format!("-{highest} to {highest}") } else { format!("0 to {highest}") }
}
