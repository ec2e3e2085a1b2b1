//! exploration
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, missing_docs)]
mod support;
use chip::config::Chip;
use chip::functional::infer;
use explore::config::{Kind, load};
use explore::experiment::Experiment;
use nn::coding::InputCoding;
use nn::datasets::{Dataset, Split};
use nn::quantised::{MvmOutput, QuantisedLayer, QuantisedNetwork};
use nn_compiler::choose::{ChoiceSettings, Weights, choose};
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Quantisation, quantised};
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile_quantised};
use trainer::{Job, Method, Start, Target, train};

fn trained() -> (QuantisedNetwork, Dataset, Chip) {
    let small = ["training.epochs=8", "training.validation_chips=1", "training.batch=25"].map(str::to_owned);
    let experiment: Experiment = load(Kind::Experiment, "digits", &small).unwrap();
    let dataset = nn::datasets::load("digits-8x8").unwrap();
    let job = Job {
        start: Start::Architecture(&experiment.network),
        dataset: &dataset,
        training: &experiment.training,
        method: Method::Conventional,
        target: Target { mapping: &Mapping::parse("isaac").unwrap(), chip: &experiment.chip },
        share: 0.0,
        seed: 1,
    };
    let trained = train(&job, |_| {}).unwrap();
    let chip = experiment.chip.clone();
    let q =
        quantised(&trained.network, &dataset.train, &chip, &Quantisation::default(), &mut |_, _| {}).unwrap().network;
    (q, dataset, chip)
}

fn alone(network: &QuantisedNetwork, layer: usize, images: &Split) -> (QuantisedNetwork, Dataset) {
    let QuantisedLayer::Mvm(mvm) = &network.layers[layer] else { panic!() };
    let mut mvm = mvm.clone();
    let shape = mvm.window.input;
    let mut pixels = Vec::new();
    for image in 0..images.len() {
        let codes = network.input_codes(images.image(image));
        let maps = network.infer_layers(&codes).unwrap();
        let map: Vec<i64> =
            if mvm.input == 0 { codes.iter().map(|&c| c.into()).collect() } else { maps[mvm.input - 1].clone() };
        pixels.extend(map.iter().map(|&c| c as f32 / 255.0));
    }
    mvm.input = 0;
    mvm.output = MvmOutput::Scores;
    let split = Split { features: shape.len(), images: pixels, labels: vec![0; images.len()] };
    let one = QuantisedNetwork {
        name: "one".to_owned(),
        dataset: "none".to_owned(),
        input: shape,
        coding: InputCoding::unsigned(8),
        layers: vec![QuantisedLayer::Mvm(mvm)],
    };
    one.validate().unwrap();
    let dataset =
        Dataset { name: "none", shape, classes: 1, train: split.clone(), validation: split.clone(), test: split };
    (one, dataset)
}

fn relative_error(network: &QuantisedNetwork, dataset: &Dataset, mapping: &Mapping, chip: &Chip) -> (f64, Vec<f64>) {
    let settings = CompilationSettings { dataset, training: "none", mapping, chip, seed: 7 };
    let program = compile_quantised(network, &settings).unwrap();
    let images = dataset.test.truncated(40);
    let expected: Vec<f64> =
        network.infer_all(&images.images).unwrap().into_iter().flatten().map(|s| s as f64).collect();
    let n = expected.len() / images.len();
    let mut var = 0.0;
    for j in 0..n {
        let v: Vec<f64> = expected.iter().skip(j).step_by(n).copied().collect();
        let m = v.iter().sum::<f64>() / v.len() as f64;
        var += v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / v.len() as f64;
    }
    var /= n as f64;
    let mut err = 0.0;
    let chips = 6;
    for c in 0..chips {
        let got =
            infer(&program, &support::compiled::sample(&program, c), &encode_images(&program, &images.images), None)
                .unwrap()
                .scores;
        err += got.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / expected.len() as f64;
    }
    let steps = program.mvm_stages().next().unwrap().1.slices.iter().map(|s| s.adc.step).collect();
    (err / chips as f64 / var, steps)
}

#[test]
fn table() {
    let (network, dataset, chip) = trained();
    let candidates = Mapping::every();
    let images = dataset.train.truncated(64);
    let layer: usize = std::env::var("LAYER").map_or(0, |l| l.parse().unwrap());
    let (one, data) = alone(&network, layer, &images);
    for device in
        ["paper-order", "milo-2021", "wan-2022", "joshi-2020", "pcm-like", "agrawal-2022", "hermes-1-device", "ideal"]
    {
        for adc in ["default", "ideal", "bits5", "free", "full"] {
            let mut chip = chip.clone();
            chip.tile.cell.device = support::chips::device(device);
            match adc {
                "ideal" => chip.tile.adc.kind = tile::adc::AdcKind::Ideal,
                "bits5" => chip.tile.adc.bits = 5,
                "free" => chip.tile.adc.power_of_two_step = false,
                "full" => chip.tile.adc.range = chip::config::RangePolicy::Full,
                _ => {}
            }
            let settings =
                ChoiceSettings { candidates: &candidates, weights: Weights { error: 1.0, energy: 1.0, latency: 0.0 } };
            let choice = choose(&one, &data.train, &chip, &settings).unwrap();
            eprintln!("== {device} {adc}: chosen {}", choice.layers[0].chosen().mapping.name());
            for of in &choice.layers[0].candidates {
                let c = &of.candidate;
                let (measured, steps) = relative_error(&one, &data, &c.mapping, &chip);
                eprintln!(
                    "{:26} predicted {:.3e} measured {:.3e} ratio {:.2}  energy {:.3e} latency {} arrays {} score {:.3}  steps {steps:?}",
                    c.mapping.name(),
                    c.error,
                    measured,
                    c.error / measured,
                    c.energy_j,
                    c.latency_cycles,
                    c.arrays,
                    of.score
                );
            }
        }
    }
}
