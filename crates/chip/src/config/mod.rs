//! The description of a chip, as its file in `configs/chips` states it with all presets resolved.

mod check;

use serde::{Deserialize, Serialize};
use tile::adc::{AdcKind, NonIdealities};
use tile::cost::{AdcCost, AdcPrices, CostTable};
use tile::dac::DacFormat;
use tile::device::Device;
use tile::wires::Wires;

/// A chip: a mesh of tiles, one clock, number formats and prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Name, kebab-case.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// Clock frequency, Hz; all latencies are whole cycles of it.
    pub clock_hz: f64,
    /// Widths of weights and activations.
    pub format: Format,
    /// The tile.
    pub tile: Tile,
    /// The mesh that joins the tiles.
    pub mesh: Mesh,
    /// Energy, area and leakage of everything but the converters' resolution-dependent part.
    pub costs: CostTable,
}

/// Widths of the integers that the chip computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Signed, symmetric weights.
    pub weight_bits: u32,
    /// Unsigned activations.
    pub input_bits: u32,
}

/// A tile: arrays with their converters, registers and a buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Physical arrays per tile.
    pub arrays: u32,
    /// Input vectors that the input register holds (2 = double buffer).
    pub input_registers: u32,
    /// Column vectors that the sample-and-hold keeps.
    pub sample_hold_depth: u32,
    /// The array.
    pub array: Array,
    /// The cell.
    pub cell: Cell,
    /// The resistance of the array's lines.
    pub wires: Wires,
    /// The word-line DAC.
    pub dac: Dac,
    /// The column ADC.
    pub adc: Adc,
    /// The tile's buffer.
    pub buffer: Buffer,
    /// Latencies of the digital units.
    pub digital: Digital,
}

/// One crossbar array.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Array {
    /// Word lines.
    pub rows: u32,
    /// Bit lines.
    pub cols: u32,
    /// Voltage of a full-scale input, V.
    pub read_voltage_v: f64,
    /// Time for the column currents to settle, s; the cells conduct for so long.
    pub read_time_s: f64,
    /// Time to sample the currents, s.
    pub sample_time_s: f64,
}

/// The memory cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Bits per cell.
    pub bits: u32,
    /// The device.
    pub device: Device,
}

/// The word-line DAC.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dac {
    /// Input bits applied per cycle.
    pub bits: u32,
    /// How input codes are coded.
    pub format: DacFormat,
    /// Conversion time, s.
    pub time_s: f64,
}

/// The column ADC and how columns share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adc {
    /// Architecture: which errors the converters can have.
    pub kind: AdcKind,
    /// Resolution, bits.
    pub bits: u32,
    /// How the range is chosen.
    pub range: RangePolicy,
    /// With `calibrated`: the criterion.
    pub criterion: Criterion,
    /// With `calibrated` by percentile: share of the conversions that lie within the range, per cent.
    pub percentile: f64,
    /// With `calibrated`: finest step, in level spacings. Nominal sums are whole numbers of level spacings, so that a finer step than 1
    /// resolves nothing but variation.
    pub finest_step_levels: f64,
    /// With `calibrated`: round the step up to a power of two, so that slices are scaled by shifts instead of multiplications.
    pub power_of_two_step: bool,
    /// With `calibrated`: a range of its own for every column, instead of one per layer and slice.
    pub per_column: bool,
    /// A digital gain of its own for every column, found by least squares on calibration images, that undoes what wires lose.
    pub column_gain: bool,
    /// Converters in a bank.
    pub per_bank: u32,
    /// Arrays whose columns one bank converts; the two arrays of a subtracting pair count once.
    pub arrays_per_bank: u32,
    /// With `calibrated`: number of calibration images.
    pub calibration_images: u32,
    /// With `calibrated`: number of calibration chip samples.
    pub calibration_chips: u32,
    /// Name of the cost model.
    pub model: String,
    /// Where the costs come from.
    pub source: String,
    /// The architectures that the cost model prices; it prices ideal converters, too.
    pub kinds: Vec<AdcKind>,
    /// Costs over the resolution.
    pub prices: AdcPrices,
    /// How the converters differ from ideal ones; left out: not at all.
    #[serde(default)]
    pub nonideal: NonIdealities,
}

impl Adc {
    /// The range policy in words, with what it depends on: `full`, `lossless`, `calibrated-percentile+per-column+shifts`.
    #[must_use]
    pub fn range_name(&self) -> String {
        if self.range != RangePolicy::Calibrated {
            return if self.range == RangePolicy::Full { "full" } else { "lossless" }.to_owned();
        }
        let criterion = match self.criterion {
            Criterion::Percentile => "calibrated-percentile",
            Criterion::LeastSquaredError => "calibrated-least-squared-error",
        };
        let option = |on: bool, name: &'static str| if on { name } else { "" };
        format!("{criterion}{}{}", option(self.per_column, "+per-column"), option(self.power_of_two_step, "+shifts"))
    }

    /// Costs at the converter's resolution.
    ///
    /// # Errors
    /// If the model does not cover it; the text says what it covers.
    pub fn cost(&self) -> Result<AdcCost, String> {
        let uncovered = |allowed| format!("{allowed} (ADC model `{}` covers no other)", self.model);
        self.prices.at(self.bits).map_err(uncovered)
    }

    /// Time of one conversion at the converter's resolution, s.
    #[must_use]
    pub fn conversion_time_s(&self) -> f64 {
        self.prices.conversion_time_s(self.bits)
    }

    /// Whether the cost model prices the converter's architecture; otherwise which it prices.
    ///
    /// # Errors
    /// If it does not.
    pub fn priced_kind(&self) -> Result<(), String> {
        if self.kind == AdcKind::Ideal || self.kinds.contains(&self.kind) {
            return Ok(());
        }
        let known = self.kinds.iter().chain([&AdcKind::Ideal]).map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        Err(format!("one of {known} (ADC model `{}` prices no other; tile.adc.preset chooses another)", self.model))
    }
}

/// How the range of a converter is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangePolicy {
    /// The largest sum the array can produce; never clips at the top. Behind a single array, sums below zero (of cells programmed below
    /// `G_min`) read as code 0 under every policy.
    Full,
    /// A step of one level spacing and as many codes as that takes, whatever `bits` says; reports the bits this needs.
    Lossless,
    /// From the column sums of calibration images on calibration chip samples, per layer and slice.
    Calibrated,
}

/// The criterion of a calibrated range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// A percentile of the magnitudes of the sums.
    Percentile,
    /// Least mean squared quantisation and clipping error.
    LeastSquaredError,
}

/// The tile's buffer and bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// Capacity, bytes.
    pub bytes: u64,
    /// Width of a word of buffer and bus, bits; one word moves per cycle.
    pub word_bits: u32,
    /// Cycles from the start of a read to its first word.
    pub access_cycles: u64,
}

/// Latencies of the digital units behind the converters, cycles; all are pipelined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digital {
    /// Shift-and-add.
    pub shift_add_cycles: u64,
    /// Merging of slices and row partitions.
    pub merge_cycles: u64,
    /// Subtraction of a digital offset, where the encoding has one.
    pub offset_cycles: u64,
    /// Requantisation and activation.
    pub requantise_cycles: u64,
    /// Max pooling of one window.
    pub pool_cycles: u64,
    /// Width of the signed accumulators behind converters and of output sums, bits; they saturate.
    pub accumulator_bits: u32,
}

/// A mesh of tiles with XY routing; tiles are numbered row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Tiles in a row.
    pub width: u32,
    /// Rows of tiles.
    pub height: u32,
    /// Width of a flit, bits.
    pub flit_bits: u32,
    /// Cycles per hop (router and link).
    pub hop_cycles: u64,
}

impl Mesh {
    /// Hops between two tiles on an XY route.
    #[must_use]
    pub fn hops(&self, a: u32, b: u32) -> u64 {
        let distance = |a: u32, b: u32| u64::from(a.abs_diff(b));
        distance(a % self.width, b % self.width) + distance(a / self.width, b / self.width)
    }

    /// Number of tiles.
    #[must_use]
    pub fn tiles(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl Chip {
    /// A time in whole cycles, rounded up; a rounding error of a billionth does not cost a cycle.
    #[must_use]
    pub fn cycles(&self, time_s: f64) -> u64 {
        (time_s * self.clock_hz - 1e-9).ceil().max(0.0) as u64
    }

    /// Input slices per matrix-vector product.
    #[must_use]
    pub fn input_cycles(&self) -> u32 {
        tile::dac::input_cycles(self.format.input_bits, self.tile.dac.bits, self.tile.dac.format)
    }

    /// Bits of an input without its sign.
    #[must_use]
    pub fn magnitude_bits(&self) -> u32 {
        self.tile.dac.format.magnitude_bits(self.format.input_bits)
    }

    /// Whether inputs are sign-magnitude numbers.
    #[must_use]
    pub fn signed_inputs(&self) -> bool {
        self.tile.dac.format == DacFormat::SignMagnitude
    }
}
