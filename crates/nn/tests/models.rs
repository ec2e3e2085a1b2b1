//! Do third-party networks import, and do they compute what `onnxruntime` computes? The networks and data lie beside the repository; where
//! they are missing the tests say so.
//!
//! The accuracies on all 10 000 images take a minute; `OHMIC_ACCURACIES=1 cargo test --release -p nn --test models -- --nocapture` checks them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests may fail and say why")]

use crate::support::{assert_close, csv, npy, root, shared};
use nn::Graph;
use nn::datasets::{Split, info};
use nn::onnx::{self, Layout, Options};
use std::path::Path;
use std::time::Instant;

/// Images with reference results.
const CHECKED: usize = 100;

/// What a network's input is made of a pixel of 0 to 1.
#[derive(Clone, Copy)]
enum Pixels {
    Scaled(f32),
    Normalised(&'static [f32], &'static [f32]),
    LessMean(&'static str),
}

/// A third-party network: file without its ending, data set, input, accuracy in percent.
struct Model {
    name: &'static str,
    dataset: &'static str,
    pixels: Pixels,
    layout: Layout,
    accuracy: f64,
    /// Images that the accuracy was measured on.
    images: usize,
}

const fn model(name: &'static str, dataset: &'static str, pixels: Pixels, accuracy: f64) -> Model {
    Model { name, dataset, pixels, layout: Layout::ChannelsFirst, accuracy, images: 10_000 }
}

const MODELS: &[Model] = &[
    model("mnist-8_cntk", "mnist", Pixels::Scaled(255.0), 98.91),
    model("mnist-mlp-bn_pytorch", "mnist", Pixels::Scaled(1.0), 91.89),
    model("mnist-net_256x2", "mnist", Pixels::Scaled(1.0), 98.08),
    model("mlperf_resnet8", "cifar10-jpeg75", Pixels::Scaled(255.0), 75.48),
    model("crosssim_resnet14v1", "cifar10-jpeg75", Pixels::LessMean("cifar10_train_mean_32x32x3.npy"), 79.76),
    Model {
        layout: Layout::ChannelsLast,
        ..model("marabou_cifar10_small", "cifar10-jpeg75", Pixels::Scaled(1.0), 62.34)
    },
    model(
        "oval21_cifar_base_kw",
        "cifar10-jpeg75",
        Pixels::Normalised(&[0.485, 0.456, 0.406], &[0.225, 0.225, 0.225]),
        58.02,
    ),
    model(
        "cifar10_resnet_2b",
        "cifar10-jpeg75",
        Pixels::Normalised(&[0.4914, 0.4822, 0.4465], &[0.2471, 0.2435, 0.2616]),
        68.70,
    ),
    Model { images: 1000, ..model("TFC_2W2A", "mnist", Pixels::Scaled(1.0), 96.6) },
];

/// The folder beside the repository; says so if it is missing.
fn folder(test: &str) -> Option<std::path::PathBuf> {
    let folder = shared();
    if folder.is_none() {
        crate::skip::skipped(&format!("{test}: no third-party networks in OHMIC_SHARED or ../shared"));
    }
    folder
}

fn import(folder: &Path, model: &Model) -> Graph {
    let options = Options { layout: model.layout, ..Options::new(model.name, model.dataset) };
    onnx::load(&folder.join("models").join(format!("{}.onnx", model.name)), &options).unwrap_or_else(|e| panic!("{e}"))
}

/// The images as the network wants them.
fn prepared(folder: &Path, split: &Split, pixels: Pixels) -> Split {
    let mean = |file: &str| {
        let (sizes, values) = npy(&folder.join("models").join(file));
        let (pixels, channels) = (sizes[0] * sizes[1], sizes[2]);
        let at = |channel: usize, pixel: usize| values[pixel * channels + channel];
        (0..channels)
            .flat_map(|channel| (0..pixels).map(move |pixel| (channel, pixel)))
            .map(|(c, p)| at(c, p))
            .collect()
    };
    let means: Vec<f32> = if let Pixels::LessMean(file) = pixels { mean(file) } else { Vec::new() };
    let change = |(index, &value): (usize, &f32)| match pixels {
        Pixels::Scaled(scale) => value * scale,
        Pixels::Normalised(mean, deviation) => {
            let channel = index / (split.features / mean.len());
            (value - mean[channel]) / deviation[channel]
        }
        Pixels::LessMean(_) => value - means[index],
    };
    let images = split.images.chunks_exact(split.features).flat_map(|image| image.iter().enumerate().map(change));
    Split { images: images.collect(), ..split.clone() }
}

fn check_logits(folder: &Path, name: &str, graph: &Graph, images: &Split) {
    let reference = csv(&folder.join("models").join(format!("{name}.ref-logits100.csv")));
    assert_eq!(reference.len(), CHECKED);
    let results = graph.forward(&images.truncated(CHECKED).images).unwrap();
    let classes = results.len() / CHECKED;
    for (image, (result, expected)) in results.chunks_exact(classes).zip(&reference).enumerate() {
        assert_close(&format!("{name}, image {image}"), result, expected);
    }
}

/// An imported network with what is known of it.
struct Case {
    graph: Graph,
    pixels: Pixels,
    accuracy: f64,
    images: usize,
}

/// Checks the first images, and, if asked to, the accuracy on all of them to 0.05 points.
fn check(dataset: &str, wanted: &dyn Fn(&Path) -> Vec<Case>) {
    let Some(folder) = folder(dataset) else { return };
    let data = folder.join("data").join(dataset.trim_end_matches("-jpeg75"));
    let split = info(dataset).unwrap().load_test_from(&data).unwrap();
    let full = std::env::var_os("OHMIC_ACCURACIES").is_some();
    let split = if full { split } else { split.truncated(CHECKED) };
    for Case { graph, pixels, accuracy, images } in wanted(&folder) {
        let prepared = prepared(&folder, &split, pixels);
        check_logits(&folder, &graph.name, &graph, &prepared);
        if full {
            let start = Instant::now();
            let measured = 100.0 * graph.accuracy(&prepared.truncated(images)).unwrap();
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("{}: {measured:.2} % of {images} images in {seconds:.1} s, expected {accuracy} %", graph.name);
            assert!((measured - accuracy).abs() <= 0.05, "{}: {measured} %, expected {accuracy} %", graph.name);
        }
    }
}

fn of(folder: &Path, dataset: &str) -> Vec<Case> {
    let models = MODELS.iter().filter(|model| model.dataset == dataset);
    let case = |model: &Model| Case {
        graph: import(folder, model),
        pixels: model.pixels,
        accuracy: model.accuracy,
        images: model.images,
    };
    models.map(case).collect()
}

#[test]
fn networks_for_mnist_agree_with_onnxruntime() {
    check("mnist", &|folder| {
        let mut models = of(folder, "mnist");
        let (description, weights) = (root().join("configs/graphs/burn-mnist.toml"), "models/burn_mnist.safetensors");
        let burn = nn::graph::files::load(&description, &folder.join(weights)).unwrap();
        models.push(Case {
            graph: burn,
            pixels: Pixels::Normalised(&[0.1307], &[0.3081]),
            accuracy: 99.17,
            images: 10_000,
        });
        models
    });
}

#[test]
fn networks_for_cifar10_agree_with_onnxruntime() {
    check("cifar10-jpeg75", &|folder| of(folder, "cifar10-jpeg75"));
}

#[test]
fn networks_without_data_agree_with_onnxruntime() {
    let Some(folder) = folder("networks without data") else { return };
    let models = folder.join("models");
    for name in ["mlperf_ad01", "mlperf_vww96"] {
        let graph = onnx::load(&models.join(format!("{name}.onnx")), &Options::new(name, "random")).unwrap();
        let (_, input) = npy(&models.join(format!("{name}.ref-in.npy")));
        let (sizes, expected) = npy(&models.join(format!("{name}.ref-out.npy")));
        let result = graph.forward(&input).unwrap();
        let size = expected.len() / sizes[0];
        for (result, expected) in result.chunks_exact(size).zip(expected.chunks_exact(size)) {
            assert_close(name, result, expected);
        }
    }
}

#[test]
fn parameters_are_those_of_the_published_networks() {
    let Some(folder) = folder("parameters") else { return };
    // Weights and biases, without what folds: batch normalisation holds 2 instead of 4 numbers per channel.
    let known = [("mnist-net_256x2", 269_322), ("oval21_cifar_base_kw", 105_966), ("cifar10_resnet_2b", 112_006)];
    for (name, parameters) in known {
        let model = MODELS.iter().find(|model| model.name == name).unwrap();
        assert_eq!(import(&folder, model).parameter_count(), parameters, "{name}");
    }
}
