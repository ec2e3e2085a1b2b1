//! Concatenations in integers.

use super::Pass;
use super::value::{Value, has_ties};
use crate::fuse::Layer;
use nn::quantised::{QuantisedConcat, QuantisedLayer};

impl Pass<'_> {
    pub(super) fn concat(&mut self, index: usize, layer: &Layer) -> Value {
        let parts: Vec<&Value> = layer.inputs.iter().map(|&input| &self.values[input]).collect();
        let values = parts.iter().flat_map(|part| part.maps.iter().flatten().map(|&code| code as f64 * part.scale));
        let values: Vec<f64> = values.collect();
        let (format, scale) = self.scaled(index, layer.after, &values);
        let concat = QuantisedConcat {
            name: layer.name.clone(),
            inputs: parts.iter().map(|part| part.source).collect(),
            shapes: layer.inputs.iter().map(|&input| self.network.shape_of(self.values[input].source)).collect(),
            multipliers: parts.iter().map(|part| part.scale / scale).collect(),
            bits: format.bits,
            signed: format.signed,
        };
        let tied = layer.after.format.is_some_and(|format| format.ties_to_odd)
            && parts.iter().zip(&concat.multipliers).any(|(part, &factor)| has_ties(factor, part.format.codes().1));
        let images = parts.first().map_or(0, |part| part.maps.len());
        let joined = |image: usize| {
            let maps: Vec<&[i64]> = parts.iter().map(|part| part.maps[image].as_slice()).collect();
            concat.join(&maps)
        };
        let maps = (0..images).map(joined).collect();
        if tied {
            self.refuse_ties(layer);
        }
        let source = self.push(QuantisedLayer::Concat(concat));
        self.within(layer, layer.after, Value { source, scale, format, maps })
    }
}
