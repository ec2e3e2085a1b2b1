//! The program: what the compiler hands to the chip.
//!
//! A program is a chain of stages. An MVM stage multiplies windows of its input feature map by a matrix that is stored as levels in
//! placed crossbars; a pool stage takes maxima. Feature maps are pixel-major (row, column, channel), because pixels stream.

mod files;
mod traffic;
mod validate;
mod window;

pub use files::{ProgramError, load, save};
pub use window::{FeatureMap, Window};

use crate::config::Chip;
use serde::{Deserialize, Serialize};
use tile::adc::AdcTransfer;

/// A compiled network with the chip it was compiled for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Name of the network.
    pub network: String,
    /// Data set of the network.
    pub dataset: String,
    /// Method the weights were trained with.
    pub training: String,
    /// Mapping strategy.
    pub mapping: String,
    /// Accuracy of the network on the test images in software (integer arithmetic), 0..=1.
    pub software_accuracy: f64,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// The chip, with all presets resolved.
    pub chip: Chip,
    /// The input feature map.
    pub input: FeatureMap,
    /// The stages, first to last.
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// Matrix-vector products in crossbars.
    Mvm(MvmStage),
    /// Maxima of codes in the vector unit.
    Pool(PoolStage),
}

/// Matrix-vector products over windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MvmStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Where the input vectors come from.
    pub window: Window,
    /// Number of outputs, the channels of the result.
    pub outputs: u32,
    /// Arrays that are subtracted from each other: 1 single-ended, 2 a pair.
    pub polarities: u32,
    /// Digital offset of the encoding: `offset * sum(inputs)` is subtracted from every output.
    pub offset: i64,
    /// Weights that the encoding had to clip.
    pub clipped_weights: u64,
    /// Slices, least significant first.
    pub slices: Vec<Slice>,
    /// What becomes of the outputs.
    pub output: Output,
    /// The placed crossbars.
    pub crossbars: Vec<PlacedCrossbar>,
    /// Digital bias, one per output.
    #[serde(skip)]
    pub bias: Vec<i64>,
}

/// One slice of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Weight of one level of this slice.
    pub significance: i64,
    /// The converter of its columns.
    pub adc: AdcTransfer,
}

/// What becomes of the outputs of an MVM stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Output {
    /// `clamp(round_half_even(sum * multiplier), 0, 2^bits - 1)`: requantisation and ReLU in one.
    Codes {
        /// Factor from sum to code.
        multiplier: f64,
        /// Width of the code.
        bits: u32,
    },
    /// The sums themselves, as 32-bit words.
    Scores {},
}

impl Output {
    /// Width of one output value, bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Codes { bits, .. } => bits,
            Self::Scores {} => SUM_BITS,
        }
    }
}

/// Width of an accumulator on buses and links, bits.
pub const SUM_BITS: u32 = 32;

/// One crossbar (or subtracting pair) in its place. Column `output * slices + slice` holds one slice of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedCrossbar {
    /// Tile, numbered row by row over the mesh.
    pub tile: u32,
    /// First physical array in the tile; a pair takes two.
    pub array: u32,
    /// Converter bank, numbered within the stage.
    pub bank: u32,
    /// First logical row.
    pub row_start: u32,
    /// Number of rows.
    pub rows: u32,
    /// First output.
    pub output_start: u32,
    /// Number of outputs.
    pub outputs: u32,
    /// Levels, `rows x (outputs * slices)` row-major, one matrix per polarity.
    #[serde(skip)]
    pub levels: Vec<Vec<u8>>,
}

/// Maxima over windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolStage {
    /// Name of the layer it came from.
    pub name: String,
    /// The windows.
    pub window: Window,
    /// Tile whose vector unit does it.
    pub tile: u32,
}

impl Stage {
    /// Name of the stage.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mvm(stage) => &stage.name,
            Self::Pool(stage) => &stage.name,
        }
    }

    /// Where its inputs come from.
    #[must_use]
    pub fn window(&self) -> &Window {
        match self {
            Self::Mvm(stage) => &stage.window,
            Self::Pool(stage) => &stage.window,
        }
    }

    /// The feature map it writes.
    #[must_use]
    pub fn output(&self) -> FeatureMap {
        let window = self.window();
        let (channels, bits) = match self {
            Self::Mvm(stage) => (stage.outputs, stage.output.bits()),
            Self::Pool(stage) => (stage.window.input.channels, stage.window.input.bits),
        };
        FeatureMap { height: window.out_height(), width: window.out_width(), channels, bits }
    }

    /// The tile that writes its results.
    #[must_use]
    pub fn home_tile(&self) -> u32 {
        match self {
            Self::Mvm(stage) => stage.crossbars.first().map_or(0, |crossbar| crossbar.tile),
            Self::Pool(stage) => stage.tile,
        }
    }
}

impl MvmStage {
    /// Columns of a crossbar that are in use.
    #[must_use]
    pub fn columns(&self, crossbar: &PlacedCrossbar) -> u64 {
        u64::from(crossbar.outputs) * self.slices.len() as u64
    }

    /// Row partitions: crossbars that share the first output.
    #[must_use]
    pub fn row_partitions(&self) -> u64 {
        self.crossbars.iter().filter(|crossbar| crossbar.output_start == 0).count() as u64
    }

    /// Whether every converter step is a power of two, so that slices are scaled by shifts.
    #[must_use]
    pub fn steps_are_shifts(&self) -> bool {
        // A power of two has an all-zero mantissa.
        self.slices.iter().all(|slice| slice.adc.step.to_bits() & ((1 << 52) - 1) == 0)
    }

    /// Tiles of the stage, ascending, each once.
    #[must_use]
    pub fn tiles(&self) -> Vec<u32> {
        let mut tiles: Vec<u32> = self.crossbars.iter().map(|crossbar| crossbar.tile).collect();
        tiles.sort_unstable();
        tiles.dedup();
        tiles
    }

    /// Crossbars of each bank, in the order of the banks.
    #[must_use]
    pub fn banks(&self) -> Vec<Vec<&PlacedCrossbar>> {
        let count = self.crossbars.iter().map(|crossbar| crossbar.bank + 1).max().unwrap_or(0);
        (0..count).map(|bank| self.crossbars.iter().filter(|crossbar| crossbar.bank == bank).collect()).collect()
    }
}

impl Program {
    /// The MVM stages with their index among the weighted layers (which is part of the address of their random numbers).
    pub fn mvm_stages(&self) -> impl Iterator<Item = (u64, &MvmStage)> {
        let mvm = self.stages.iter().filter_map(|stage| match stage {
            Stage::Mvm(stage) => Some(stage),
            Stage::Pool(_) => None,
        });
        mvm.enumerate().map(|(layer, stage)| (layer as u64, stage))
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.stages.last().map_or(0, |stage| stage.output().len())
    }

    /// Tiles in use.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        let mut tiles: Vec<u32> = self.mvm_stages().flat_map(|(_, stage)| stage.tiles()).collect();
        tiles.extend(self.stages.iter().map(Stage::home_tile));
        tiles.sort_unstable();
        tiles.dedup();
        tiles.len() as u64
    }
}
