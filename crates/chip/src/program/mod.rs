//! The program: what the compiler hands to the chip.
//!
//! A program is a directed acyclic graph of stages, listed so that every stage stands behind those whose results it reads. Each names its
//! sources by number: 0 is the program's input, `k` the result of the `k`-th stage (`stages[k - 1]`). An MVM stage multiplies windows of its
//! input feature map by a matrix that is stored as levels in placed crossbars; a pool stage takes maxima or averages of windows; an add
//! stage weighs two maps and adds them, a concat stage joins the channels of several, a table stage looks codes up. Feature maps are pixel-major (row, column, channel), because pixels stream. The last stage yields
//! the scores: the sums of an MVM stage, or codes.

mod axis;
mod copies;
mod dataflow;
mod files;
mod graph;
mod groups;
mod input;
mod listing;
mod needs;
mod replica;
mod stage;
mod stream;
mod tile_traffic;
mod traffic;
mod validate;
mod vector;
mod vector_check;
mod window;

pub use axis::{Axis, Overlap};
pub use files::{ProgramError, decode, encode, load, save};
pub use groups::Groups;
pub use input::InputCoding;
pub use listing::listing;
pub(crate) use needs::{Needs, Share};
pub use replica::Place;
pub use stream::ImageStream;
pub(crate) use stream::LEAST_BURST_BITS;
pub use vector::{AddStage, ConcatStage, LARGEST_MULTIPLIER, PoolKind, PoolStage, TableStage};
pub use window::{FeatureMap, Window};

use crate::config::Chip;
use crate::machine::hardware::Hardware;
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
    /// The mapping strategy that was asked for: one for all layers, or one that picks a strategy per layer; what a layer got stands in its stage.
    pub mapping: String,
    /// Accuracy of the network on the test images in software (integer arithmetic), 0..=1; none without labelled images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_accuracy: Option<f64>,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// The chip, with all presets resolved.
    pub chip: Chip,
    /// The input feature map.
    pub input: FeatureMap,
    /// How the pixels of an image become its codes.
    #[serde(skip)]
    pub coding: InputCoding,
    /// The stages, every one behind its sources; the last yields the scores.
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// Matrix-vector products in crossbars.
    Mvm(MvmStage),
    /// Maxima or averages of codes in the vector unit.
    Pool(PoolStage),
    /// Sums of two maps of codes in the vector unit.
    Add(AddStage),
    /// Maps of codes beside each other, joined in the vector unit.
    Concat(ConcatStage),
    /// Codes looked up in a table of the vector unit.
    Table(TableStage),
}

/// Matrix-vector products over windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MvmStage {
    /// Name of the layer it came from.
    pub name: String,
    /// Mapping strategy of its weights, for the record: slices, offset, polarities and complemented columns say what it comes to.
    pub mapping: String,
    /// Its source: 0 is the program's input, `k` the result of stage `k - 1`.
    pub input: u32,
    /// Where in that map the input vectors come from.
    pub window: Window,
    /// What is added to every code, padding too, before it is applied: `2^(bits - 1)` where unsigned DACs read a signed map, else 0. The sum of
    /// the weights times it is part of the bias.
    pub input_offset: u32,
    /// Number of outputs, the channels of the result.
    pub outputs: u32,
    /// Groups of channels, each with its own part of the outputs, see [`Groups`]; rows are ordered (group, kernel row, kernel column, channel of the
    /// group). 1 for a full matrix.
    pub groups: u32,
    /// Arrays that are subtracted from each other: 1 single-ended, 2 a pair.
    pub polarities: u32,
    /// Where the arrays of a pair are subtracted.
    pub subtraction: Subtraction,
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
    /// Further copies of all crossbars, each with the places of its copies in the order of `crossbars`.
    #[serde(default)]
    pub replicas: Vec<Vec<Place>>,
    /// Digital bias, one per output.
    #[serde(skip)]
    pub bias: Vec<i64>,
    /// Factor from sum to code, one per output; none of scores.
    #[serde(skip)]
    pub multipliers: Vec<f64>,
}

/// One slice of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Bits of its cells, at most those of the chip's cells; fewer levels span the same conductance range with wider spacings.
    pub bits: u32,
    /// Weight of one level of this slice; negative for the sign bit of two's complement.
    pub significance: i64,
    /// The converter of its columns.
    pub adc: AdcTransfer,
}

/// Where the two arrays of a pair are subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subtraction {
    /// Their currents, before one conversion.
    #[default]
    BeforeAdc,
    /// Their codes, after a conversion each.
    AfterAdc,
}

/// Most slices of a weight.
pub const MOST_SLICES: usize = 256;

/// What becomes of the outputs of an MVM stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Output {
    /// `clamp(round_half_even(sum * multiplier), lowest, 2^bits - 1)`, every output with its own multiplier: requantisation and, where the lowest
    /// code is 0, ReLU in one.
    Codes {
        /// Width of the code, without the sign bit that signed maps carry.
        bits: u32,
        /// Whether the lowest code is `-(2^bits - 1)` instead of 0: no ReLU.
        signed: bool,
        /// Whether codes carry a sign bit: where some may be negative, and in all maps of a chip with sign-magnitude inputs.
        sign_bit: bool,
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
    /// Which columns store their levels complemented; empty if none does.
    #[serde(skip)]
    pub flipped: Vec<bool>,
    /// Converters of single columns; empty if all columns of a slice have the slice's.
    #[serde(skip)]
    pub column_adcs: Vec<ColumnAdc>,
}

/// What a converted column has of its own: one entry per converted column, those of the positive array first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnAdc {
    /// Column sum of one code; the codes are those of the column's slice.
    pub step: f64,
    /// Digital factor on the code, which undoes what the wires lose.
    pub gain: f64,
}

impl Program {
    /// The MVM stages with their index among the weighted layers (which is part of the address of their random numbers).
    pub fn mvm_stages(&self) -> impl Iterator<Item = (u64, &MvmStage)> {
        let mvm = self.stages.iter().filter_map(|stage| match stage {
            Stage::Mvm(stage) => Some(stage),
            _ => None,
        });
        mvm.enumerate().map(|(layer, stage)| (layer as u64, stage))
    }

    /// The chip in cycles, for the widths of inputs that the stages have.
    #[must_use]
    pub fn hardware(&self) -> Hardware {
        let mut widths: Vec<u32> = self.mvm_stages().map(|(_, stage)| stage.applied_bits()).collect();
        widths.sort_unstable();
        widths.dedup();
        self.chip.hardware_for(&widths)
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
