//! Tests of the network files.

use super::*;
use crate::graph::{
    Activation, Affine, AveragePool, Coefficients, Conv, Linear, MaxPool, Node, Operation, Pad, Quantise, Reorder,
    Rounding, Softmax, WeightScale,
};
use crate::{Axis, Shape};
use proptest::prelude::*;

fn node(name: &str, inputs: &[usize], op: Operation) -> Node {
    Node { name: name.into(), inputs: inputs.to_vec(), op }
}

fn conv(name: &str, source: usize, channels: [usize; 2], groups: usize, weight_scale: WeightScale) -> Node {
    let extreme = [0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, -1.0 / 3.0, f32::from_bits(1)];
    let [in_channels, out_channels] = channels;
    let conv = Conv {
        in_channels,
        out_channels,
        groups,
        vertical: Axis { after: 0, ..Axis::new(3, 1, 1) },
        horizontal: Axis { dilation: 2, ..Axis::new(3, 1, 2) },
        weight: (0..in_channels / groups * out_channels * 9).map(|i| extreme[i % 6]).collect(),
        bias: (0..out_channels).map(|i| i as f32 * 0.1 - 0.2).collect(),
        weight_scale,
        weight_offset: None,
    };
    node(name, &[source], Operation::Conv(conv))
}

/// A network with every kind of node, and parameters of all magnitudes.
fn network() -> Graph {
    let pool = Axis { dilation: 2, ..Axis::new(2, 2, 1) };
    let average = |count_padding| {
        let (vertical, horizontal) = (Axis::new(2, 1, 1), Axis::new(2, 1, 0));
        Operation::AveragePool(AveragePool { vertical, horizontal, count_padding })
    };
    let shape = Shape { channels: 2, height: 3, width: 4 };
    let affine = |factor, shift| Operation::Affine(Affine { factor, shift });
    let values = (0..24).map(|i| i as f32 / 7.0).collect();
    let clip = Activation::Clip { low: f32::NEG_INFINITY, high: 6.0 };
    let nodes = vec![
        node("scale", &[0], affine(Coefficients::Map(255.0), Coefficients::Channel(vec![-0.1]))),
        conv("conv1", 1, [1, 2], 1, WeightScale::Tensor(0.1)),
        node("relu", &[2], Operation::Activation(Activation::Relu)),
        conv("conv2", 3, [2, 2], 2, WeightScale::Channel(vec![0.1, 1e-20])),
        node("leaky", &[4], Operation::Activation(Activation::LeakyRelu { slope: 0.1 })),
        node("sum", &[5, 4], Operation::Add),
        node("pool", &[6], Operation::MaxPool(MaxPool { vertical: pool, horizontal: pool })),
        node("norm", &[7], affine(Coefficients::Value(values), Coefficients::Map(-0.0))),
        node("order", &[8], Operation::Reorder(Reorder { shape, order: (0..24).rev().collect() })),
        node("clip", &[9], Operation::Activation(clip)),
        node("average1", &[10], average(true)),
        node("average2", &[11], average(false)),
        node("both", &[12, 12], Operation::Concat),
        node("conv3", &[13], conv("", 0, [4, 1], 1, WeightScale::Free).op),
        node("pad", &[14], Operation::Pad(Pad { channels: [0, 1], height: [0; 2], width: [1, 1], value: -1.0 })),
    ];
    let mut graph = Graph { name: "every-kind".into(), dataset: "digits-8x8".into(), input: SHAPE, nodes };
    let inputs = graph.shapes().unwrap().pop().unwrap().len();
    let flat = Shape { channels: inputs, height: 1, width: 1 };
    graph.nodes.push(node("flat", &[15], Operation::Reshape(flat)));
    let (weight, bias) = ((0..3 * inputs).map(|i| i as f32 / 7.0).collect(), vec![1.5, 0.0, 1e-30]);
    let linear = Linear { inputs, outputs: 3, weight, bias, weight_scale: WeightScale::Free, weight_offset: None };
    graph.nodes.push(node("fc1", &[16], Operation::Linear(linear)));
    graph.nodes.push(node("sigmoid", &[17], Operation::Activation(Activation::Sigmoid)));
    graph.nodes.push(node("tanh", &[18], Operation::Activation(Activation::Tanh)));
    graph.nodes.push(node("half", &[19], Operation::Activation(Activation::Half)));
    graph.nodes.push(node("brain", &[20], Operation::Activation(Activation::BrainFloat)));
    graph.nodes.push(node("softmax", &[21], Operation::Softmax(Softmax { log: false })));
    graph.nodes.push(node("log", &[22], Operation::Softmax(Softmax { log: true })));
    graph
}

const SHAPE: Shape = Shape { channels: 1, height: 8, width: 8 };

/// A short one, to be damaged.
fn short() -> Graph {
    let pool = Axis::new(2, 2, 0);
    let (weight, bias) = ((0..96).map(|i| i as f32 / 7.0).collect(), vec![1.5, 0.0, 1e-30]);
    let linear =
        Linear { inputs: 32, outputs: 3, weight, bias, weight_scale: WeightScale::Tensor(0.1), weight_offset: None };
    let axis = Axis::new(3, 1, 1);
    let conv = Conv {
        in_channels: 1,
        out_channels: 2,
        groups: 1,
        vertical: axis,
        horizontal: axis,
        weight: (0..18).map(|i| i as f32 / 9.0 - 1.0).collect(),
        bias: vec![0.1, -0.2],
        weight_scale: WeightScale::Tensor(1.0 / 64.0),
        weight_offset: Some(37),
    };
    let nodes = vec![
        node("conv1", &[0], Operation::Conv(conv)),
        node("relu1", &[1], Operation::Activation(Activation::Relu)),
        node("pool1", &[2], Operation::MaxPool(MaxPool { vertical: pool, horizontal: pool })),
        node("fc1", &[3], Operation::Linear(linear)),
    ];
    Graph { name: "short".into(), dataset: "digits-8x8".into(), input: SHAPE, nodes }
}

/// A directory with the saved network, and the bytes of its two files.
fn saved() -> (tempfile::TempDir, String, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    save(&short(), directory.path()).unwrap();
    let text = fs::read_to_string(directory.path().join(NETWORK_FILE)).unwrap();
    let weights = fs::read(directory.path().join(WEIGHTS_FILE)).unwrap();
    (directory, text, weights)
}

/// The message of loading the saved network after `old` has been replaced in its `network.toml`.
fn message(old: &str, new: &str) -> String {
    let (directory, text, _) = saved();
    assert!(text.contains(old), "{text}");
    fs::write(directory.path().join(NETWORK_FILE), text.replacen(old, new, 1)).unwrap();
    load(directory.path()).unwrap_err().to_string()
}

/// The message of loading the saved network with other tensors.
fn message_for_weights(weights: &[u8]) -> String {
    let (directory, _, _) = saved();
    fs::write(directory.path().join(WEIGHTS_FILE), weights).unwrap();
    load(directory.path()).unwrap_err().to_string()
}

#[test]
fn a_round_trip_is_exact_and_the_bytes_are_fixed() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = || [NETWORK_FILE, WEIGHTS_FILE].map(|name| fs::read(directory.path().join(name)).unwrap());
    save(&network(), directory.path()).unwrap();
    let (first, loaded) = (bytes(), load(directory.path()).unwrap());
    assert_eq!(loaded, network());
    // Equal numbers may differ in the sign of a zero; equal bytes do not.
    save(&loaded, directory.path()).unwrap();
    assert_eq!(bytes(), first);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "a temporary file stayed behind");
}

#[test]
fn the_description_is_readable() {
    let (_directory, text, _) = saved();
    let expected = r#"format_version = 1
kind = "graph"
name = "short"
dataset = "digits-8x8"

[input]
channels = 1
height = 8
width = 8

[[nodes]]
name = "conv1"
bias = "conv1.bias"
op = "conv"
padding = [1, 1, 1, 1]
weight = "conv1.weight"
weight_offset = 37
weight_scale = 0.015625

[[nodes]]
name = "relu1"
op = "relu"

[[nodes]]
name = "pool1"
kernel = [2, 2]
op = "max-pool"
stride = [2, 2]

[[nodes]]
name = "fc1"
bias = "fc1.bias"
op = "linear"
weight = "fc1.weight"
weight_scale = 0.10000000149011612
"#;
    assert_eq!(text, expected);
}

#[test]
fn damaged_descriptions_are_named() {
    for (old, new, expected) in [
        ("format_version = 1", "format_version = 2", "format_version is 2, allowed: 1"),
        ("format_version = 1\n", "", "missing field `format_version`"),
        ("stride = [2, 2]", "strid = [2, 2]", "unknown field `strid`"),
        ("op = \"relu\"", "op = \"gelu\"", "unknown variant `gelu`"),
        ("name = \"relu1\"", "name = \"conv1\"", "layer `conv1`: name is conv1, allowed: names used only once"),
        ("name = \"relu1\"", "name = \"\"", "name is \"\", allowed: 1 to 128"),
        ("height = 8", "height = 0", "height is 0, allowed: 1 to"),
        ("weight_scale = 0.015625", "weight_scale = nan", "weight_scale[0] is NaN"),
        ("weight_scale = 0.015625", "weight_scale = -1.0", "weight_scale[0] is -1"),
        ("weight_scale = 0.015625", "weight_scale = 1.0\nweight_scales = \"fc1.bias\"", "allowed: one of them"),
        (
            "kernel = [2, 2]",
            "kernel = [9, 2]",
            "node `pool1`: kernel height is 9, allowed: at most the padded input's 8",
        ),
    ] {
        let message = message(old, new);
        assert!(message.contains(expected) && message.contains(NETWORK_FILE), "{new}: {message}");
    }
}

#[test]
fn damaged_parameters_are_named() {
    let (_directory, _, weights) = saved();
    let infinite = {
        let mut bytes = weights.clone();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        bytes
    };
    let message = message_for_weights(&infinite);
    assert!(message.contains("weight[95] is inf, allowed: finite numbers"), "{message}");
    assert!(message_for_weights(&weights[..weights.len() - 1]).contains(WEIGHTS_FILE));
    assert!(message_for_weights(&[]).contains("header too small"));
    let text = String::from_utf8_lossy(&weights[8..]).into_owned();
    assert!(text.contains("[3,32]"));
    let reshaped = replace_bytes(&weights, b"[3,32]", b"[32,3]");
    assert!(message_for_weights(&reshaped).contains("tensor `fc1.bias` has the sizes [3], allowed: [32]"));
    let renamed = replace_bytes(&weights, b"fc1.bias", b"fc2.bias");
    assert!(message_for_weights(&renamed).contains("tensor `fc1.bias` is missing, allowed: conv1.bias"));
}

#[test]
fn operations_of_quantised_networks_are_refused() {
    let quantise = Quantise {
        scale: Coefficients::Map(0.5),
        zero_point: Coefficients::Map(0.0),
        bits: 3,
        signed: true,
        narrow: false,
        rounding: Rounding::HalfEven,
        zero_before_rounding: false,
    };
    let mut graph = short();
    graph.nodes.push(node("codes", &[4], Operation::Quantise(quantise)));
    let directory = tempfile::tempdir().unwrap();
    let message = save(&graph, directory.path()).unwrap_err().to_string();
    assert!(message.contains("node `codes`: operation `quantise` has no place"), "{message}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

fn replace_bytes(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|window| window == old).unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

#[test]
fn missing_files_are_named() {
    let (directory, _, _) = saved();
    fs::remove_file(directory.path().join(WEIGHTS_FILE)).unwrap();
    assert!(load(directory.path()).unwrap_err().to_string().contains(WEIGHTS_FILE));
    fs::remove_file(directory.path().join(NETWORK_FILE)).unwrap();
    assert!(load(directory.path()).unwrap_err().to_string().contains(NETWORK_FILE));
}

#[test]
fn a_network_that_is_not_valid_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let mut broken = short();
    broken.nodes[0].name = "two words".into();
    assert!(save(&broken, directory.path()).is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

proptest! {
    #[test]
    fn damaged_files_never_panic_and_give_valid_networks_or_errors(
        in_weights: bool, at in any::<prop::sample::Index>(), value: u8, cut: bool,
    ) {
        let (directory, text, weights) = saved();
        let (name, mut bytes) = if in_weights { (WEIGHTS_FILE, weights) } else { (NETWORK_FILE, text.into_bytes()) };
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = value }
        fs::write(directory.path().join(name), &bytes).unwrap();
        match load(directory.path()) {
            Ok(network) => prop_assert_eq!(network.validate(), Ok(())),
            // A description that names a tensor with another name now is as wrong as the tensor.
            Err(error) => prop_assert!([NETWORK_FILE, WEIGHTS_FILE].iter().any(|name| error.to_string().contains(name))),
        }
    }

    #[test]
    fn every_scale_survives(bits in 1u32..0x7f80_0000) {
        let mut network = short();
        if let Operation::Linear(linear) = &mut network.nodes[3].op {
            linear.weight_scale = WeightScale::Tensor(f32::from_bits(bits));
        }
        let directory = tempfile::tempdir().unwrap();
        save(&network, directory.path()).unwrap();
        prop_assert_eq!(load(directory.path()).unwrap(), network);
    }
}
