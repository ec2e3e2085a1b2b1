//! Tests of graphs as a whole, and of operations by hand.

use super::*;
use crate::axis::Axis;
use crate::datasets::{Split, load};

fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape { channels, height, width }
}

fn node(name: &str, inputs: &[usize], op: Operation) -> Node {
    Node { name: name.into(), inputs: inputs.to_vec(), op }
}

fn graph(input: Shape, nodes: Vec<Node>) -> Graph {
    Graph { name: "g".into(), dataset: "random".into(), input, nodes }
}

fn relu() -> Operation {
    Operation::Activation(Activation::Relu)
}

/// The result of one operation for one image.
fn run(input: Shape, op: Operation, values: &[f32]) -> Vec<f32> {
    graph(input, vec![node("a", &[0], op)]).forward(values).unwrap()
}

/// Convolution, pooling and a linear layer with parameters whose sums round.
fn chain() -> Graph {
    let wave = |count: usize| (0..count).map(|i| (i as f32 * 0.7).fract() - 0.4).collect::<Vec<f32>>();
    let (axis, pooled) = (Axis::new(3, 1, 1), Axis::new(2, 2, 0));
    let conv = Conv {
        in_channels: 1,
        out_channels: 5,
        groups: 1,
        vertical: axis,
        horizontal: axis,
        weight: wave(45),
        bias: wave(5),
        weight_scale: WeightScale::Free,
        weight_offset: None,
    };
    let weight_scale = WeightScale::Free;
    let linear =
        Linear { inputs: 80, outputs: 10, weight: wave(800), bias: wave(10), weight_scale, weight_offset: None };
    let nodes = vec![
        node("conv", &[0], Operation::Conv(conv)),
        node("relu", &[1], relu()),
        node("pool", &[2], Operation::MaxPool(MaxPool { vertical: pooled, horizontal: pooled })),
        node("fc", &[3], Operation::Linear(linear)),
    ];
    Graph { dataset: "digits-8x8".into(), ..graph(shape(1, 8, 8), nodes) }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn shapes_and_counts() {
    let graph = chain();
    assert_eq!(graph.validate(), Ok(()));
    let shapes: Vec<String> = graph.shapes().unwrap().iter().map(Shape::to_string).collect();
    assert_eq!(shapes, ["5x8x8", "5x8x8", "5x4x4", "10x1x1"]);
    assert_eq!(graph.parameter_count(), 45 + 5 + 800 + 10);
    assert_eq!(graph.mac_count().unwrap(), 45 * 64 + 800);
}

/// Every sum starts with the bias and adds the window in (channel, row, column) order, one rounded product at a time.
#[test]
fn a_chain_is_what_its_definition_says_bit_for_bit() {
    let (graph, test) = (chain(), load("digits-8x8").unwrap().test);
    let image = test.image(3);
    let [Operation::Conv(conv), .., Operation::Linear(linear)] =
        [&graph.nodes[0].op, &graph.nodes[1].op, &graph.nodes[3].op]
    else {
        panic!("the chain has changed")
    };
    let at = |y: usize, x: usize| {
        let inside = (1..9).contains(&y) && (1..9).contains(&x);
        if inside { image[(y - 1) * 8 + x - 1] } else { 0.0 }
    };
    let mut maps = vec![0.0_f32; 5 * 64];
    for (index, value) in maps.iter_mut().enumerate() {
        let (channel, y, x) = (index / 64, index / 8 % 8, index % 8);
        *value = conv.bias[channel];
        for tap in 0..9 {
            *value += conv.weight[channel * 9 + tap] * at(y + tap / 3, x + tap % 3);
        }
        *value = value.max(0.0);
    }
    let pooled = (0..80).map(|index| {
        let (channel, y, x) = (index / 16, index / 4 % 4, index % 4);
        let value = |dy: usize, dx: usize| maps[channel * 64 + (2 * y + dy) * 8 + 2 * x + dx];
        value(0, 0).max(value(0, 1)).max(value(1, 0)).max(value(1, 1))
    });
    let pooled: Vec<f32> = pooled.collect();
    let sum = |output: usize| {
        pooled.iter().zip(&linear.weight[output * 80..]).fold(linear.bias[output], |sum, (x, w)| sum + x * w)
    };
    let expected: Vec<f32> = (0..10).map(sum).collect();
    assert_eq!(bits(&graph.forward(image).unwrap()), bits(&expected));
}

#[test]
fn threads_do_not_matter() {
    let (graph, test) = (chain(), load("digits-8x8").unwrap().test);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (graph.forward(&test.images).unwrap(), graph.forward_all(&test.images).unwrap()))
    };
    let (one, many) = (with(1), with(3));
    assert_eq!(bits(&one.0), bits(&many.0));
    assert_eq!(one.1, many.1);
}

#[test]
fn a_residual_with_a_concatenation_by_hand() {
    let double = Affine { factor: Coefficients::Map(2.0), shift: Coefficients::Channel(vec![0.0, 1.0]) };
    let nodes = vec![
        node("relu", &[0], relu()),
        node("double", &[1], Operation::Affine(double)),
        node("sum", &[0, 2], Operation::Add),
        node("both", &[3, 1], Operation::Concat),
    ];
    let graph = graph(shape(2, 1, 2), nodes);
    assert_eq!(graph.shapes().unwrap()[3], shape(4, 1, 2));
    assert_eq!(graph.forward(&[1.0, -1.0, 2.0, -2.0]).unwrap(), [3.0, -1.0, 7.0, -1.0, 1.0, 0.0, 2.0, 0.0]);
}

#[test]
fn what_is_wrong_with_a_graph_is_named() {
    let problem = |nodes: Vec<Node>| graph(shape(2, 3, 3), nodes).validate().unwrap_err().to_string();
    assert_eq!(problem(vec![]), "network `g`: number of nodes is 0, allowed: at least 1");
    let behind = vec![node("a", &[1], relu())];
    assert_eq!(problem(behind), "network `g`, layer `a`: source is 1, allowed: sources before the node, 0 to 0");
    let twice = vec![node("a", &[0], relu()), node("a", &[1], relu())];
    assert!(problem(twice).contains("names used only once"));
    let unread = vec![node("a", &[0], relu()), node("b", &[0], relu())];
    assert!(problem(unread).contains("layer `a`: number of readers is 0"));
    assert!(problem(vec![node("a", &[0], Operation::Add)]).contains("number of sources is 1, allowed: exactly 2"));
    assert!(problem(vec![node("a", &[], relu())]).contains("number of sources is 0, allowed: exactly 1"));
    let reorder = Reorder { shape: shape(18, 1, 1), order: vec![0; 18] };
    assert!(problem(vec![node("a", &[0], Operation::Reorder(reorder))]).contains("order[1] is 0"));
    let scale = Sign { scale: Coefficients::Channel(vec![1.0; 3]) };
    assert!(problem(vec![node("a", &[0], Operation::Sign(scale))]).contains("number of values of scale is 3"));
    let reshape = Operation::Reshape(shape(2, 3, 4));
    assert!(problem(vec![node("a", &[0], reshape)]).contains("shapes with 18 values"));
    // A window of two places with a gap of three between them jumps over a map of two.
    let axis = Axis { kernel: 2, stride: 1, dilation: 4, before: 4, after: 4 };
    let pool = MaxPool { vertical: axis, horizontal: Axis::new(1, 1, 0) };
    assert!(problem(vec![node("a", &[0], Operation::MaxPool(pool))]).contains("see at least one place of the map"));
}

#[test]
fn a_batch_holds_whole_images_and_a_split_has_the_shape() {
    let graph = graph(shape(1, 1, 3), vec![node("a", &[0], relu())]);
    assert!(graph.forward(&[0.0; 4]).unwrap_err().to_string().contains("multiples of 3"));
    assert!(graph.forward(&[]).unwrap().is_empty());
    let split = Split { features: 2, images: vec![0.0; 2], labels: vec![0] };
    assert!(graph.accuracy(&split).is_err());
}

#[test]
fn groups_see_their_own_channels() {
    let axis = Axis::new(1, 1, 0);
    let conv = Conv {
        in_channels: 4,
        out_channels: 2,
        groups: 2,
        vertical: axis,
        horizontal: axis,
        weight: vec![1.0, 2.0, 3.0, 4.0],
        bias: vec![0.5, 0.0],
        weight_scale: WeightScale::Free,
        weight_offset: None,
    };
    assert_eq!(run(shape(4, 1, 1), Operation::Conv(conv.clone()), &[1.0, 10.0, 100.0, 1000.0]), [21.5, 4300.0]);
    let odd = Conv { groups: 3, ..conv.clone() };
    assert!(odd.validate().unwrap_err().to_string().contains("multiples of 3, the groups"));
    let scales = Conv { weight_scale: WeightScale::Channel(vec![1.0]), ..conv };
    assert_eq!(scales.validate().unwrap_err().key, "number of values of weight_scale");
}

#[test]
fn codes_are_clamped_and_rounded_as_their_format_says() {
    let quantise = |signed, narrow, rounding| Quantise {
        scale: Coefficients::Map(0.5),
        zero_point: Coefficients::Map(0.0),
        bits: 3,
        signed,
        narrow,
        rounding,
        zero_before_rounding: false,
    };
    assert_eq!(quantise(true, false, Rounding::HalfEven).codes(), (-4, 3));
    assert_eq!(quantise(true, true, Rounding::HalfEven).codes(), (-3, 3));
    assert_eq!(quantise(false, true, Rounding::HalfEven).codes(), (0, 6));
    let values = [-9.0, -0.75, -0.3, 0.25, 0.75, 9.0];
    let rounded = |rounding| run(shape(1, 1, 6), Operation::Quantise(quantise(true, true, rounding)), &values);
    assert_eq!(rounded(Rounding::HalfEven), [-1.5, -1.0, -0.5, 0.0, 1.0, 1.5]);
    assert_eq!(rounded(Rounding::HalfUp), [-1.5, -1.0, -0.5, 0.5, 1.0, 1.5]);
    assert_eq!(rounded(Rounding::HalfDown), [-1.5, -0.5, -0.5, 0.0, 0.5, 1.5]);
    assert_eq!(rounded(Rounding::Up), [-1.5, -1.0, -0.5, 0.5, 1.0, 1.5]);
    assert_eq!(rounded(Rounding::Down), [-1.5, -0.5, 0.0, 0.0, 0.5, 1.5]);
    assert_eq!(rounded(Rounding::Ceil), [-1.5, -0.5, 0.0, 0.5, 1.0, 1.5]);
    assert_eq!(rounded(Rounding::Floor), [-1.5, -1.0, -0.5, 0.0, 0.5, 1.5]);
    let bad = Quantise { zero_point: Coefficients::Map(0.5), ..quantise(true, true, Rounding::Up) };
    assert_eq!(bad.validate().unwrap_err().key, "zero_point");
    assert_eq!(Quantise { bits: 17, ..bad }.validate().unwrap_err().key, "bits");
}

/// With an odd zero point ties become odd steps, and with one that changes the sign of a code so does what depends on it.
#[test]
fn zero_points_are_added_before_or_behind_the_rounding() {
    let of = |rounding, zero_before_rounding| {
        let scale = Coefficients::Map(0.5);
        let zero_point = Coefficients::Map(3.0);
        let (bits, signed, narrow) = (3, false, false);
        let format = Quantise { scale, zero_point, bits, signed, narrow, rounding, zero_before_rounding };
        run(shape(1, 1, 4), Operation::Quantise(format), &[-0.6, 0.25, 0.8, 9.0])
    };
    assert_eq!(of(Rounding::HalfEven, false), [-0.5, 0.0, 1.0, 2.0]);
    assert_eq!(of(Rounding::HalfEven, true), [-0.5, 0.5, 1.0, 2.0]);
    assert_eq!(of(Rounding::Down, false), [-0.5, 0.0, 0.5, 2.0]);
    assert_eq!(of(Rounding::Down, true), [-1.0, 0.0, 0.5, 2.0]);
    assert_eq!(of(Rounding::Up, false), [-1.0, 0.5, 1.0, 2.0]);
    assert_eq!(of(Rounding::Up, true), [-0.5, 0.5, 1.0, 2.0]);
    assert_eq!(of(Rounding::Floor, true), of(Rounding::Floor, false));
}

#[test]
fn coefficients_are_as_short_as_they_can_be() {
    let of = |values: &[f32]| Coefficients::compact(values.to_vec(), shape(2, 1, 2));
    assert_eq!(of(&[1.0; 4]), Coefficients::Map(1.0));
    assert_eq!(of(&[1.0, 1.0, 2.0, 2.0]), Coefficients::Channel(vec![1.0, 2.0]));
    assert_eq!(of(&[1.0, 2.0, 1.0, 2.0]), Coefficients::Value(vec![1.0, 2.0, 1.0, 2.0]));
    let channel = of(&[1.0, 1.0, 2.0, 2.0]);
    assert_eq!((0..4).map(|index| channel.at(shape(2, 1, 2), index)).collect::<Vec<f32>>(), [1.0, 1.0, 2.0, 2.0]);
    assert_eq!(channel.map(|value| 3.0 * value), Coefficients::Channel(vec![3.0, 6.0]));
}
