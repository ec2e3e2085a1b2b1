//! Attributes at the edge of what the specification defines.

use crate::writer::{Writer, int, ints};
use nn::onnx::{Options, import};

fn run(bytes: &[u8], values: &[f32]) -> Vec<f32> {
    let graph = import(bytes, &Options::new("net", "random")).unwrap_or_else(|error| panic!("{error}"));
    graph.forward(values).unwrap()
}

#[test]
fn bounds_in_the_wrong_order_give_the_upper_one() {
    let mut writer = Writer::new(&[0, 3]);
    let (low, high) = (writer.constant(&[], &[2.0]), writer.constant(&[], &[-1.0]));
    let result = writer.node("Clip", &["x", &low, &high], vec![]);
    assert_eq!(run(&writer.bytes(&result), &[-5.0, 0.0, 5.0]), [-1.0; 3]);
}

#[test]
fn the_order_of_places_does_not_matter_where_only_largest_values_are_read() {
    let mut writer = Writer::new(&[0, 1, 2, 4]);
    let result = writer.node("MaxPool", &["x"], vec![ints("kernel_shape", &[2, 2]), int("storage_order", 1)]);
    assert_eq!(run(&writer.bytes(&result), &[1.0, 2.0, 3.0, 4.0, 8.0, 7.0, 6.0, 5.0]), [8.0, 7.0, 6.0]);
}

#[test]
fn constants_cast_to_half_precision_are_rounded() {
    for (to, expected) in [(10, [0.099_975_586, 2048.0, 0.0]), (16, [0.100_097_656, 2048.0, 1e-8])] {
        let mut writer = Writer::new(&[0, 3]);
        let constant = writer.constant(&[3], &[0.1, 2049.0, 1e-8]);
        let half = writer.node("Cast", &[&constant], vec![int("to", to)]);
        let single = writer.node("Cast", &[&half], vec![int("to", 1)]);
        let result = writer.node("Add", &["x", &single], vec![]);
        for (value, expected) in run(&writer.bytes(&result), &[0.0; 3]).into_iter().zip(expected) {
            assert!((value - expected).abs() <= 2e-3 * expected, "{value}, expected {expected}");
        }
    }
}
