//! Does the choice of a mapping per layer predict what simulations show, and choose by it?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "helpers of tests may fail the test"
)]

mod choice_commands;
mod support;

use chip::config::{Chip, RangePolicy};
use chip::functional::infer;
use chip::program::{Program, load as load_program, save};
use chip::timing;
use explore::config::{Kind, load};
use explore::evaluate::{CellSource, Evaluator};
use explore::experiment::Experiment;
use explore::progress::Silent;
use nn::coding::InputCoding;
use nn::datasets::{Dataset, Split};
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use nn::{Shape, Window};
use nn_compiler::choose::{Candidate, Choice, ChoiceSettings, Weights, choose};
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Goal, Quantisation, quantised};
use nn_compiler::mapping::{LayerMappings, Mapping, MixedMapping};
use nn_compiler::{CompilationSettings, compile_quantised};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use support::random::Random;
use support::{chips, compiled, networks};
use tile::adc::AdcKind;
use trainer::{Job, Method, Start, Target, train};

const ERROR: Weights = Weights { error: 1.0, energy: 0.0, latency: 0.0 };
const LATENCY: Weights = Weights { error: 0.0, energy: 0.0, latency: 1.0 };
const ENERGY: Weights = Weights { error: 0.0, energy: 1.0, latency: 0.0 };

/// The digits MLP in integers after a few epochs, its data and its chip.
static DIGITS: LazyLock<(QuantisedNetwork, Dataset, Chip)> = LazyLock::new(|| {
    let short = ["training.epochs=8", "training.validation_chips=1", "training.batch=25"].map(str::to_owned);
    let experiment: Experiment = load(Kind::Experiment, "digits", &short).unwrap();
    let (dataset, chip) = (nn::datasets::load("digits-8x8").unwrap(), experiment.chip);
    let job = Job {
        start: Start::Architecture(&experiment.network),
        dataset: &dataset,
        training: &experiment.training,
        method: Method::Conventional,
        target: Target { mapping: &Mapping::parse("isaac").unwrap(), chip: &chip },
        share: 0.0,
        seed: 1,
    };
    let trained = train(&job, |_| {}).unwrap();
    let integers =
        quantised(&trained.network, &dataset.train, &chip, &Quantisation::default(), Goal::Integers).unwrap();
    (integers.network, dataset, chip)
});

/// A weighted layer whose sums are the scores, on given codes.
fn alone(mvm: &QuantisedMvm, codes: impl Iterator<Item = Vec<i64>>) -> (QuantisedNetwork, Dataset) {
    let shape = mvm.window.input;
    let images: Vec<f32> = codes.flatten().map(|code| code as f32 / 255.0).collect();
    let count = images.len() / shape.len();
    let split = Split { features: shape.len(), images, labels: vec![0; count] };
    let layer = QuantisedMvm { input: 0, output: MvmOutput::Scores, ..mvm.clone() };
    let network = QuantisedNetwork {
        name: "alone".to_owned(),
        dataset: "none".to_owned(),
        input: shape,
        coding: InputCoding::unsigned(8),
        layers: vec![QuantisedLayer::Mvm(layer)],
    };
    network.validate().unwrap();
    let dataset =
        Dataset { name: "none", shape, classes: 1, train: split.clone(), validation: split.clone(), test: split };
    (network, dataset)
}

/// A layer of a network on what it reads of images.
fn layer_of(network: &QuantisedNetwork, layer: usize, images: &Split) -> (QuantisedNetwork, Dataset) {
    let QuantisedLayer::Mvm(mvm) = &network.layers[layer] else { panic!("layer {layer} has no weights") };
    let read = |image: usize| {
        let codes = network.input_codes(images.image(image));
        match mvm.input {
            0 => codes.into_iter().map(i64::from).collect(),
            source => network.infer_layers(&codes).unwrap().swap_remove(source - 1),
        }
    };
    alone(mvm, (0..images.len()).map(read))
}

/// A layer of random weights on random codes, most of them small.
fn random_layer(inputs: usize, outputs: usize, images: usize) -> (QuantisedNetwork, Dataset) {
    let mut random = Random::of_case(11, 0);
    let weights = (0..inputs * outputs).map(|_| random.within(0, 254) as i32 - 127).collect();
    let mvm = QuantisedMvm {
        name: "random".to_owned(),
        input: 0,
        window: Window::square(Shape { channels: inputs, height: 1, width: 1 }, 1, 1, 0),
        groups: 1,
        weights,
        outputs,
        weight_bits: 8,
        weight_offset: None,
        bias: vec![0; outputs],
        output: MvmOutput::Scores,
    };
    let mut code = || (255.0 * random.unit() * random.unit()) as i64;
    let codes: Vec<Vec<i64>> = (0..images).map(|_| (0..inputs).map(|_| code()).collect()).collect();
    alone(&mvm, codes.into_iter())
}

fn choice_of(
    network: &QuantisedNetwork,
    dataset: &Dataset,
    chip: &Chip,
    candidates: &[Mapping],
    weights: Weights,
) -> Choice {
    choose(network, &dataset.train, chip, &ChoiceSettings { candidates, weights }).unwrap()
}

fn program(network: &QuantisedNetwork, dataset: &Dataset, chip: &Chip, mapping: &dyn LayerMappings) -> Program {
    let settings = CompilationSettings { dataset, training: "none", mapping, chip, seed: compiled::SEED };
    compile_quantised(network, &settings).unwrap()
}

fn mappings(names: &[&str]) -> Vec<Mapping> {
    names.iter().map(|name| Mapping::parse(name).unwrap()).collect()
}

/// Mean square error of the scores of each of `chip_samples` over the variance of all of them together, from `images` of the calibration images.
fn simulated(
    network: &QuantisedNetwork,
    dataset: &Dataset,
    chip: &Chip,
    mapping: &Mapping,
    (images, chip_samples): (usize, u64),
) -> Vec<f64> {
    let program = program(network, dataset, chip, mapping);
    let images = dataset.train.truncated(images);
    let expected: Vec<f64> =
        network.infer_all(&images.images).unwrap().into_iter().flatten().map(|sum| sum as f64).collect();
    let variance = compiled::moments(&expected).1;
    let codes = encode_images(&program, &images.images);
    let error = |chip_sample: u64| {
        let scores = infer(&program, &compiled::sample(&program, chip_sample), &codes, None).unwrap().scores;
        let squares = scores.iter().zip(&expected).map(|(score, expected)| (score - expected).powi(2));
        squares.sum::<f64>() / expected.len() as f64 / variance
    };
    (0..chip_samples).map(error).collect()
}

/// Monte Carlo over chip samples on the windows that the prediction looks at: within the 95 % interval of the mean plus a tenth of it, for the errors' laws are
/// taken for normal and the rests of conversions for independent. Converters are ideal, lossless, and so coarse that most sums lie below half of a step.
#[test]
fn predicted_errors_are_those_of_chip_samples() {
    let (network, dataset) = random_layer(40, 12, 60);
    let candidates =
        mappings(&["isaac", "offset", "differential", "differential+common-mode", "twos-complement", "unbalanced"]);
    for converters in ["ideal", "lossless", "full", "coarse"] {
        let mut chip = chips::any_resolution(chips::chip("default"));
        match converters {
            "ideal" => chip.tile.adc.kind = AdcKind::Ideal,
            "lossless" => chip.tile.adc.range = RangePolicy::Lossless,
            "full" => chip.tile.adc.range = RangePolicy::Full,
            _ => (chip.tile.adc.range, chip.tile.adc.bits) = (RangePolicy::Full, 4),
        }
        for scored in &choice_of(&network, &dataset, &chip, &candidates, ERROR).layers[0].candidates {
            let Candidate { mapping, error, .. } = &scored.candidate;
            let errors = simulated(&network, &dataset, &chip, mapping, (60, 60));
            let (mean, variance) = compiled::moments(&errors);
            let interval = 1.96 * (variance / (errors.len() - 1) as f64).sqrt();
            let case = format!("{converters} {}: {error:e}, simulated {mean:e} +- {interval:e}", mapping.name());
            assert!((error - mean).abs() < interval + 0.1 * mean, "{case}");
        }
    }
}

/// Weights all on the error: of two strategies whose simulated errors differ by half or more the better one is always predicted to be better, and ranks agree (Spearman) to 0.95.
#[test]
fn predicted_order_is_the_simulated_order_on_the_digits_mlp() {
    let (network, dataset, chip) = &*DIGITS;
    for layer in 0..3 {
        let (one, data) = layer_of(network, layer, &dataset.train.truncated(64));
        let choice = choice_of(&one, &data, chip, &Mapping::every(), ERROR);
        let simulate = |of: &Candidate| compiled::moments(&simulated(&one, &data, chip, &of.mapping, (40, 4))).0;
        let pairs: Vec<(f64, f64)> =
            choice.layers[0].candidates.iter().map(|of| (of.candidate.error, simulate(&of.candidate))).collect();
        assert_eq!(pairs.len(), Mapping::every().len());
        let mut told = 0;
        for (index, &(predicted, simulated)) in pairs.iter().enumerate() {
            for &(of_other, simulated_of_other) in
                pairs[..index].iter().filter(|other| (other.1 / simulated).ln().abs() > 1.5_f64.ln())
            {
                told += 1;
                assert_eq!(predicted < of_other, simulated < simulated_of_other, "layer {layer}: {pairs:?}");
            }
        }
        assert!(told > 60, "layer {layer}: {told} pairs differ");
        assert!(rank_correlation(&pairs) > 0.95, "layer {layer}: {pairs:?}");
    }
}

/// Spearman's, without ties.
fn rank_correlation(pairs: &[(f64, f64)]) -> f64 {
    let ranks = |of: &dyn Fn(&(f64, f64)) -> f64| -> Vec<f64> {
        pairs.iter().map(|pair| pairs.iter().filter(|other| of(other) < of(pair)).count() as f64).collect()
    };
    let (first, second) = (ranks(&|pair| pair.0), ranks(&|pair| pair.1));
    let n = pairs.len() as f64;
    let squares: f64 = first.iter().zip(&second).map(|(a, b)| (a - b) * (a - b)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

/// Weights all on energy: what the energy report of a simulation says of the choice is the least of all single mappings, and each layer's prediction is within
/// 5 % of it, but for leakage and what moves between layers. Converters without loss have the resolution of the most demanding layer.
#[test]
fn least_energy_is_least_in_the_energy_report() {
    for range in [RangePolicy::Calibrated, RangePolicy::Lossless] {
        let mut chip = chips::any_resolution(DIGITS.2.clone());
        chip.tile.adc.range = range;
        check_least_energy(&chip);
    }
}

fn check_least_energy(chip: &Chip) {
    let (network, dataset, _) = &*DIGITS;
    let choice = choice_of(network, dataset, chip, &Mapping::every(), ENERGY);
    let evaluator = Evaluator { seed: 1, purpose: tile::address::Purpose::Programming, chips: 1, timing_images: 2 };
    let reported = |mapping: &dyn LayerMappings| {
        let program = program(network, dataset, chip, mapping);
        evaluator.run(&program, &dataset.train.truncated(64), &CellSource::Device, &Silent).unwrap().energy
    };
    let chosen = reported(&choice.mapping().unwrap());
    let predicted: f64 = choice.layers.iter().map(|layer| layer.chosen().energy_j).sum();
    let within = chosen.total_j() - chosen.leakage_j;
    assert!((predicted / within - 1.0).abs() < 0.05, "{predicted}, reported {within}");
    for mapping in Mapping::every() {
        let same = reported(&mapping).total_j();
        assert!(chosen.total_j() <= same, "{}: {same}, chosen {}", mapping.name(), chosen.total_j());
    }
}

/// Weights all on latency: images follow each other as fast as with the fastest of all single mappings, and as fast as the slowest layer is predicted to be, also where
/// additions or partial sums from other tiles are slower than the arrays.
#[test]
fn least_latency_is_least_in_the_timing_engine() {
    let (network, dataset, chip) = &*DIGITS;
    let changes: [fn(&mut Chip); 3] =
        [|_| {}, |chip| chip.tile.digital.adder_width = 1, |chip| (chip.tile.arrays, chip.mesh.flit_bits) = (2, 8)];
    for (case, change) in changes.into_iter().enumerate() {
        let mut chip = chip.clone();
        change(&mut chip);
        let measured = |mapping: &dyn LayerMappings| {
            let (cycles, images) =
                timing::run(&program(network, dataset, &chip, mapping), 8).unwrap().steady_interval();
            cycles as f64 / images as f64
        };
        let choice = choice_of(network, dataset, &chip, &Mapping::every(), LATENCY);
        let chosen = measured(&choice.mapping().unwrap());
        let predicted = choice.layers.iter().map(|layer| layer.chosen().latency_cycles).max().unwrap() as f64;
        assert!((predicted / chosen - 1.0).abs() < 0.05, "case {case}: {predicted}, measured {chosen}");
        for mapping in Mapping::every() {
            let same = measured(&mapping);
            assert!(chosen <= 1.02 * same, "case {case}, {}: {same}, chosen {chosen}", mapping.name());
        }
    }
}

/// An ideal chip whose layers are mapped differently equals the integer reference bit for bit, before and after a round trip through files.
#[test]
fn mixed_mappings_are_exact_and_survive_their_files() {
    let chip = chips::exact();
    let names: Vec<String> = Mapping::every().iter().map(|mapping| mapping.name().to_owned()).collect();
    let mut seen = BTreeSet::new();
    for case in 0..12 {
        let mut random = Random::of_case(12, case);
        let graph = networks::convolutions(&mut random, chip.format.weight_bits);
        let dataset = networks::dataset(&mut random, graph.input, 2, 4, 6);
        let integers =
            quantised(&graph, &dataset.train, &chip, &Quantisation::default(), Goal::Integers).unwrap().network;
        let layers = integers.layers.iter().filter(|layer| matches!(layer, QuantisedLayer::Mvm(_))).count();
        let of_layers: Vec<&str> = (0..layers).map(|_| names[random.within(0, names.len() - 1)].as_str()).collect();
        let mixed = MixedMapping::new("auto", mappings(&of_layers)).unwrap();
        let program = program(&integers, &dataset, &chip, &mixed);
        let stages: Vec<&str> = program.mvm_stages().map(|(_, stage)| stage.mapping.as_str()).collect();
        assert_eq!((program.mapping.as_str(), &stages), ("auto", &of_layers));
        let directory = tempfile::tempdir().unwrap();
        save(&program, directory.path()).unwrap();
        assert_eq!(load_program(directory.path()).unwrap(), program);
        let codes = encode_images(&program, &dataset.test.images);
        let scores = infer(&program, &compiled::sample(&program, 0), &codes, None).unwrap().scores;
        let expected: Vec<f64> =
            integers.infer_all(&dataset.test.images).unwrap().into_iter().flatten().map(|score| score as f64).collect();
        assert_eq!(scores, expected, "{of_layers:?}");
        seen.extend(of_layers.into_iter().map(str::to_owned));
    }
    assert!(seen.len() > 8, "{seen:?}");
    let two = MixedMapping::new("auto", mappings(&["isaac", "unary"])).unwrap();
    assert!(two.check(3).unwrap_err().contains("for 2 layers; the network has 3"));
}

/// What a layer cannot have is left out with the reason; a layer that can have nothing is an error.
#[test]
fn what_a_device_or_an_array_cannot_hold_is_refused() {
    let (network, dataset) = random_layer(20, 4, 8);
    let mut chip = chips::chip("default");
    chip.tile.cell.device = chips::device("paper-order");
    chip.tile.array.cols = 24;
    let candidates = mappings(&["unbalanced:1-3-2-2", "unary", "isaac"]);
    let choice = choice_of(&network, &dataset, &chip, &candidates, ERROR);
    let layer = &choice.layers[0];
    assert_eq!((layer.candidates.len(), layer.chosen().mapping.name()), (1, "isaac"));
    let refused: Vec<(&str, &str)> =
        layer.refused.iter().map(|(mapping, why)| (mapping.name(), why.as_str())).collect();
    assert_eq!(refused.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["unbalanced:1-3-2-2", "unary"]);
    assert!(refused[0].1.contains("a cell holds 2 bits"), "{refused:?}");
    let settings = ChoiceSettings { candidates: &candidates[..1], weights: ERROR };
    let none = choose(&network, &dataset.train, &chip, &settings).unwrap_err().to_string();
    assert!(none.contains("layer `random`: it can have no mapping of the candidates; unbalanced:1-3-2-2: "), "{none}");
}
