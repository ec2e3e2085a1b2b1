//! Sizes, depths and cycles beyond all measure are refused at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

#[path = "support/writer.rs"]
mod writer;

use nn::onnx::proto::AttributeProto;
use nn::onnx::{Options, import};
use prost::Message;
use std::time::{Duration, Instant};
use writer::{Writer, int, ints};

fn options() -> Options {
    Options::new("net", "random")
}

fn problem(bytes: &[u8]) -> String {
    import(bytes, &options()).unwrap_err().to_string()
}

#[test]
fn cycles_and_huge_sizes_are_refused() {
    let mut writer = Writer::new(&[0, 3]);
    let first = writer.node("Add", &["x", "t1"], vec![]);
    let second = writer.node("Relu", &[&first], vec![]);
    assert!(problem(&writer.bytes(&second)).contains("node `Add0` depends on its own result"));

    let writer = Writer::new(&[1, 1 << 20, 1 << 20]);
    assert!(problem(&writer.bytes("x")).contains("allowed: at most 8 axes and 268435456 values"));
    let mut writer = Writer::new(&[1, 1 << 14, 1 << 14]);
    let result = writer.node("Transpose", &["x"], vec![]);
    assert!(problem(&writer.bytes(&result)).contains("values of constants, of which only"));

    let mut writer = Writer::new(&[1, 3]);
    let sizes = writer.list(&[1 << 14, 1 << 13]);
    let huge = writer.node("ConstantOfShape", &[&sizes], vec![]);
    let result = writer.node("MatMul", &["x", &huge], vec![]);
    assert!(problem(&writer.bytes(&result)).contains("values of constants, of which only"));

    let mut writer = Writer::new(&[1, 1, 4, 4]);
    let attributes = vec![ints("kernel_shape", &[1, 1]), ints("strides", &[1, 1]), ints("pads", &[1 << 19; 4])];
    let weight = writer.constant(&[1, 1, 1, 1], &[1.0]);
    let result = writer.node("Conv", &["x", &weight], attributes);
    let text = problem(&writer.bytes(&result));
    assert!(text.contains("allowed: 1 to 1048576"), "{text}");
}

/// Names, order and depth are no reason to hang, or to overflow a stack.
#[test]
fn deep_networks_are_read_and_deep_cycles_refused() {
    const DEPTH: usize = 30_000;
    let chain = || {
        let mut writer = Writer::new(&[0, 3]);
        let mut last = "x".to_owned();
        for _ in 0..DEPTH {
            last = writer.node("Neg", &[&last], vec![]);
        }
        (writer, last)
    };
    let (writer, last) = chain();
    let start = Instant::now();
    // Nodes may stand in any order: the deepest first.
    let mut model = writer.model(&last);
    let nodes = &mut model.graph.as_mut().unwrap().node;
    nodes.reverse();
    let nodes = import(&model.encode_to_vec(), &options()).map(|graph| graph.nodes.len());
    assert!(matches!(nodes, Ok(DEPTH)), "{nodes:?}");
    model.graph.as_mut().unwrap().node[DEPTH - 1].input[0] = last;
    assert!(problem(&model.encode_to_vec()).contains("depends on its own result"));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

/// Sizes are compared with the bytes that are there before anything is made of them.
#[test]
fn initialisers_that_claim_more_than_they_hold_are_refused() {
    for dims in [vec![1 << 31], vec![1 << 40], vec![i64::MAX, i64::MAX], vec![-1], vec![3, 1 << 62]] {
        let mut writer = Writer::new(&[0, 3]);
        let name = writer.constant(&[3], &[1.0, 2.0, 3.0]);
        writer.graph.initializer[0].dims.clone_from(&dims);
        let sum = writer.node("Add", &["x", &name], vec![]);
        let start = Instant::now();
        let text = problem(&writer.bytes(&sum));
        assert!(text.contains(&name), "{dims:?}: {text}");
        assert!(start.elapsed() < Duration::from_secs(5), "{dims:?}: {:?}", start.elapsed());
    }
}

/// A constant that holds nothing, however large its other sizes.
fn empty(writer: &mut Writer, dims: &[i64]) -> String {
    let name = writer.constant(&[0], &[]);
    writer.graph.initializer.last_mut().unwrap().dims = dims.to_vec();
    name
}

/// The import of `x + size of a node of huge empty constants`, which ends at once, or the error.
fn of_empty(op: &str, inputs: &dyn Fn(&mut Writer) -> Vec<String>, attributes: Vec<AttributeProto>) -> String {
    let mut writer = Writer::new(&[0, 3]);
    let inputs = inputs(&mut writer);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let made = writer.node(op, &inputs, attributes);
    let size = writer.node("Size", &[&made], vec![]);
    let number = writer.node("Cast", &[&size], vec![int("to", 1)]);
    let result = writer.node("Add", &["x", &number], vec![]);
    let start = Instant::now();
    let result = import(&writer.bytes(&result), &options());
    assert!(start.elapsed() < Duration::from_secs(5), "{op}: {:?}", start.elapsed());
    result.map_or_else(|error| error.to_string(), |graph| graph.nodes.len().to_string())
}

#[test]
fn huge_sizes_beside_a_size_of_zero_neither_hang_nor_overflow() {
    const HUGE: i64 = 1 << 62;
    for dims in [[1 << 40, 0, 1], [HUGE, 0, 1], [HUGE, HUGE, 0], [0, HUGE, HUGE], [1 << 28, 2, 0]] {
        let one = |writer: &mut Writer| vec![empty(writer, &dims)];
        let two = |writer: &mut Writer| vec![empty(writer, &dims), empty(writer, &dims)];
        let picks = |writer: &mut Writer| vec![empty(writer, &dims), writer.list(&[0])];
        let cuts = |writer: &mut Writer| vec![empty(writer, &dims), writer.list(&[0]), writer.list(&[1])];
        for axis in 0..3 {
            for text in [
                of_empty("Concat", &two, vec![int("axis", axis)]),
                of_empty("Gather", &picks, vec![int("axis", axis)]),
                of_empty("Flatten", &one, vec![int("axis", axis)]),
                of_empty("Transpose", &one, vec![ints("perm", &[2, 0, 1])]),
                of_empty("Slice", &cuts, vec![]),
                of_empty("Abs", &one, vec![]),
            ] {
                assert!(text.contains("at most 8 axes and 268435456 values"), "{dims:?}: {text}");
            }
        }
    }
}

/// Neither blocks nor parts without values take time of their own.
#[test]
fn joining_constants_without_values_takes_no_time() {
    let nothing = |writer: &mut Writer| (0..1000).map(|_| empty(writer, &[1 << 28, 0])).collect();
    assert_eq!(of_empty("Concat", &nothing, vec![int("axis", 1)]), "1");
    let one_and_nothing = |writer: &mut Writer| {
        let one = writer.constant(&[1 << 16, 1], &[1.0; 1 << 16]);
        let nothing = (0..20_000).map(|_| empty(writer, &[1 << 16, 0]));
        [one].into_iter().chain(nothing.collect::<Vec<String>>()).collect()
    };
    assert_eq!(of_empty("Concat", &one_and_nothing, vec![int("axis", 1)]), "1");
}

#[test]
fn sizes_that_are_made_are_bounded_beside_a_size_of_zero() {
    let sizes = |writer: &mut Writer| vec![writer.list(&[1 << 62, 0, 1 << 62])];
    let text = of_empty("ConstantOfShape", &sizes, vec![]);
    assert!(text.contains("it makes a tensor of the sizes [4611686018427387904, 0, 4611686018427387904]"), "{text}");
}
