//! The kernel: packed input vectors through a block of columns, from digits to shifted and added codes.
//!
//! Inputs are applied in few-valued digits, so that a group of rows (four with one bit per cycle) has at most 16 different sums per column.
//! For a block of 16 columns these are tabulated once, and a column sum is then one look-up and one add per driven group:
//!
//! ```text
//!  codes --pack--> places of the driven groups' sums, for four input slices side by side
//!                                     |
//!  cells --fill--> table -- look up and add --> column sums --convert, shift and add--> accumulators
//! ```
//! Sums, codes and accumulators stay in registers; a table of 128 rows stays in the first-level cache.
//!
//! **Order of summation** (`f32`, nothing is fused). The rows of a crossbar are taken in groups of as many rows as have at most 16
//! combinations of digits ([`DigitFormat::group_rows`]). A group's sum starts at 0; `digit * cell` is added for its rows with a digit other than
//! 0, in ascending order. The column sum starts at 0; the groups' sums are added in ascending order. Leaving out groups without a driven
//! row changes nothing. So the bits depend neither on the instruction set nor on what is computed together.
//!
//! Where to look: `packed` makes lists of places from codes, `table` tabulates, `sums` adds (`simd` has its twin without checks, and compiles everything
//! for each instruction set), `sinks` converts, shifts and adds or keeps, `task` puts these together, `merge` adds slices to outputs, `multiply` is the
//! product for converters that do not quantise. DACs of so many digits that tables would be large multiply digit and cell instead
//! (`sums::Products`): a group is then one row, and the product is what its table would hold, so that the bits are the same.

mod digits;
mod isa;
mod lanes;
mod merge;
mod multiply;
mod packed;
mod requantise;
mod simd;
mod sinks;
mod sums;
mod table;
mod task;

pub use digits::DigitFormat;
pub use isa::{ISAS, Isa};
pub use lanes::{LANES, Lanes};
pub use merge::Merge;
pub use multiply::exact_factor;
pub use packed::Packed;
pub use requantise::{Requantisation, round_half_even};
pub use table::BlockCells;

use crate::adc::{AdcBlock, SeenBlock};
use multiply::Factorised;
use task::{Source, Target, Task};

/// Runs blocks of columns on one instruction set; keeps its tables from block to block.
#[derive(Clone, Debug)]
pub struct Kernel {
    isa: Isa,
    table: Vec<Lanes<f32>>,
    variances: Vec<Lanes<f32>>,
}

/// The sums of a block of columns.
#[derive(Clone, Copy, Debug)]
pub enum BlockSums<'a> {
    /// Those of cells.
    Cells(BlockCells<'a>),
    /// Sums that are known, `[vector][cycle]`.
    Given(&'a [Lanes<f32>]),
}

/// Read noise of a block of columns. The cells' noises are independent and normal, so that their sum at the column is normal with the
/// variance `sum_i digit_i^2 variance_ij`: one draw is exact in distribution.
#[derive(Clone, Copy, Debug)]
pub struct ReadNoise<'a> {
    /// Variances of the cells at one DAC step, squared level spacings, one entry per row.
    pub variances: &'a [Lanes<f32>],
    /// Key of the draws of every read, `[vector][cycle]`.
    pub keys: &'a [u64],
    /// Counter of the draws of each column.
    pub columns: Lanes<u32>,
}

/// How the sums of a block of columns are converted.
#[derive(Clone, Copy, Debug)]
pub struct Conversions<'a> {
    /// The converters.
    pub adc: &'a AdcBlock,
    /// Key of the thermal noise of every conversion, `[vector][cycle]`; none without.
    pub thermal_keys: &'a [u64],
    /// Counter of the noise draws of each column.
    pub columns: Lanes<u32>,
    /// Largest magnitude of an accumulator, if one could reach it.
    pub limit: Option<f64>,
}

/// What a block of columns did.
#[derive(Debug)]
pub struct BlockResults<'a> {
    /// Codes of all input slices, shifted and added, one entry per vector.
    pub accumulators: &'a mut [Lanes<f64>],
    /// What the converters saw.
    pub seen: &'a mut SeenBlock,
    /// Additions that saturated.
    pub saturated: &'a mut Lanes<u64>,
}

impl Kernel {
    /// A kernel on `isa`, or on [`Isa::Portable`] where the machine does not have it.
    #[must_use]
    pub fn new(isa: Isa) -> Self {
        Self { isa, table: Vec::new(), variances: Vec::new() }
    }

    /// Column sums of all vectors in every cycle, `[vector][cycle]`.
    pub fn sums(&mut self, packed: &Packed, cells: BlockCells<'_>, sums: &mut Vec<Lanes<f32>>) {
        let cycles = packed.format().cycles as usize;
        sums.resize(packed.vectors() * cycles, Lanes::splat(0.0));
        let source = tabulate(self.isa, packed, &cells, &mut self.table);
        simd::run(self.isa, Task::Move(packed, source, Target::Keep(sums)));
    }

    /// Products of vectors of codes (each one entry per row) with the first `columns` of a block of columns of a matrix: the sums of `code *
    /// matrix[row]` in ascending order of the rows; the other columns must be 0. The same bits on every instruction set for codes of at most 17 bits
    /// beside their sign and a matrix of [`exact_factor`]s.
    pub fn multiply(&self, codes: &[f64], matrix: &[Lanes<f64>], columns: usize, products: &mut [Lanes<f64>]) {
        simd::run(self.isa, Task::Multiply(Factorised { codes, matrix, columns }, products));
    }

    /// Adds up the bits of the codes of each row; `codes` has one entry per row, vector after vector.
    pub fn add_bits(&self, codes: &[u8], squares: &mut [u64]) {
        simd::run(self.isa, Task::CountBits(codes, squares));
    }

    /// Limits sums of outputs to what an accumulator holds and appends the codes of `codes` of them, if there are such; returns how many were limited.
    pub fn requantise(&self, by: Requantisation<'_>, sums: &mut [f64], codes: Option<&mut Vec<i32>>) -> u64 {
        let mut saturated = 0;
        let room = codes.map_or_else(Default::default, |codes| {
            let first = codes.len();
            codes.resize(first + sums.len(), 0);
            &mut codes[first..]
        });
        simd::run(self.isa, Task::Requantise(by, sums, room, &mut saturated));
        saturated
    }

    /// Bytes as the codes of [`Self::multiply`].
    pub fn widen(&self, bytes: &[u8], numbers: &mut Vec<f64>) {
        numbers.resize(bytes.len(), 0.0);
        simd::run(self.isa, Task::Widen(bytes, numbers));
    }

    /// Adds accumulators to the sums of their outputs, `[vector][output]`.
    pub fn merge(&self, merge: Merge<'_>, sums: &mut [f64]) {
        simd::run(self.isa, Task::Merge(merge, sums));
    }

    /// Adds read noise to column sums, `[vector][cycle]`.
    pub fn add_noise(&mut self, packed: &Packed, noise: &ReadNoise<'_>, sums: &mut [Lanes<f32>]) {
        let mut variances = std::mem::take(&mut self.variances);
        self.sums(packed, BlockCells::Variance(noise.variances), &mut variances);
        simd::run(self.isa, Task::AddNoise(sums, &variances, noise));
        self.variances = variances;
    }

    /// Converts the sums of all vectors, shifts and adds.
    pub fn convert(&mut self, packed: &Packed, sums: BlockSums<'_>, by: &Conversions<'_>, results: BlockResults<'_>) {
        let source = match &sums {
            BlockSums::Given(sums) => Source::Given(sums),
            BlockSums::Cells(cells) => tabulate(self.isa, packed, cells, &mut self.table),
        };
        simd::run(self.isa, Task::Move(packed, source, Target::Convert(by, results)));
    }
}

impl Conversions<'_> {
    /// Whether ideal quantisers and integer accumulators do.
    fn is_plain(&self, format: DigitFormat) -> bool {
        let weights: u64 = (0..format.cycles).map(|cycle| 1_u64 << (format.bits * cycle)).sum();
        let fits_i32 = u64::from(self.adc.largest_code()) * weights <= i32::MAX as u64;
        self.limit.is_none() && self.thermal_keys.is_empty() && self.adc.is_ideal() && fits_i32
    }
}

/// A table of the cells' sums, or the cells themselves where rows have too many digits.
fn tabulate<'a>(isa: Isa, packed: &Packed, cells: &'a BlockCells<'_>, table: &'a mut Vec<Lanes<f32>>) -> Source<'a> {
    match *cells {
        BlockCells::Linear(cells) if packed.multiplies() => Source::Cells(cells, false),
        BlockCells::Variance(cells) if packed.multiplies() => Source::Cells(cells, true),
        _ => {
            simd::run(isa, Task::Fill(cells, packed.format(), table));
            Source::Table(table)
        }
    }
}

#[cfg(test)]
mod tests;
