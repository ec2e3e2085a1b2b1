//! Stages of the vector unit: pooling, additions, concatenations, tables.

use super::{FeatureMap, Window};
use serde::{Deserialize, Serialize};

/// Largest multiplier of an average or a sum: the range of a code, beyond which every code but 0 would be clipped.
pub const LARGEST_MULTIPLIER: f64 = 65_536.0;

/// One value per window and channel. Its map has the sign of its input's; maxima have its width, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Its source: 0 is the program's input, `k` the result of stage `k - 1`.
    pub input: u32,
    /// What becomes of the codes of a window.
    pub kind: PoolKind,
    /// The windows.
    pub window: Window,
    /// Tile whose vector unit does it.
    pub tile: u32,
}

impl PoolStage {
    /// Width of a value of its result, bits.
    #[must_use]
    pub fn output_bits(&self) -> u32 {
        match self.kind {
            PoolKind::Max => self.window.input.bits,
            PoolKind::Average { bits, .. } => bits,
        }
    }
}

/// What a pool stage makes of a window of codes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PoolKind {
    /// The largest code; padding does not count.
    Max,
    /// `clamp(round_half_even(sum * multiplier), lowest, highest)`, the clamps of codes of `bits` bits; padding adds 0.
    ///
    /// One window over everything is global average pooling.
    Average {
        /// Factor from sum to code: where input and result have the same scale, 1 over the number of values, or 1 if padding does not count.
        multiplier: f64,
        /// Whether the multiplier is that of every window; else it is divided by the number of pixels under a window, so that those at the border have
        /// multipliers of their own.
        count_padding: bool,
        /// Width of a value of the result, bits; of signed ones including the sign bit.
        bits: u32,
    },
}

/// `clamp(round_half_even(a * multipliers[0] + b * multipliers[1]), lowest, 2^bits - 1)` of two maps of one shape: a residual addition with
/// its requantisation and, where the lowest code is 0, its ReLU. Both products and their sum are rounded to `f64`, none is fused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Its sources: 0 is the program's input, `k` the result of stage `k - 1`.
    pub inputs: [u32; 2],
    /// What the sources hold: maps of one shape, which may differ in width and sign.
    pub maps: [FeatureMap; 2],
    /// Factors from the codes of the sources to those of the result.
    pub multipliers: [f64; 2],
    /// Width of a code of the result, without a sign bit.
    pub bits: u32,
    /// Whether the lowest code is `-(2^bits - 1)` instead of 0, the ReLU.
    pub signed: bool,
    /// Whether codes carry a sign bit: where some may be negative, and in all maps of a chip with sign-magnitude inputs.
    pub sign_bit: bool,
    /// Tile whose vector unit does it.
    pub tile: u32,
}

impl AddStage {
    /// Every pixel as a window of its own.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::square(self.maps[0], 1, 1, 0)
    }

    /// The map it writes.
    #[must_use]
    pub fn output(&self) -> FeatureMap {
        FeatureMap { bits: self.bits.saturating_add(self.sign_bit.into()), signed: self.sign_bit, ..self.maps[0] }
    }
}

/// The channels of several maps, source by source: `clamp(round_half_even(code * multiplier), lowest, 2^bits - 1)` with a multiplier per source. A
/// multiplier of 1 whose codes the result can have copies them, which takes no arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcatStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Its sources, in the order of their channels in the result: 0 is the program's input, `k` the result of stage `k - 1`.
    pub inputs: Vec<u32>,
    /// What the sources hold: maps of one height and width, which may differ in channels, width and sign.
    pub maps: Vec<FeatureMap>,
    /// Factors from the codes of the sources to those of the result.
    pub multipliers: Vec<f64>,
    /// Width of a code of the result, without a sign bit.
    pub bits: u32,
    /// Whether the lowest code is `-(2^bits - 1)` instead of 0.
    pub signed: bool,
    /// Whether codes carry a sign bit: where some may be negative, and in all maps of a chip with sign-magnitude inputs.
    pub sign_bit: bool,
    /// Tile whose vector unit does it.
    pub tile: u32,
}

impl ConcatStage {
    /// The map it writes; of no sources it is empty.
    #[must_use]
    pub fn output(&self) -> FeatureMap {
        let (height, width) = self.maps.first().map_or((0, 0), |map| (map.height, map.width));
        let channels = self.maps.iter().map(|map| map.channels).fold(0, u32::saturating_add);
        let bits = self.bits.saturating_add(self.sign_bit.into());
        FeatureMap { height, width, channels, bits, signed: self.sign_bit }
    }

    /// Every pixel of the result as a window of its own; pixels of the sources lie at the same places.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::square(self.output(), 1, 1, 0)
    }

    /// Values of a pixel that are scaled: those of sources whose multiplier is not 1. All others are copied, and clamped at most.
    #[must_use]
    pub fn scaled_channels(&self) -> u64 {
        let scaled = self.maps.iter().zip(&self.multipliers).filter(|(_, multiplier)| **multiplier != 1.0);
        scaled.map(|(map, _)| u64::from(map.channels)).sum()
    }
}

/// `table[code - lowest]` of every code of a map, where `lowest` is the lowest that the map's format has: any function of one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Its source: 0 is the program's input, `k` the result of stage `k - 1`.
    pub input: u32,
    /// What the source holds.
    pub map: FeatureMap,
    /// Width of a code of the result, without a sign bit.
    pub bits: u32,
    /// Whether the lowest code of the result is `-(2^bits - 1)` instead of 0.
    pub signed: bool,
    /// Whether codes of the result carry a sign bit: where some may be negative, and in all maps of a chip with sign-magnitude inputs.
    pub sign_bit: bool,
    /// Tile whose vector unit does it.
    pub tile: u32,
    /// A code of the result for each of the map's format, from the lowest on.
    #[serde(skip)]
    pub table: Vec<i32>,
}

impl TableStage {
    /// Every pixel as a window of its own.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::square(self.map, 1, 1, 0)
    }

    /// The map it writes.
    #[must_use]
    pub fn output(&self) -> FeatureMap {
        FeatureMap { bits: self.bits.saturating_add(self.sign_bit.into()), signed: self.sign_bit, ..self.map }
    }
}
