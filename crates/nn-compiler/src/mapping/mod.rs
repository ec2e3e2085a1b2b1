//! Mapping strategies: how a signed integer weight becomes cells. One file a strategy.
//!
//! To add a strategy: write its file with a unit struct that implements [`MappingStrategy`] and add a line to [`MAPPINGS`]; the command
//! line, the comparison, the documentation tests and the round-trip tests walk that list.

mod differential;
mod encoding;
mod isaac;
mod offset;

pub use encoding::{Encoding, Form};

/// What a strategy may look at when it fixes the encoding of a layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerStatistics<'a> {
    /// Width of a weight.
    pub weight_bits: u32,
    /// Bits per cell.
    pub cell_bits: u32,
    /// How often each weight value occurs: entry `i` counts `i - (2^(weight_bits-1) - 1)`.
    pub histogram: &'a [u64],
    /// Mean square error of each level, in squared level spacings.
    pub squared_errors: &'a [f64],
}

/// A way to store signed weights in cells.
pub trait MappingStrategy: Sync {
    /// Name, kebab-case.
    fn name(&self) -> &'static str;

    /// One line for lists.
    fn doc(&self) -> &'static str;

    /// Where it comes from.
    fn source(&self) -> &'static str;

    /// The encoding of one layer.
    fn encoding(&self, layer: &LayerStatistics<'_>) -> Encoding;
}

/// Every mapping strategy, in the order in which tables list them.
pub const MAPPINGS: &[&dyn MappingStrategy] = &[&isaac::Isaac, &offset::Offset, &differential::Differential];

/// The strategy of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn MappingStrategy> {
    MAPPINGS.iter().copied().find(|mapping| mapping.name() == name)
}

/// Largest weight of a symmetric format.
#[must_use]
pub fn largest_weight(weight_bits: u32) -> i32 {
    (1 << (weight_bits - 1)) - 1
}

/// How often each weight value occurs, as [`LayerStatistics::histogram`] wants it.
#[must_use]
pub fn histogram(weights: &[i32], weight_bits: u32) -> Vec<u64> {
    let largest = largest_weight(weight_bits);
    let mut counts = vec![0; (2 * largest + 1) as usize];
    for &weight in weights {
        counts[(weight.clamp(-largest, largest) + largest) as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARED_ERRORS: [f64; 4] = [0.0004, 0.0036, 0.09, 0.01];

    fn statistics<'a>(
        weight_bits: u32,
        cell_bits: u32,
        histogram: &'a [u64],
        errors: &'a [f64],
    ) -> LayerStatistics<'a> {
        LayerStatistics { weight_bits, cell_bits, histogram, squared_errors: errors }
    }

    #[test]
    fn the_list_has_unique_kebab_case_names_and_sources() {
        for (index, mapping) in MAPPINGS.iter().enumerate() {
            assert!(mapping.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", mapping.name());
            assert!(!mapping.doc().is_empty() && !mapping.source().is_empty());
            assert!(MAPPINGS[..index].iter().all(|other| other.name() != mapping.name()));
            assert_eq!(by_name(mapping.name()).map(MappingStrategy::name), Some(mapping.name()));
        }
    }

    /// Every weight, strategy, weight width and cell width; without errors no strategy clips.
    #[test]
    fn encode_then_decode_is_the_identity() {
        for mapping in MAPPINGS {
            for weight_bits in 2..=10 {
                for cell_bits in 1..=weight_bits.min(4) {
                    let flat = vec![1; (2 * largest_weight(weight_bits) + 1) as usize];
                    let encoding =
                        mapping.encoding(&statistics(weight_bits, cell_bits, &flat, &vec![0.0; 1 << cell_bits]));
                    let largest = largest_weight(weight_bits);
                    for weight in -largest..=largest {
                        assert_eq!(encoding.clip(weight), weight, "{} {weight_bits} {cell_bits}", mapping.name());
                        assert_eq!(
                            encoding.decode(|slice, polarity| encoding.level(weight, slice, polarity)),
                            i64::from(weight)
                        );
                        for slice in 0..encoding.slices() {
                            assert!(encoding.level(weight, slice, 0) < 1 << cell_bits);
                        }
                    }
                }
            }
        }
    }

    /// The encodings' own formula against the variance of the decoded value when each cell errs independently.
    #[test]
    fn the_error_variance_is_that_of_the_decoded_weight() {
        let flat = vec![1; 255];
        for mapping in MAPPINGS {
            let encoding = mapping.encoding(&statistics(8, 2, &flat, &SQUARED_ERRORS));
            for weight in [-127, -64, -1, 0, 1, 63, 64, 127].map(|w| encoding.clip(w)) {
                let exact = |s, p| f64::from(encoding.level(weight, s, p));
                let base = encoding.decode_analog(exact);
                let mut variance = 0.0;
                for slice in 0..encoding.slices() {
                    for polarity in 0..encoding.polarities() {
                        let moved = |s, p| exact(s, p) + if (s, p) == (slice, polarity) { 1.0 } else { 0.0 };
                        let sensitivity = encoding.decode_analog(moved) - base;
                        variance +=
                            sensitivity.powi(2) * SQUARED_ERRORS[usize::from(encoding.level(weight, slice, polarity))];
                    }
                }
                assert!((variance - encoding.error_variance(weight, &SQUARED_ERRORS)).abs() < 1e-9 * variance);
            }
        }
    }

    #[test]
    fn zero_sits_in_the_worst_state_of_the_isaac_encoding_and_the_search_avoids_it() {
        // Weights around zero, as training leaves them.
        let near_zero: Vec<u64> = (-127_i32..=127).map(|w| if w.abs() <= 16 { 10 } else { 0 }).collect();
        let layer = statistics(8, 2, &near_zero, &SQUARED_ERRORS);
        let isaac = by_name("isaac").unwrap().encoding(&layer);
        assert_eq!((0..4).map(|slice| isaac.level(0, slice, 0)).collect::<Vec<_>>(), [0, 0, 0, 2]);
        let searched = by_name("offset").unwrap().encoding(&layer);
        assert!(searched.error_variance(0, &SQUARED_ERRORS) < isaac.error_variance(0, &SQUARED_ERRORS) / 5.0);
        assert_eq!(searched.clip(-8), -8);
    }
}
