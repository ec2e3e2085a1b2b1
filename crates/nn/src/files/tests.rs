//! Tests of the network files.

use super::*;
use crate::layers::{Conv2d, Linear, MaxPool};
use crate::network::{Layer, Op, Shape};
use proptest::prelude::*;

/// A network with every kind of layer and parameters of all magnitudes.
fn network() -> Network {
    let extreme = [0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, -1.0 / 3.0, f32::from_bits(1)];
    let conv = Conv2d {
        in_channels: 1,
        out_channels: 2,
        kernel: 3,
        stride: 1,
        padding: 1,
        weight: (0..18).map(|i| extreme[i % 6]).collect(),
        bias: vec![0.1, -0.2],
        weight_scale: 1.0 / 64.0,
    };
    let (weight, bias) = ((0..96).map(|i| i as f32 / 7.0).collect(), vec![1.5, 0.0, 1e-30]);
    let linear = Linear { inputs: 32, outputs: 3, weight, bias, weight_scale: 0.1 };
    let layer = |name: &str, op| Layer { name: name.into(), op };
    Network {
        name: "every-kind".into(),
        dataset: "digits-8x8".into(),
        input: Shape { channels: 1, height: 8, width: 8 },
        layers: vec![
            layer("conv1", Op::Conv2d(conv)),
            layer("relu1", Op::Relu),
            layer("pool1", Op::MaxPool(MaxPool { kernel: 2, stride: 2 })),
            layer("fc1", Op::Linear(linear)),
        ],
    }
}

/// A directory with the saved network, and the bytes of its two files.
fn saved() -> (tempfile::TempDir, String, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    save(&network(), directory.path()).unwrap();
    let text = fs::read_to_string(directory.path().join(NETWORK_FILE)).unwrap();
    let weights = fs::read(directory.path().join(WEIGHTS_FILE)).unwrap();
    (directory, text, weights)
}

fn parameter_bits(network: &Network) -> Vec<u32> {
    let parameters = network.layers.iter().filter_map(|layer| layer.op.parameters());
    let scales = network.layers.iter().filter_map(|layer| layer.op.weight_scale());
    parameters.flat_map(|(w, b)| w.iter().chain(b).copied()).chain(scales).map(f32::to_bits).collect()
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
    let (directory, text, weights) = saved();
    let loaded = load(directory.path()).unwrap();
    assert_eq!(loaded, network());
    assert_eq!(parameter_bits(&loaded), parameter_bits(&network()));
    let (_other, other_text, other_weights) = saved();
    assert_eq!((text, weights), (other_text, other_weights));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "a temporary file stayed behind");
    save(&loaded, directory.path()).unwrap();
    assert_eq!(load(directory.path()).unwrap(), loaded);
}

#[test]
fn the_description_is_readable() {
    let (_directory, text, _) = saved();
    let expected = r#"format_version = 1
name = "every-kind"
dataset = "digits-8x8"

[input]
channels = 1
height = 8
width = 8

[[layers]]
kind = "conv2d"
name = "conv1"
in_channels = 1
out_channels = 2
kernel = 3
stride = 1
padding = 1
weight_scale = 0.015625

[[layers]]
kind = "relu"
name = "relu1"

[[layers]]
kind = "max-pool"
name = "pool1"
kernel = 2
stride = 2

[[layers]]
kind = "linear"
name = "fc1"
inputs = 32
outputs = 3
weight_scale = 0.10000000149011612
"#;
    assert_eq!(text, expected);
}

#[test]
fn damaged_descriptions_are_named() {
    for (old, new, expected) in [
        ("format_version = 1", "format_version = 2", "format_version is 2, allowed: 1"),
        ("format_version = 1\n", "", "missing field `format_version`"),
        ("stride = 1", "strid = 1", "unknown field `strid`"),
        ("kind = \"relu\"", "kind = \"gelu\"", "unknown variant `gelu`"),
        ("name = \"relu1\"", "name = \"conv1\"", "layer `conv1`: name is conv1, allowed: names used only once"),
        ("name = \"relu1\"", "name = \"\"", "name is \"\", allowed: 1 to 128"),
        ("inputs = 32", "inputs = 1000000000000000000", "layer `fc1`: inputs is 1000000000000000000"),
        ("outputs = 3", "outputs = -3", "invalid value: integer `-3`"),
        ("inputs = 32", "inputs = 31", "layer `fc1`: inputs is 31, allowed: 32"),
        ("height = 8", "height = 0", "height is 0, allowed: 1 to"),
        ("weight_scale = 0.015625", "weight_scale = nan", "layer `conv1`: weight_scale is NaN"),
        ("weight_scale = 0.015625", "weight_scale = -1.0", "layer `conv1`: weight_scale is -1e0"),
        ("kernel = 2", "kernel = 9", "layer `pool1`: kernel height is 9, allowed: at most the padded input's 8"),
        ("kernel = 3", "kernel = 1000000", "layer `conv1`: weight (out_channels x"),
    ] {
        let message = message(old, new);
        assert!(message.contains(expected) && message.contains(NETWORK_FILE), "{new}: {message}");
    }
}

#[test]
fn damaged_parameters_are_named() {
    let (_directory, _, weights) = saved();
    let mut network = network();
    let infinite = {
        let mut bytes = weights.clone();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        bytes
    };
    assert!(message_for_weights(&infinite).contains("tensor `fc1.weight`, value 95 is inf, allowed: finite numbers"));
    assert!(message_for_weights(&weights[..weights.len() - 1]).contains(WEIGHTS_FILE));
    assert!(message_for_weights(&[]).contains("header too small"));
    assert!(message_for_weights(&vec![0; 10_000]).contains("more than "), "{}", message_for_weights(&vec![0; 10_000]));
    let text = String::from_utf8_lossy(&weights[8..]).into_owned();
    assert!(text.contains("[3,32]"));
    let reshaped = replace_bytes(&weights, b"[3,32]", b"[32,3]");
    assert!(message_for_weights(&reshaped).contains("tensor `fc1.weight` has shape [32, 3], allowed: [3, 32]"));
    let renamed = replace_bytes(&weights, b"fc1.bias", b"fc2.bias");
    let known = "conv1.bias, conv1.weight, fc1.bias, fc1.weight";
    assert!(message_for_weights(&renamed).contains(&format!("tensor `fc2.bias` is unknown, allowed: {known}")));
    network.layers.truncate(3);
    let fewer = tensors::encode(&network).unwrap();
    assert!(message_for_weights(&fewer).contains("tensor `fc1.weight` is missing"));
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
    let mut broken = network();
    broken.layers[0].name = "two words".into();
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
            Err(error) => prop_assert!(error.to_string().contains(name) || error.to_string().contains(WEIGHTS_FILE)),
        }
    }

    #[test]
    fn every_scale_survives(bits in 1u32..0x7f80_0000) {
        let scale = f32::from_bits(bits);
        prop_assume!(scale.is_normal());
        let mut network = network();
        if let Op::Linear(linear) = &mut network.layers[3].op { linear.weight_scale = scale }
        let text = toml::to_string(&NetworkRecord::new(&network)).unwrap();
        let read = records::parse(&text).unwrap().into_network().unwrap();
        prop_assert_eq!(read.layers[3].op.weight_scale().map(f32::to_bits), Some(bits));
    }
}
