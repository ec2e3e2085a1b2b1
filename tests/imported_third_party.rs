//! The third-party networks: their accuracies in integers beside those in float, and chips without errors that compute the reference.

use crate::support::chips;
use chip::functional::infer;
use chip::timing;
use explore::datasets;
use explore::model;
use nn::datasets::{Dataset, Split};
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Goal, Quantisation, quantised};
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile_quantised};
use std::path::PathBuf;
use tile::address::Purpose;

/// Networks with data, and how many points their accuracy in 8-bit integers may lie below that in float.
const LABELLED: &[(&str, f64)] = &[
    ("mnist-8-cntk", 1.0),
    ("mnist-mlp-bn", 1.0),
    ("mnist-net-256x2", 1.0),
    ("burn-mnist", 1.0),
    ("mlperf-resnet8", 1.0),
    ("crosssim-resnet14", 1.0),
    ("marabou-cifar10-small", 1.0),
    ("oval21-cifar-base", 1.0),
    ("cifar10-resnet-2b", 1.0),
    ("tfc-2w2a", 0.3),
];

/// Networks without data: their inputs are the reference's.
const UNLABELLED: &[(&str, &str)] =
    &[("mlperf-ad01", "mlperf_ad01.ref-in.npy"), ("mlperf-vww96", "mlperf_vww96.ref-in.npy")];

/// The folder of networks and that of data sets; says so if they are missing.
fn folders(test: &str) -> Option<(PathBuf, PathBuf)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("OHMIC_SHARED").map_or(beside, PathBuf::from);
    let folders = (shared.join("models"), shared.join("data"));
    if folders.0.is_dir() && folders.1.is_dir() {
        return Some(folders);
    }
    crate::skip::skipped(&format!("{test}: no third-party networks in OHMIC_SHARED or ../shared"));
    None
}

fn configs(name: &str) -> String {
    format!("{}/../../configs/networks/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Whether to take the minutes that many images need.
fn many() -> bool {
    std::env::var_os("OHMIC_ACCURACIES").is_some()
}

/// Images that accuracies are compared on: all with `OHMIC_ACCURACIES=1`, else few.
fn images(test: Split) -> Split {
    if many() { test } else { test.truncated(200) }
}

#[test]
fn integers_are_as_accurate_as_floats() {
    let Some((models, data)) = folders("integers_are_as_accurate_as_floats") else { return };
    let chip = chips::chip("default");
    for (name, points) in LABELLED {
        let model = model::load(&configs(name), Some(&models), &[]).unwrap();
        let dataset = datasets::load(&model.graph.dataset, Some(&data)).unwrap();
        let test = images(dataset.test);
        let quantised = quantised(&model.graph, &dataset.train, &chip, &Quantisation::default(), Goal::Integers);
        let quantised = quantised.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (float, integer) = (model.graph.accuracy(&test).unwrap(), quantised.network.accuracy(&test).unwrap());
        eprintln!("{name}: float {:.2} %, integer {:.2} % of {} images", 100.0 * float, 100.0 * integer, test.len());
        // On few images one of them is half a point.
        let slack = if test.len() < 1000 { 1.0 } else { 0.0 };
        assert!(100.0 * (float - integer) <= points + slack, "{name}: {float} and {integer}");
    }
}

#[test]
fn ideal_chips_compute_the_reference() {
    let Some((models, data)) = folders("ideal_chips_compute_the_reference") else { return };
    let labelled = LABELLED.iter().map(|&(name, _)| (name, None));
    let all = UNLABELLED.iter().map(|&(name, file)| (name, Some(file))).chain(labelled);
    // Each network by one of the mapping strategies that clip no weight.
    for ((name, file), mapping) in all.zip(["differential", "isaac", "twos-complement", "unbalanced"].iter().cycle()) {
        let model = model::load(&configs(name), Some(&models), &[]).unwrap();
        let shape = model.graph.input;
        let dataset = match file {
            Some(file) => {
                let images = datasets::from_npy(&models.join(file), shape).unwrap();
                Dataset { test: images.clone(), ..datasets::unlabelled(shape, &images) }
            }
            None => datasets::load(&model.graph.dataset, Some(&data)).unwrap(),
        };
        let dataset = few(dataset);
        let mut chip = chips::exact();
        chip.tile.buffer.bytes = 1 << 22;
        let quantised = quantised(&model.graph, &dataset.train, &chip, &Quantisation::default(), Goal::Integers);
        let quantised = quantised.unwrap_or_else(|error| panic!("{name}: {error}"));
        let mapping = Mapping::parse(mapping).unwrap();
        let settings =
            CompilationSettings { dataset: &dataset, training: "none", mapping: &mapping, chip: &chip, seed: 1 };
        let program =
            compile_quantised(&quantised.network, &settings).unwrap_or_else(|error| panic!("{name}: {error}"));
        let images = &dataset.test.images;
        let sample = chip::functional::ChipSample::program(&program, 1, Purpose::Programming, 0).unwrap();
        let scores = infer(&program, &sample, &encode_images(&program, images), None).unwrap().scores;
        let expected: Vec<f64> =
            quantised.network.infer_all(images).unwrap().into_iter().flatten().map(|s| s as f64).collect();
        assert_eq!(scores, expected, "{name}");
        eprintln!("{name}: {} images are exact under {}", dataset.test.len(), mapping.name());
        assert!(timing::run(&program, 1).unwrap().cycles() > 0, "{name}");
    }
}

/// Few images to calibrate with, and to simulate few or, with `OHMIC_ACCURACIES=1`, all of a small network and 200 of a large one.
fn few(dataset: Dataset) -> Dataset {
    let small = dataset.name == "mnist" || dataset.name == "fashion-mnist";
    let test = match (many(), small) {
        (true, true) => dataset.test,
        (true, false) => dataset.test.truncated(200),
        (false, _) => dataset.test.truncated(4),
    };
    Dataset { train: dataset.train.truncated(4), test, ..dataset }
}
