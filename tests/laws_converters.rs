//! What converters do to scores: nothing while they are exact, at most half a step otherwise, and clipping is counted.

use crate::support::chips::{self, Widths, all_widths, widths_for};
use crate::support::compiled::{Compiled, sample};
use crate::support::networks::{Builder, convolutions, dataset, linear_chain, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, Criterion, RangePolicy};
use chip::program::{ColumnAdc, MvmStage, Output, Program, Slice, Stage, Subtraction};
use nn::datasets::Dataset;
use nn::quantised::{QuantisedLayer, QuantisedNetwork};
use nn::{Graph, Shape};
use nn_compiler::compile::encode_images;
use nn_compiler::mapping::Mapping;
use tile::adc::AdcTransfer;
use tile::crossbar::Crossbar;

/// Largest weights and inputs reach the outermost codes, which random networks do not.
#[test]
fn the_outermost_codes_are_exact() {
    let mut all_codes = 0;
    for mapping in &Mapping::every() {
        for widths in widths_for(mapping, all_widths(&[(8, 8), (16, 32)])) {
            let largest = (1 << (widths.weight - 1)) - 1;
            let network =
                single_layer(16, 3, |output, input| largest * [1, -1, 1 - 2 * (input as i32 % 2)][output], 0.0);
            let dataset = dataset(&mut Random(41), network.input, 3, 2, 2);
            let case = Compiled::new(&network, &dataset, mapping, &widths.of(chips::exact()));
            let inference = case.infer(0, &dataset.test);
            assert_eq!(inference.scores, case.expected(&dataset.test), "{} {widths:?}", mapping.name());
            // Full inputs make a full first digit if it has no more bits than they, full weights a full first slice.
            let used = &inference.converters[0];
            // Full columns that are stored complemented are empty.
            let stored = !mapping.name().contains("flip");
            if stored && widths.dac <= widths.input && widths.cell < widths.weight {
                let codes = used.codes.map_or(0, |(lowest, highest)| (highest - lowest) as u64 + 1);
                assert_eq!(codes, used.available_codes, "{} {widths:?}", mapping.name());
                all_codes += 1;
            }
        }
    }
    assert!(all_codes > 400, "only {all_codes} cases used every code");
}

/// Scores and number of clipped conversions of a program of one stage on an ideal device, by the definition.
fn naive(program: &Program, codes: &[i32]) -> (Vec<f64>, u64) {
    let (_, stage) = program.mvm_stages().next().unwrap();
    let input_sum: i64 = codes.iter().map(|&code| i64::from(code)).sum();
    let mut scores: Vec<f64> = stage.bias.iter().map(|&bias| (bias - stage.offset * input_sum) as f64).collect();
    let mut clipped = 0;
    for placed in &stage.crossbars {
        let slices = stage.slices.len();
        let columns = placed.outputs as usize * slices;
        let rows = placed.row_start as usize..(placed.row_start + placed.rows) as usize;
        let partition_sum: i64 = codes[rows].iter().map(|&code| i64::from(code)).sum();
        // Signs of the arrays that are converted together.
        let conversions: &[&[(usize, i64)]] = match (stage.polarities, stage.subtraction) {
            (1, _) => &[&[(0, 1)]],
            (_, Subtraction::BeforeAdc) => &[&[(0, 1), (1, -1)]],
            (_, Subtraction::AfterAdc) => &[&[(0, 1)], &[(1, 1)]],
        };
        for column in 0..columns {
            let slice = stage.slices[column % slices];
            let score = &mut scores[placed.output_start as usize + column / slices];
            let flipped = placed.flipped.get(column) == Some(&true);
            for (array, together) in conversions.iter().enumerate() {
                let own = placed.column_adcs.get(array * columns + column);
                let (step, gain) = own.map_or((slice.adc.step, 1.0), |own| (own.step, own.gain));
                let mut value = 0.0;
                for cycle in 0..program.chip.input_cycles(stage.applied_bits()) {
                    let base = 1 << program.chip.tile.dac.bits;
                    let place = i32::pow(base, cycle);
                    let mut sum = 0;
                    for row in 0..placed.rows as usize {
                        let digit = codes[placed.row_start as usize + row] / place % base;
                        for &(polarity, sign) in *together {
                            sum += i64::from(digit) * sign * i64::from(placed.levels[polarity][row * columns + column]);
                        }
                    }
                    let scaled = sum as f64 / step;
                    let (lowest, highest) = (f64::from(slice.adc.min_code), f64::from(slice.adc.max_code));
                    let nearest = scaled.round_ties_even();
                    clipped += u64::from(nearest > highest || nearest < lowest);
                    value += nearest.clamp(lowest, highest) * f64::from(place) * step * gain;
                }
                // A complemented column holds `top - level`: its sum is that far below `top` times the inputs.
                let top = f64::from((1_i32 << slice.bits) - 1);
                let value = if flipped { top * partition_sum as f64 - value } else { value };
                let sign = if array == 1 { -1.0 } else { 1.0 };
                *score += sign * slice.significance as f64 * value;
            }
        }
    }
    (scores, clipped)
}

fn slices_mut(program: &mut Program) -> impl Iterator<Item = &mut AdcTransfer> {
    let mvm =
        program.stages.iter_mut().filter_map(|stage| if let Stage::Mvm(stage) = stage { Some(stage) } else { None });
    mvm.flat_map(|stage| &mut stage.slices).map(|slice| &mut slice.adc)
}

/// Gains are powers of two and steps whole, so that the sums stay exact.
fn give_columns_their_own(program: &mut Program, random: &mut Random) {
    for stage in &mut program.stages {
        let Stage::Mvm(stage) = stage else { continue };
        for crossbar in 0..stage.crossbars.len() {
            let columns = stage.converted_columns(&stage.crossbars[crossbar]);
            let own = |_| ColumnAdc { step: random.pick(&[1.0, 2.0, 3.0, 5.0]), gain: random.pick(&[0.5, 1.0, 2.0]) };
            stage.crossbars[crossbar].column_adcs = (0..columns).map(own).collect();
        }
    }
}

/// Ranges far too small, and steps of several levels with ties between codes. Steps are whole, so that the sums are exact.
#[test]
fn too_small_a_range_clips_to_its_ends_and_is_counted() {
    let mut random = Random(42);
    let mut all_clipped = 0;
    for mapping in &Mapping::every() {
        for widths in widths_for(mapping, all_widths(&[(8, 8), (20, 32)])) {
            let weights: Vec<i32> = (0..30 * 5).map(|_| random.within(0, 254) as i32 - 127).collect();
            let network =
                single_layer(30, 5, |output, input| weights[output * 30 + input] >> (8 - widths.weight), -0.25);
            let dataset = dataset(&mut random, network.input, 5, 2, 3);
            let mut case = Compiled::new(&network, &dataset, mapping, &widths.of(chips::exact()));
            for adc in slices_mut(&mut case.program) {
                let lowest = if adc.min_code < 0 { -(random.within(1, 9) as i32) } else { 0 };
                *adc = AdcTransfer {
                    min_code: lowest,
                    max_code: random.within(1, 9) as i32,
                    step: random.pick(&[1.0, 2.0, 3.0, 4.0]),
                };
            }
            let own_columns = random.once_in(3);
            if own_columns {
                give_columns_their_own(&mut case.program, &mut random);
            }
            let inference = case.infer(0, &dataset.test);
            let codes = encode_images(&case.program, &dataset.test.images);
            let by_definition: Vec<(Vec<f64>, u64)> =
                codes.chunks(30).map(|codes| naive(&case.program, codes)).collect();
            assert_eq!(
                inference.scores,
                by_definition.iter().flat_map(|(scores, _)| scores.clone()).collect::<Vec<_>>()
            );
            let clipped = inference.converters.iter().map(|used| used.clipped).sum::<u64>();
            assert_eq!(
                clipped,
                by_definition.iter().map(|(_, clipped)| clipped).sum::<u64>(),
                "{} {widths:?}",
                mapping.name()
            );
            let conversions = inference.converters.iter().map(|used| used.conversions).sum::<u64>();
            assert_eq!(conversions, inference.counts.adc_conversion);
            all_clipped += clipped;
        }
    }
    assert!(all_clipped > 10_000, "only {all_clipped} conversions clipped");
}

/// How far scores can be from the reference if no conversion clips: every conversion is off by half a step at most, every code between
/// layers by what the sum before it is off and one more for its rounding.
fn score_bound(program: &Program, reference: &QuantisedNetwork) -> f64 {
    let weights =
        reference.layers.iter().filter_map(|layer| if let QuantisedLayer::Mvm(mvm) = layer { Some(mvm) } else { None });
    let (mut code_error, mut score_error) = (0.0_f64, 0.0);
    for ((_, stage), mvm) in program.mvm_stages().zip(weights) {
        let row_sum = |row: &[i32]| row.iter().map(|weight| f64::from(weight.abs())).sum::<f64>();
        let largest = mvm.weights.chunks(mvm.window.rows()).map(row_sum).fold(0.0, f64::max);
        score_error = largest * code_error + conversion_bound(program, stage);
        if matches!(stage.output, Output::Codes { .. }) {
            let multiplier = stage.multipliers.iter().copied().fold(0.0, f64::max);
            // Codes are whole numbers.
            code_error = (score_error * multiplier + 1.0).floor();
        }
    }
    score_error
}

fn conversion_bound(program: &Program, stage: &MvmStage) -> f64 {
    let dac_bits = program.chip.tile.dac.bits;
    let cycles: f64 =
        (0..program.chip.input_cycles(stage.applied_bits())).map(|cycle| f64::from(1 << (dac_bits * cycle))).sum();
    let conversions = if stage.subtraction == Subtraction::AfterAdc { 2.0 } else { 1.0 };
    let half_step = |slice: &Slice| conversions * slice.significance.abs() as f64 * slice.adc.step / 2.0;
    let slices: f64 = stage.slices.iter().map(half_step).sum();
    // Sums are single precision: a sum of 2^12 steps is known to 2^-11 of a step.
    stage.row_partitions() as f64 * slices * cycles * (1.0 + 1e-3)
}

fn largest_error(case: &Compiled, dataset: &Dataset) -> f64 {
    let inference = case.infer(0, &dataset.train);
    assert_eq!(inference.converters.iter().map(|used| used.clipped).sum::<u64>(), 0, "nothing may clip");
    let pairs = inference.scores.iter().zip(case.expected(&dataset.train));
    pairs.map(|(score, expected)| (score - expected).abs()).fold(0.0, f64::max)
}

/// Error and bound of one random network.
fn error_and_bound(random: &mut Random, network: &Graph, mapping: &Mapping, chip: &Chip) -> (f64, f64) {
    let dataset = dataset(random, network.input, 2, 5, 1);
    let case = Compiled::new(network, &dataset, mapping, chip);
    (largest_error(&case, &dataset), score_bound(&case.program, &case.reference))
}

fn check_bound(range: RangePolicy, seed: u64, networks: &[fn(&mut Random, u32) -> Graph]) {
    let mut random = Random(seed);
    let (mut coarse, mut finest) = (0.0_f64, 0.0_f64);
    for mapping in &Mapping::every() {
        for widths in widths_for(mapping, all_widths(&[(16, 16), (64, 64)])).into_iter().step_by(3) {
            let network = random.pick(networks)(&mut random, widths.weight);
            let mut chip = widths.of(chips::exact());
            (chip.tile.adc.range, chip.tile.adc.criterion, chip.tile.adc.percentile) =
                (range, Criterion::Percentile, 100.0);
            chip.tile.adc.power_of_two_step = random.once_in(2);
            for bits in [6, 9, 12] {
                chip.tile.adc.bits = bits;
                let (error, bound) = error_and_bound(&mut random, &network, mapping, &chip);
                assert!(error <= bound, "{error} > {bound}: {} {widths:?} {bits} bits", mapping.name());
                match bits {
                    6 => coarse = coarse.max(error / bound),
                    _ => finest = finest.max(error / bound),
                }
            }
        }
    }
    assert!(coarse > 0.1 && finest > 0.1, "the bound is too far away to mean anything: {coarse}, {finest}");
}

#[test]
fn a_full_range_keeps_scores_within_half_a_step_per_conversion() {
    check_bound(RangePolicy::Full, 43, &[linear_chain, convolutions]);
}

fn one_layer(random: &mut Random, weight_bits: u32) -> Graph {
    let (inputs, outputs) = (random.within(1, 100), random.within(1, 12));
    let mut chain = Builder::new(random, weight_bits, Shape { channels: inputs, height: 1, width: 1 });
    chain.linear(outputs);
    chain.finish()
}

/// The calibration images themselves are run, and all of their sums lie within the range (percentile 100). The sums of a second layer
/// could leave it, since they were observed without the errors of the first layer's converters.
#[test]
fn a_calibrated_range_keeps_scores_within_half_a_step_per_conversion() {
    check_bound(RangePolicy::Calibrated, 44, &[one_layer]);
}

/// The largest sums, of both signs, that inputs can make in any column of a crossbar.
fn extreme_sums(crossbar: &Crossbar, largest_digit: f64) -> (f64, f64) {
    let column = |column| (0..crossbar.rows()).map(move |row| f64::from(crossbar.cell(row, column)) * largest_digit);
    let sum = |pick: fn(f64, f64) -> f64| move |cells: f64, cell: f64| cells + pick(cell, 0.0);
    let sums = |c| (column(c).fold(0.0, sum(f64::min)), column(c).fold(0.0, sum(f64::max)));
    (0..crossbar.cols()).map(sums).fold((0.0, 0.0), |(low, high), (l, h)| (low.min(l), high.max(h)))
}

/// Not even when cells are as far off as the limits of the device let them be. (A single array cannot have less than no current; cells below
/// `G_min` are cut off at code 0.)
#[test]
fn a_full_range_holds_the_largest_sums() {
    let mut fullest = 0.0_f64;
    for mapping in &Mapping::every() {
        for name in chips::devices_of_two_bits() {
            let mut chip = chips::any_resolution(chips::chip("default"));
            chip.tile.cell.device = chips::device(name);
            // The limits are those of the conductances, whatever the current.
            chip.tile.cell.device.iv = None;
            (chip.tile.cell.device.sigma_scale, chip.tile.adc.range, chip.tile.dac.bits) = (20.0, RangePolicy::Full, 2);
            let network = single_layer(4, 3, |output, _| [127, -127, 0][output], 0.0);
            let dataset = dataset(&mut Random(47), network.input, 3, 2, 2);
            let program = Compiled::new(&network, &dataset, mapping, &chip).program;
            let (_, stage) = program.mvm_stages().next().unwrap();
            let adc = stage.slices[0].adc;
            let (lowest, highest) = (f64::from(adc.min_code) * adc.step, f64::from(adc.max_code) * adc.step);
            for chip_sample in 0..20 {
                let sample = sample(&program, chip_sample);
                let (low, high) = extreme_sums(sample.crossbars().next().unwrap()[0], 3.0);
                assert!(high <= highest * (1.0 + 1e-6), "{} {name}: {high} > {highest}", mapping.name());
                assert!(
                    !stage.bipolar() || low >= lowest * (1.0 + 1e-6),
                    "{} {name}: {low} < {lowest}",
                    mapping.name()
                );
                fullest = fullest.max(high / highest);
            }
        }
    }
    assert!(fullest > 0.99, "some column must come near the end of its range");
}

/// With a step of one level or less a calibrated range loses nothing at all, whatever the resolution.
#[test]
fn plenty_of_bits_are_exact() {
    let mut random = Random(45);
    let widths = Widths { array: (32, 48), dac: 1, cell: 2, weight: 8, input: 8 };
    for mapping in &Mapping::every() {
        for _ in 0..20 {
            let network = linear_chain(&mut random, 8);
            let mut chip = widths.of(chips::exact());
            chip.tile.adc.range = RangePolicy::Calibrated;
            (chip.tile.adc.percentile, chip.tile.adc.power_of_two_step, chip.tile.adc.bits) = (100.0, true, 12);
            let dataset = dataset(&mut random, network.input, 2, 5, 1);
            let case = Compiled::new(&network, &dataset, mapping, &chip);
            assert_eq!(case.infer(0, &dataset.train).scores, case.expected(&dataset.train));
        }
    }
}

/// Mean squared error of the scores of calibration images over the resolution.
fn errors_by_bits(mapping: &Mapping, power_of_two_step: bool) -> Vec<f64> {
    let mut random = Random(46);
    let weights: Vec<i32> = (0..60 * 10).map(|_| random.within(0, 126) as i32 - 63).collect();
    let network = single_layer(60, 10, |output, input| weights[output * 60 + input], 0.0);
    let dataset = dataset(&mut random, network.input, 10, 40, 1);
    let error = |bits| {
        let mut chip = chips::exact();
        (chip.tile.adc.range, chip.tile.adc.bits) = (RangePolicy::Calibrated, bits);
        chip.tile.adc.power_of_two_step = power_of_two_step;
        Compiled::new(&network, &dataset, mapping, &chip).squared_error(0, &dataset.train)
    };
    (2..=12).map(error).collect()
}

#[test]
fn more_bits_never_raise_the_error() {
    for mapping in &Mapping::every() {
        for power_of_two_step in [true, false] {
            let errors = errors_by_bits(mapping, power_of_two_step);
            for pair in errors.windows(2) {
                assert!(pair[1] <= pair[0], "{} {power_of_two_step}: {errors:?}", mapping.name());
            }
            assert!(errors[0] > 1e3 * errors[10], "{errors:?}");
        }
    }
}
