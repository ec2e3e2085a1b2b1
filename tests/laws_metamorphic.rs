//! How results change when one thing changes.

use crate::support::chips;
use crate::support::compiled::Compiled;
use crate::support::networks::{Builder, convolutions, dataset, linear_chain, single_layer};
use crate::support::random::Random;
use chip::config::{Chip, RangePolicy};
use chip::functional::{ConverterUse, Inference};
use nn::Shape;
use nn::datasets::{Dataset, Split};
use nn_compiler::mapping::Mapping;
use tile::actions::ActionCounts;
use tile::adc::ErrorStatistics;

/// A noisy chip with the default's calibrated converters.
fn noisy() -> Chip {
    let mut chip = chips::chip("default");
    (chip.tile.adc.calibration_images, chip.mesh.height) = (8, 100);
    chip
}

fn case(mapping: &Mapping, chip: &Chip, seed: u64) -> (Compiled, Dataset) {
    let mut random = Random(seed);
    let network = [linear_chain, convolutions][seed as usize % 2](&mut random, 8);
    let dataset = dataset(&mut random, network.input, 2, 8, 6);
    (Compiled::new(&network, &dataset, mapping, chip), dataset)
}

/// No word line is driven, so no current flows and no error of any cell can matter.
#[test]
fn a_black_image_takes_no_array_energy_and_scores_the_bias() {
    let mut chip = noisy();
    chip.tile.cell.device.sigma_scale = 3.0;
    for mapping in &Mapping::every() {
        let network = single_layer(70, 6, |output, input| (output * 37 + input * 11) as i32 % 127 - 63, 0.75);
        let dataset = dataset(&mut Random(51), network.input, 6, 4, 1);
        let case = Compiled::new(&network, &dataset, mapping, &chip);
        let inference = case.infer(0, &dataset.test);
        let black = dataset.test.images.iter().all(|&pixel| pixel == 0.0);
        assert!(black && inference.array_energy_j == 0.0);
        // One step of a score is 1/64 of a weight times 1/255 of a pixel.
        assert_eq!(inference.scores, vec![(0.75_f64 * 64.0 * 255.0).round(); 6]);
        assert!(inference.counts.adc_conversion > 0 && case.infer(0, &dataset.train).array_energy_j > 0.0);
    }
}

fn without_errors(inference: &Inference) -> Vec<ConverterUse> {
    let without = |used: &ConverterUse| ConverterUse { errors: ErrorStatistics::default(), ..used.clone() };
    inference.converters.iter().map(without).collect()
}

fn reversed(images: &Split) -> Split {
    let order: Vec<usize> = (0..images.len()).rev().collect();
    Split {
        features: images.features,
        images: order.iter().flat_map(|&image| images.image(image).to_vec()).collect(),
        labels: order.iter().map(|&image| images.labels[image]).collect(),
    }
}

/// Nothing may remain in the engine from one image to the next.
#[test]
fn permuting_images_permutes_scores() {
    for mapping in &Mapping::every() {
        for seed in 60..70 {
            let (case, dataset) = case(mapping, &noisy(), seed);
            let (plain, reverse) = (case.infer(0, &dataset.test), case.infer(0, &reversed(&dataset.test)));
            let rows: Vec<f64> = reverse.scores.chunks(reverse.classes).rev().flatten().copied().collect();
            assert_eq!(plain.scores, rows);
            assert_eq!((plain.counts, plain.array_energy_j), (reverse.counts, reverse.array_energy_j));
            assert_eq!(without_errors(&plain), without_errors(&reverse));
            // Their statistics are sums in the order of the images.
            for (a, b) in plain.converters.iter().zip(&reverse.converters) {
                assert_eq!(a.errors.count, b.errors.count);
                assert!((a.errors.error_squares - b.errors.error_squares).abs() <= 1e-4 * a.errors.error_squares);
            }
        }
    }
}

#[test]
fn a_batch_is_the_sum_of_its_images() {
    for mapping in &Mapping::every() {
        let (case, dataset) = case(mapping, &noisy(), 71);
        let whole = case.infer(0, &dataset.test);
        let (mut scores, mut counts, mut energy_j) = (Vec::new(), ActionCounts::default(), 0.0);
        for image in 0..dataset.test.len() {
            let images = Split { images: dataset.test.image(image).to_vec(), labels: vec![0], ..dataset.test };
            let one = case.infer(0, &images);
            scores.extend(one.scores);
            counts += one.counts;
            energy_j += one.array_energy_j;
        }
        assert_eq!((scores, counts), (whole.scores, whole.counts));
        assert!((energy_j - whole.array_energy_j).abs() < 1e-12 * energy_j);
    }
}

/// Mean squared error of the scores over chip samples, at multiples of the measured sigma. Chip samples share their draws.
fn errors_by_sigma(mapping: &Mapping, device: &str, scales: &[f64]) -> Vec<f64> {
    let mut random = Random(72);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 40, height: 1, width: 1 });
    chain.linear(8);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 8, 8, 8);
    let error = |&sigma_scale: &f64| {
        let mut chip = chips::exact();
        chip.tile.cell.device = chips::device(device);
        (chip.tile.cell.device.sigma_scale, chip.tile.cell.device.iv) = (sigma_scale, None);
        // So fine that the converters hide nothing.
        (chip.tile.adc.range, chip.tile.adc.bits) = (RangePolicy::Full, 16);
        let case = Compiled::new(&network, &dataset, mapping, &chip);
        (0..6).map(|chip_sample| case.squared_error(chip_sample, &dataset.test)).sum::<f64>() / 6.0
    };
    scales.iter().map(error).collect()
}

/// Errors of cells add up linearly in a column, so twice the sigma is four times the squared error, less where cells clip at zero
/// conductance (the low states of a phase-change memory do).
#[test]
fn more_variation_raises_the_error() {
    for mapping in &Mapping::every() {
        for device in ["paper-order", "milo-2021", "wan-2022", "joshi-2020"] {
            let errors = errors_by_sigma(mapping, device, &[0.125, 0.25, 0.5, 1.0, 2.0]);
            let growth: Vec<f64> = errors.windows(2).map(|pair| pair[1] / pair[0]).collect();
            // The search for an offset looks at sigma, so there the encoding changes as well.
            let expected = if mapping.name().starts_with("offset") { 1.1..=6.0 } else { 3.3..=4.1 };
            assert!(growth.iter().all(|growth| expected.contains(growth)), "{} {device}: {growth:?}", mapping.name());
        }
    }
}

/// Every device without its errors is the ideal device: exact again, and the very same program but for conductances.
#[test]
fn any_device_without_its_errors_is_exact() {
    for mapping in &Mapping::every() {
        for (seed, name) in (80..).zip(chips::devices_of_two_bits()) {
            let mut chip = chips::exact();
            chip.tile.cell.device = chips::device(name);
            let device = &mut chip.tile.cell.device;
            (device.sigma_scale, device.read_after_s) = (0.0, 0.0);
            (device.drift, device.read_noise, device.iv, device.faults) = (None, None, None, None);
            let (case, dataset) = case(mapping, &chip, seed);
            assert_eq!(case.infer(4, &dataset.test).scores, case.expected(&dataset.test), "{} {name}", mapping.name());
        }
    }
}

/// Other chip samples are other chips, and the same one is always the same.
#[test]
fn chip_samples_differ_and_repeat() {
    for mapping in &Mapping::every() {
        let (case, dataset) = case(mapping, &noisy(), 90);
        let [first, again, second] = [0, 0, 1].map(|chip_sample| case.infer(chip_sample, &dataset.train));
        assert_eq!(first, again);
        assert_ne!(first.scores, second.scores);
        assert_ne!(first.array_energy_j, second.array_energy_j);
        assert_eq!(first.counts, second.counts);
    }
}
