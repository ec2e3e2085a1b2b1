//! Tests of [`super::Engine`]: whole networks.

use super::gradient_check::{DAMAGES, TOLERANCE, relative_error, values};
use super::*;
use crate::architecture::Architecture;
use crate::config::WeightScale;
use crate::parts::Parts;
use nn::{Graph, Shape};
use std::collections::BTreeSet;

const SHAPE: Shape = Shape { channels: 2, height: 8, width: 8 };

fn architecture(layers: &str) -> Architecture {
    let text = format!("{{\"name\": \"small\", \"dataset\": \"digits-8x8\", \"layers\": [{layers}]}}");
    serde_json::from_str(&text).unwrap()
}

fn conv(name: &str, outputs: usize, more: &str) -> String {
    format!(r#"{{"kind": "conv2d", "name": "{name}", "outputs": {outputs}, "kernel": 3, "padding": 1 {more}}}"#)
}

fn one(kind: &str, name: &str, more: &str) -> String {
    format!(r#"{{"kind": "{kind}", "name": "{name}" {more}}}"#)
}

/// Two convolutions, two poolings, two linear layers.
fn cnn() -> Architecture {
    let pool = |kind, name| one(kind, name, r#", "kernel": 2, "stride": 2"#);
    let layers = [
        conv("conv1", 4, r#", "stride": 1"#),
        one("relu", "relu1", ""),
        pool("max-pool", "pool1"),
        conv("conv2", 6, r#", "stride": 1, "groups": 2"#),
        one("relu", "relu2", ""),
        pool("average-pool", "pool2"),
        one("linear", "fc1", r#", "outputs": 8"#),
        one("relu", "relu3", ""),
        one("linear", "fc2", r#", "outputs": 4"#),
    ];
    architecture(&layers.join(","))
}

/// A block with an identity and one with a projection.
fn residual() -> Architecture {
    let layers = [
        conv("conv1", 3, r#", "stride": 1"#),
        one("batch-norm", "norm1", ""),
        one("relu", "relu1", ""),
        conv("conv2", 3, r#", "stride": 1"#),
        one("batch-norm", "norm2", ""),
        one("add", "sum1", r#", "inputs": ["norm2", "relu1"]"#),
        conv("conv3", 4, r#", "stride": 2"#),
        one("batch-norm", "norm3", ""),
        conv("project", 4, r#", "stride": 2, "input": "sum1""#),
        one("add", "sum2", r#", "inputs": ["norm3", "project"]"#),
        one("global-average-pool", "pool", ""),
        one("linear", "fc", r#", "outputs": 4"#),
    ];
    architecture(&layers.join(","))
}

struct Case {
    graph: Graph,
    engine: Engine,
    weights: Vec<LayerWeights>,
}

impl Case {
    fn new(architecture: &Architecture, shape: Shape) -> Self {
        let mut graph = architecture.build(shape, 8, WeightScale::FanIn, 3).unwrap();
        let parts = Parts::of(&graph, &architecture.batch_norms());
        let mut weights = parts.parameters(&graph);
        // Biases that do something.
        for (seed, own) in (50..).zip(&mut weights) {
            own.bias = values(own.bias.len(), seed).iter().map(|value| 0.1 * value).collect();
        }
        parts.replace(&mut graph, weights.clone());
        let engine = Engine::new(&graph, &parts).unwrap();
        Self { graph, engine, weights }
    }

    /// A step's result and gradients.
    fn step(&self, weights: &[LayerWeights], images: &[f32], labels: &[u8]) -> (Step, Vec<LayerWeights>) {
        let size = self.graph.input.len();
        let image = |index: usize, to: &mut [f32]| to.copy_from_slice(&images[index * size..(index + 1) * size]);
        let (mut memories, mut gradients) = (Memories::default(), Vec::new());
        let mut running: Vec<Running> = (0..3).map(|_| Running::new(4)).collect();
        let mut running: Vec<&mut Running> = running.iter_mut().collect();
        let batch = Batch { labels, image: &image };
        let step = self.engine.step(weights, batch, &mut memories, &mut gradients, &mut running);
        (step, gradients)
    }

    fn check_gradients(&self) {
        let (images, labels) = (values(5 * self.graph.input.len(), 11), [0, 3, 1, 2, 2]);
        let (_, gradients) = self.step(&self.weights, &images, &labels);
        assert_eq!(gradients.len(), self.weights.len());
        for (part, gradient) in gradients.iter().enumerate() {
            let loss = |change: &dyn Fn(&mut LayerWeights)| {
                let mut moved = self.weights.clone();
                change(&mut moved[part]);
                self.step(&moved, &images, &labels).0.loss
            };
            // Steps so small that no value that matters crosses the kink of a ReLU or overtakes another in a pooling window, and so large that
            // rounding errors of the logits do not matter.
            let by_weight = |weight: &[f32]| loss(&|own| own.weight = weight.to_vec());
            let error = |gradient: &[f32]| relative_error(gradient, &self.weights[part].weight, 2e-4, by_weight);
            let right = error(&gradient.weight);
            assert!(right < TOLERANCE, "part {part}: {right}");
            for (name, damage) in DAMAGES {
                assert!(error(&damage(&gradient.weight)) > TOLERANCE, "part {part}: weights {name} pass");
            }
            // The bias of a convolution in front of a batch normalisation does nothing.
            if gradient.bias.iter().any(|bias| bias.abs() > 1e-4) {
                let by_bias = |bias: &[f32]| loss(&|own| own.bias = bias.to_vec());
                let error = relative_error(&gradient.bias, &self.weights[part].bias, 2e-4, by_bias);
                assert!(error < TOLERANCE, "part {part}: bias {error}");
            }
        }
    }
}

#[test]
fn gradients_of_whole_networks_are_the_slopes() {
    Case::new(&cnn(), SHAPE).check_gradients();
    Case::new(&residual(), SHAPE).check_gradients();
}

/// Graphs that only imports have: a border, another order, a concatenation that reads a map twice.
#[test]
fn gradients_of_an_imported_graph_are_the_slopes() {
    use nn::graph::{Activation, Node, Operation, Pad, Reorder};
    let Case { mut graph, .. } = Case::new(&cnn(), SHAPE);
    let node = |name: &str, inputs: &[usize], op| Node { name: name.into(), inputs: inputs.to_vec(), op };
    let fc = graph.nodes.pop().unwrap();
    graph.nodes.truncate(1);
    let pad = Pad { channels: [0, 1], height: [1, 0], width: [0, 2], value: 0.5 };
    graph.nodes.push(node("pad", &[1], Operation::Pad(pad)));
    let padded = Shape { channels: 5, height: 9, width: 10 };
    let order = (0..450).map(|index| index * 7 % 450).collect();
    graph.nodes.push(node("order", &[2], Operation::Reorder(Reorder { shape: padded, order })));
    graph.nodes.push(node("tanh", &[3], Operation::Activation(Activation::Tanh)));
    graph.nodes.push(node("both", &[4, 3, 4], Operation::Concat));
    let flat = Shape { channels: 1350, height: 1, width: 1 };
    graph.nodes.push(node("flat", &[5], Operation::Reshape(flat)));
    let Operation::Linear(mut linear) = fc.op else { panic!("the network ends with a linear layer") };
    (linear.inputs, linear.weight) = (1350, values(4 * 1350, 9).iter().map(|value| 0.05 * value).collect());
    graph.nodes.push(node("fc", &[6], Operation::Linear(linear)));
    let parts = Parts::of(&graph, &BTreeSet::new());
    let (engine, weights) = (Engine::new(&graph, &parts).unwrap(), parts.parameters(&graph));
    Case { graph, engine, weights }.check_gradients();
}

#[test]
fn forward_equals_the_networks_own() {
    for case in [Case::new(&cnn(), SHAPE), Case::new(&residual(), SHAPE)] {
        let images = values(70 * SHAPE.len(), 3);
        assert_eq!(case.engine.scores(&case.weights, &images), case.graph.forward(&images).unwrap());
    }
}

#[test]
fn an_operation_without_a_gradient_is_named() {
    use nn::graph::{Node, Operation, Softmax};
    let mut graph = Case::new(&cnn(), SHAPE).graph;
    let op = Operation::Softmax(Softmax { log: false });
    graph.nodes.push(Node { name: "soft".into(), inputs: vec![9], op });
    let error = Engine::new(&graph, &Parts::of(&graph, &BTreeSet::new())).err().unwrap().to_string();
    assert!(error.contains("layer `soft`: operation is softmax"), "{error}");
}

fn bits<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<u32> {
    values.map(|value| value.to_bits()).collect()
}

fn gradient_bits(gradients: &[LayerWeights]) -> Vec<u32> {
    bits(gradients.iter().flat_map(|own| own.weight.iter().chain(&own.bias)))
}

#[test]
fn threads_do_not_matter() {
    let case = Case::new(&residual(), SHAPE);
    let (images, labels) = (values(100 * SHAPE.len(), 5), [0, 1, 2, 3].repeat(25));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.step(&case.weights, &images, &labels))
    };
    let (one, three) = (with(1), with(3));
    assert_eq!((one.0.loss.to_bits(), one.0.correct), (three.0.loss.to_bits(), three.0.correct));
    assert_eq!(gradient_bits(&one.1), gradient_bits(&three.1));
}

/// Reused memory does not matter, nor how many images a step before had.
#[test]
fn steps_do_not_see_what_was_before() {
    let case = Case::new(&cnn(), SHAPE);
    let images = values(100 * SHAPE.len(), 5);
    let image = |index: usize, to: &mut [f32]| to.copy_from_slice(&images[index * SHAPE.len()..][..SHAPE.len()]);
    let (mut memories, mut gradients) = (Memories::default(), Vec::new());
    for count in [100, 7, 40] {
        let labels = vec![1; count];
        let batch = Batch { labels: &labels, image: &image };
        let step = case.engine.step(&case.weights, batch, &mut memories, &mut gradients, &mut []);
        let fresh = case.step(&case.weights, &images, &labels);
        assert_eq!(step, fresh.0);
        assert_eq!(gradient_bits(&gradients), gradient_bits(&fresh.1));
    }
}

#[test]
fn gradients_are_the_same_bits_everywhere() {
    // Made once; every machine, every instruction set and every level of optimisation must give the same.
    let case = Case::new(&cnn(), SHAPE);
    let images = values(70 * SHAPE.len(), 11);
    let (step, gradients) = case.step(&case.weights, &images, &[0, 3, 1, 2, 1].repeat(14));
    let bytes = gradient_bits(&gradients).into_iter().flat_map(u32::to_le_bytes);
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!((step.loss.to_bits(), hash), (GOLDEN_LOSS, GOLDEN_GRADIENTS));
}

const GOLDEN_LOSS: u64 = 4_609_800_744_737_057_966;
const GOLDEN_GRADIENTS: u64 = 13_271_548_605_541_201_203;
