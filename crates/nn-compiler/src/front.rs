//! From a float graph to a network in integers: the passes that know no chip but the widths of its numbers.

use crate::error::CompileError;
use crate::fuse::{self, fuse};
use crate::inspect::PROGRAM_PASSES;
use crate::passes::{self, GRAPH_PASSES, PassSettings};
use crate::quantise::{self, QuantiseSettings, Quantised, Range, quantise};
use crate::refusals::Refusals;
use chip::config::Chip;
use nn::datasets::Split;
use nn::graph::Graph;
use serde::{Deserialize, Serialize};

/// Most images of the training split on which activation ranges are found.
const IMAGES: usize = 256;

/// Multiply-accumulates that looking at calibration images may take, some seconds; networks of more than 80 million an image see fewer images.
const MACS: u64 = 20_000_000_000;

/// How weights and activations become integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quantisation {
    /// Whether the weight ranges of neighbouring layers are made equal first.
    pub equalise: bool,
    /// Whether every output channel has a weight scale of its own.
    pub per_channel: bool,
    /// How the range of weights is chosen.
    pub weight_range: Range,
    /// How the range of activations is chosen.
    pub activation_range: Range,
}

/// Names of the passes behind which a network or its program can be looked at, with what they do, in their order.
#[must_use]
pub fn passes() -> Vec<(&'static str, &'static str)> {
    let graph = GRAPH_PASSES.iter().map(|pass| (pass.name(), pass.doc()));
    std::iter::once(("import", "the network as it was read"))
        .chain(graph)
        .chain([
            ("fuse", "activations and prescribed formats become part of the layer before them, or tables"),
            ("quantise", "weights and activations become integers, with ranges from calibration images"),
        ])
        .chain(PROGRAM_PASSES.iter().map(|&(name, doc, _)| (name, doc)))
        .collect()
}

/// Brings a network into integers for the widths of a chip. `observe` is shown the name of every pass and what writes out the network behind it.
///
/// # Errors
/// If the network is not valid, or holds nodes that the chip has no unit for, which are all named.
pub fn quantised(
    graph: &Graph,
    calibration: &Split,
    chip: &Chip,
    quantisation: &Quantisation,
    observe: &mut dyn FnMut(&str, &dyn Fn() -> String),
) -> Result<Quantised, CompileError> {
    let settings = PassSettings { equalise: quantisation.equalise };
    let (original, mut refusals) = (graph, Refusals::default());
    let graph = passes::run(original, &settings, &mut refusals, &mut |name, graph| {
        observe(name, &|| passes::dump(graph));
    })?;
    let layers = fuse(&graph, &mut refusals)?;
    refusals.check_in(original)?;
    observe("fuse", &|| fuse::dump(&layers));
    let images = calibration.truncated(images_within(IMAGES, graph.mac_count()?));
    let quantised = quantise(&graph.name, &graph.dataset, &layers, &widths(chip, quantisation), &images)?;
    observe("quantise", &|| quantise::dump(&quantised));
    Ok(quantised)
}

/// Images that are looked at: `most`, or as many as the work allows for a network of so many multiply-accumulates, but one.
pub(crate) fn images_within(most: usize, macs: u64) -> usize {
    most.min((MACS / macs.max(1)).max(1) as usize)
}

/// The widths of a chip's numbers.
fn widths(chip: &Chip, quantisation: &Quantisation) -> QuantiseSettings {
    let bits = chip.magnitude_bits();
    // An unsigned DAC drives a signed code with an offset, which takes a bit of its width.
    let signed_bits = if chip.signed_inputs() { bits } else { bits.saturating_sub(1).max(1) };
    let Quantisation { per_channel, weight_range, activation_range, .. } = *quantisation;
    QuantiseSettings {
        weight_bits: chip.format.weight_bits,
        bits,
        signed_bits,
        per_channel,
        weight_range,
        activation_range,
    }
}
