//! Tests of weights and layers in integers.

use super::weights::integer_weights;
use super::*;
use crate::fuse::fuse;
use nn::Shape;
use nn::graph::{Coefficients, Graph, Linear, Node, Operation, Quantise, Rounding, WeightScale};

pub(super) const SETTINGS: QuantiseSettings = QuantiseSettings {
    weight_bits: 8,
    bits: 8,
    signed_bits: 7,
    per_channel: false,
    weight_range: Range::Max,
    activation_range: Range::Max,
};

/// The pass alone.
pub(super) fn alone(
    dataset: &str,
    layers: &Layers,
    settings: &QuantiseSettings,
    calibration: &Split,
) -> Result<Quantised, CompileError> {
    let mut refusals = Refusals::default();
    let quantised = super::quantise(("net", dataset), layers, settings, calibration, &mut refusals)?;
    refusals.check("net", &[])?;
    quantised.network.validate()?;
    Ok(quantised)
}

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

pub(super) fn linear(name: &str, inputs: usize, outputs: usize) -> Node {
    let weight = (0..inputs * outputs).map(|index| (index % 5) as f32 / 4.0 - 0.5).collect();
    let linear = Linear {
        inputs,
        outputs,
        weight,
        bias: vec![0.0; outputs],
        weight_scale: WeightScale::Free,
        weight_offset: None,
    };
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
    let quantised = alone("none", &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &calibration).unwrap();
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
        let quantised = alone(dataset, &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &split).unwrap();
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

/// Relative error of the integers of one linear layer against its float scores.
fn error_of(linear: Linear, settings: &QuantiseSettings) -> f64 {
    let input = Shape { channels: 1, height: 1, width: linear.inputs };
    let nodes = vec![Node { name: "a".to_owned(), inputs: vec![0], op: Operation::Linear(linear) }];
    let graph = Graph { name: "net".to_owned(), dataset: "mnist".to_owned(), input, nodes };
    let images: Vec<f32> = (0..20 * input.width).map(|index| (index * 37 % 79) as f32 / 78.0).collect();
    let split = Split { features: input.width, images, labels: vec![0; 20] };
    let layers = fuse(&graph, &mut Refusals::default()).unwrap();
    let quantised = alone("mnist", &layers, settings, &split).unwrap();
    let scores = quantised.network.infer_all(&split.images).unwrap().into_iter().flatten();
    let (mut error, mut power) = (0.0, 0.0);
    for (score, expected) in scores.zip(graph.forward(&split.images).unwrap()) {
        error += (score as f64 * quantised.score_scale - f64::from(expected)).powi(2);
        power += f64::from(expected).powi(2);
    }
    (error / power).sqrt()
}

/// Steps of weights that a network prescribes for each output are kept in its last layer too, whose sums then become codes.
#[test]
fn scores_keep_prescribed_scales_of_outputs() {
    let steps = [0.05, 0.1, 0.3, 1.0];
    let settings = QuantiseSettings { weight_bits: 2, ..SETTINGS };
    let weight = (0..4 * 16).map(|index| steps[index / 16] * ((index * 7 % 3) as f32 - 1.0)).collect();
    let (inputs, outputs, bias) = (16, 4, vec![0.0; 4]);
    let weight_scale = WeightScale::Channel(steps.to_vec());
    let error = error_of(Linear { inputs, outputs, weight, bias, weight_scale, weight_offset: None }, &settings);
    assert!(error < 0.01, "{error}");
}

/// An output without weights has no scale of its own, and takes none from the others.
#[test]
fn outputs_without_weights_do_not_coarsen_the_others() {
    let settings = QuantiseSettings { per_channel: true, ..SETTINGS };
    let rows = |zero: bool| -> Vec<f32> {
        (0..3 * 16)
            .map(|index| if zero && index < 16 { 0.0 } else { 5e-4 * ((index * 7 % 13) as f32 / 6.0 - 1.0) })
            .collect()
    };
    for (zero, scores) in [(false, false), (true, false), (true, true)] {
        let found = integer_weights(&rows(zero), 3, &WeightScale::Free, scores, &settings);
        assert!(found.scales.iter().all(|&scale| scale < 1e-5), "{:?}", found.scales);
        assert!(found.weights[16..].contains(&127) || found.weights[16..].contains(&-127));
    }
}

/// Pixels of a data set have all codes, whichever of them the calibration images hold.
#[test]
fn pixels_of_a_data_set_have_the_codes_of_0_to_1() {
    let input = Shape { channels: 1, height: 1, width: 4 };
    let nodes = vec![Node { inputs: vec![0], ..linear("a", 4, 3) }];
    let graph = Graph { name: "net".to_owned(), dataset: "mnist".to_owned(), input, nodes };
    let split = Split { features: 4, images: vec![0.1, 0.5, 0.3, 0.0], labels: vec![0] };
    let quantised = alone("mnist", &fuse(&graph, &mut Refusals::default()).unwrap(), &SETTINGS, &split).unwrap();
    assert_eq!((quantised.network.coding.multipliers, quantised.network.coding.offsets), (vec![255.0], vec![0.0]));
}

/// Numbers that integers of one step cannot hold beside each other are refused, all of them at once, instead of being computed wrongly.
#[test]
fn weights_without_steps_and_biases_beyond_all_sums_are_named() {
    let input = Shape { channels: 1, height: 1, width: 4 };
    let mut nodes = vec![linear("tiny", 4, 3), linear("plain", 3, 3), linear("huge", 3, 2)];
    nodes.iter_mut().enumerate().for_each(|(index, node)| node.inputs = vec![index]);
    if let Operation::Linear(linear) = &mut nodes[0].op {
        linear.weight.iter_mut().for_each(|weight| *weight *= 1e-40);
        linear.bias = vec![0.5; 3];
    }
    if let Operation::Linear(linear) = &mut nodes[2].op {
        linear.bias[1] = -1e30;
    }
    let mut graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input, nodes };
    let split = Split { features: 4, images: vec![0.1, 0.9, 0.5, 0.3], labels: vec![0] };
    let run = |graph: &Graph| {
        let layers = fuse(graph, &mut Refusals::default()).unwrap();
        alone("none", &layers, &SETTINGS, &split)
    };
    let error = run(&graph).unwrap_err().to_string();
    assert!(error.contains("2 of its nodes") && !error.contains("`plain`"), "{error}");
    assert!(error.contains("`tiny`") && error.contains("too small a number to have steps"), "{error}");
    assert!(error.contains("`huge`") && error.contains("bias 1 is -1e30, more than 2^51 steps"), "{error}");
    // A bias that only drowns the weights is computed, and how far off the scores are is told.
    graph.nodes.remove(0);
    graph.nodes.iter_mut().enumerate().for_each(|(index, node)| node.inputs = vec![index]);
    graph.input.width = 3;
    let split = Split { features: 3, images: vec![0.1, 0.9, 0.5, 0.3, 0.2, 0.7], labels: vec![0; 2] };
    let deviation = |graph: &Graph| {
        let layers = fuse(graph, &mut Refusals::default()).unwrap();
        let quantised = alone("none", &layers, &SETTINGS, &split).unwrap();
        quantised.deviation(graph, &split).unwrap()
    };
    if let Operation::Linear(linear) = &mut graph.nodes[1].op {
        linear.bias[1] = 0.0;
    }
    let usual = deviation(&graph);
    if let Operation::Linear(linear) = &mut graph.nodes[0].op {
        linear.bias[2] = -1e5;
    }
    if let Operation::Linear(linear) = &mut graph.nodes[1].op {
        linear.weight[2] = 0.0;
        linear.weight[5] = 0.0;
    }
    let drowned = deviation(&graph);
    assert!(usual < 0.05 && drowned > 0.5, "{usual} and {drowned}");
}
