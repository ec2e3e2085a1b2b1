//! Tests of [`super::Chain`].

use super::super::gradient_check::{DAMAGES, TOLERANCE, relative_error, values};
use super::*;
use nn::layers::{Conv2d, Linear, MaxPool};
use nn::{Layer, Op, Shape};

fn scaled(count: usize, seed: u64, factor: f32) -> Vec<f32> {
    values(count, seed).iter().map(|v| v * factor).collect()
}

fn linear(inputs: usize, outputs: usize, seed: u64) -> Op {
    let weight = scaled(inputs * outputs, seed, (3.0 / inputs as f32).sqrt());
    Op::Linear(Linear { inputs, outputs, weight, bias: scaled(outputs, seed + 1, 0.1), weight_scale: 1.0 / 64.0 })
}

fn conv(in_channels: usize, out_channels: usize, seed: u64) -> Op {
    let (kernel, stride, padding) = (3, 1, 1);
    let weight = scaled(in_channels * out_channels * 9, seed, (6.0 / (in_channels * 9) as f32).sqrt());
    let bias = scaled(out_channels, seed + 1, 0.1);
    Op::Conv2d(Conv2d { in_channels, out_channels, kernel, stride, padding, weight, bias, weight_scale: 1.0 / 64.0 })
}

fn network(input: Shape, ops: Vec<Op>) -> Network {
    let layers = ops.into_iter().enumerate().map(|(index, op)| Layer { name: format!("layer{index}"), op }).collect();
    Network { name: "small".into(), dataset: "digits-8x8".into(), input, layers }
}

/// Two convolutions, two poolings, two linear layers.
fn cnn() -> Network {
    let pool = || Op::MaxPool(MaxPool { kernel: 2, stride: 2 });
    let input = Shape { channels: 2, height: 8, width: 8 };
    let ops = vec![
        conv(2, 4, 1),
        Op::Relu,
        pool(),
        conv(4, 5, 3),
        Op::Relu,
        pool(),
        linear(20, 8, 5),
        Op::Relu,
        linear(8, 4, 7),
    ];
    network(input, ops)
}

fn mlp() -> Network {
    let input = Shape { channels: 1, height: 8, width: 8 };
    network(input, vec![linear(64, 32, 1), Op::Relu, linear(32, 10, 3)])
}

#[test]
fn gradients_of_a_whole_network_are_the_slopes() {
    let net = cnn();
    let chain = Chain::new(&net).unwrap();
    let weights = LayerWeights::of(&net);
    let (images, labels) = (values(3 * 128, 11), [0, 3, 1]);
    let gradients = chain.step(&weights, &images, &labels).unwrap().gradients;
    assert_eq!(gradients.len(), 4);
    for layer in 0..4 {
        let loss = |change: &dyn Fn(&mut LayerWeights)| {
            let mut moved = weights.clone();
            change(&mut moved[layer]);
            chain.step(&moved, &images, &labels).unwrap().loss
        };
        let by_weight = |weight: &[f32]| loss(&|own| own.weight = weight.to_vec());
        let by_bias = |bias: &[f32]| loss(&|own| own.bias = bias.to_vec());
        let LayerWeights { weight, bias } = &gradients[layer];
        // Steps so small that no value that matters crosses the kink of a ReLU or overtakes another in a pooling window (1e-3 is too
        // large), and so large that rounding errors of the logits do not matter.
        let weight_error = |gradient: &[f32]| relative_error(gradient, &weights[layer].weight, 1e-4, by_weight);
        let bias_error = |gradient: &[f32]| relative_error(gradient, &weights[layer].bias, 1e-4, by_bias);
        let errors = [weight_error(weight), bias_error(bias)];
        assert!(errors.iter().all(|&error| error < TOLERANCE), "layer {layer}: {errors:?}");
        for (name, damage) in DAMAGES {
            assert!(weight_error(&damage(weight)) > TOLERANCE, "layer {layer}: weights {name} pass");
            assert!(bias_error(&damage(bias)) > TOLERANCE, "layer {layer}: biases {name} pass");
        }
    }
}

#[test]
fn forward_equals_the_networks_own() {
    for net in [cnn(), mlp()] {
        let images = values(5 * net.input.len(), 3);
        let tape = Chain::new(&net).unwrap().forward(&LayerWeights::of(&net), &images).unwrap();
        assert_eq!(tape.logits(), net.forward(&images).unwrap());
        assert_eq!((tape.batch(), tape.input_of(0)), (5, Some(images.as_slice())));
    }
}

#[test]
fn parameters_come_from_outside() {
    let mut net = mlp();
    let (images, weights) = (values(64, 3), LayerWeights::of(&net));
    for layer in &mut net.layers {
        if let Some((weight, bias)) = layer.op.parameters_mut() {
            weight.clear();
            bias.clear();
        }
    }
    let logits = Chain::new(&net).unwrap().forward(&weights, &images).unwrap().logits().to_vec();
    assert_eq!(logits, mlp().forward(&images).unwrap());
}

#[test]
fn layers_before_the_first_weighted_one_are_passed_through() {
    let input = Shape { channels: 1, height: 8, width: 8 };
    let pool = Op::MaxPool(MaxPool { kernel: 2, stride: 2 });
    let pooled = network(input, vec![pool, linear(16, 4, 1)]);
    let step =
        |net: &Network, images: &[f32]| Chain::new(net).unwrap().step(&LayerWeights::of(net), images, &[2, 1]).unwrap();
    let images = values(128, 5);
    let small = MaxPool { kernel: 2, stride: 2 }.forward(input, &images, 2);
    let direct = network(Shape { channels: 1, height: 4, width: 4 }, vec![linear(16, 4, 1)]);
    assert_eq!(step(&pooled, &images), step(&direct, &small));
}

/// FNV-1a hash of the bits of values.
fn hash<'a>(values: impl Iterator<Item = &'a f32>) -> u64 {
    let bytes = values.flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn gradients_are_the_same_bits_everywhere() {
    // Made once; every machine and every level of optimisation must give the same.
    let net = cnn();
    let images = values(3 * 128, 11);
    let step = Chain::new(&net).unwrap().step(&LayerWeights::of(&net), &images, &[0, 3, 1]).unwrap();
    let gradients = step.gradients.iter().flat_map(|own| own.weight.iter().chain(&own.bias));
    assert_eq!((step.loss.to_bits(), hash(gradients)), (GOLDEN_LOSS, GOLDEN_GRADIENTS));
}

const GOLDEN_LOSS: u64 = 4_609_030_463_784_366_001;
const GOLDEN_GRADIENTS: u64 = 6_183_146_666_644_488_508;

#[test]
fn descending_the_gradient_learns_the_digits() {
    let net = mlp();
    let chain = Chain::new(&net).unwrap();
    let train = nn::datasets::load("digits-8x8").unwrap().train.truncated(320);
    let mut weights = LayerWeights::of(&net);
    let mut correct = 0;
    for _ in 0..30 {
        correct = 0;
        for (images, labels) in train.images.chunks(64 * 32).zip(train.labels.chunks(32)) {
            let step = chain.step(&weights, images, labels).unwrap();
            correct += step.correct;
            for (own, gradient) in weights.iter_mut().zip(&step.gradients) {
                own.weight.iter_mut().zip(&gradient.weight).for_each(|(w, g)| *w -= 0.2 * g);
                own.bias.iter_mut().zip(&gradient.bias).for_each(|(b, g)| *b -= 0.2 * g);
            }
        }
    }
    assert!(correct > 300, "{correct} of 320 are right after training");
}

#[test]
fn wrong_sizes_are_named() {
    let net = mlp();
    let (chain, weights, images) = (Chain::new(&net).unwrap(), LayerWeights::of(&net), values(64, 1));
    let message = |weights: &[LayerWeights], images: &[f32], labels: &[u8]| {
        chain.step(weights, images, labels).unwrap_err().to_string()
    };
    assert_eq!(message(&weights, &images, &[10]), "label 0 is 10, allowed: below 10");
    assert_eq!(message(&weights, &images, &[1, 2]), "number of labels is 2, allowed: exactly 1");
    assert_eq!(message(&weights, &[], &[]), "number of labels is 0, allowed: at least 1");
    assert!(message(&weights, &images[1..], &[1]).contains("63, allowed: multiples of 64"));
    assert_eq!(message(&weights[..1], &images, &[1]), "number of weighted layers is 1, allowed: exactly 2");
    let mut short = weights.clone();
    short[1].bias.pop();
    assert_eq!(message(&short, &images, &[1]), "number of biases of layer `layer2` is 9, allowed: exactly 10");
    let tape = chain.forward(&weights, &images).unwrap();
    assert!(chain.backward(&weights, &tape, &[0.0; 9]).is_err());
}
