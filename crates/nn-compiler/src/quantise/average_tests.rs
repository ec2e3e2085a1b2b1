//! Averages in integers.

use super::tests::{SETTINGS, alone, linear};
use crate::fuse::fuse;
use crate::refusals::Refusals;
use nn::Shape;
use nn::datasets::Split;
use nn::graph::{Activation, AveragePool, Coefficients, Conv, Graph, Node, Operation, Quantise, Rounding, WeightScale};

/// The sums of a last layer with a ReLU, and the averages of a last pooling, are codes of their own range.
#[test]
fn scores_of_a_last_average_use_its_own_range() {
    let input = Shape { channels: 2, height: 4, width: 4 };
    let axis = nn::Axis::new(4, 1, 0);
    let pool = AveragePool { vertical: axis, horizontal: axis, count_padding: false };
    let nodes = vec![Node { name: "gap".to_owned(), inputs: vec![0], op: Operation::AveragePool(pool) }];
    let graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input, nodes };
    // One bright pixel a channel: averages are a sixteenth of the largest value.
    let images: Vec<f32> =
        (0..96).map(|index| if index % 16 == 3 { 0.2 + index as f32 / 120.0 } else { 0.0 }).collect();
    let split = Split { features: 32, images, labels: vec![0; 3] };
    let layers = fuse(&graph, &mut Refusals::default()).unwrap();
    let quantised = alone("none", &layers, &SETTINGS, &split).unwrap();
    assert!(quantised.deviation(&graph, &split).unwrap() < 0.005);
    let scores = quantised.network.infer_all(&split.images).unwrap();
    assert_eq!(scores.iter().flatten().max(), Some(&255));
}

/// Nothing is known of averages other than 0: they must not be taken for the smallest there can be.
#[test]
fn averages_that_are_all_zero_leave_room_for_others() {
    let input = Shape { channels: 1, height: 2, width: 2 };
    let axis = nn::Axis::new(2, 1, 0);
    let pool = AveragePool { vertical: axis, horizontal: axis, count_padding: false };
    let nodes =
        vec![Node { name: "gap".to_owned(), inputs: vec![0], op: Operation::AveragePool(pool) }, linear("fc", 1, 2)];
    let mut graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input, nodes };
    graph.nodes[1].inputs = vec![1];
    let zeros = Split { features: 4, images: vec![0.0; 8], labels: vec![0; 2] };
    let layers = fuse(&graph, &mut Refusals::default()).unwrap();
    // Of a data set, so that the range of the images is not calibrated.
    let quantised = alone("mnist", &layers, &SETTINGS, &zeros).unwrap();
    let bright = Split { features: 4, images: vec![0.5, 0.25, 0.75, 1.0], labels: vec![0] };
    let deviation = quantised.deviation(&graph, &bright).unwrap();
    assert!(deviation < 0.01, "{deviation}");
}

/// The mean of a map of few prescribed codes has as many codes as other activations: rounded to one of the map's four it would be nowhere near.
#[test]
fn averages_of_few_prescribed_codes_are_not_rounded_to_them() {
    let input = Shape { channels: 2, height: 6, width: 6 };
    let draw = |index: usize| ((index * 7919 + 13) % 101) as f32 / 50.0 - 1.0;
    let (padded, whole) = (nn::Axis::new(3, 1, 1), nn::Axis::new(6, 1, 0));
    let conv = Conv {
        in_channels: 2,
        out_channels: 8,
        groups: 1,
        vertical: padded,
        horizontal: padded,
        weight: (0..8 * 18).map(draw).collect(),
        bias: vec![0.1; 8],
        weight_scale: WeightScale::Free,
        weight_offset: None,
    };
    let format = Quantise {
        scale: Coefficients::Map(1.0),
        zero_point: Coefficients::Map(0.0),
        bits: 2,
        signed: false,
        narrow: false,
        rounding: Rounding::HalfEven,
        zero_before_rounding: false,
    };
    let pool = AveragePool { vertical: whole, horizontal: whole, count_padding: false };
    let mut nodes = vec![
        Node { name: "conv".to_owned(), inputs: Vec::new(), op: Operation::Conv(conv) },
        Node { name: "relu".to_owned(), inputs: Vec::new(), op: Operation::Activation(Activation::Relu) },
        Node { name: "format".to_owned(), inputs: Vec::new(), op: Operation::Quantise(format) },
        Node { name: "gap".to_owned(), inputs: Vec::new(), op: Operation::AveragePool(pool) },
        linear("fc", 8, 4),
    ];
    nodes.iter_mut().enumerate().for_each(|(index, node)| node.inputs = vec![index]);
    let graph = Graph { name: "net".to_owned(), dataset: "none".to_owned(), input, nodes };
    let images = (0..16 * input.len()).map(|index| draw(index * index + index / 72)).collect();
    let split = Split { features: input.len(), images, labels: vec![0; 16] };
    let layers = fuse(&graph, &mut Refusals::default()).unwrap();
    let quantised = alone("none", &layers, &SETTINGS, &split).unwrap();
    let deviation = quantised.deviation(&graph, &split).unwrap();
    assert!(deviation < 0.05, "{deviation}");
    let formats = [1, 2].map(|source| quantised.network.format_of(source).unwrap().bits);
    assert_eq!(formats, [2, 8]);
}
