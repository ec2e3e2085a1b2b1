//! Pass `quantise`: layers that write codes become a network in integers.
//!
//! Weights are rounded in the scale they were made for, or in one of their range. The range of every activation is found on calibration images,
//! which need no float inference: each layer is run in integers as soon as those before it are fixed.

#[cfg(test)]
mod average_tests;
mod concat;
mod dump;
mod input;
mod layers;
mod range;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod weighted;
mod weights;

pub use dump::dump;
pub use range::{RANGES, Range};
pub use weights::quantise_weights;

use crate::error::CompileError;
use crate::front::images_within;
use crate::fuse::{Layer, LayerKind, Layers};
use crate::passes::{self, PassSettings};
use crate::refusals::Refusals;
use nn::coding::CodeFormat;
use nn::datasets::Split;
use nn::graph::Graph;
use nn::quantised::{QuantisedLayer, QuantisedNetwork};
use value::Value;

/// Name of the data set of networks that name none.
const UNKNOWN: &str = "none";

/// Calibration images on which integers are compared with the float network.
const COMPARED: usize = 8;

/// Deviation of scores beyond which integers are doubtful: little more than noise is left of them.
const FAR: f64 = 0.5;

/// How a network is quantised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantiseSettings {
    /// Width of a weight, its sign included.
    pub weight_bits: u32,
    /// Width of a code that is never negative, or that no array reads, its sign not counted.
    pub bits: u32,
    /// Width of a code that may be negative and that arrays read, its sign not counted.
    pub signed_bits: u32,
    /// Whether every output channel has a weight scale of its own, where the network does not impose one.
    pub per_channel: bool,
    /// How the range of weights is chosen, where the network does not impose a scale.
    pub weight_range: Range,
    /// How the range of activations is chosen.
    pub activation_range: Range,
}

/// A network in integers and what its results mean.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// The network.
    pub network: QuantisedNetwork,
    /// Value of one step of the scores: of the sums of a last weighted layer, or of the codes of any other.
    pub score_scale: f64,
}

impl Quantised {
    /// What makes the integers doubtful, if anything does: on the first calibration images their scores are far from those of the network `graph`.
    ///
    /// # Errors
    /// If the network is not valid, or the images are not its.
    pub fn doubt(&self, graph: &Graph, calibration: &Split) -> Result<Option<String>, CompileError> {
        let graph = passes::run(graph, &PassSettings::default(), &mut Refusals::default(), &mut |_, _| {})?;
        // A tenth of the work that ranges take.
        let images = calibration.truncated(images_within(COMPARED, graph.mac_count()?.saturating_mul(10)));
        let deviation = self.deviation(&graph, &images)?;
        let far = deviation.is_nan() || deviation > FAR;
        Ok(far.then(|| {
            format!(
                "the scores in integers are {:.0} % off those of the float network (root mean square, {} calibration images); look at the ranges of its layers \
                 (`ohmic compile --dump-after quantise`), or give more bits, --per-channel, --equalise or other calibration images",
                100.0 * deviation,
                images.len()
            )
        }))
    }

    /// How far the scores lie from those of the float network `graph`, on images: root mean square of the difference, over that of the scores.
    ///
    /// # Errors
    /// If the images are not those of the network.
    pub fn deviation(&self, graph: &Graph, images: &Split) -> Result<f64, CompileError> {
        let float = graph.forward(&images.images)?;
        let integer = self.network.infer_all(&images.images)?;
        let (mut error, mut power) = (0.0, 0.0);
        for (&score, &float) in integer.iter().flatten().zip(&float) {
            error += (score as f64 * self.score_scale - f64::from(float)).powi(2);
            power += f64::from(float).powi(2);
        }
        Ok(if error > 0.0 { (error / power).sqrt() } else { 0.0 })
    }
}

/// Quantises a network of layers. What integers cannot hold is noted in `refusals`; if there are any, also earlier ones, the result holds the integer weights of
/// all layers, but is no network that could be run.
///
/// # Errors
/// If there are no calibration images of its shape, or it has no layers.
pub(crate) fn quantise(
    (name, dataset): (&str, &str),
    layers: &Layers,
    settings: &QuantiseSettings,
    calibration: &Split,
    refusals: &mut Refusals,
) -> Result<Quantised, CompileError> {
    check(layers, calibration)?;
    let mut pass = Pass::new((name, dataset), layers, settings, calibration, refusals);
    for index in 0..layers.layers.len() {
        pass.layer(index);
    }
    let score_scale = pass.values.last().map_or(1.0, |value| value.scale);
    Ok(Quantised { network: pass.network, score_scale })
}

fn check(layers: &Layers, calibration: &Split) -> Result<(), CompileError> {
    if calibration.is_empty() || calibration.features != layers.input.len() {
        let (count, features) = (calibration.len(), calibration.features);
        let what = format!("calibration takes images of {}; given are {count} of {features} values", layers.input);
        return Err(CompileError::layer("input", what));
    }
    if layers.layers.is_empty() {
        return Err(CompileError::layer("input", "the network has no layer that a chip computes"));
    }
    Ok(())
}

struct Pass<'a> {
    settings: &'a QuantiseSettings,
    layers: &'a Layers,
    network: QuantisedNetwork,
    /// The sources of `layers` so far.
    values: Vec<Value>,
    /// For every source whether an array reads it, maybe through pooling.
    feeds_arrays: Vec<bool>,
    /// For every source the last layer that reads it.
    last_reader: Vec<usize>,
    /// For every source whether its values are known: nothing is refused of it and of what it is computed from.
    known: Vec<bool>,
    refusals: &'a mut Refusals,
}

impl<'a> Pass<'a> {
    fn new(
        (name, dataset): (&str, &str),
        layers: &'a Layers,
        settings: &'a QuantiseSettings,
        calibration: &Split,
        refusals: &'a mut Refusals,
    ) -> Self {
        let feeds_arrays = feeds_arrays(layers);
        let known = dataset != UNKNOWN;
        let (coding, scale) = input::coding(layers, settings, feeds_arrays[0], (known, calibration));
        let image =
            |index: usize| coding.codes(layers.input, calibration.image(index)).into_iter().map(i64::from).collect();
        let maps = (0..calibration.len()).map(image).collect();
        let input = Value { source: 0, scale, format: coding.format, maps };
        let mut last_reader = vec![0; layers.layers.len() + 1];
        let mut known: Vec<bool> = layers.refused.iter().map(|refused| !refused).collect();
        for (index, layer) in layers.layers.iter().enumerate() {
            layer.inputs.iter().for_each(|&source| last_reader[source] = index);
            known[index + 1] &= layer.inputs.iter().all(|&source| known[source]);
        }
        let network = QuantisedNetwork {
            name: name.to_owned(),
            dataset: dataset.to_owned(),
            input: layers.input,
            coding,
            layers: Vec::new(),
        };
        Self { settings, layers, network, values: vec![input], feeds_arrays, last_reader, known, refusals }
    }

    fn layer(&mut self, index: usize) {
        let layer = &self.layers.layers[index];
        let readable = layer.inputs.iter().all(|&source| self.known[source]);
        let value = match &layer.kind {
            LayerKind::Weighted(weighted) if !readable => self.weights_alone(layer, weighted),
            LayerKind::Refused => Value::unknown(),
            _ if !readable => Value::unknown(),
            LayerKind::Weighted(weighted) => self.weighted(index, layer, weighted),
            LayerKind::MaxPool(window) => self.max_pool(layer, *window),
            LayerKind::AveragePool { window, count_padding } => {
                self.average_pool(index, layer, (*window, *count_padding))
            }
            LayerKind::Add => self.add(index, layer),
            LayerKind::Concat => self.concat(index, layer),
            LayerKind::Table(function) => self.table(index, layer, *function),
        };
        self.values.push(value);
        for source in &layer.inputs {
            if self.last_reader[*source] == index {
                self.values[*source].maps = Vec::new();
            }
        }
    }

    /// Appends a quantised layer; returns its source.
    fn push(&mut self, layer: QuantisedLayer) -> usize {
        self.network.layers.push(layer);
        self.network.layers.len()
    }

    /// The source of a layer that has only one.
    fn input(&self, layer: &Layer) -> &Value {
        &self.values[layer.inputs[0]]
    }

    /// The codes of the result of layer `index`.
    fn format(&self, index: usize, signed: bool) -> CodeFormat {
        let narrow = signed && self.feeds_arrays[index + 1];
        CodeFormat { bits: if narrow { self.settings.signed_bits } else { self.settings.bits }, signed }
    }
}

/// Which sources arrays read, maybe through pooling, which passes codes on.
fn feeds_arrays(layers: &Layers) -> Vec<bool> {
    let mut feeds = vec![false; layers.layers.len() + 1];
    for (index, layer) in layers.layers.iter().enumerate().rev() {
        let passes = match layer.kind {
            LayerKind::Weighted(_) => true,
            LayerKind::MaxPool(_) | LayerKind::AveragePool { .. } => feeds[index + 1],
            LayerKind::Add | LayerKind::Concat | LayerKind::Table(_) | LayerKind::Refused => false,
        };
        layer.inputs.iter().for_each(|&source| feeds[source] |= passes);
    }
    feeds
}
