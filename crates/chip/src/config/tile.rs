//! A tile: arrays, converters, registers, buffer, bus and digital units.

use super::Adc;
use serde::{Deserialize, Serialize};
use tile::dac::DacFormat;
use tile::device::Device;
use tile::wires::Wires;

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
    /// Result vectors that are held at once, each from its first conversion to the end of its write-back.
    pub output_registers: u32,
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
    /// The bus between the buffer and the arrays.
    pub bus: Bus,
    /// Widths and latencies of the digital units.
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
    /// Time to program the cells of one row, all pulses and verifying reads included, s.
    pub write_time_s: f64,
    /// Arrays of a tile that are programmed at the same time, each of them row by row; the others of the tile come later.
    pub written_at_once: u32,
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
    /// Input bits of a slice, which are applied at once (or, with `pulse_time_s`, as a number of pulses).
    pub bits: u32,
    /// How input codes are coded.
    pub format: DacFormat,
    /// Conversion time, s; also what every array read takes besides pulses, settling and sampling.
    pub time_s: f64,
    /// Time of a pulse where a digit is applied as a number of equal pulses, `2^p - 1` for a digit of p bits, s; 0: it is applied as a voltage.
    pub pulse_time_s: f64,
    /// Array reads of an input slice, one behind the other, each of them converted: 1, or 4 where every combination of the signs of inputs
    /// and weights is read by itself.
    pub phases: u32,
}

/// The tile's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// Capacity, bytes.
    pub bytes: u64,
    /// Width of a word of buffer and bus, bits; an access is a word.
    pub word_bits: u32,
    /// Words that a transfer moves in a cycle of the digital clock: more than 1 where buffer and bus are faster than that clock.
    pub words_per_cycle: u32,
    /// Cycles from the start of a read to its first word.
    pub access_cycles: u64,
    /// Transfers that the buffer serves at once.
    pub ports: u32,
    /// Banks; a transfer goes to the next one with every cycle.
    pub banks: u32,
}

/// The bus between the buffer and the arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Whether loads and stores have a bus each.
    pub duplex: bool,
}

/// The digital units behind the converters. Cycles are those of the digital clock; all units are pipelined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digital {
    /// Values that the adder tree adds per cycle.
    pub adder_width: u64,
    /// Values that the vector unit takes per cycle.
    pub vector_width: u64,
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
    /// Addition of two maps.
    pub add_cycles: u64,
    /// Look-up of codes in a table; 1 where a file says nothing.
    #[serde(default = "one_cycle")]
    pub lookup_cycles: u64,
    /// Width of the signed accumulators behind converters and of output sums, bits; they saturate.
    pub accumulator_bits: u32,
}

fn one_cycle() -> u64 {
    1
}
