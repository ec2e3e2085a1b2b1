//! One array in the kernel: 1000 input vectors of 8 bits, one bit a cycle, through all its columns.
//!
//! Vectors are packed beforehand, which is a case of its own; the tables of the cells' sums are made anew by every call, as in the engine.

use crate::Failure;
use crate::cells::Pair;
use crate::images::strokes;
use crate::references::KERNEL_RATIO;
use crate::row::Row;
use crate::session::Session;
use crate::sgemm::{SIZES, VECTORS};
use tile::adc::{AdcBank, AdcTransfer, CodesSeen};
use tile::address::{Purpose, key, standard_normals, stream};
use tile::crossbar::Crossbar;
use tile::kernel::{
    BlockCells, BlockResults, BlockSums, Conversions, DigitFormat, ISAS, Isa, Kernel, LANES, Lanes, Packed, ReadNoise,
};

const FORMAT: DigitFormat = DigitFormat { bits: 1, cycles: 8, signed: false };
const ADC_BITS: u32 = 8;

/// Measures all arrays.
///
/// # Errors
/// If a case cannot be measured.
pub fn measure(session: &mut Session, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for size in SIZES {
        let mut cases = Cases { session, rows, size };
        cases.inputs()?;
        cases.cells()?;
        cases.instruction_sets()?;
    }
    Ok(())
}

/// The cases of one size of arrays.
struct Cases<'a> {
    session: &'a mut Session,
    rows: &'a mut Vec<Row>,
    size: usize,
}

impl Cases<'_> {
    fn inputs(&mut self) -> Result<(), Failure> {
        let (exact, erring) = (Pair::programmed(self.size, 0.0), Pair::programmed(self.size, 1.0));
        let (dense, sparse) = (dense_codes(self.size), sparse_codes(self.size));
        let mut packed = Packed::new(FORMAT, false);
        let (isa, size) = (Isa::best(), self.size);
        self.case("packing", isa, || packed.pack_bits(isa, size, &dense, size))?;
        self.case("packing-sparse", isa, || packed.pack_bits(isa, size, &sparse, size))?;
        let mut sums = Run::new(isa, erring.crossbar(), &dense);
        self.case("sums", isa, || sums.sums())?;
        let mut ideal = Run::new(isa, exact.crossbar(), &dense);
        self.case("adc", isa, || ideal.convert())?;
        let mut sparse = Run::new(isa, erring.crossbar(), &sparse);
        self.case("adc-error-sparse", isa, || sparse.convert())
    }

    fn cells(&mut self) -> Result<(), Failure> {
        let (isa, pair) = (Isa::best(), Pair::programmed(self.size, 1.0));
        let dense = dense_codes(self.size);
        let mut noisy = Run::new(isa, pair.crossbar(), &dense).with_read_noise(&pair);
        self.case("adc-error-read-noise", isa, || noisy.convert_with_noise())?;
        let behind_wires = pair.behind_wires()?;
        let mut behind_wires = Run::new(isa, behind_wires, &dense);
        self.case("adc-error-ir-drop", isa, || behind_wires.convert())?;
        let case = format!("{0}x{0}-solving-wires", self.size);
        let mut solved = Ok(());
        let seconds = self.session.cpu_seconds("array", &case, || {
            if let Err(error) = std::hint::black_box(pair.solve_positive()) {
                solved = Err(error);
            }
        })?;
        solved?;
        self.rows.extend(seconds.map(|seconds| Row::new("array", &case, (1.0, "arrays"), seconds)));
        Ok(())
    }

    fn instruction_sets(&mut self) -> Result<(), Failure> {
        let (pair, dense) = (Pair::programmed(self.size, 1.0), dense_codes(self.size));
        for isa in Isa::available() {
            let mut run = Run::new(isa, pair.crossbar(), &dense);
            self.case(if isa == Isa::best() { "adc-error" } else { isa_case(isa) }, isa, || run.convert())?;
        }
        Ok(())
    }

    fn case(&mut self, name: &str, isa: Isa, routine: impl FnMut()) -> Result<(), Failure> {
        let case = format!("{0}x{0}-{name}", self.size);
        let Some(seconds) = self.session.cpu_seconds("array", &case, routine)? else { return Ok(()) };
        let mut row = Row::new("array", &case, (VECTORS as f64, "vectors"), seconds);
        row.array_size = self.size;
        row.isa = isa.name().to_owned();
        if !name.starts_with("packing") {
            row = row.with_cell_macs((self.size * self.size) as f64 * f64::from(FORMAT.cycles));
        }
        if name == "adc-error" && self.size == 128 {
            row.goal_ratio = Some(KERNEL_RATIO);
        }
        self.rows.push(row);
        Ok(())
    }
}

/// Name of the case `adc-error` on an instruction set that is not the best.
fn isa_case(isa: Isa) -> &'static str {
    let names = ["adc-error-portable", "adc-error-avx2", "adc-error-avx512"];
    ISAS.iter().position(|&(known, _)| known == isa).and_then(|at| names.get(at)).unwrap_or(&names[0])
}

/// Everything that a call needs.
struct Run {
    kernel: Kernel,
    crossbar: Crossbar,
    packed: Packed,
    bank: AdcBank,
    seen: CodesSeen,
    sums: Vec<Lanes<f32>>,
    accumulators: Vec<Lanes<f64>>,
    variances: Option<Crossbar>,
    keys: Vec<u64>,
}

impl Run {
    fn new(isa: Isa, crossbar: Crossbar, codes: &[u8]) -> Self {
        let size = crossbar.rows();
        let mut packed = Packed::new(FORMAT, false);
        packed.pack_bits(isa, size, codes, size);
        // All rows driven at the highest level.
        let transfer = AdcTransfer::bipolar(ADC_BITS, (3 * size) as f64);
        Self {
            kernel: Kernel::new(isa),
            packed,
            bank: AdcBank::ideal_transfers(std::iter::repeat_n(transfer, size)),
            seen: CodesSeen::new(size, false),
            sums: Vec::new(),
            accumulators: vec![Lanes::splat(0.0); VECTORS],
            variances: None,
            keys: Vec::new(),
            crossbar,
        }
    }

    fn with_read_noise(mut self, pair: &Pair) -> Self {
        self.variances = Some(pair.variances());
        self.keys =
            (0..VECTORS as u64 * u64::from(FORMAT.cycles)).map(|at| key(4, Purpose::ReadNoise, &[at])).collect();
        self
    }

    fn blocks(&self) -> usize {
        self.crossbar.cols().div_ceil(LANES)
    }

    fn sums(&mut self) {
        for block in 0..self.blocks() {
            let cells = BlockCells::Linear(self.crossbar.block(block));
            self.kernel.sums(&self.packed, cells, &mut self.sums);
            std::hint::black_box(&self.sums);
        }
    }

    fn convert(&mut self) {
        for block in 0..self.blocks() {
            let Self { kernel, crossbar, packed, bank, seen, accumulators, .. } = self;
            let cells = BlockSums::Cells(BlockCells::Linear(crossbar.block(block)));
            convert(kernel, packed, cells, (&bank.blocks()[block], block), &mut (seen, accumulators));
        }
    }

    fn convert_with_noise(&mut self) {
        for block in 0..self.blocks() {
            let Self { kernel, crossbar, packed, bank, seen, accumulators, sums, variances, keys } = self;
            kernel.sums(packed, BlockCells::Linear(crossbar.block(block)), sums);
            if let Some(variances) = variances {
                let noise = ReadNoise { variances: variances.block(block), keys, columns: columns(block) };
                kernel.add_noise(packed, &noise, sums);
            }
            convert(kernel, packed, BlockSums::Given(sums), (&bank.blocks()[block], block), &mut (seen, accumulators));
        }
    }
}

fn columns(block: usize) -> Lanes<u32> {
    Lanes(std::array::from_fn(|lane| (block * LANES + lane) as u32))
}

fn convert(
    kernel: &mut Kernel,
    packed: &Packed,
    sums: BlockSums<'_>,
    (adc, block): (&tile::adc::AdcBlock, usize),
    (seen, accumulators): &mut (&mut CodesSeen, &mut Vec<Lanes<f64>>),
) {
    let mut saturated = Lanes::splat(0);
    let by = Conversions { adc, thermal_keys: &[], columns: columns(block), limit: None };
    let seen = &mut seen.blocks_mut()[block];
    kernel.convert(packed, sums, &by, BlockResults { accumulators, seen, saturated: &mut saturated });
    std::hint::black_box(accumulators);
}

/// Codes whose every bit is set in half of the vectors.
fn dense_codes(size: usize) -> Vec<u8> {
    let mut draws = Vec::new();
    standard_normals(&mut stream(5, Purpose::Initialisation, &[]), VECTORS * size, &mut draws);
    // The last bits of a normal draw's significand are uniform.
    draws.iter().map(|draw| (draw.to_bits() >> 3) as u8).collect()
}

/// Images of strokes, cut into vectors: 80 % zeros.
fn sparse_codes(size: usize) -> Vec<u8> {
    let images = strokes((VECTORS * size).div_ceil(784)).images;
    images.iter().take(VECTORS * size).map(|pixel| (255.0 * pixel).round_ties_even() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_as_dense_as_they_say() {
        let ones: u32 = dense_codes(128).iter().map(|code| code.count_ones()).sum();
        assert!((f64::from(ones) / (VECTORS * 128 * 8) as f64 - 0.5).abs() < 0.01);
        let sparse = sparse_codes(256);
        assert_eq!(sparse.len(), VECTORS * 256);
        let zeros = sparse.iter().filter(|&&code| code == 0).count() as f64 / sparse.len() as f64;
        assert!((zeros - 0.8).abs() < 0.03, "{zeros}");
    }

    /// What is timed is the product: with exact cells and without converters, that of codes and levels.
    #[test]
    fn runs_compute_what_they_are_timed_for() {
        let (pair, codes) = (Pair::programmed(128, 0.0), dense_codes(128));
        let crossbar = pair.crossbar();
        let level = |row: usize, col: usize| f64::from(crossbar.cell(row, col));
        let expected = |vector: usize, col: usize| -> f64 {
            (0..128).map(|row| f64::from(codes[vector * 128 + row]) * level(row, col)).sum()
        };
        let mut run = Run::new(Isa::best(), crossbar.clone(), &codes);
        run.sums();
        // The last block's sums remain.
        let found: f64 = (0..8).map(|cycle| f64::from(run.sums[999 * 8 + cycle].0[15]) * f64::from(1 << cycle)).sum();
        assert_eq!(found, expected(999, 127));
        // Converters round by at most half a step in each of the cycles, whose weights sum up to 255; no sum reaches the ends.
        run.convert();
        let step = 384.0 / 127.0;
        assert!((run.accumulators[999].0[15] * step - expected(999, 127)).abs() <= 0.5 * step * 255.0 + 1e-6);
        let exact = run.accumulators.clone();
        let mut noisy = Run::new(Isa::best(), crossbar, &codes).with_read_noise(&pair);
        noisy.convert_with_noise();
        assert_ne!(noisy.accumulators, exact);
    }
}
