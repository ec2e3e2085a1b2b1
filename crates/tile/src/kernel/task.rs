//! The work on one block of columns, as one function that is compiled for every instruction set.

use super::digits::{DigitFormat, count_bits};
use super::lanes::Lanes;
use super::merge::Merge;
use super::multiply::{Factorised, multiply};
use super::packed::{PackBits, Packed, SLICES};
use super::requantise::{Requantisation, widen};
use super::simd::Lookups;
use super::sinks::{Converters, Keep, Quantisers, Sink, add_noise};
use super::sums::{Given, Products, Sums};
use super::table::{BlockCells, fill};
use super::{BlockResults, Conversions, ReadNoise};

/// One piece of work.
pub(super) enum Task<'a> {
    /// Pack codes that are applied bit by bit.
    Pack(&'a mut Packed, PackBits<'a>),
    /// Tabulate the groups' sums.
    Fill(&'a BlockCells<'a>, DigitFormat, &'a mut Vec<Lanes<f32>>),
    /// Add read noise to sums of the given variances.
    AddNoise(&'a mut [Lanes<f32>], &'a [Lanes<f32>], &'a ReadNoise<'a>),
    /// Add accumulators to sums of outputs.
    Merge(Merge<'a>, &'a mut [f64]),
    /// Multiply vectors of codes by a matrix.
    Multiply(Factorised<'a>, &'a mut [Lanes<f64>]),
    /// Limit sums of outputs, count those beyond the limit, and turn them into codes if there is room for such.
    Requantise(Requantisation<'a>, &'a mut [f64], &'a mut [i32], &'a mut u64),
    /// Bytes as numbers that are multiplied.
    Widen(&'a [u8], &'a mut [f64]),
    /// Count the bits of codes, row by row.
    CountBits(&'a [u8], &'a mut [u64]),
    /// Bring sums to a sink.
    Move(&'a Packed, Source<'a>, Target<'a>),
}

/// Where sums come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A table of the groups' sums.
    Table(&'a [Lanes<f32>]),
    /// Cells that are multiplied, squared or not.
    Cells(&'a [Lanes<f32>], bool),
    /// Sums that are known, `[vector][cycle]`.
    Given(&'a [Lanes<f32>]),
}

/// Where sums go.
pub(super) enum Target<'a> {
    /// They are kept, `[vector][cycle]`.
    Keep(&'a mut [Lanes<f32>]),
    /// They are converted, shifted and added.
    Convert(&'a Conversions<'a>, BlockResults<'a>),
}

impl<'a> Task<'a> {
    /// Does it; `FUSED` says that the instruction set multiplies and adds in one.
    #[inline(always)]
    pub(super) fn run<L: Lookups<'a>, const FUSED: bool>(self) {
        match self {
            Self::Pack(packed, codes) => packed.run_pack_bits(codes),
            Self::Fill(cells, format, table) => fill(cells, format, table),
            Self::AddNoise(sums, variances, noise) => add_noise(sums, variances, noise),
            Self::Merge(merge, sums) => merge.run(sums),
            Self::Multiply(factors, products) => multiply::<FUSED>(&factors, products),
            Self::Requantise(by, sums, codes, saturated) => {
                *saturated += by.saturate(sums);
                by.run(sums, codes);
            }
            Self::Widen(bytes, numbers) => widen(bytes, numbers),
            Self::CountBits(codes, counts) => count_bits(codes, counts),
            Self::Move(packed, Source::Table(table), target) => deliver(packed, &L::new(packed, table), target),
            Self::Move(packed, Source::Cells(cells, squared), target) => {
                deliver(packed, &Products { packed, cells, squared }, target);
            }
            Self::Move(packed, Source::Given(sums), target) => {
                let cycles = packed.format().cycles as usize;
                deliver(packed, &Given { sums, cycles, sets: packed.sets() }, target);
            }
        }
    }
}

#[inline(always)]
fn deliver(packed: &Packed, sums: &impl Sums, target: Target<'_>) {
    let format = packed.format();
    match target {
        Target::Keep(kept) => pour(packed, sums, Keep { sums: kept, cycles: format.cycles as usize }),
        Target::Convert(by, results) if by.is_plain(format) && !results.seen.measures_errors() => {
            pour(packed, sums, Quantisers::new(by.adc, format, results));
        }
        Target::Convert(by, results) => pour(packed, sums, Converters::new(by, format, results)),
    }
}

#[inline(always)]
fn pour(packed: &Packed, sums: &impl Sums, mut sink: impl Sink) {
    let (sets, cycles) = (packed.sets(), packed.format().cycles as usize);
    for vector in 0..packed.vectors() {
        sink.begin();
        for set in 0..sets {
            let first = set * SLICES;
            sink.take(vector, first, &sums.of(vector * sets + set), SLICES.min(cycles - first));
        }
        sink.end(vector);
    }
    sink.finish();
}
