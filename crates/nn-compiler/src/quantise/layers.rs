//! Pooling and additions in integers.

use super::Pass;
use super::value::{Value, holding};
use crate::fuse::{After, Format, Function, Layer};
use nn::coding::CodeFormat;
use nn::quantised::{MAX_MULTIPLIER, QuantisedAdd, QuantisedAveragePool, QuantisedLayer, QuantisedMaxPool};
use nn::window::Window;

impl Pass<'_> {
    pub(super) fn max_pool(&mut self, layer: &Layer, window: Window) -> Value {
        let Value { source, scale, format, ref maps } = *self.input(layer);
        let pool = QuantisedMaxPool { name: layer.name.clone(), input: source, window };
        let maps = maps.iter().map(|map| pool.reduce(map)).collect();
        Value { source: self.push(QuantisedLayer::MaxPool(pool)), scale, format, maps }
    }

    pub(super) fn average_pool(
        &mut self,
        index: usize,
        layer: &Layer,
        (window, count_padding): (Window, bool),
    ) -> Value {
        let Value { source, mut scale, format, ref maps } = *self.input(layer);
        let values = if count_padding { window.vertical.kernel * window.horizontal.kernel } else { 1 };
        let (name, multiplier) = (layer.name.clone(), 1.0 / values as f64);
        // Averages are smaller than what they are averages of, and the network may have prescribed few codes for that: they have codes of their own.
        let bits = self.format(index, format.signed).bits.max(format.bits);
        let mut pool = QuantisedAveragePool { name, input: source, window, multiplier, count_padding, bits };
        let format = CodeFormat { bits, ..format };
        let mut averages: Vec<f64> = maps.iter().flat_map(|map| pool.averages(map)).map(f64::abs).collect();
        let codes = format.codes().1 as f64;
        let range = self.settings.activation_range.of(&mut averages, codes);
        // Where all averages of the calibration images are 0 nothing is known of others, which have the range of what they are averages of.
        let finer = if range > 0.0 { (codes / range).clamp(1.0, MAX_MULTIPLIER) } else { 1.0 };
        (pool.multiplier, scale) = (pool.multiplier * finer, scale / finer);
        let maps = maps.iter().map(|map| pool.reduce(map, format.signed)).collect();
        Value { source: self.push(QuantisedLayer::AveragePool(pool)), scale, format, maps }
    }

    pub(super) fn add(&mut self, index: usize, layer: &Layer) -> Value {
        let terms = [0, 1].map(|term| &self.values[layer.inputs[term]]);
        let [first, second] = terms;
        let sums = |image: usize| {
            let values = first.maps[image].iter().zip(&second.maps[image]);
            values.map(|(&a, &b)| a as f64 * first.scale + b as f64 * second.scale)
        };
        let sums: Vec<f64> = (0..first.maps.len()).flat_map(sums).collect();
        let (format, scale) = self.scaled(index, layer.after, &sums);
        let add = QuantisedAdd {
            name: layer.name.clone(),
            inputs: terms.map(|term| term.source),
            shape: layer.shape,
            multipliers: terms.map(|term| term.scale / scale),
            bits: format.bits,
            signed: format.signed,
        };
        if let Some(multiplier) = add.multipliers.iter().find(|&&multiplier| multiplier > MAX_MULTIPLIER) {
            let problem = format!(
                "the sums of the calibration images are so small that a code would be multiplied by {multiplier}; allowed is {MAX_MULTIPLIER}"
            );
            self.refusals.push((&layer.name, "add"), problem, "calibrate with images whose terms do not cancel out");
        }
        if layer.after.format.is_some_and(|format| format.ties_to_odd) {
            self.refuse_ties(layer);
        }
        let [first, second] = [0, 1].map(|term| &self.values[layer.inputs[term]]);
        let maps = first.maps.iter().zip(&second.maps).map(|(a, b)| add.sum([a, b])).collect();
        let source = self.push(QuantisedLayer::Add(add));
        self.within(layer, layer.after, Value { source, scale, format, maps })
    }

    /// Refuses a prescribed format of which two equally near codes occur and the odd one is to be taken, as requantisation takes the even one.
    pub(super) fn refuse_ties(&mut self, layer: &Layer) {
        self.refusals.push(
            (layer.quantiser.as_deref().unwrap_or(&layer.name), "quantise"),
            "its results are rounded after an odd zero point is added, so that of two equally near codes the odd one is taken; the chip takes the even one",
            "quantise with an even zero point, or with scales that are no powers of two, where no two codes are equally near",
        );
    }

    /// The codes and the value of one for values that are requantised.
    pub(super) fn scaled(&self, index: usize, after: After, values: &[f64]) -> (CodeFormat, f64) {
        if let Some(Format { step, lowest, highest, .. }) = after.format {
            return (holding(if after.relu { 0 } else { lowest }, highest), step);
        }
        let format = self.format(index, !after.relu && values.iter().any(|&value| value < 0.0));
        let codes = format.codes().1 as f64;
        let mut magnitudes: Vec<f64> =
            values.iter().filter(|&&value| format.signed || value > 0.0).map(|value| value.abs()).collect();
        let range = self.settings.activation_range.of(&mut magnitudes, codes);
        let range = range.min(after.highest.map_or(f64::INFINITY, f64::from));
        (format, if range > 0.0 { range / codes } else { 1.0 })
    }

    /// Restricts codes to those that are prescribed, if the clamps of their format do not.
    pub(super) fn within(&mut self, layer: &Layer, after: After, value: Value) -> Value {
        let above_zero = |format: Format| Format { lowest: if after.relu { 0 } else { format.lowest }, ..format };
        match after.format.map(above_zero) {
            Some(format) if !format.fills() => {
                self.table_of(&self.free_name(&layer.name, "codes"), &value, (Function::Round(format), None), None)
            }
            _ => value,
        }
    }

    /// A name for what is added behind a layer: no layer has it.
    fn free_name(&self, layer: &str, part: &str) -> String {
        let mut name = format!("{layer}.{part}");
        while self.layers.layers.iter().any(|layer| layer.name == name) {
            name.push('_');
        }
        name
    }
}
