//! Weighted layers in integers.

use super::Pass;
use super::value::{Value, holding};
use super::weights::integer_weights;
use crate::fuse::{After, Format, Layer, Weighted};
use nn::coding::CodeFormat;
use nn::quantised::{MAX_BIAS, MvmOutput, QuantisedLayer, QuantisedMvm};

/// The accumulators of all calibration images, `[image][output][position]`, in their units: the value of a step is `ratios[output] * unit`.
struct Accumulated {
    maps: Vec<Vec<i64>>,
    /// Step of each output over the largest one.
    ratios: Vec<f64>,
    unit: f64,
}

impl Pass<'_> {
    pub(super) fn weighted(&mut self, index: usize, layer: &Layer, weighted: &Weighted) -> Value {
        let input = self.input(layer);
        let (source, input_scale) = (input.source, input.scale);
        let (outputs, last) = (weighted.bias.len(), index + 1 == self.layers.layers.len());
        let integers = integer_weights(&weighted.weight, outputs, &weighted.scale, last, self.settings);
        let bias = |(bias, scale): (&f32, &f32)| {
            let step = f64::from(*scale) * input_scale;
            ((f64::from(*bias) / step).round_ties_even() as i64).clamp(-MAX_BIAS, MAX_BIAS)
        };
        let mut mvm = QuantisedMvm {
            name: layer.name.clone(),
            input: source,
            window: weighted.window,
            groups: weighted.groups,
            weights: integers.weights,
            outputs,
            weight_bits: self.settings.weight_bits,
            weight_offset: weighted.offset,
            bias: weighted.bias.iter().zip(&integers.scales).map(bias).collect(),
            output: MvmOutput::Scores,
        };
        let unit = integers.scales.iter().copied().fold(0.0, f32::max);
        let accumulated = Accumulated {
            maps: mvm.accumulate_all(&input.maps),
            ratios: integers.scales.iter().map(|&scale| f64::from(scale) / f64::from(unit)).collect(),
            unit: f64::from(unit),
        };
        if last {
            let source = self.push(QuantisedLayer::Mvm(mvm));
            // Nothing reads scores.
            return Value { source, scale: accumulated.unit * input_scale, format: holding(0, 1), maps: Vec::new() };
        }
        let (format, multipliers, scale) = self.requantisation(index, layer.after, &accumulated, input_scale);
        mvm.output = MvmOutput::Codes { multipliers, bits: format.bits, signed: format.signed };
        let maps = accumulated.maps.iter().map(|map| mvm.requantise(map)).collect();
        let source = self.push(QuantisedLayer::Mvm(mvm));
        self.within(layer, layer.after, Value { source, scale, format, maps })
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
        if let Some(Format { step, lowest, highest }) = after.format {
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
