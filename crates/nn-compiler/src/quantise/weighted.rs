//! Weighted layers in integers.

use super::Pass;
use super::value::{Value, has_ties, holding};
use super::weights::integer_weights;
use crate::fuse::{After, Format, Layer, Weighted};
use crate::mapping::largest_weight;
use nn::coding::CodeFormat;
use nn::graph::WeightScale;
use nn::quantised::{MAX_BIAS, MAX_BITS, MvmOutput, QuantisedLayer, QuantisedMvm};
use tile::adc::round_half_even;

/// The accumulators of all calibration images, `[image][output][position]`, in their units: the value of a step is `ratios[output] * unit`.
struct Accumulated {
    maps: Vec<Vec<i64>>,
    /// Step of each output over the largest one.
    ratios: Vec<f64>,
    unit: f64,
}

/// Whether outputs have scales of their own, so that their sums cannot be compared.
fn is_mixed(scale: &WeightScale) -> bool {
    matches!(scale, WeightScale::Channel(scales) if scales.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()))
}

/// The largest magnitude of weights.
fn largest(weights: &[f32]) -> f32 {
    weights.iter().fold(0.0, |largest, weight| largest.max(weight.abs()))
}

impl Pass<'_> {
    pub(super) fn weighted(&mut self, index: usize, layer: &Layer, weighted: &Weighted) -> Value {
        let input_scale = self.input(layer).scale;
        let last = self.yields_scores(index) && !is_mixed(&weighted.scale);
        let (mut mvm, scales) = self.integers(layer, weighted, last);
        self.check_biases(layer, weighted, (&scales, input_scale));
        let bias = |(bias, scale): (&f32, &f32)| {
            let step = f64::from(*scale) * input_scale;
            ((f64::from(*bias) / step).round_ties_even() as i64).clamp(-MAX_BIAS, MAX_BIAS)
        };
        mvm.bias = weighted.bias.iter().zip(&scales).map(bias).collect();
        let unit = scales.iter().copied().fold(0.0, f32::max);
        let accumulated = Accumulated {
            maps: mvm.accumulate_all(&self.input(layer).maps),
            ratios: scales.iter().map(|&scale| f64::from(scale) / f64::from(unit)).collect(),
            unit: f64::from(unit),
        };
        if last {
            let source = self.push(QuantisedLayer::Mvm(mvm));
            // Nothing reads scores.
            return Value { source, scale: accumulated.unit * input_scale, format: holding(0, 1), maps: Vec::new() };
        }
        let (format, multipliers, scale) = self.requantisation(index, layer.after, &accumulated, input_scale);
        let largest = mvm.largest_sum(self.input(layer).format);
        let ties = || multipliers.iter().any(|&multiplier| has_ties(multiplier, largest));
        if layer.after.format.is_some_and(|format| format.ties_to_odd) && ties() {
            self.refuse_ties(layer);
        }
        mvm.output = MvmOutput::Codes { multipliers, bits: format.bits, signed: format.signed };
        let maps = accumulated.maps.iter().map(|map| mvm.requantise(map)).collect();
        let source = self.push(QuantisedLayer::Mvm(mvm));
        self.within(layer, layer.after, Value { source, scale, format, maps })
    }

    /// The integer weights of a layer whose source is not known, so that they can be mapped: what can be said of it without its activations.
    pub(super) fn weights_alone(&mut self, layer: &Layer, weighted: &Weighted) -> Value {
        let (mvm, _) = self.integers(layer, weighted, false);
        self.push(QuantisedLayer::Mvm(mvm));
        Value::unknown()
    }

    /// The layer with integer weights and no biases, and the value of a step of each output's weights.
    fn integers(&mut self, layer: &Layer, weighted: &Weighted, scores: bool) -> (QuantisedMvm, Vec<f32>) {
        let outputs = weighted.bias.len();
        let integers = integer_weights(&weighted.weight, outputs, &weighted.scale, scores, self.settings);
        self.check_weights(layer, weighted, &integers.scales);
        self.check_codes(layer, weighted, &integers.scales);
        let mvm = QuantisedMvm {
            name: layer.name.clone(),
            input: self.input(layer).source,
            window: weighted.window,
            groups: weighted.groups,
            weights: integers.weights,
            outputs,
            weight_bits: self.settings.weight_bits,
            weight_offset: weighted.offset,
            bias: vec![0; outputs],
            output: MvmOutput::Scores,
        };
        (mvm, integers.scales)
    }

    /// Notes what is wrong with the numbers of a layer.
    fn refuse_numbers(&mut self, layer: &Layer, problem: String, remedy: &str) {
        self.refusals.push((&layer.name, "weighted layer"), problem, remedy);
    }

    /// Refuses weights that integers do not hold: too near zero, or none among those of 1 bit.
    fn check_weights(&mut self, layer: &Layer, weighted: &Weighted, scales: &[f32]) {
        let all = largest(&weighted.weight);
        if all > 0.0 && weighted.scale == WeightScale::Free && scales.iter().all(|&scale| scale > 2.0 * all) {
            self.refuse_numbers(
                layer,
                format!("its largest weight is {all:e}, too small a number to have steps"),
                "multiply its weights, and divide those behind it",
            );
        }
        if self.settings.weight_bits == 1 && weighted.scale != WeightScale::Free && weighted.weight.contains(&0.0) {
            self.refuse_numbers(
                layer,
                "it has weights of 0 among integers that are prescribed, and weights of 1 bit are -1 and 1".to_owned(),
                "set format.weight_bits to 2 or more",
            );
        }
    }

    /// Refuses prescribed weights that reach more than a quarter beyond the codes of the chip, as asymmetric and wider ones do. Those that reach less are
    /// clipped, as rounding to these codes does: the lowest code of two's complement, and the rare large weights of networks that were not trained.
    fn check_codes(&mut self, layer: &Layer, weighted: &Weighted, scales: &[f32]) {
        let (bits, rows) = (self.settings.weight_bits, (weighted.weight.len() / scales.len().max(1)).max(1));
        let steps = weighted.weight.chunks_exact(rows).zip(scales);
        let codes = steps.flat_map(|(row, scale)| row.iter().map(move |weight| round_half_even(weight / scale)));
        let (low, high) = codes.fold((0.0_f32, 0.0_f32), |(low, high), code| (low.min(code), high.max(code)));
        let most = largest_weight(bits) as f32;
        if bits == 1 || weighted.scale == WeightScale::Free || (low >= -1.25 * most - 1.0 && high <= 1.25 * most) {
            return;
        }
        let needed = (2..=MAX_BITS).find(|&bits| largest_weight(bits) as f32 >= high.max(-low - 1.0));
        let remedy = match needed {
            Some(needed) => {
                format!("set format.weight_bits to {needed}, or quantise to signed codes of {bits} bits around 0")
            }
            None => format!("quantise to signed codes of at most {MAX_BITS} bits"),
        };
        let problem = format!(
            "its prescribed weights have the codes {low} to {high}; format.weight_bits = {bits} holds -{most} to {most}"
        );
        self.refuse_numbers(layer, problem, &remedy);
    }

    /// Refuses biases that integers do not hold: nothing is left of the weights beside them.
    fn check_biases(&mut self, layer: &Layer, weighted: &Weighted, (scales, input_scale): (&[f32], f64)) {
        let rows = (weighted.weight.len() / scales.len().max(1)).max(1);
        let beyond = |(output, (bias, scale)): (usize, (&f32, &f32))| {
            let steps = (f64::from(*bias) / (f64::from(*scale) * input_scale)).abs();
            // In front of weights that are all 0 any step will do.
            let weighs = largest(weighted.weight.get(output * rows..(output + 1) * rows).unwrap_or_default()) > 0.0;
            (steps > MAX_BIAS as f64 && weighs).then_some((output, *bias))
        };
        if let Some((output, bias)) = weighted.bias.iter().zip(scales).enumerate().find_map(beyond) {
            self.refuse_numbers(
                layer,
                format!(
                    "bias {output} is {bias:e}, more than 2^51 steps of its sums, so that its weights are nothing beside it"
                ),
                "remove that output, or train with smaller biases",
            );
        }
    }

    /// Whether the sums of a weighted layer are the scores: of the last one, if nothing becomes of them.
    fn yields_scores(&self, index: usize) -> bool {
        index + 1 == self.layers.layers.len() && self.layers.layers[index].after == After::default()
    }

    /// The codes of the result, the factor of each output and the value of a code.
    fn requantisation(
        &self,
        index: usize,
        after: After,
        accumulated: &Accumulated,
        input_scale: f64,
    ) -> (CodeFormat, Vec<f64>, f64) {
        let Accumulated { maps, ratios, unit } = accumulated;
        if let Some(Format { step, lowest, highest, .. }) = after.format {
            let format = holding(if after.relu { 0 } else { lowest }, highest);
            return (format, ratios.iter().map(|ratio| ratio * (unit * input_scale / step)).collect(), step);
        }
        let lowest = maps.iter().flatten().copied().min().unwrap_or(0);
        let format = self.format(index, !after.relu && lowest < 0);
        let codes = format.codes().1 as f64;
        let range = self.range_of(accumulated, format, codes);
        // At least one accumulator step per code: accumulators are whole numbers, and a layer whose outputs are all 0 must not shrink
        // the scale of everything behind it.
        let highest = after.highest.map_or(f64::INFINITY, |highest| f64::from(highest) / (unit * input_scale));
        let range = range.min(highest).max(codes.min(highest));
        (format, ratios.iter().map(|ratio| ratio * (codes / range)).collect(), input_scale * (unit * range / codes))
    }

    /// The range of the accumulators in steps of the largest unit.
    fn range_of(&self, accumulated: &Accumulated, format: CodeFormat, codes: f64) -> f64 {
        let mut magnitudes = Vec::new();
        for map in &accumulated.maps {
            let positions = (map.len() / accumulated.ratios.len().max(1)).max(1);
            for (map, ratio) in map.chunks_exact(positions).zip(&accumulated.ratios) {
                let seen = map.iter().filter(|&&value| format.signed || value > 0);
                magnitudes.extend(seen.map(|&value| (value as f64 * ratio).abs()));
            }
        }
        self.settings.activation_range.of(&mut magnitudes, codes)
    }
}
