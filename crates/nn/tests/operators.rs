//! Does every operator and family of attributes compute what `onnxruntime` computes? The files and references in `tests/onnx` are written by
//! `make.py` there.

use crate::support::{assert_close, root};
use nn::graph::{Operation, WeightScale};
use nn::onnx::{self, Layout, Options};
use nn::{Graph, Shape};
use safetensors::SafeTensors;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    root().join("tests/onnx")
}

fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let models = files.filter(|file| file.extension().is_some_and(|extension| extension == "onnx"));
    let mut names: Vec<String> = models.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn import(name: &str) -> Graph {
    let options = Options::new(name, "random");
    onnx::load(&folder().join(format!("{name}.onnx")), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn tensor(tensors: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let view = tensors.tensor(name).unwrap();
    let (values, _) = view.data().as_chunks::<4>();
    (view.shape().to_vec(), values.iter().map(|&value| f32::from_le_bytes(value)).collect())
}

#[test]
fn every_operator_agrees_with_onnxruntime() {
    let bytes = fs::read(folder().join("references.safetensors")).unwrap();
    let references = SafeTensors::deserialize(&bytes).unwrap();
    let names = names();
    assert_eq!(references.names().len(), 2 * names.len(), "a model or a reference is missing: run make.py");
    for name in names {
        let graph = import(&name);
        let (sizes, input) = tensor(&references, &format!("{name}.in"));
        let (_, expected) = tensor(&references, &format!("{name}.out"));
        assert_eq!(graph.input.len() * sizes[0], input.len(), "{name}");
        let result = graph.forward(&input).unwrap();
        assert_eq!(result.len(), expected.len(), "{name}");
        let size = expected.len() / sizes[0];
        for (image, (result, expected)) in result.chunks_exact(size).zip(expected.chunks_exact(size)).enumerate() {
            assert_close(&format!("{name}, image {image}"), result, expected);
        }
    }
}

#[test]
fn blocks_and_all_results_are_the_same_bits() {
    let bytes = fs::read(folder().join("references.safetensors")).unwrap();
    let references = SafeTensors::deserialize(&bytes).unwrap();
    for name in names() {
        let graph = import(&name);
        let (sizes, input) = tensor(&references, &format!("{name}.in"));
        let many = graph.forward(&input.repeat(20)).unwrap();
        let all = graph.forward_all(&input).unwrap();
        let single: Vec<f32> =
            input.chunks_exact(input.len() / sizes[0]).flat_map(|image| graph.forward(image).unwrap()).collect();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
        assert_eq!(bits(&many), bits(&single.repeat(20)), "{name}");
        assert_eq!(bits(all.last().unwrap()), bits(&single), "{name}");
        assert_eq!(all.len(), graph.nodes.len());
    }
}

/// Transpositions that undo each other, and reshapes that change nothing, leave no trace.
#[test]
fn what_moves_nothing_is_no_node() {
    let kinds = |graph: &Graph| graph.nodes.iter().map(|node| node.op.kind()).collect::<Vec<_>>();
    assert_eq!(kinds(&import("transpose_there_and_back")), ["reorder", "relu", "reorder"]);
    assert_eq!(kinds(&import("flatten_gemm")), ["linear"]);
    assert_eq!(kinds(&import("identity_dropout_cast")), ["relu"]);
    assert_eq!(kinds(&import("channel_shuffle")), ["reorder"]);
    assert_eq!(kinds(&import("matmul_vectors")), ["reorder", "conv", "reorder", "affine"]);
    assert_eq!(kinds(&import("dynamic_quantise_convolution")), ["dynamic-quantise", "conv", "affine"]);
}

#[test]
fn channels_last_become_channels_first() {
    let options = Options { layout: Layout::ChannelsLast, ..Options::new("x", "random") };
    let graph = onnx::load(&folder().join("transpose.onnx"), &options).unwrap();
    // The model turns (row, column, channel) into (channel, row, column), which the graph already has.
    assert_eq!(graph.input, Shape { channels: 5, height: 3, width: 4 });
    assert_eq!(graph.nodes.len(), 1);
    assert!(matches!(&graph.nodes[0].op, Operation::Reshape(shape) if *shape == graph.input));
}

/// Quantised weights keep the steps that they are whole numbers of.
#[test]
fn quantised_weights_keep_their_integers() {
    for (name, channels) in [("qdq_unsigned", true), ("qdq_signed_per_tensor", false), ("qdq_4_bit_weight", true)] {
        check_integers(name, channels, 127.0);
    }
    for (name, channels) in [("qlinear_conv", true), ("conv_integer", false), ("matmul_integer_input_codes", false)] {
        check_integers(name, channels, 255.0);
    }
    check_integers("quantised_weight_folded", false, 127.0);
    check_integers("qonnx_weights", true, 1.0);
    check_integers("qonnx_bipolar_weights", false, 1.0);
}

fn check_integers(name: &str, channels: bool, largest: f32) {
    let graph = import(name);
    let weights = graph.nodes.iter().find_map(|node| match &node.op {
        Operation::Conv(conv) => Some((&conv.weight, &conv.weight_scale, conv.out_channels)),
        Operation::Linear(linear) => Some((&linear.weight, &linear.weight_scale, linear.outputs)),
        _ => None,
    });
    let (weight, scale, outputs) = weights.unwrap();
    assert_eq!(matches!(scale, WeightScale::Channel(_)), channels, "{name}: {scale:?}");
    for (output, row) in weight.chunks_exact(weight.len() / outputs).enumerate() {
        for value in row {
            let code = value / scale.of(output).unwrap();
            assert!((code - code.round()).abs() < 1e-4 && code.abs() <= largest, "{name}: {code}");
        }
    }
}
