//! Passes change how a network is written, not what it computes.

use super::*;
use nn::Axis;
use nn::Shape;
use nn::graph::{
    Activation, Affine, AveragePool, Coefficients, Conv, Linear, MaxPool, Node, Operation, Pad, Reorder, Softmax,
    WeightScale,
};
use proptest::prelude::*;

/// Numbers of a generator that is good enough for weights.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1 << 24) as f32) * 2.0 - 1.0
    }

    fn many(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.next() + 1.0) / 2.0 * count as f32) as usize % count
    }
}

/// A graph that grows node by node.
struct Growing {
    graph: Graph,
    shapes: Vec<Shape>,
    draws: Draws,
}

impl Growing {
    fn new(input: Shape, seed: u64) -> Self {
        let graph = Graph { name: "net".to_owned(), dataset: "digits-8x8".to_owned(), input, nodes: Vec::new() };
        Self { graph, shapes: vec![input], draws: Draws(seed) }
    }

    fn push(&mut self, inputs: &[usize], op: Operation) -> usize {
        let shapes: Vec<Shape> = inputs.iter().map(|&input| self.shapes[input]).collect();
        self.shapes.push(op.output_shape(&shapes).unwrap());
        let name = format!("node{}", self.shapes.len());
        self.graph.nodes.push(Node { name, inputs: inputs.to_vec(), op });
        self.graph.nodes.len()
    }

    fn conv(&mut self, input: usize, out_channels: usize, groups: usize, kernel: usize, padding: usize) -> usize {
        let in_channels = self.shapes[input].channels;
        let weight = self.draws.many(out_channels * (in_channels / groups) * kernel * kernel);
        let bias = self.draws.many(out_channels);
        let axis = Axis::new(kernel, 1, padding);
        let weight_scale = WeightScale::Free;
        let (vertical, horizontal) = (axis, axis);
        let conv = Conv {
            in_channels,
            out_channels,
            groups,
            vertical,
            horizontal,
            weight,
            bias,
            weight_scale,
            weight_offset: None,
        };
        self.push(&[input], Operation::Conv(conv))
    }

    fn linear(&mut self, input: usize, outputs: usize) -> usize {
        let inputs = self.shapes[input].len();
        let (weight, bias) = (self.draws.many(outputs * inputs), self.draws.many(outputs));
        self.push(
            &[input],
            Operation::Linear(Linear {
                inputs,
                outputs,
                weight,
                bias,
                weight_scale: WeightScale::Free,
                weight_offset: None,
            }),
        )
    }

    fn affine(&mut self, input: usize) -> usize {
        let shape = self.shapes[input];
        let (factor, shift) = (self.draws.many(shape.channels), self.draws.many(shape.channels));
        let affine = Affine { factor: Coefficients::Channel(factor), shift: Coefficients::Channel(shift) };
        self.push(&[input], Operation::Affine(affine))
    }

    fn relu(&mut self, input: usize) -> usize {
        self.push(&[input], Operation::Activation(Activation::Relu))
    }

    /// Channels last, or first again.
    fn transpose(&mut self, input: usize, last: bool) -> usize {
        let Shape { channels, height, width } = self.shapes[input];
        let (shape, order): (Shape, Vec<u32>) = if last {
            let order =
                (0..height * width).flat_map(|pixel| (0..channels).map(move |c| (c * height * width + pixel) as u32));
            (Shape { channels: height, height: width, width: channels }, order.collect())
        } else {
            let (rows, columns, depth) = (channels, height, width);
            let order = (0..depth).flat_map(|c| (0..rows * columns).map(move |pixel| (pixel * depth + c) as u32));
            (Shape { channels: depth, height: rows, width: columns }, order.collect())
        };
        self.push(&[input], Operation::Reorder(Reorder { shape, order }))
    }

    /// One of the things that networks as exported do between two layers.
    fn any(&mut self, input: usize) -> usize {
        let shape = self.shapes[input];
        match self.draws.below(8) {
            0 => self.affine(input),
            1 => {
                let side = self.relu(input);
                self.push(&[side, input], Operation::Add)
            }
            2 => {
                let last = self.transpose(input, true);
                let middle = self.relu(last);
                self.transpose(middle, false)
            }
            3 => {
                let pad = Pad { channels: [0, 0], height: [1, 0], width: [0, 1], value: 0.0 };
                let padded = self.push(&[input], Operation::Pad(pad));
                self.conv(padded, shape.channels, 1, 2, 0)
            }
            4 => self.conv(input, shape.channels, shape.channels, 3, 1),
            5 => {
                let axis = Axis::new(2, 1, 0);
                self.push(
                    &[input],
                    Operation::AveragePool(AveragePool { vertical: axis, horizontal: axis, count_padding: true }),
                )
            }
            6 => {
                let (first, second) = (self.conv(input, 2, 1, 1, 0), self.affine(input));
                self.push(&[first, second], Operation::Concat)
            }
            _ => {
                let pool = Axis::new(2, 1, 1);
                let rectified = self.relu(input);
                self.push(&[rectified], Operation::MaxPool(MaxPool { vertical: pool, horizontal: pool }))
            }
        }
    }
}

/// The largest difference between the results of two graphs, over the largest result.
fn difference(first: &Graph, second: &Graph, draws: &mut Draws) -> f32 {
    let images = draws.many(3 * first.input.len());
    let (a, b) = (first.forward(&images).unwrap(), second.forward(&images).unwrap());
    assert_eq!(a.len(), b.len());
    let largest = a.iter().fold(1e-3_f32, |largest, value| largest.max(value.abs()));
    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

proptest! {
    #[test]
    fn passes_keep_what_a_network_computes(seed: u64, nodes in 1_usize..7, equalise: bool, normalised: bool) {
        let mut growing = Growing::new(Shape { channels: 2, height: 6, width: 6 }, seed);
        let mut at = if normalised { growing.affine(0) } else { 0 };
        at = growing.conv(at, 3, 1, 3, 1);
        at = growing.affine(at);
        for _ in 0..nodes {
            if growing.shapes[at].height >= 3 { at = growing.any(at); }
        }
        at = growing.transpose(at, true);
        let shape = Shape { channels: growing.shapes[at].len(), height: 1, width: 1 };
        at = growing.push(&[at], Operation::Reshape(shape));
        at = growing.linear(at, 4);
        growing.affine(at);
        let graph = growing.graph;
        let mut seen = Vec::new();
        let result = run(&graph, &PassSettings { equalise }, &mut Refusals::default(), &mut |name, graph| seen.push((name.to_owned(), graph.clone()))).unwrap();
        prop_assert_eq!(seen.len(), GRAPH_PASSES.len() + 1);
        for (name, after) in &seen {
            let difference = difference(&graph, after, &mut growing.draws);
            prop_assert!(difference < 2e-3, "{}: {}\n{}", name, difference, dump(after));
        }
        for node in &result.nodes {
            let gone = matches!(node.op, Operation::Reshape(_) | Operation::Reorder(_) | Operation::Pad(_));
            let coded = matches!(node.op, Operation::Affine(_)) && node.inputs != [0];
            prop_assert!(!gone && !coded, "{}", dump(&result));
        }
    }
}

#[test]
fn a_last_softmax_goes_and_an_inner_one_stays() {
    let mut growing = Growing::new(Shape { channels: 3, height: 1, width: 1 }, 1);
    let inner = growing.push(&[0], Operation::Softmax(Softmax { log: false }));
    let scores = growing.linear(inner, 2);
    growing.push(&[scores], Operation::Softmax(Softmax { log: true }));
    let result = run(&growing.graph, &PassSettings::default(), &mut Refusals::default(), &mut |_, _| {}).unwrap();
    let kinds: Vec<&str> = result.nodes.iter().map(|node| node.op.kind()).collect();
    assert_eq!(kinds, ["softmax", "linear"]);
}

#[test]
fn equalised_channels_have_equal_ranges() {
    let mut growing = Growing::new(Shape { channels: 2, height: 4, width: 4 }, 3);
    let first = growing.conv(0, 3, 1, 3, 1);
    if let Operation::Conv(conv) = &mut growing.graph.nodes[0].op {
        conv.weight[..18].iter_mut().for_each(|weight| *weight *= 100.0);
    }
    let rectified = growing.relu(first);
    growing.linear(rectified, 5);
    let result =
        run(&growing.graph, &PassSettings { equalise: true }, &mut Refusals::default(), &mut |_, _| {}).unwrap();
    let largest =
        |weights: &mut dyn Iterator<Item = f32>| weights.fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    let (Operation::Conv(conv), Operation::Linear(linear)) = (&result.nodes[0].op, &result.nodes[2].op) else {
        panic!("{}", dump(&result));
    };
    for channel in 0..3 {
        let written = largest(&mut conv.weight[channel * 18..][..18].iter().copied());
        let read =
            largest(&mut linear.weight.iter().enumerate().filter(|(i, _)| i % 48 / 16 == channel).map(|(_, w)| *w));
        assert!((written / read - 1.0).abs() < 1e-5, "channel {channel}: {written} and {read}");
    }
}

/// All that is wrong with a network, by one error: a map in another order, a border that takes part in maxima, factors of single values, a softmax
/// inside. What stands behind a refused node is looked at as well.
#[test]
fn all_that_no_unit_can_do_is_named_at_once() {
    let mut growing = Growing::new(Shape { channels: 2, height: 4, width: 4 }, 5);
    let first = growing.conv(0, 4, 1, 3, 1);
    let turned = growing.transpose(first, true);
    let second = growing.conv(turned, 2, 1, 1, 0);
    let padded =
        growing.push(&[second], Operation::Pad(Pad { channels: [0, 0], height: [1, 1], width: [0, 0], value: 0.0 }));
    let axis = Axis::new(2, 1, 0);
    let pooled = growing.push(&[padded], Operation::MaxPool(MaxPool { vertical: axis, horizontal: axis }));
    let shares = growing.push(&[pooled], Operation::Softmax(Softmax { log: false }));
    let size = growing.shapes[shares].len();
    let factor = Coefficients::Value((0..size).map(|index| index as f32 + 1.0).collect());
    let scaled = growing.push(&[shares], Operation::Affine(Affine { factor, shift: Coefficients::Map(0.0) }));
    let relu = growing.relu(scaled);
    growing.linear(relu, 2);
    let mut refusals = Refusals::default();
    let result = run(&growing.graph, &PassSettings::default(), &mut refusals, &mut |_, _| {}).unwrap();
    crate::fuse::fuse(&result, &mut refusals).unwrap();
    let error = refusals.check_in(&growing.graph).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 5, "{error}");
    assert!(lines[0].contains("network `net`: 4 of its nodes cannot be mapped:"), "{error}");
    for (line, part) in lines[1..].iter().zip([
        "`node4` (conv): it reads a map whose values a transposition",
        "`node5` (pad): `node6` takes maxima of it",
        "`node7` (softmax): it compares the values of a map with each other",
        "`node8` (affine): it multiplies or moves single values",
    ]) {
        assert!(line.contains(part) && line.contains("; "), "{line}");
    }
}

/// A border as low as numbers go is that of the maxima themselves.
#[test]
fn a_lowest_border_in_front_of_maxima_is_their_padding() {
    let mut growing = Growing::new(Shape { channels: 2, height: 4, width: 4 }, 9);
    let border = Pad { channels: [0, 0], height: [1, 1], width: [1, 1], value: f32::MIN };
    let padded = growing.push(&[0], Operation::Pad(border));
    let axis = Axis::new(3, 2, 0);
    growing.push(&[padded], Operation::MaxPool(MaxPool { vertical: axis, horizontal: axis }));
    let mut refusals = Refusals::default();
    let result = run(&growing.graph, &PassSettings::default(), &mut refusals, &mut |_, _| {}).unwrap();
    refusals.check_in(&growing.graph).unwrap();
    assert_eq!(result.nodes.len(), 1, "{}", dump(&result));
    assert_eq!(difference(&growing.graph, &result, &mut growing.draws), 0.0);
}
