//! Refusals say what is wrong, and remedies can help.

use crate::writer::{Writer, int};
use nn::onnx::{Options, import};

fn options() -> Options {
    Options::new("net", "random")
}

fn problem(bytes: &[u8]) -> String {
    import(bytes, &options()).unwrap_err().to_string()
}

/// A list of sixty names for every node would bury what differs between them.
#[test]
fn operators_are_listed_once_and_without_those_of_constants() {
    let mut writer = Writer::new(&[0, 3]);
    let a = writer.node("Einsum", &["x"], vec![]);
    let b = writer.node("Erf", &["x"], vec![]);
    let result = writer.node("Add", &[&a, &b], vec![]);
    let text = problem(&writer.bytes(&result));
    let lines: Vec<&str> = text.lines().collect();
    let remedy = "its operator is not supported; rewrite it with the operators named at the end";
    assert_eq!(lines[1..3], [format!("  `Einsum0` (Einsum): {remedy}"), format!("  `Erf1` (Erf): {remedy}")]);
    assert!(lines[3].starts_with("operators for maps: Add, AveragePool, ") && lines.len() == 4, "{text}");
    for constant in ["Abs", "Equal", "Shape", "Where"] {
        assert!(!lines[3].contains(constant), "{text}");
    }
    let mut writer = Writer::new(&[0, 3]);
    let result = writer.node("LSTM", &["x"], vec![]);
    assert!(!problem(&writer.bytes(&result)).contains("operators for maps"));
}

#[test]
fn sizes_of_inputs_are_called_what_they_are() {
    let sizes = |dims: &[i64]| problem(&Writer::new(dims).bytes("x"));
    assert!(sizes(&[1; 9]).contains("[1, 1, 1, 1, 1, 1, 1, 1, 1], allowed: at most 8 axes"), "{}", sizes(&[1; 9]));
    assert!(sizes(&[1, -3]).contains("axis 1 of input `x` is `-3`, allowed: a fixed size of 1 or more"));
    let mut writer = Writer::new(&[1, 3]);
    let shape = writer.graph.input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape.as_mut().unwrap();
    shape.dim[1].dim_value = Some(0);
    assert!(problem(&writer.bytes("x")).contains("axis 1 of input `x` is `0`"));
    assert!(sizes(&[1, 0]).contains("axis 1 of input `x` is `n`"));
}

#[test]
fn remedies_can_help() {
    let with_constant = |op: &str| {
        let mut writer = Writer::new(&[0, 3]);
        let constant = writer.constant(&[1, 3], &[1.0; 3]);
        let result = writer.node(op, &["x", &constant, "x"], vec![int("axis", 1)]);
        problem(&writer.bytes(&result))
    };
    assert!(with_constant("Concat").contains("it joins a map with a constant; join maps only"));
    assert!(with_constant("Sum").contains("it sums maps and constants; add the constants with nodes of their own"));
    let width = |bits: f32, constant: bool| {
        let mut writer = Writer::new(&[0, 3]);
        let parts = [1.0, 0.0, bits].map(|number| writer.constant(&[], &[number]));
        let values = writer.constant(&[1, 3], &[1.0; 3]);
        let input = if constant { values.as_str() } else { "x" };
        let mut result = writer.node("Quant", &[input, &parts[0], &parts[1], &parts[2]], vec![]);
        writer.graph.node[0].domain = "onnx.brevitas".to_owned();
        result = writer.node("Add", &["x", &result], vec![]);
        import(&writer.bytes(&result), &options()).map_or_else(|error| error.to_string(), |_| "read".to_owned())
    };
    assert!(width(17.0, false).contains("not a whole number of 1 to 16 bits"), "{}", width(17.0, false));
    assert!(width(33.0, true).contains("not a whole number of 1 to 32 bits"));
    assert_eq!([width(16.0, false), width(32.0, true)], ["read", "read"]);
}
