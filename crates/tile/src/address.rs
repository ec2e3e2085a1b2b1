//! Addressed randomness: every stream of random numbers has an address, and nothing is drawn in order of arrival.
//!
//! A cell's programming error depends only on (seed, chip sample, layer, slice, polarity, logical row, logical column). One generator is
//! seeded per logical row and drawn along the columns, so the value does not depend on the array size, on the number of threads or on
//! the order of evaluation; sweeps over array size, converters and mapping strategies therefore share their random numbers.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What random numbers are for; keeps the streams of different purposes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Programming errors of the chip samples that results are reported on.
    Programming = 1,
    /// Programming errors of the chip samples on which converter ranges are calibrated.
    Calibration = 2,
    /// Programming errors of the chip samples on which a training chooses checkpoints and parameters.
    Validation = 3,
    /// Initial weights.
    Initialisation = 4,
    /// Order of the training images.
    Shuffling = 5,
    /// Noise injected into weights during training.
    Injection = 6,
    /// Randomly chosen columns (the control of importance measures).
    Control = 7,
    /// Gain, offset and mismatch of the converters of a chip sample.
    Converter = 8,
    /// Thermal noise of conversions.
    AdcNoise = 9,
    /// Noise of the cell currents in a read.
    ReadNoise = 10,
    /// Random changes of training images.
    Augmentation = 11,
    /// Programming errors of the chip samples by which one of several designs is chosen.
    Selection = 12,
}

/// The generator of all addressed streams.
pub type Stream = Xoshiro256PlusPlus;

/// The hash of an address, the purpose and up to any number of indices: what a stream starts from and the key of
/// [`normal::normals`](crate::normal::normals).
#[must_use]
#[inline]
pub fn key(seed: u64, purpose: Purpose, indices: &[u64]) -> u64 {
    let start = mix(seed ^ mix(purpose as u64));
    indices.iter().fold(start, |hash, &index| mix(hash.wrapping_add(mix(index.wrapping_add(1)))))
}

/// The stream of an address.
#[must_use]
#[inline]
pub fn stream(seed: u64, purpose: Purpose, indices: &[u64]) -> Stream {
    seeded(key(seed, purpose, indices))
}

/// `Stream::seed_from_u64`, inlined: the state is four words of SplitMix64 that starts at the key, and they do not wait for each other.
#[inline]
fn seeded(key: u64) -> Stream {
    let mut seed = [0; 32];
    for (word, bytes) in (0..).zip(seed.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&mix(key.wrapping_add(WEYL.wrapping_mul(word))).to_le_bytes());
    }
    Stream::from_seed(seed)
}

/// Fills `draws` with `count` standard normal draws of a stream.
pub fn standard_normals(stream: &mut Stream, count: usize, draws: &mut Vec<f32>) {
    draws.clear();
    draws.extend((0..count).map(|_| -> f32 { StandardNormal.sample(stream) }));
}

/// Step of the Weyl sequence of SplitMix64.
const WEYL: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) after one step of its Weyl sequence; a bijection of 64-bit words.
#[inline(always)]
#[must_use]
pub fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(WEYL);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Effects on cells beside the programming error. Each has its own streams, so that switching one on or off leaves the draws of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// How a cell's conductance moves between programming and reading.
    Drift = 1,
    /// Which cells are stuck.
    Fault = 2,
    /// Further attempts of write-verify.
    Retry = 3,
}

/// The logical rows of one layer's cells in one chip sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRow {
    /// Master seed.
    pub seed: u64,
    /// What the chip sample is for.
    pub purpose: Purpose,
    /// Index of the chip sample.
    pub chip_sample: u64,
    /// Index of the layer in its network.
    pub layer: u64,
    /// Slice, 0 = least significant.
    pub slice: u64,
    /// 0 = positive, 1 = negative array of a pair.
    pub polarity: u64,
    /// Logical row: index of the input in the layer's whole matrix.
    pub row: u64,
}

impl CellRow {
    /// The stream that is drawn along the logical columns of this row.
    #[must_use]
    #[inline]
    pub fn stream(self) -> Stream {
        stream(self.seed, self.purpose, &self.indices())
    }

    /// The stream of one effect, drawn along the logical columns of this row.
    #[must_use]
    pub fn stream_of(self, effect: Effect) -> Stream {
        let [chip_sample, layer, slice, polarity, row] = self.indices();
        stream(self.seed, self.purpose, &[chip_sample, layer, slice, polarity, row, effect as u64])
    }

    /// The stream of one effect in the single cell at logical column `column`, for effects that take a varying number of draws.
    #[must_use]
    pub fn cell_stream(self, effect: Effect, column: u64) -> Stream {
        let [chip_sample, layer, slice, polarity, row] = self.indices();
        stream(self.seed, self.purpose, &[chip_sample, layer, slice, polarity, row, effect as u64, column])
    }

    #[inline]
    fn indices(self) -> [u64; 5] {
        [self.chip_sample, self.layer, self.slice, self.polarity, self.row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    const ROW: CellRow =
        CellRow { seed: 1, purpose: Purpose::Programming, chip_sample: 0, layer: 0, slice: 0, polarity: 0, row: 0 };

    #[test]
    fn every_part_of_the_address_changes_the_stream() {
        let first = |row: CellRow| row.stream().next_u64();
        let others = [
            CellRow { seed: 2, ..ROW },
            CellRow { purpose: Purpose::Validation, ..ROW },
            CellRow { chip_sample: 1, ..ROW },
            CellRow { layer: 1, ..ROW },
            CellRow { slice: 1, ..ROW },
            CellRow { polarity: 1, ..ROW },
            CellRow { row: 1, ..ROW },
        ];
        let mut words: Vec<u64> = others.iter().map(|&row| first(row)).chain([first(ROW)]).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), others.len() + 1);
    }

    #[test]
    fn every_effect_and_column_has_its_own_stream() {
        let effects = [Effect::Drift, Effect::Fault, Effect::Retry];
        let mut words: Vec<u64> = effects.iter().map(|&effect| ROW.stream_of(effect).next_u64()).collect();
        words.push(ROW.stream().next_u64());
        words.extend((0..100).map(|column| ROW.cell_stream(Effect::Retry, column).next_u64()));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn neighbouring_rows_are_uncorrelated() {
        let n = 200_000_u64;
        let draw = |row: u64| -> f64 { StandardNormal.sample(&mut CellRow { row, ..ROW }.stream()) };
        let draws: Vec<f64> = (0..n).map(draw).collect();
        let standard_error = 1.0 / (n as f64).sqrt();
        let mean = draws.iter().sum::<f64>() / n as f64;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / n as f64;
        let lag1 = draws.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n as f64;
        assert!(mean.abs() < 4.0 * standard_error, "mean {mean}");
        assert!((variance - 1.0).abs() < 4.0 * 2f64.sqrt() * standard_error, "variance {variance}");
        assert!(lag1.abs() < 4.0 * standard_error, "lag-1 correlation {lag1}");
    }

    #[test]
    fn streams_start_as_those_of_their_crate() {
        for key in (0..64).map(|bit| 1 << bit).chain([0, u64::MAX, 0x0123_4567_89ab_cdef, WEYL, WEYL.wrapping_neg()]) {
            assert_eq!(seeded(key), Stream::seed_from_u64(key), "{key:#x}");
        }
    }

    /// Results are a function of these values: a dependency that changed them would change every published number.
    #[test]
    fn golden_samples() {
        let mut stream = ROW.stream();
        let draws: Vec<f32> = (0..4).map(|_| StandardNormal.sample(&mut stream)).collect();
        assert_eq!(draws, GOLDEN);
    }
    const GOLDEN: [f32; 4] = [0.20148349, 1.3994677, 0.8543998, 1.9696592];
}
