//! Do random networks, written as ONNX and imported, compute what nested loops over the definitions compute?

use crate::random_graph::{Case, Purpose, random};
use nn::Shape;
use nn::onnx::proto::{AttributeProto, ModelProto};
use nn::onnx::{Options, import};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Imports a network and compares what it computes of its image.
fn check(seed: u64, purpose: Purpose) -> Result<(), TestCaseError> {
    let Case { bytes, size: [channels, height, width], input, expected, largest } = random(seed, purpose);
    let graph = import(&bytes, &Options::new("random", "random"));
    let graph = graph.map_err(|error| TestCaseError::fail(format!("seed {seed}: {error}")))?;
    prop_assert_eq!(graph.input, Shape { channels, height, width });
    let results = graph.forward(&input).unwrap();
    prop_assert_eq!(results.len(), expected.len());
    for (result, expected) in results.iter().zip(&expected) {
        let difference = (f64::from(*result) - expected).abs();
        prop_assert!(difference <= 1e-5 * largest, "seed {}: {} instead of {}", seed, result, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]
    #[test]
    fn imported_graphs_follow_the_definitions(seed in any::<u64>()) {
        check(seed, Purpose::Import)?;
    }

    #[test]
    fn imported_graphs_for_chips_follow_the_definitions(seed in any::<u64>()) {
        check(seed, Purpose::Chip)?;
    }
}

/// What a network holds, by operator, attribute and form.
fn forms(bytes: &[u8]) -> Vec<String> {
    let model: ModelProto = prost::Message::decode(bytes).unwrap();
    let graph = model.graph.unwrap();
    let mut forms = Vec::new();
    for node in &graph.node {
        forms.push(node.op_type.clone());
        forms.push(format!("{} of {} inputs", node.op_type, node.input.len()));
        for AttributeProto { name, i, ints, s, .. } in &node.attribute {
            let sides = ints.len() / 2;
            let asymmetric = name == "pads" && ints[..sides] != ints[sides..];
            let value = match name.as_str() {
                "auto_pad" => String::from_utf8(s.clone()).unwrap(),
                "pads" => if asymmetric { "asymmetric" } else { "symmetric" }.to_owned(),
                "group" => if *i > 1 { "several" } else { "one" }.to_owned(),
                "strides" | "dilations" => if ints.iter().any(|&n| n > 1) { "above 1" } else { "1" }.to_owned(),
                "ceil_mode" | "count_include_pad" | "transB" => i.to_string(),
                _ => continue,
            };
            forms.push(format!("{} {name} {value}", node.op_type));
        }
        let weight = node.input.get(1).and_then(|name| graph.initializer.iter().find(|tensor| tensor.name == *name));
        if let (Some(weight), "Conv") = (weight, node.op_type.as_str()) {
            let group = node.attribute.iter().find(|attribute| attribute.name == "group").map_or(1, |group| group.i);
            let depthwise = group > 1 && weight.dims[1] == 1;
            forms.push(format!("Conv {}-d{}", weight.dims.len() - 2, if depthwise { " depthwise" } else { "" }));
        }
    }
    forms
}

/// How often 600 networks hold each form.
fn counted(purpose: Purpose) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    (0..600).flat_map(|seed| forms(&random(seed, purpose).bytes)).for_each(|form| *seen.entry(form).or_insert(0) += 1);
    seen
}

/// Every operator in every form is what makes the networks worth testing.
#[test]
fn the_random_graphs_hold_every_form() {
    let (import, chip) = (counted(Purpose::Import), counted(Purpose::Chip));
    let both = [
        "Add",
        "AveragePool",
        "AveragePool auto_pad SAME_LOWER",
        "AveragePool auto_pad SAME_UPPER",
        "AveragePool auto_pad VALID",
        "AveragePool count_include_pad 0",
        "AveragePool count_include_pad 1",
        "AveragePool dilations above 1",
        "BatchNormalization",
        "AveragePool pads asymmetric",
        "Clip",
        "Concat of 2 inputs",
        "Concat of 3 inputs",
        "Conv 1-d",
        "Conv 1-d depthwise",
        "Conv 2-d",
        "Conv 2-d depthwise",
        "Conv auto_pad SAME_LOWER",
        "Conv auto_pad SAME_UPPER",
        "Conv auto_pad VALID",
        "Conv dilations above 1",
        "Conv group several",
        "Conv of 2 inputs",
        "Conv of 3 inputs",
        "Conv pads asymmetric",
        "Conv pads symmetric",
        "Conv strides above 1",
        "Div",
        "Flatten",
        "Gemm",
        "Gemm transB 1",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "LeakyRelu",
        "MatMul",
        "Max",
        "MaxPool",
        "MaxPool auto_pad SAME_LOWER",
        "MaxPool ceil_mode 1",
        "MaxPool dilations above 1",
        "MaxPool pads asymmetric",
        "Min",
        "Mul",
        "PRelu",
        "Pad",
        "ReduceMean",
        "Relu",
        "Reshape",
        "Sigmoid",
        "Sub",
        "Sum",
        "Tanh",
        "Transpose",
    ];
    for form in both {
        for (purpose, seen) in [("import", &import), ("chip", &chip)] {
            assert!(seen.get(form).is_some_and(|&count| count >= 10), "{form} for {purpose}: {seen:#?}");
        }
    }
    for form in ["AveragePool ceil_mode 1", "LogSoftmax", "Softmax"] {
        assert!(import.get(form).is_some_and(|&count| count >= 10), "{form}: {import:#?}");
    }
}
