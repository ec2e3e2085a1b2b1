//! Which draw the noise of a single conversion is: every observed sum and every score of noisy chips, computed once more from the addresses.

use crate::support::cells::level;
use crate::support::chips::{self, Widths};
use crate::support::compiled::Compiled;
use crate::support::networks::{Builder, dataset, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, RangePolicy};
use chip::functional::{ChipSample, ColumnProbe, Observation, infer};
use chip::program::{MvmStage, Program};
use nn::{Graph, Shape};
use nn_compiler::mapping::Mapping;
use std::collections::BTreeMap;
use tile::adc::{AdcKind, NonIdealities};
use tile::address::{Purpose, key};
use tile::device::ReadNoise;
use tile::normal::normals;

/// Arrays so small that layers take several in both directions, with more columns than the kernel has lanes.
const WIDTHS: Widths = Widths { array: (16, 24), dac: 3, cell: 2, weight: 8, input: 8 };
const MAPPINGS: [&str; 3] = ["isaac", "differential", "differential+after-adc"];
const CYCLES: usize = 3;
const NOISE_SEED: u64 = 11;
const CHIP_SAMPLE: u64 = 5;
const SAMPLE_PURPOSE: Purpose = Purpose::Validation;
const RELATIVE_SIGMA: f64 = 0.05;
const THERMAL_SIGMA_CODES: f64 = 1.5;

/// Compiled for eight classes.
fn compiled(network: &Graph, mapping: &str, chip: &Chip) -> Program {
    let dataset = dataset(&mut Random(1), network.input, 8, 4, 1);
    Compiled::new(network, &dataset, &Mapping::parse(mapping).unwrap(), chip).program
}

fn noisy_sample(program: &Program) -> ChipSample {
    ChipSample::program(program, NOISE_SEED, SAMPLE_PURPOSE, CHIP_SAMPLE).unwrap()
}

fn codes(random: &mut Random, count: usize) -> Vec<i32> {
    (0..count).map(|_| random.within(0, 255) as i32).collect()
}

/// One conversion of the chip sample.
#[derive(Clone, Copy, Debug)]
struct Conversion {
    image: usize,
    layer: usize,
    window: usize,
    cycle: usize,
    row_start: usize,
    array: usize,
    output: usize,
    slice: usize,
}

impl Conversion {
    /// Columns are counted over the whole layer, array after array.
    fn draw(&self, stage: &MvmStage, purpose: Purpose) -> f64 {
        let own = [self.image, self.layer, self.window, self.cycle, self.row_start].map(|index| index as u64);
        let address = [&[SAMPLE_PURPOSE as u64, CHIP_SAMPLE], &own[..]].concat();
        let column = (self.array * stage.outputs as usize + self.output) * stage.slices.len() + self.slice;
        normals(key(NOISE_SEED, purpose, &address), &[column as u32; 16])[0].into()
    }

    /// Sum of the column without noise and variance of its read noise, in level spacings of its slice; by logical rows and their digits.
    fn moments(&self, chip: &Chip, stage: &MvmStage, driven: impl Iterator<Item = (usize, f64)>) -> (f64, f64) {
        let device = &chip.tile.cell.device;
        let sigma = if device.read_noise.is_some() { RELATIVE_SIGMA } else { 0.0 };
        let g_min = device.g_min_s / (device.g_max_s - device.g_min_s) * f64::from(stage.top_level(self.slice));
        let together = match (stage.converted_arrays(), stage.polarities) {
            (1, 2) => vec![(0, 1.0), (1, -1.0)],
            _ => vec![(self.array, 1.0)],
        };
        let (mut nominal, mut variance) = (0.0, 0.0);
        for (row, digit) in driven {
            for &(polarity, sign) in &together {
                let level = f64::from(level(stage, self.slice, polarity, row, self.output));
                nominal += sign * digit * level;
                variance += (digit * sigma * (g_min + level)).powi(2);
            }
        }
        (nominal, variance)
    }
}

/// Checks every sum that it is shown; counts reads by layer, crossbar and array.
struct ReadNoiseCheck<'p> {
    program: &'p Program,
    reads: BTreeMap<(usize, usize, usize), usize>,
    /// Sums with noise by layer.
    noisy: [usize; 2],
}

impl ColumnProbe for ReadNoiseCheck<'_> {
    fn observe(&mut self, read: &Observation<'_>) {
        let (_, stage) = self.program.mvm_stages().nth(read.layer).unwrap();
        let (placed, windows) = (&stage.crossbars[read.crossbar], stage.window.count());
        let (row_start, first_output) = (placed.row_start as usize, placed.output_start as usize);
        let reads = self.reads.entry((read.layer, read.crossbar, read.array)).or_default();
        let (vector, cycle) = (*reads / CYCLES, *reads % CYCLES);
        *reads += 1;
        assert_eq!(read.cycle, cycle);
        let driven = read.driven();
        let (layer, array, image, window) = (read.layer, read.array, vector / windows, vector % windows);
        for (column, &sum) in read.sums.iter().enumerate() {
            let (output, slice) = (first_output + column / read.slices, column % read.slices);
            let at = Conversion { image, layer, window, cycle, row_start, array, output, slice };
            let driven = driven.iter().map(|row| (row_start + row.row as usize, f64::from(row.digit)));
            let (nominal, variance) = at.moments(&self.program.chip, stage, driven);
            let expected = nominal + variance.sqrt() * at.draw(stage, Purpose::ReadNoise);
            assert!((f64::from(sum) - expected).abs() < 1e-4, "{at:?}: {sum}, expected {expected}");
            self.noisy[layer] += usize::from(variance > 0.0);
        }
    }
}

/// More images than the engine works on together, which makes their numbers matter.
#[test]
fn read_noise_of_every_sum_is_the_draw_of_its_address() {
    const IMAGES: usize = 258;
    let mut chip = WIDTHS.of(chips::exact());
    chip.tile.adc.kind = AdcKind::Ideal;
    chip.tile.cell.device.read_noise = Some(ReadNoise::Relative { relative_sigma: RELATIVE_SIGMA });
    for mapping in MAPPINGS {
        let mut random = Random(3);
        let mut chain = Builder::new(&mut random, WIDTHS.weight, Shape { channels: 2, height: 3, width: 4 });
        chain.conv2d(7, 3, 2, 1);
        chain.relu();
        chain.linear(8);
        let program = compiled(&chain.finish(), mapping, &chip);
        for (_, stage) in program.mvm_stages() {
            assert!(stage.row_partitions() > 1 && stage.crossbars.iter().any(|placed| placed.output_start > 0));
        }
        assert_eq!(program.mvm_stages().map(|(_, stage)| stage.window.count()).collect::<Vec<_>>(), [4, 1]);
        let mut check = ReadNoiseCheck { program: &program, reads: BTreeMap::new(), noisy: [0; 2] };
        let images = codes(&mut random, program.input.len() * IMAGES);
        infer(&program, &noisy_sample(&program), &images, Some(&mut check)).unwrap();
        assert!(check.reads.iter().all(|(&(layer, ..), &reads)| reads == IMAGES * [4, 1][layer] * CYCLES));
        assert!(check.noisy.iter().all(|&sums| sums > 10_000), "{mapping}: {:?}", check.noisy);
    }
}

/// What a converter gives for one image of a single linear layer in all cycles, shifted and added, in level spacings.
fn converted(chip: &Chip, stage: &MvmStage, codes: &[i32], rows: u32, first: Conversion) -> f64 {
    let (adc, rows) = (stage.slices[first.slice].adc, first.row_start..first.row_start + rows as usize);
    let of_cycle = |cycle| {
        let at = Conversion { cycle, ..first };
        let driven = rows.clone().map(|row| (row, f64::from((codes[row] >> (3 * cycle)) & 7)));
        let (nominal, variance) = at.moments(chip, stage, driven);
        let sum = nominal + variance.sqrt() * at.draw(stage, Purpose::ReadNoise);
        let input = sum / adc.step + THERMAL_SIGMA_CODES * at.draw(stage, Purpose::AdcNoise);
        let code = input.round_ties_even().clamp(adc.min_code.into(), adc.max_code.into());
        code * adc.step * f64::from(1 << (3 * cycle))
    };
    (0..CYCLES).map(of_cycle).sum()
}

/// Scores of one image of that layer.
fn scores_by_hand(chip: &Chip, stage: &MvmStage, image: usize, codes: &[i32]) -> Vec<f64> {
    let input_sum: i64 = codes.iter().map(|&code| i64::from(code)).sum();
    let mut scores: Vec<f64> = stage.bias.iter().map(|bias| (bias - stage.offset * input_sum) as f64).collect();
    for placed in &stage.crossbars {
        let (row_start, first_output) = (placed.row_start as usize, placed.output_start as usize);
        for (array, sign) in (0..stage.converted_arrays() as usize).zip([1.0, -1.0]) {
            for (output, score) in scores.iter_mut().enumerate().skip(first_output).take(placed.outputs as usize) {
                for (slice, of_slice) in stage.slices.iter().enumerate() {
                    let at = Conversion { image, layer: 0, window: 0, cycle: 0, row_start, array, output, slice };
                    let sum = converted(chip, stage, codes, placed.rows, at);
                    *score += sign * of_slice.significance as f64 * sum;
                }
            }
        }
    }
    scores
}

/// Alone and together with read noise, whose draws are others.
#[test]
fn thermal_noise_of_every_conversion_is_the_draw_of_its_address() {
    const IMAGES: usize = 4;
    let mut chip = WIDTHS.of(chips::exact());
    (chip.tile.adc.kind, chip.tile.adc.bits, chip.tile.adc.range) = (AdcKind::Sar, 6, RangePolicy::Full);
    chip.tile.adc.nonideal = NonIdealities { noise_sigma_codes: THERMAL_SIGMA_CODES, ..NonIdealities::none() };
    let network = single_layer(40, 8, |output, input| (output * 37 + input * 53) as i32 % 255 - 127, 0.0);
    let images = codes(&mut Random(4), 40 * IMAGES);
    for mapping in MAPPINGS {
        for read_noise in [None, Some(ReadNoise::Relative { relative_sigma: RELATIVE_SIGMA })] {
            chip.tile.cell.device.read_noise = read_noise;
            let program = compiled(&network, mapping, &chip);
            let (_, stage) = program.mvm_stages().next().unwrap();
            assert!(stage.row_partitions() > 1 && stage.flipped_columns() == 0 && stage.slices[0].adc.step > 1.0);
            let scores = infer(&program, &noisy_sample(&program), &images, None).unwrap().scores;
            for (image, (codes, scores)) in images.chunks(40).zip(scores.chunks(8)).enumerate() {
                for (score, expected) in scores.iter().zip(scores_by_hand(&chip, stage, image, codes)) {
                    assert!((score - expected).abs() < 1e-6, "{mapping}, image {image}: {score}, expected {expected}");
                }
            }
        }
    }
}
