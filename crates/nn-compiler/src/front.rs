//! From a float graph to a network in integers: the passes that know no chip but the widths of its numbers.

use crate::encode::encodings;
use crate::error::CompileError;
use crate::fit::check_scores;
use crate::fuse::{self, fuse};
use crate::inspect::PROGRAM_PASSES;
use crate::mapping::LayerMappings;
use crate::passes::{self, GRAPH_PASSES, PassSettings};
use crate::quantise::{QuantiseSettings, Quantised, Range, quantise};
use crate::refusals::Refusals;
use chip::config::Chip;
use nn::datasets::Split;
use nn::graph::Graph;
use serde::{Deserialize, Serialize};

/// Most images of the training split on which activation ranges are found.
const IMAGES: usize = 256;

/// Multiply-accumulates that looking at calibration images may take, some seconds; networks of more than 80 million an image see fewer images.
const MACS: u64 = 20_000_000_000;

const FUSE: &str = "fuse";

/// Name of the pass behind which a network is in integers.
pub const QUANTISE: &str = "quantise";

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
            (FUSE, "activations and prescribed formats become part of the layer before them, or tables"),
            (QUANTISE, "weights and activations become integers, with ranges from calibration images"),
        ])
        .chain(PROGRAM_PASSES.iter().map(|&(name, doc, _)| (name, doc)))
        .collect()
}

/// What a network is brought into integers for.
#[derive(Clone, Copy, Debug)]
pub enum Goal<'a> {
    /// To be run in integers.
    Integers,
    /// To be compiled for the chip, by these strategies if they are chosen already.
    Chip(Option<&'a dyn LayerMappings>),
}

/// Brings a network into integers for the widths of a chip.
///
/// # Errors
/// If the network is not valid, or holds nodes that the chip has no unit for, numbers that integers do not hold, or, with a chip as the goal, layers that it cannot
/// store: all are named. Behind a node that is refused only what activations do not decide is looked at.
pub fn quantised(
    graph: &Graph,
    calibration: &Split,
    chip: &Chip,
    quantisation: &Quantisation,
    goal: Goal<'_>,
) -> Result<Quantised, CompileError> {
    let settings = PassSettings { equalise: quantisation.equalise };
    let (original, mut refusals) = (graph, Refusals::default());
    let graph = passes::run(original, &settings, &mut refusals, &mut |_, _| {})?;
    let layers = fuse(&graph, &mut refusals)?;
    let images = calibration.truncated(images_within(IMAGES, graph.mac_count()?));
    let names = (graph.name.as_str(), graph.dataset.as_str());
    let quantised = quantise(names, &layers, &widths(chip, quantisation), &images, &mut refusals)?;
    if refusals.is_empty() {
        // What only a chip cannot do is refused where the network is compiled.
        quantised.network.validate()?;
        return Ok(quantised);
    }
    if let Goal::Chip(mappings) = goal {
        layers.layers.iter().next_back().inspect(|last| check_scores((&last.name, last.shape), &mut refusals));
        mappings.map(|mappings| encodings(&quantised.network, mappings, chip, &mut refusals)).transpose()?;
    }
    refusals.check_in(original)?;
    Ok(quantised)
}

/// A network as text behind a pass that needs no calibration images, `import` to `fuse`; none of other passes. Networks that are refused later have such texts, too.
///
/// # Errors
/// If the network is not valid, or if `fuse` is asked for and nodes are refused.
pub fn dump_after(pass: &str, graph: &Graph, quantisation: &Quantisation) -> Result<Option<String>, CompileError> {
    let settings = PassSettings { equalise: quantisation.equalise };
    let (original, mut refusals, mut dumped) = (graph, Refusals::default(), None);
    let graph = passes::run(original, &settings, &mut refusals, &mut |name, graph| {
        if name == pass {
            dumped = Some(passes::dump(graph));
        }
    })?;
    if pass == FUSE {
        let layers = fuse(&graph, &mut refusals)?;
        refusals.check_in(original)?;
        dumped = Some(fuse::dump(&layers));
    }
    Ok(dumped)
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
