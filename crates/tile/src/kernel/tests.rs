use super::*;
use crate::adc::{AdcBank, AdcTransfer, CodesSeen};
use crate::crossbar::{Crossbar, DrivenRow};
use crate::dac::signed_digit;
use crate::normal::normals;
use proptest::prelude::*;

/// A case with its twin: everything that the kernel does, by plain loops.
#[derive(Clone, Debug)]
struct Case {
    format: DigitFormat,
    crossbar: Crossbar,
    /// Codes of each vector.
    vectors: Vec<Vec<i32>>,
    adc: Vec<AdcTransfer>,
}

fn case() -> impl Strategy<Value = Case> {
    let shape = (1_usize..60, 1_usize..50, 1_u32..=8, 1_u32..=9, any::<bool>(), any::<u32>());
    shape.prop_map(|(rows, cols, bits, cycles, signed, seed)| {
        let cycles = cycles.min(16 / bits);
        let word = |index: usize, salt: u32| (index as u32 ^ seed).wrapping_mul(0x9e37_79b9 ^ salt) >> 8;
        let mut crossbar = Crossbar::new(rows, cols);
        for at in 0..rows * cols {
            crossbar.add_cell(at / cols, at % cols, word(at, 1) as f32 / 3e6 - 2.0, 1.0);
        }
        let code = |index: usize| {
            let magnitude = (word(index, 2) & ((1 << (bits * cycles)) - 1)) as i32;
            // A third of the codes are 0, and a fifth negative.
            if word(index, 3) % 3 == 0 {
                0
            } else if signed && word(index, 4) % 5 == 0 {
                -magnitude
            } else {
                magnitude
            }
        };
        let vectors = (0..7).map(|vector| (0..rows).map(|row| code(vector * rows + row)).collect()).collect();
        let adc = |col: usize| AdcTransfer {
            min_code: -(word(col, 5) as i32 % 40),
            max_code: word(col, 6) as i32 % 90,
            step: 0.3 + f64::from(word(col, 7)) / 1e7,
        };
        Case { format: DigitFormat { bits, cycles, signed }, crossbar, vectors, adc: (0..cols).map(adc).collect() }
    })
}

impl Case {
    fn packed(&self, tables: bool) -> Packed {
        let mut packed = Packed::new(self.format, tables);
        packed.pack(self.crossbar.rows(), self.vectors.iter().map(Vec::as_slice));
        packed
    }

    fn blocks(&self) -> usize {
        self.crossbar.cols().div_ceil(LANES)
    }

    /// Sums of a vector in a cycle.
    fn sums(&self, vector: usize, cycle: u32) -> Vec<f32> {
        let digit = |&code: &i32| signed_digit(code, self.format.bits, cycle);
        let row =
            |(row, digit): (usize, i32)| (digit != 0).then_some(DrivenRow { row: row as u32, digit: digit as f32 });
        let driven: Vec<DrivenRow> = self.vectors[vector].iter().map(digit).enumerate().filter_map(row).collect();
        let mut sums = Vec::new();
        self.crossbar.column_sums(&driven, self.format.group_rows(), &mut sums);
        sums
    }

    /// Bits of the sums of a block, `[vector][cycle]`, from any matrix of lanes.
    fn assert_sums(&self, block: usize, found: &[Lanes<f32>], what: &str) {
        let cycles = self.format.cycles as usize;
        assert_eq!(found.len(), self.vectors.len() * cycles);
        for (at, found) in found.iter().enumerate() {
            let expected = self.sums(at / cycles, (at % cycles) as u32);
            for (col, expected) in expected.iter().enumerate().skip(block * LANES).take(LANES) {
                assert_eq!(found.0[col % LANES].to_bits(), expected.to_bits(), "{what}: column {col}, read {at}");
            }
        }
    }
}

/// The matrix of each magnitude, as of linear cells.
fn matrices(case: &Case) -> Vec<Crossbar> {
    let of_digit = |digit: i32| {
        let (rows, cols) = (case.crossbar.rows(), case.crossbar.cols());
        let mut matrix = Crossbar::new(rows, cols);
        for at in 0..rows * cols {
            matrix.add_cell(at / cols, at % cols, digit as f32 * case.crossbar.cell(at / cols, at % cols), 1.0);
        }
        matrix
    };
    (1..1 << case.format.bits).map(of_digit).collect()
}

proptest! {
    #[test]
    fn sums_have_the_bits_of_the_plain_loops_on_every_instruction_set(case in case()) {
        let (packed, always_tables, matrices) = (case.packed(false), case.packed(true), matrices(&case));
        let mut sums = Vec::new();
        for isa in Isa::available() {
            let mut kernel = Kernel::new(isa);
            for block in 0..case.blocks() {
                kernel.sums(&packed, BlockCells::Linear(case.crossbar.block(block)), &mut sums);
                case.assert_sums(block, &sums, isa.name());
                kernel.sums(&always_tables, BlockCells::PerDigit(&matrices, block), &mut sums);
                case.assert_sums(block, &sums, &format!("{} per digit", isa.name()));
            }
        }
    }

    /// Registers or kept sums, with statistics of errors or without: the same codes, ranges and clipped conversions, those of the converters.
    #[test]
    fn every_way_to_convert_gives_the_same(case in case(), limit in prop_oneof![Just(None), (1_u32..20_000).prop_map(|l| Some(f64::from(l)))]) {
        let packed = case.packed(false);
        let bank = AdcBank::ideal_transfers(case.adc.iter().copied());
        let mut expected_seen = CodesSeen::new(case.adc.len(), false);
        let (mut expected, mut expected_saturated) = (Vec::new(), vec![0_u64; case.adc.len()]);
        for vector in 0..case.vectors.len() {
            let mut accumulators = vec![0.0_f64; case.adc.len()];
            for cycle in 0..case.format.cycles {
                let mut codes = case.sums(vector, cycle);
                bank.convert(&mut codes, &[], &mut expected_seen);
                for ((sum, &code), saturated) in accumulators.iter_mut().zip(&codes).zip(&mut expected_saturated) {
                    *sum += f64::from(code) * f64::from(1_u32 << (cycle * case.format.bits));
                    let limit = limit.unwrap_or(f64::INFINITY);
                    *saturated += u64::from(sum.abs() > limit);
                    *sum = sum.clamp(-limit, limit);
                }
            }
            expected.push(accumulators);
        }
        for (isa, errors, given) in Isa::available().flat_map(|isa| [(isa, false, false), (isa, true, false), (isa, false, true)]) {
            let mut kernel = Kernel::new(isa);
            let mut seen = CodesSeen::new(case.adc.len(), errors);
            for block in 0..case.blocks() {
                let cells = BlockCells::Linear(case.crossbar.block(block));
                let mut kept = Vec::new();
                kernel.sums(&packed, cells, &mut kept);
                let mut accumulators = vec![Lanes::splat(f64::NAN); case.vectors.len()];
                let mut saturated = Lanes::splat(0);
                let by = Conversions { adc: &bank.blocks()[block], thermal_keys: &[], columns: Lanes::splat(0), limit };
                let results = BlockResults { accumulators: &mut accumulators, seen: &mut seen.blocks_mut()[block], saturated: &mut saturated };
                kernel.convert(&packed, if given { BlockSums::Given(&kept) } else { BlockSums::Cells(cells) }, &by, results);
                for col in (block * LANES..case.adc.len()).take(LANES) {
                    let found: Vec<f64> = accumulators.iter().map(|lanes| lanes.0[col % LANES]).collect();
                    let expected: Vec<f64> = expected.iter().map(|accumulators| accumulators[col]).collect();
                    prop_assert_eq!(found, expected, "{} {} {}", isa.name(), errors, given);
                    prop_assert_eq!(saturated.0[col % LANES], expected_saturated[col]);
                    prop_assert_eq!((seen.clipped(col), seen.codes(col)), (expected_seen.clipped(col), expected_seen.codes(col)));
                }
            }
        }
    }

    /// Read noise: the square root of the sum of `digit^2 * variance`, times the draw of (key, column).
    #[test]
    fn noise_has_the_variance_of_the_driven_cells(case in case(), key: u64) {
        let packed = case.packed(false);
        let mut variances = Crossbar::new(case.crossbar.rows(), case.crossbar.cols());
        for at in 0..case.crossbar.rows() * case.crossbar.cols() {
            let (row, col) = (at / case.crossbar.cols(), at % case.crossbar.cols());
            variances.add_cell(row, col, case.crossbar.cell(row, col).abs() * 0.01, 1.0);
        }
        let cycles = case.format.cycles as usize;
        let keys: Vec<u64> = (0..case.vectors.len() * cycles).map(|at| key.wrapping_add(at as u64)).collect();
        for (isa, block) in Isa::available().flat_map(|isa| (0..case.blocks()).map(move |block| (isa, block))) {
            let columns = Lanes(std::array::from_fn(|lane| (block * LANES + lane) as u32));
            let mut sums = vec![Lanes::splat(1.0); keys.len()];
            let noise = ReadNoise { variances: variances.block(block), keys: &keys, columns };
            Kernel::new(isa).add_noise(&packed, &noise, &mut sums);
            for (at, sums) in sums.iter().enumerate() {
                for col in (block * LANES..case.crossbar.cols()).take(LANES) {
                    let squares = case.vectors[at / cycles].iter().map(|&code| f64::from(signed_digit(code, case.format.bits, (at % cycles) as u32)).powi(2));
                    let variance: f64 = squares.enumerate().map(|(row, square)| square * f64::from(variances.cell(row, col))).sum();
                    let draw = f64::from(normals(keys[at], &[col as u32; LANES])[0]);
                    let expected = 1.0 + variance.sqrt() * draw;
                    prop_assert!((f64::from(sums.0[col % LANES]) - expected).abs() <= 1e-5 * expected.abs().max(1.0 + variance));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn products_are_those_of_the_plain_loops(rows in 1_usize..40, vectors in 1_usize..20, columns in 1..=LANES, seed: u32) {
        let word = |at: usize, salt: u32| (at as u32 ^ seed).wrapping_mul(0x9e37_79b9 ^ salt) >> 8;
        let codes: Vec<f64> = (0..rows * vectors).map(|at| f64::from(word(at, 1) as i32 % 70_000 - 10_000)).collect();
        let cell = |row: usize, lane: usize| exact_factor(f64::from(word(row * LANES + lane, 2)) / 7e5 - 9.0);
        let cell = |row: usize, lane: usize| if lane < columns { cell(row, lane) } else { 0.0 };
        let matrix: Vec<Lanes<f64>> = (0..rows).map(|row| Lanes(std::array::from_fn(|lane| cell(row, lane)))).collect();
        for isa in Isa::available() {
            let mut products = vec![Lanes::splat(f64::NAN); vectors];
            Kernel::new(isa).multiply(&codes, &matrix, columns, &mut products);
            for (codes, products) in codes.chunks_exact(rows).zip(&products) {
                for (lane, &product) in products.0.iter().enumerate() {
                    let expected = codes.iter().enumerate().fold(0.0, |sum, (row, &code)| sum + code * cell(row, lane));
                    prop_assert_eq!(product.to_bits(), expected.to_bits(), "{}", isa.name());
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn requantised_sums_are_those_of_the_plain_formula(sums in prop::collection::vec(-1e6..1e6_f64, 0..200), scale in 1e-4..2.0_f64, signed: bool) {
        let (limit, highest) = (5e5, 255.0);
        let clamps = (if signed { -highest } else { 0.0 }, highest);
        // Ties too.
        let sums: Vec<f64> = sums.into_iter().flat_map(|sum| [sum, sum.round() / scale, (sum.round() + 0.5) / scale]).collect();
        let multipliers = [scale, 0.5 * scale, 2.0 * scale];
        for isa in Isa::available() {
            let (mut limited, mut codes) = (sums.clone(), vec![7]);
            let by = Requantisation { limit, multipliers: &multipliers, clamps };
            let saturated = Kernel::new(isa).requantise(by, &mut limited, Some(&mut codes));
            prop_assert_eq!(saturated, sums.iter().filter(|sum| sum.abs() > limit).count() as u64);
            prop_assert_eq!((codes[0], codes.len()), (7, sums.len() + 1));
            for (index, &sum) in sums.iter().enumerate() {
                let held = sum.clamp(-limit, limit);
                let code = (held * multipliers[index % 3]).clamp(clamps.0, clamps.1).round_ties_even();
                prop_assert_eq!((limited[index], codes[index + 1]), (held, code as i32), "{}", isa.name());
            }
            let (bytes, mut numbers): (Vec<u8>, Vec<f64>) = (sums.iter().map(|&sum| sum as u8).collect(), Vec::new());
            Kernel::new(isa).widen(&bytes, &mut numbers);
            prop_assert_eq!(numbers, bytes.iter().map(|&byte| f64::from(byte)).collect::<Vec<f64>>());
        }
    }

    #[test]
    fn bits_are_counted_row_by_row(codes in prop::collection::vec(any::<u8>(), 0..9000), rows in 1_usize..200) {
        let codes = &codes[..codes.len() / rows * rows];
        let expected: Vec<u64> = (0..rows).map(|row| 7 + codes.iter().skip(row).step_by(rows).map(|code| u64::from(code.count_ones())).sum::<u64>()).collect();
        for isa in Isa::available() {
            let mut counts = vec![7; rows];
            Kernel::new(isa).add_bits(codes, &mut counts);
            prop_assert_eq!(&counts, &expected, "{}", isa.name());
        }
    }
}

/// Sums beyond the range of rounding by addition, and codes of many bits, which take wider accumulators.
#[test]
fn extreme_sums_and_wide_codes_are_converted_exactly() {
    let format = DigitFormat { bits: 1, cycles: 16, signed: false };
    let mut crossbar = Crossbar::new(2, 3);
    for (col, value) in [1e9, -1e9, 524_287.0].into_iter().enumerate() {
        crossbar.add_cell(0, col, value, 1.0);
    }
    let mut packed = Packed::new(format, false);
    packed.pack(2, std::iter::once([65_535, 0].as_slice()));
    let adc = AdcTransfer { min_code: -1000, max_code: (1 << 19) - 1, step: 1.0 };
    let bank = AdcBank::ideal_transfers(std::iter::repeat_n(adc, 3));
    for isa in Isa::available() {
        let mut seen = CodesSeen::new(3, false);
        let (mut accumulators, mut saturated) = ([Lanes::splat(0.0)], Lanes::splat(0));
        let by = Conversions { adc: &bank.blocks()[0], thermal_keys: &[], columns: Lanes::splat(0), limit: None };
        let results = BlockResults {
            accumulators: &mut accumulators,
            seen: &mut seen.blocks_mut()[0],
            saturated: &mut saturated,
        };
        Kernel::new(isa).convert(&packed, BlockSums::Cells(BlockCells::Linear(crossbar.block(0))), &by, results);
        let highest = 65_535.0 * f64::from((1 << 19) - 1);
        assert_eq!(accumulators[0].0[..3], [highest, -65_535_000.0, highest]);
        assert_eq!([0, 1, 2].map(|col| seen.clipped(col)), [16, 16, 0]);
    }
}
