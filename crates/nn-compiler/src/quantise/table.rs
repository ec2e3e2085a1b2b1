//! Functions of single values as tables over codes.

use super::Pass;
use super::value::{Value, holding};
use crate::fuse::{Format, Function, Layer};
use nn::coding::CodeFormat;
use nn::quantised::{QuantisedLayer, QuantisedTable};

impl Pass<'_> {
    pub(super) fn table(&mut self, index: usize, layer: &Layer, function: Function) -> Value {
        let input = self.values[layer.inputs[0]].clone();
        let signed = self.format(index, true);
        self.table_of(&layer.name, &input, (function, layer.after.format), Some(signed))
    }

    /// A table of the codes of `input`: of a function whose results are rounded to a prescribed format, if there is one. `signed` is the format of
    /// results of which some are negative, if none is fixed.
    pub(super) fn table_of(
        &mut self,
        name: &str,
        input: &Value,
        (function, prescribed): (Function, Option<Format>),
        signed: Option<CodeFormat>,
    ) -> Value {
        let (lowest, highest) = input.format.codes();
        let of = |code: i64| value_of(function, code as f64 * input.scale);
        let rounded = |value| prescribed.map_or(value, |format| value_of(Function::Round(format), value));
        let results: Vec<f64> = (lowest..=highest).map(|code| rounded(of(code))).collect();
        let (format, scale) = match prescribed.map_or(function, Function::Round) {
            Function::Round(Format { step, lowest, highest, .. }) => (holding(lowest, highest), step),
            Function::Sign(step) => (holding(-1, 1), step),
            Function::Activation(_) => {
                let largest = results.iter().map(|result| result.abs()).fold(0.0, f64::max);
                let unsigned = CodeFormat { bits: self.settings.bits, signed: false };
                let format = signed.filter(|_| results.iter().any(|&result| result < 0.0)).unwrap_or(unsigned);
                (format, if largest > 0.0 { largest / format.codes().1 as f64 } else { 1.0 })
            }
        };
        let table = QuantisedTable {
            name: name.to_owned(),
            input: input.source,
            shape: self.network.shape_of(input.source),
            table: results.iter().map(|result| (result / scale).round_ties_even() as i32).collect(),
            bits: format.bits,
            signed: format.signed,
        };
        let maps = input.maps.iter().map(|map| table.look_up(map, input.format)).collect();
        Value { source: self.push(QuantisedLayer::Table(table)), scale, format, maps }
    }
}

/// A function in `f64`.
fn value_of(function: Function, value: f64) -> f64 {
    match function {
        Function::Activation(activation) => f64::from(activation.of(value as f32)),
        Function::Round(Format { step, lowest, highest, ties_to_odd }) => {
            let odd = f64::from(u8::from(ties_to_odd));
            ((value / step + odd).round_ties_even() - odd).clamp(lowest as f64, highest as f64) * step
        }
        Function::Sign(step) if value >= 0.0 => step,
        Function::Sign(step) => -step,
    }
}
