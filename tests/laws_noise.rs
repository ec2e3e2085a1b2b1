//! What changes from read to read, with time, and from converter to converter.

use crate::support::chips::{self, Widths};
use crate::support::compiled::{Compiled, moments, reads, sample};
use crate::support::networks::{dataset, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, RangePolicy};
use chip::functional::infer;
use chip::program::Program;
use nn_compiler::mapping::Mapping;
use tile::adc::{AdcKind, NonIdealities};
use tile::curve::Curve;
use tile::device::{Compensation, Drift, DriftLaw, ReadNoise};

const WIDTHS: Widths = Widths { array: (128, 128), dac: 2, cell: 2, weight: 8, input: 8 };

/// One layer; the compiled program and the weights by `[output * inputs + input]`.
fn program(mapping: &str, chip: &Chip, inputs: usize, outputs: usize, weight: impl Fn(usize, usize) -> i32) -> Program {
    let network = single_layer(inputs, outputs, weight, 0.0);
    let dataset = dataset(&mut Random(1), network.input, outputs, 2, 2);
    Compiled::new(&network, &dataset, &Mapping::parse(mapping).unwrap(), chip).program
}

fn spread(output: usize, input: usize) -> i32 {
    (output * 37 + input * 53) as i32 % 255 - 127
}

fn transparent() -> Chip {
    let mut chip = WIDTHS.of(chips::exact());
    chip.tile.adc.kind = AdcKind::Ideal;
    chip
}

fn with_read_noise() -> Chip {
    let mut chip = transparent();
    chip.tile.cell.device.read_noise = Some(ReadNoise::Relative { relative_sigma: 0.05 });
    chip
}

fn image(inputs: usize) -> Vec<i32> {
    (0..inputs as i32).map(|row| row * 67 % 256).collect()
}

fn scores(program: &Program, chip_sample: u64, codes: &[i32]) -> Vec<f64> {
    infer(program, &sample(program, chip_sample), codes, None).unwrap().scores
}

/// The noise of a column has the variance `sum digit^2 (0.05 G)^2` over all its cells, in squared level spacings, and no mean; it is
/// another one in every conversion.
#[test]
fn read_noise_adds_up_over_the_cells_of_a_column() {
    const READS: usize = 4000;
    for mapping in ["isaac", "differential", "differential+after-adc"] {
        let chip = with_read_noise();
        let program = program(mapping, &chip, 12, 2, spread);
        let (_, stage) = program.mvm_stages().next().unwrap();
        let (placed, device) = (&stage.crossbars[0], &chip.tile.cell.device);
        let spacing_s = (device.g_max_s - device.g_min_s) / 3.0;
        let columns = placed.levels[0].len() / 12;
        let arrays: Vec<Vec<(usize, f64)>> = match mapping {
            "isaac" => vec![vec![(0, 1.0)]],
            "differential" => vec![vec![(0, 1.0), (1, -1.0)]],
            _ => vec![vec![(0, 1.0)], vec![(1, 1.0)]],
        };
        let all = reads(&program, &sample(&program, 0), &image(12).repeat(READS));
        let (cycles, kinds) = (4, arrays.len());
        assert_eq!(all.len(), READS * cycles * kinds);
        for (array, together) in arrays.iter().enumerate() {
            for cycle in 0..cycles {
                let of_array = all.iter().filter(|read| read.1 == array);
                let same: Vec<_> = of_array.skip(cycle).step_by(cycles).collect();
                let mut noises = Vec::new();
                for column in 0..columns {
                    let (mut nominal, mut variance) = (0.0, 0.0);
                    for &(row, digit) in &same[0].2 {
                        for &(polarity, sign) in together {
                            let level = f64::from(placed.levels[polarity][row * columns + column]);
                            nominal += sign * digit * level;
                            variance += (digit * 0.05 * (device.g_min_s / spacing_s + level)).powi(2);
                        }
                    }
                    let noise: Vec<f64> = same.iter().map(|read| read.3[column] - nominal).collect();
                    let (mean, found) = moments(&noise);
                    let n = READS as f64;
                    assert!(mean.abs() < 4.0 * (variance / n).sqrt(), "{mapping} {cycle} {column}: mean {mean}");
                    let close = (found / variance - 1.0).abs() < 4.0 * (2.0 / n).sqrt();
                    assert!(close, "{mapping} {cycle} {column}: {found}, expected {variance}");
                    let lag: f64 = noise.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / (n * variance);
                    assert!(lag.abs() < 4.5 / n.sqrt(), "{mapping} {cycle} {column}: images are correlated by {lag}");
                    noises.push(noise);
                }
                for pair in noises.windows(2) {
                    let product = pair[0].iter().zip(&pair[1]).map(|(a, b)| a * b).sum::<f64>();
                    let size = (moments(&pair[0]).1 * moments(&pair[1]).1).sqrt() * READS as f64;
                    assert!((product / size).abs() < 4.5 / (READS as f64).sqrt(), "columns are correlated");
                }
            }
        }
    }
}

#[test]
fn read_noise_keeps_its_draws_when_columns_are_cut_differently() {
    for mapping in &Mapping::every() {
        let columns = if mapping.name().starts_with("unary") { 64 } else { 8 };
        let chip = with_read_noise();
        let mut cut = chip.clone();
        cut.tile.array.cols = columns;
        let [whole, parts] = [&chip, &cut].map(|chip| program(mapping.name(), chip, 20, 6, spread));
        let crossbars = |program: &Program| program.mvm_stages().next().unwrap().1.crossbars.len();
        assert!(crossbars(&parts) > crossbars(&whole));
        let codes = image(40);
        assert_eq!(scores(&whole, 0, &codes), scores(&parts, 0, &codes), "{}", mapping.name());
        assert_ne!(scores(&whole, 0, &codes), scores(&whole, 1, &codes), "chip samples have their own noise");
        assert_eq!(scores(&whole, 0, &codes)[..6], scores(&whole, 0, &codes[..20])[..]);
    }
}

/// A device whose cells all lose the same share; level 0 at 0 S, so that whole currents drift and not only what is above the reference.
fn drifting(compensation: Compensation) -> Chip {
    let mut chip = transparent();
    let device = &mut chip.tile.cell.device;
    (device.g_min_s, device.read_after_s) = (0.0, 2e4);
    let [nu_mean, nu_sigma] = [0.06, 0.0].map(|value| Curve::Constant { value });
    device.drift =
        Some(Drift { compensation, law: DriftLaw::Power { t0_s: 20.0, reference_s: 25e-6, nu_mean, nu_sigma } });
    chip
}

#[test]
fn global_compensation_undoes_a_drift_that_all_cells_share() {
    let mut fresh = transparent();
    fresh.tile.cell.device.g_min_s = 0.0;
    for mapping in &Mapping::every() {
        let [expected, drifted, compensated] =
            [fresh.clone(), drifting(Compensation::None), drifting(Compensation::Global)]
                .map(|chip| scores(&program(mapping.name(), &chip, 40, 6, spread), 0, &image(40)));
        let largest = expected.iter().fold(0.0_f64, |largest, score| largest.max(score.abs()));
        for ((expected, drifted), compensated) in expected.iter().zip(&drifted).zip(&compensated) {
            assert!((compensated - expected).abs() < 1e-5 * largest, "{}: {compensated}, {expected}", mapping.name());
            if !mapping.name().starts_with("isaac") && !mapping.name().starts_with("offset") {
                let shrunk = expected * 1000_f64.powf(-0.06);
                assert!((drifted - shrunk).abs() < 1e-5 * largest, "{}: {drifted}, {shrunk}", mapping.name());
            }
        }
    }
}

/// Weight 42 is 10 10 10 10 in the biased encoding, so that all columns have the same sum.
#[test]
fn columns_that_share_a_converter_share_its_errors() {
    let mut random = Random(5);
    let codes: Vec<i32> = (0..100 * 30).map(|_| random.within(0, 255) as i32).collect();
    let by_output = |per_bank| {
        let mut chip = WIDTHS.of(chips::exact());
        (chip.tile.adc.bits, chip.tile.adc.range, chip.tile.adc.per_bank) = (8, RangePolicy::Full, per_bank);
        let nonideal =
            NonIdealities { gain_sigma: 0.03, offset_sigma_codes: 1.0, capacitor_sigma: 0.01, ..NonIdealities::none() };
        chip.tile.adc.nonideal = nonideal;
        let scores = scores(&program("isaac", &chip, 30, 6, |_, _| 42), 0, &codes);
        (0..6).map(|output| scores.iter().skip(output).step_by(6).copied().collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    // Four columns an output: with 8 converters every second output has the same ones, with 24 each column has its own.
    let two = by_output(8);
    assert!((0..4).all(|output| two[output] == two[output + 2]) && two[0] != two[1]);
    let own = by_output(24);
    assert!((0..6).all(|a| (0..a).all(|b| own[a] != own[b])));
    assert!(by_output(4).windows(2).all(|pair| pair[0] == pair[1]));
}

/// 4-bit weights in one 4-bit cell, so that each output has one converter.
fn one_converter_an_output(nonideal: NonIdealities, dac: u32) -> Program {
    let mut chip = Widths { dac, cell: 4, weight: 4, ..WIDTHS }.of(chips::exact());
    (chip.tile.adc.bits, chip.tile.adc.range, chip.tile.adc.per_bank) = (12, RangePolicy::Full, 128);
    chip.tile.adc.nonideal = nonideal;
    program("isaac", &chip, 60, 100, |_, _| -4)
}

#[test]
fn gains_of_converters_scale_the_sums_by_their_spread() {
    let program = one_converter_an_output(NonIdealities { gain_sigma: 0.05, ..NonIdealities::none() }, 8);
    let codes = [200; 60];
    let input_sum = 60.0 * 200.0;
    // The stored number is -4 + 8; the offset is taken off digitally.
    let gain = |score: &f64| (score + 8.0 * input_sum) / (4.0 * input_sum) - 1.0;
    let gains: Vec<f64> =
        (0..5).flat_map(|chip| scores(&program, chip, &codes).iter().map(gain).collect::<Vec<_>>()).collect();
    let (mean, variance) = moments(&gains);
    let n = gains.len() as f64;
    assert!(mean.abs() < 4.0 * 0.05 / n.sqrt(), "mean {mean}");
    assert!((variance / 0.0025 - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "variance {variance}");
}

/// A noise of several codes adds its own variance and, as if it were uniform, that of rounding.
#[test]
fn thermal_noise_adds_its_variance_in_codes() {
    const IMAGES: usize = 300;
    for (dac, sigma) in [(8, 3.0), (2, 2.0)] {
        let program = one_converter_an_output(NonIdealities { noise_sigma_codes: sigma, ..NonIdealities::none() }, dac);
        let step = program.mvm_stages().next().unwrap().1.slices[0].adc.step;
        let places: f64 = (0..8_u32.div_ceil(dac)).map(|cycle| f64::from(1 << (dac * cycle)).powi(2)).sum();
        let expected = step * step * places * (sigma * sigma + 1.0 / 12.0);
        // Every digit is in the middle of its range.
        let all = scores(&program, 0, &[0b1010_1010; 60].repeat(IMAGES));
        let (_, variance) = moments(&all);
        let standard_error = (2.0 / all.len() as f64).sqrt();
        assert!(
            (variance / expected - 1.0).abs() < 4.0 * standard_error,
            "{dac} bits: {variance}, expected {expected}"
        );
    }
}

/// A gain that is calibrated on drifted chips must not undo what compensation undoes already.
#[test]
fn column_gains_leave_to_compensation_what_it_does() {
    for mapping in ["differential", "twos-complement"] {
        let gains = |compensation| {
            let mut chip = drifting(compensation);
            chip.tile.adc.column_gain = true;
            let program = program(mapping, &chip, 40, 6, spread);
            let stages: Vec<f64> = program
                .mvm_stages()
                .flat_map(|(_, stage)| &stage.crossbars)
                .flat_map(|c| &c.column_adcs)
                .map(|adc| adc.gain)
                .collect();
            stages
        };
        let (compensated, alone) = (gains(Compensation::Global), gains(Compensation::None));
        assert!(compensated.iter().all(|gain| (gain - 1.0).abs() < 1e-5), "{mapping}: {compensated:?}");
        // Columns without a nominal sum keep 1.
        let restored = alone.iter().filter(|gain| (**gain / 1000_f64.powf(0.06) - 1.0).abs() < 1e-5).count();
        assert!(restored > alone.len() / 2, "{mapping}: {alone:?}");
    }
}
