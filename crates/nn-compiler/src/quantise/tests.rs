//! Tests of weights and layers in integers.

use super::weights::integer_weights;
use super::*;
use crate::fuse::fuse;
use nn::Shape;
use nn::graph::{Coefficients, Graph, Linear, Node, Operation, Quantise, Rounding, WeightScale};

const SETTINGS: QuantiseSettings = QuantiseSettings {
    weight_bits: 8,
    bits: 8,
    signed_bits: 7,
    per_channel: false,
    weight_range: Range::Max,
    activation_range: Range::Max,
};

/// The value that each integer stands for, output by output.
fn values(weights: &weights::IntegerWeights) -> Vec<f32> {
    let rows = weights.weights.len() / weights.scales.len();
    let row = |(row, scale): (&[i32], &f32)| row.iter().map(|&weight| weight as f32 * scale).collect::<Vec<_>>();
    weights.weights.chunks_exact(rows).zip(&weights.scales).flat_map(row).collect()
}

#[test]
fn weights_are_rounded_in_the_scale_of_their_range() {
    let weight = [1.0, -0.3, 0.004, 0.1, -0.05, 0.0249];
    let tensor = integer_weights(&weight, 2, &WeightScale::Free, false, &SETTINGS);
    assert_eq!((tensor.scales.clone(), tensor.weights[0]), (vec![1.0 / 127.0; 2], 127));
    let channel = QuantiseSettings { per_channel: true, ..SETTINGS };
    let channels = integer_weights(&weight, 2, &WeightScale::Free, false, &channel);
    assert_eq!((channels.scales[1], channels.weights[3]), ((0.1_f64 / 127.0) as f32, 127));
    for found in [&tensor, &channels] {
        for (index, (value, weight)) in values(found).iter().zip(weight).enumerate() {
            assert!((value - weight).abs() <= 0.5001 * found.scales[index / 3], "{value} for {weight}");
        }
    }
    // Scores of several scales could not be compared.
    assert_eq!(integer_weights(&weight, 2, &WeightScale::Free, true, &channel).scales, tensor.scales);
    // Weights that are all zero have some scale, and stay zero.
    let zeros = integer_weights(&[0.0; 4], 2, &WeightScale::Free, false, &channel);
    assert_eq!((zeros.weights, zeros.scales), (vec![0; 4], vec![1.0; 2]));
}

#[test]
fn an_imposed_scale_is_kept_and_clips() {
    let found = integer_weights(&[1.0, -70.0, 70.0, 0.75], 2, &WeightScale::Tensor(0.5), false, &SETTINGS);
    // 1.5 steps are rounded to the even 2.
    assert_eq!((found.weights, found.scales), (vec![2, -127, 127, 2], vec![0.5; 2]));
    let scales = WeightScale::Channel(vec![0.5, 0.25]);
    let found = integer_weights(&[1.0, -70.0, 70.0, 0.75], 2, &scales, false, &SETTINGS);
    assert_eq!((found.weights, found.scales), (vec![2, -127, 127, 3], vec![0.5, 0.25]));
}

fn linear(name: &str, inputs: usize, outputs: usize) -> Node {
    let weight = (0..inputs * outputs).map(|index| (index % 5) as f32 / 4.0 - 0.5).collect();
    let linear = Linear { inputs, outputs, weight, bias: vec![0.0; outputs], weight_scale: WeightScale::Free };
    Node { name: name.to_owned(), inputs: Vec::new(), op: Operation::Linear(linear) }
}

/// Codes that their width does not restrict to those prescribed take a table, whose name no layer of the network may have.
#[test]
fn a_table_that_is_added_has_a_name_of_its_own() {
    let format = Quantise {
        scale: Coefficients::Map(0.01),
        zero_point: Coefficients::Map(-3.0),
        bits: 4,
        signed: true,
        narrow: false,
        rounding: Rounding::HalfEven,
        zero_before_rounding: false,
    };
    let quantise = Node { name: "format".to_owned(), inputs: Vec::new(), op: Operation::Quantise(format) };
    let mut nodes = vec![linear("a", 4, 3), quantise, linear("a.codes", 3, 2)];
    nodes.iter_mut().enumerate().for_each(|(index, node)| node.inputs = vec![index]);
    let input = Shape { channels: 1, height: 1, width: 4 };
    let graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input, nodes };
    graph.validate().unwrap();
    let calibration = Split { features: 4, images: vec![0.1, 0.9, 0.5, 0.3], labels: vec![0] };
    let quantised =
        super::quantise("net", "none", &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &calibration)
            .unwrap();
    let names: Vec<&str> = quantised.network.layers.iter().map(QuantisedLayer::name).collect();
    assert_eq!(names, ["a", "a.codes_", "a.codes"]);
}

/// Inputs of both signs, of bytes and far below 1 keep their values in codes, as 8 bits hold them: no part of them is clipped.
#[test]
fn the_range_of_inputs_of_unknown_kind_is_that_of_the_calibration_images() {
    let input = Shape { channels: 1, height: 1, width: 4 };
    let nodes = vec![Node { inputs: vec![0], ..linear("a", 4, 3) }];
    for (dataset, scale, shift) in
        [("none", 4.0, -1.8), ("none", 255.0, 0.0), ("none", 0.01, 0.0), ("mnist", 4.0, -1.8), ("mnist", 1.0, 0.0)]
    {
        let graph = Graph { name: "net".to_owned(), dataset: dataset.to_owned(), input, nodes: nodes.clone() };
        let images: Vec<f32> = (0..80).map(|index| (index * 37 % 80) as f32 / 79.0 * scale + shift).collect();
        let split = Split { features: 4, images, labels: vec![0; 20] };
        let quantised =
            super::quantise("net", dataset, &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &split)
                .unwrap();
        let scores = quantised.network.infer_all(&split.images).unwrap().into_iter().flatten();
        let expected = graph.forward(&split.images).unwrap();
        let (mut error, mut power) = (0.0, 0.0);
        for (score, expected) in scores.zip(expected) {
            error += (score as f64 * quantised.score_scale - f64::from(expected)).powi(2);
            power += f64::from(expected).powi(2);
        }
        assert!((error / power).sqrt() < 0.02, "{dataset} {scale} {shift}: {}", (error / power).sqrt());
        assert_eq!(quantised.network.coding.format.signed, shift < 0.0);
    }
}

/// Pixels of a data set have all codes, whichever of them the calibration images hold.
#[test]
fn pixels_of_a_data_set_have_the_codes_of_0_to_1() {
    let input = Shape { channels: 1, height: 1, width: 4 };
    let nodes = vec![Node { inputs: vec![0], ..linear("a", 4, 3) }];
    let graph = Graph { name: "net".to_owned(), dataset: "mnist".to_owned(), input, nodes };
    let split = Split { features: 4, images: vec![0.1, 0.5, 0.3, 0.0], labels: vec![0] };
    let quantised =
        super::quantise("net", "mnist", &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &split).unwrap();
    assert_eq!((quantised.network.coding.multipliers, quantised.network.coding.offsets), (vec![255.0], vec![0.0]));
}
