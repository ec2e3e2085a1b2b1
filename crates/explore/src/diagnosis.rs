//! Warnings about converters that make a result suspicious.

use crate::evaluate::Evaluation;
use chip::functional::ConverterUse;
use std::collections::BTreeMap;

/// Share of clipped conversions above which a converter gets a warning.
const MOST_CLIPPED: f64 = 0.01;

/// Share of used codes below which a converter gets a warning.
const FEWEST_CODES: f64 = 0.25;

/// Slices that a warning lists.
const MOST_LISTED: usize = 4;

/// Error of the solved wires above which there is a warning, level spacings.
const LARGEST_WIRE_ERROR: f64 = 0.01;

/// The worst that was seen of one slice.
#[derive(Clone, Copy, Debug, Default)]
struct Worst {
    /// Largest share of clipped conversions.
    clipped: f64,
    /// Widest span of codes.
    used: u64,
    available: u64,
}

/// One line for every layer with converters that clip more than 1 % of their conversions or use under a quarter of their codes; what
/// counts is the worst of all the uses of a layer and slice that are given.
#[must_use]
pub fn converter_warnings<'a>(uses: impl Iterator<Item = &'a ConverterUse>) -> Vec<String> {
    let mut layers: BTreeMap<&str, BTreeMap<usize, Worst>> = BTreeMap::new();
    for converter in uses {
        let (clipped, used) = (converter.clipped_share(), converter.used_codes());
        let worst = layers.entry(&converter.stage).or_default().entry(converter.slice).or_default();
        worst.clipped = worst.clipped.max(clipped);
        worst.used = worst.used.max(used);
        worst.available = converter.available_codes;
    }
    layers.iter().flat_map(|(layer, slices)| layer_warnings(layer, slices)).collect()
}

/// What else makes an evaluation suspicious.
#[must_use]
pub fn evaluation_warnings(evaluation: &Evaluation) -> Vec<String> {
    let mut warnings = Vec::new();
    let slices: u64 = evaluation.converters.iter().map(|converter| converter.saturated).sum();
    if slices + evaluation.saturated_outputs > 0 {
        warnings.push(format!(
            "accumulators saturated {slices} times behind converters and {} times in output sums; widen \
             tile.digital.accumulator_bits",
            evaluation.saturated_outputs
        ));
    }
    if evaluation.wire_error_bound > LARGEST_WIRE_ERROR {
        warnings.push(format!(
            "the currents behind the wires are known to {:.1e} level spacings only; lower tile.wires.tolerance",
            evaluation.wire_error_bound
        ));
    }
    warnings
}

fn layer_warnings(layer: &str, slices: &BTreeMap<usize, Worst>) -> Vec<String> {
    let list = |wanted: &dyn Fn(&Worst) -> Option<String>| {
        let found = slices.iter().filter_map(|(slice, seen)| Some(format!("slice {slice}: {}", wanted(seen)?)));
        let found: Vec<String> = found.collect();
        let more = found.len().saturating_sub(MOST_LISTED);
        let shown = found[..found.len() - more].join(", ");
        if more > 0 { format!("{shown}, and {more} more slices") } else { shown }
    };
    let clipping = list(&|worst| (worst.clipped > MOST_CLIPPED).then(|| format!("{:.1} %", 100.0 * worst.clipped)));
    let unused = list(&|worst| {
        // No codes are those of a converter that does not quantise.
        let few = worst.available > 0 && (worst.used as f64) < FEWEST_CODES * worst.available as f64;
        few.then(|| format!("{} of {}", worst.used, worst.available))
    });
    let mut warnings = Vec::new();
    if !clipping.is_empty() {
        warnings.push(format!(
            "layer `{layer}`: the ADC clips more than 1 % of its conversions ({clipping}); widen tile.adc.range"
        ));
    }
    if !unused.is_empty() {
        warnings.push(format!("layer `{layer}`: the ADC uses under a quarter of its codes ({unused})"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converter(slice: usize, clipped: u64, codes: (i64, i64)) -> ConverterUse {
        ConverterUse { conversions: 1000, clipped, codes: Some(codes), ..ConverterUse::unused("fc1", slice, 256) }
    }

    #[test]
    fn thresholds_are_one_per_cent_and_a_quarter() {
        let good = [converter(0, 10, (0, 63)), converter(1, 0, (0, 255))];
        assert!(converter_warnings(good.iter()).is_empty());
        let bad = [converter(0, 11, (0, 63)), converter(1, 0, (0, 62)), converter(1, 0, (5, 60))];
        let warnings = converter_warnings(bad.iter());
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("slice 0: 1.1 %") && warnings[1].contains("slice 1: 63 of 256"));
    }
}
