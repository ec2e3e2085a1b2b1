//! Stages of the vector unit: pooling and the addition of two maps.

use super::{FeatureMap, Window};
use serde::{Deserialize, Serialize};

/// Largest multiplier of an average or a sum: the range of a code, beyond which every code but 0 would be clipped.
pub const LARGEST_MULTIPLIER: f64 = 65_536.0;

/// One value per window and channel. Its map has the width and the sign of its input's.
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

/// What a pool stage makes of a window of codes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PoolKind {
    /// The largest code; padding does not count.
    Max,
    /// `clamp(round_half_even(sum * multiplier), lowest, highest)`, the clamps of the input map's codes; padding adds 0.
    ///
    /// One window over everything is global average pooling.
    Average {
        /// Factor from sum to code: 1 over the number of values, where input and result have the same scale.
        multiplier: f64,
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
