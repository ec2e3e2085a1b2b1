//! Every ONNX file of the repository that a chip can do, compiled for a chip without errors: the chip is the integer reference bit for bit,
//! the reference is near the float network, and the cycles end.

use crate::support::chips;
use chip::functional::infer;
use chip::timing;
use nn::datasets::{Dataset, Split};
use nn::graph::Graph;
use nn::onnx::{self, Options};
use nn::quantised::QuantisedLayer;
use nn_compiler::compile::encode_images;
use nn_compiler::front::{Goal, Quantisation, quantised};
use nn_compiler::mapping::Mapping;
use nn_compiler::passes::{self, PassSettings};
use nn_compiler::place::{Placement, place};
use nn_compiler::quantise::{Quantised, Range};
use nn_compiler::{CompilationSettings, CompileError, Refusals, compile_quantised};
use safetensors::SafeTensors;
use std::path::PathBuf;
use tile::address::Purpose;

/// Values of a few images, between 0 and 1.
const IMAGES: usize = 6;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/onnx")
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let models = files.filter(|file| file.extension().is_some_and(|ending| ending == "onnx"));
    let mut names: Vec<String> = models.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn import(name: &str) -> Graph {
    onnx::load(&folder().join(format!("{name}.onnx")), &Options::new("net", "none")).unwrap()
}

/// The images of the file's reference, moved and scaled to 0..=1.
fn images(name: &str, graph: &Graph) -> Split {
    images_between(name, graph, (0.0, 1.0))
}

/// The same, to another range.
fn images_between(name: &str, graph: &Graph, (lowest, highest): (f32, f32)) -> Split {
    let bytes = std::fs::read(folder().join("references.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let view = tensors.tensor(&format!("{name}.in")).unwrap();
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
    let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    let features = graph.input.len();
    let scale = (highest - lowest) / (high - low).max(1e-6);
    let pixel = |index: usize| lowest + (values[index % values.len()] - low) * scale;
    // Later images are those of the reference shifted by some values.
    let images = (0..IMAGES * features).map(|index| pixel(index + index / features * 7)).collect();
    Split { features, images, labels: vec![0; IMAGES] }
}

fn dataset(graph: &Graph, images: &Split) -> Dataset {
    let empty = images.truncated(0);
    Dataset {
        name: "none",
        shape: graph.input,
        classes: 1,
        train: images.clone(),
        validation: empty.clone(),
        test: empty,
    }
}

/// What the chip computes against the reference, for a mapping; also placed by what tiles send each other.
fn check_chip(name: &str, quantised: &Quantised, dataset: &Dataset, mapping: &str) -> Result<(), CompileError> {
    let (mapping, chip) = (Mapping::parse(mapping).unwrap(), chips::exact());
    let settings = CompilationSettings { dataset, training: "none", mapping: &mapping, chip: &chip, seed: 1 };
    let mut program = compile_quantised(&quantised.network, &settings)?;
    let expected: Vec<f64> = quantised
        .network
        .infer_all(&dataset.train.images)
        .unwrap()
        .into_iter()
        .flatten()
        .map(|score| score as f64)
        .collect();
    for placement in [Placement::RowMajor, Placement::CommunicationAware] {
        let hops = place(&mut program, placement);
        assert!(hops.after <= hops.before, "{name}");
        program.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        let counted = |index| program.movement(index).flit_hop;
        let moved = (0..program.stages.len()).map(counted).sum::<u64>() + program.distribution(0).flit_hop;
        assert_eq!(moved, hops.after, "{name}: traffic of tiles times hops");
        let sample = chip::functional::ChipSample::program(&program, 1, Purpose::Programming, 0).unwrap();
        let codes = encode_images(&program, &dataset.train.images);
        assert_eq!(infer(&program, &sample, &codes, None).unwrap().scores, expected, "{name}, {placement:?}");
        assert!(timing::run(&program, 1).unwrap().cycles() > 0, "{name}");
    }
    Ok(())
}

/// Largest difference of scores from the float network, whose last softmax is left out, over its largest score.
fn distance(graph: &Graph, quantised: &Quantised, images: &Split) -> f64 {
    let graph = passes::run(graph, &PassSettings::default(), &mut Refusals::default(), &mut |_, _| {}).unwrap();
    let float = graph.forward(&images.images).unwrap();
    let integer = quantised.network.infer_all(&images.images).unwrap();
    let largest = float.iter().fold(1e-6_f64, |largest, &score| largest.max(f64::from(score).abs()));
    let pairs = integer.iter().flatten().zip(&float);
    pairs.map(|(&score, &float)| (score as f64 * quantised.score_scale - f64::from(float)).abs()).fold(0.0, f64::max)
        / largest
}

#[test]
fn own_files_compile_and_the_chip_is_the_reference() {
    let (mut compiled, mut refused) = (Vec::new(), Vec::new());
    let mut chip = chips::exact();
    chip.format.input_bits = 8;
    for (index, name) in names().into_iter().enumerate() {
        let graph = import(&name);
        // Of both signs, or of one.
        let images = images_between(&name, &graph, [(0.0, 1.0), (-0.7, 0.9)][index / 2 % 2]);
        let quantisation = Quantisation {
            equalise: index % 2 == 0,
            per_channel: index % 3 == 0,
            weight_range: [Range::Max, Range::MeanSquaredError][index % 2],
            activation_range: [Range::Max, Range::Percentile(99.99), Range::MeanSquaredError][index % 3],
        };
        let mapping = ["isaac", "differential", "offset"][index % 3];
        let checked = quantised(&graph, &images, &chip, &quantisation, Goal::Integers)
            .and_then(|quantised| check_chip(&name, &quantised, &dataset(&graph, &images), mapping));
        match checked {
            Ok(()) => {
                let plain = quantised(&graph, &images, &chip, &Quantisation::default(), Goal::Integers).unwrap();
                compiled.push((name, distance(&graph, &plain, &images)));
            }
            // Most files are a single operator without weights, which is no network for a chip.
            Err(error @ (CompileError::Layer { .. } | CompileError::Nodes { .. })) => {
                refused.push(format!("{name}: {error}"));
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    eprintln!("{compiled:?}");
    let whole = [
        "network_cnn",
        "network_depthwise",
        "network_residual",
        "average_in_network",
        "ends_in_average",
        "ends_in_joined_maps",
        "ends_in_maximum",
        "ends_in_relu",
        "ends_in_sum",
        "qonnx_binary_network",
    ];
    for name in whole {
        let distance = compiled.iter().find(|(compiled, _)| compiled == name).map(|(_, distance)| *distance);
        assert!(
            distance.is_some_and(|distance| distance < 0.1),
            "{name}: {distance:?}; refused:\n{}",
            refused.join("\n")
        );
    }
    assert!(compiled.len() > whole.len(), "{compiled:?}; refused:\n{}", refused.join("\n"));
    for what in &refused {
        assert!(what.len() > 30, "a refusal that says nothing: {what}");
    }
}

/// What `check_chip` needs of a file.
fn integers(name: &str, chip: &chip::config::Chip) -> Result<(Graph, Dataset, Quantised), CompileError> {
    let graph = import(name);
    let images = images(name, &graph);
    let quantised = quantised(&graph, &images, chip, &Quantisation::default(), Goal::Integers)?;
    let dataset = dataset(&graph, &images);
    Ok((graph, dataset, quantised))
}

/// Weights of 1 bit, prescribed by a network or made of any: under every mapping that stores them an ideal chip is the integer reference.
#[test]
fn weights_of_one_bit_are_exact_under_every_mapping() {
    let mut chip = chips::exact();
    chip.format.weight_bits = 1;
    for name in ["qonnx_binary_network", "network_residual"] {
        let (graph, dataset, quantised) = integers(name, &chip).unwrap();
        for layer in &quantised.network.layers {
            if let QuantisedLayer::Mvm(mvm) = layer {
                assert!(
                    mvm.weight_bits == 1 && mvm.weights.iter().all(|&weight| weight == 1 || weight == -1),
                    "{name}"
                );
            }
        }
        let mut stored = 0;
        for mapping in Mapping::every() {
            match check_chip(name, &quantised, &dataset, mapping.name()) {
                Ok(()) => stored += 1,
                Err(error) => {
                    let error = error.to_string();
                    assert!(["twos-complement", "unbalanced"].contains(&mapping.name()), "{}: {error}", mapping.name());
                    assert!(error.contains("cannot store weights of 1 bit, which are -1 and 1"), "{error}");
                }
            }
        }
        assert_eq!(stored, Mapping::every().len() - 2);
        if name == "qonnx_binary_network" {
            let distance = distance(&graph, &quantised, &dataset.train);
            assert!(distance < 0.05, "{distance}");
        }
    }
    let wide = chips::exact();
    let (_, _, quantised) = integers("qonnx_binary_network", &wide).unwrap();
    // Prescribed steps are kept at any width.
    let QuantisedLayer::Mvm(mvm) = &quantised.network.layers[0] else { panic!("{:?}", quantised.network.layers[0]) };
    assert!(mvm.weight_bits == 8 && mvm.weights.iter().all(|&weight| weight == 1 || weight == -1));
}

/// Rounding after an odd zero point: tables do it, layers where no value lies halfway between two codes; else it is refused.
#[test]
fn codes_with_an_odd_zero_point_are_those_of_the_network_or_refused() {
    let chip = chips::exact();
    let (graph, mut dataset, _) = integers("qonnx_odd_zero_table", &chip).unwrap();
    // Of both signs.
    dataset.train.images.iter_mut().for_each(|value| *value = 2.0 * *value - 1.0);
    let in_integers = quantised(&graph, &dataset.train, &chip, &Quantisation::default(), Goal::Integers).unwrap();
    let at =
        |name: &str, of: &dyn Fn(usize) -> String, count: usize| (0..count).find(|&index| of(index) == name).unwrap();
    let node = at("Quant_p", &|index| graph.nodes[index].name.clone(), graph.nodes.len());
    let float = &graph.forward_all(&dataset.train.images).unwrap()[node];
    let QuantisedLayer::Mvm(last) = in_integers.network.layers.last().unwrap() else { panic!("no weights") };
    let mut halfway = 0;
    for (image, float) in float.chunks_exact(8).enumerate() {
        let codes = in_integers.network.input_codes(dataset.train.image(image));
        // Half of a negative odd code lies halfway between two.
        halfway += codes.iter().filter(|&&code| code < 0 && code % 2 != 0).count();
        let results = &in_integers.network.infer_layers(&codes).unwrap()[last.input - 1];
        for (&code, &value) in results.iter().zip(float) {
            assert_eq!(code as f32 * 0.125, value, "image {image}");
        }
    }
    assert!(halfway > 5, "{halfway}");
    let (graph, dataset, quantised) = integers("qonnx_odd_zero", &chip).unwrap();
    let distance = distance(&graph, &quantised, &dataset.train);
    assert!(distance < 0.1, "{distance}");
    let error = integers("qonnx_odd_zero_ties", &chip).unwrap_err().to_string();
    assert!(
        error.contains("`Quant_q` (quantise)") && error.contains("odd zero point") && error.contains("even zero point"),
        "{error}"
    );
}
