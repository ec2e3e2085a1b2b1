//! What cannot be imported is named, all of it; and no damage makes the reader panic, hang or use much memory.

use crate::writer::{Writer, int, ints, text};
use nn::onnx::proto::{FunctionProto, ModelProto};
use nn::onnx::{Layout, OnnxError, Options, import};
use proptest::prelude::*;
use prost::Message;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

fn options() -> Options {
    Options::new("net", "random")
}

fn problem(bytes: &[u8]) -> String {
    import(bytes, &options()).unwrap_err().to_string()
}

/// A model of one `Relu`, changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut writer = Writer::new(&[0, 3]);
    let result = writer.node("Relu", &["x"], vec![]);
    let mut model = writer.model(&result);
    change(&mut model);
    model.encode_to_vec()
}

#[test]
fn all_nodes_that_cannot_be_imported_are_in_one_error() {
    let mut writer = Writer::new(&[0, 3, 8, 8]);
    let a = writer.node("LayerNormalization", &["x"], vec![]);
    let b = writer.node("Relu", &[&a], vec![]);
    let c = writer.node("Einsum", &[&b], vec![]);
    let d = writer.node("MaxPool", &["x"], vec![ints("kernel_shape", &[2, 2]), text("auto_pad", "NEAREST")]);
    let e = writer.node("Mul", &["x", "x"], vec![]);
    let f = writer.node("Sum", &[&c, &d, &e], vec![]);
    let unused = writer.node("LSTM", &["x"], vec![]);
    assert_eq!(unused, "t6");
    let error = import(&writer.bytes(&f), &options()).unwrap_err();
    let OnnxError::Nodes { nodes, .. } = &error else { panic!("{error}") };
    let named: Vec<(&str, &str)> = nodes.iter().map(|node| (node.node.as_str(), node.operator.as_str())).collect();
    let expected = [
        ("LayerNormalization0", "LayerNormalization"),
        ("Einsum2", "Einsum"),
        ("MaxPool3", "MaxPool"),
        ("Mul4", "Mul"),
    ];
    assert_eq!(named, expected);
    let text = error.to_string();
    assert!(
        text.starts_with("ONNX model `net`: 4 of its nodes cannot be imported:\n  `LayerNormalization0`"),
        "{text}"
    );
    assert!(text.contains("replace it by BatchNormalization") && text.contains("`MaxPool3` (MaxPool): "), "{text}");
}

#[test]
fn other_forms_of_models_are_refused() {
    let refused = |change: fn(&mut ModelProto)| problem(&changed(change));
    let graph =
        |change: fn(&mut nn::onnx::proto::GraphProto)| problem(&changed(|model| change(model.graph.as_mut().unwrap())));
    assert!(problem(&[]).contains("the file is empty, allowed: an ONNX model"));
    assert!(refused(|model| model.ir_version = 2).contains("IR version is 2, allowed: 3 and above"));
    assert!(refused(|model| model.opset_import[0].version = 6).contains("version 6, allowed: 7 to 28"));
    assert!(refused(|model| model.opset_import[0].version = 29).contains("version 29"));
    assert!(refused(|model| model.opset_import.clear()).contains("which operator set"));
    assert!(refused(|model| model.training_info.push(vec![])).contains("training information"));
    assert!(refused(|model| model.graph = None).contains("no graph"));
    assert!(graph(|graph| graph.sparse_initializer.push(vec![])).contains("sparse constants"));
    assert!(
        graph(|graph| graph.input.push(graph.input[0].clone())).contains("inputs are [x, x], allowed: exactly one")
    );
    assert!(graph(|graph| graph.output.push(graph.output[0].clone())).contains("results are [t0, t0]"));
    assert!(graph(|graph| graph.output[0].name = "y".into()).contains("nothing makes the result `y`"));
    assert!(graph(|graph| graph.node[0].input[0] = "y".into()).contains("nothing makes its input `y`"));
    assert!(graph(|graph| graph.input[0].r#type = None).contains("no tensor of known sizes"));
    let own = |model: &mut ModelProto| {
        model.graph.as_mut().unwrap().node[0].domain = "own".into();
        model.functions.push(FunctionProto { name: "Relu".into(), domain: "own".into() });
    };
    assert!(problem(&changed(own)).contains("(own.Relu): it is a function of the file's own; inline functions"));
}

#[test]
fn external_data_are_refused() {
    let mut writer = Writer::new(&[0, 3]);
    let weight = writer.constant(&[3, 2], &[0.0; 6]);
    writer.graph.initializer[0].data_location = 1;
    let result = writer.node("MatMul", &["x", &weight], vec![]);
    let text = problem(&writer.bytes(&result));
    assert!(
        text.contains(
            "tensor `c0` is stored in another file; export one file (torch.onnx.export with external_data=False)"
        ) && text.contains("save_as_external_data=False"),
        "{text}"
    );
}

#[test]
fn names_that_are_given_twice_are_refused() {
    let twice = |change: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new(&[0, 3]);
        let first = writer.node("Relu", &["x"], vec![]);
        let second = writer.node("Sigmoid", &[&first], vec![]);
        change(&mut writer);
        problem(&writer.bytes(&second))
    };
    let text = twice(&|writer| writer.graph.node[1].output[0] = "t0".to_owned());
    assert!(text.contains("the name `t0` is given to two tensors"), "{text}");
    let text = twice(&|writer| writer.graph.node[0].output[0] = "x".to_owned());
    assert!(text.contains("the name `x` is given to an input and to a result"), "{text}");
}

#[test]
fn images_are_not_mixed() {
    let mixed = |batch: i64, build: fn(&mut Writer) -> String| {
        let mut writer = Writer::new(&[batch, 4, 6]);
        let result = build(&mut writer);
        problem(&writer.bytes(&result))
    };
    let softmax = |writer: &mut Writer| writer.node("Softmax", &["x"], vec![int("axis", 0)]);
    assert!(mixed(0, softmax).contains("mixes images"));
    let concat = |writer: &mut Writer| writer.node("Concat", &["x", "x"], vec![int("axis", 0)]);
    assert!(mixed(0, concat).contains("joins images"));
    let mean = |writer: &mut Writer| writer.node("ReduceMean", &["x"], vec![ints("axes", &[0])]);
    assert!(mixed(0, mean).contains("mixes images"));
    let reshape = |writer: &mut Writer| {
        let sizes = writer.list(&[-1, 2]);
        writer.node("Reshape", &["x", &sizes], vec![])
    };
    assert!(mixed(5, reshape).contains("mixes the 5 images"));
    let per_image = |writer: &mut Writer| {
        let constant = writer.constant(&[5, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0]);
        writer.node("Add", &["x", &constant], vec![])
    };
    assert!(mixed(5, per_image).contains("the same for all images"));
}

#[test]
fn modes_that_compute_something_else_are_refused() {
    let node = |op: &'static str, attributes: Vec<_>| {
        let mut writer = Writer::new(&[0, 3, 6, 6]);
        let list = writer.list(&[0, 0, 1, 1, 0, 0, 1, 1]);
        let result = writer.node(op, &["x", &list], attributes);
        problem(&writer.bytes(&result))
    };
    assert!(node("Pad", vec![text("mode", "reflect")]).contains("pads with mode `reflect`; pad with a constant value"));
    let mut writer = Writer::new(&[0, 3, 6, 6]);
    let list = writer.list(&[0, 0, -1, 0, 0, 0, 0, 0]);
    let result = writer.node("Pad", &["x", &list], vec![]);
    assert!(problem(&writer.bytes(&result)).contains("cut values off"));
    let mut writer = Writer::new(&[0, 2]);
    let parts = [0; 4].map(|_| writer.constant(&[2], &[1.0, 1.0]));
    let inputs: Vec<&str> = ["x"].into_iter().chain(parts.iter().map(String::as_str)).collect();
    let result = writer.node("BatchNormalization", &inputs, vec![int("training_mode", 1)]);
    let training = "in training mode; export the model in evaluation mode";
    let mut model = writer.model(&result);
    assert!(problem(&model.encode_to_vec()).contains(training));
    // Before there was such a mode, results beside the first said so.
    model.opset_import[0].version = 9;
    let node = model.graph.as_mut().unwrap().node.last_mut().unwrap();
    node.attribute.clear();
    node.output.extend([String::new(), String::new()]);
    assert!(import(&model.encode_to_vec(), &options()).is_ok());
    let node = model.graph.as_mut().unwrap().node.last_mut().unwrap();
    node.output[1] = "mean".to_owned();
    assert!(problem(&model.encode_to_vec()).contains(training));
}

#[test]
fn one_of_several_results_can_be_chosen() {
    let mut writer = Writer::new(&[0, 3]);
    let first = writer.node("Relu", &["x"], vec![]);
    let second = writer.node("Tanh", &["x"], vec![]);
    let mut model = writer.model(&first);
    let mut output = model.graph.as_ref().unwrap().output[0].clone();
    output.name = second;
    model.graph.as_mut().unwrap().output.push(output);
    let bytes = model.encode_to_vec();
    assert!(
        problem(&bytes).contains(
            "results are [t0, t1], allowed: exactly one; choose one of them by the key `output` of a document"
        )
    );
    let chosen = |name: &str| import(&bytes, &Options { output: Some(name.into()), ..options() });
    assert_eq!(chosen("t1").unwrap().nodes[0].op.kind(), "tanh");
    assert!(chosen("t2").unwrap_err().to_string().contains("but `t2` was asked for"));
}

/// The contents of the files of a folder that are wanted, in the order of their names.
fn contents(folder: &str, wanted: impl Fn(&Path) -> bool) -> Vec<Vec<u8>> {
    let files = fs::read_dir(crate::support::root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| wanted(file)).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The committed models, which the property tests damage.
static MODELS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| contents("tests/onnx", |file| file.extension().is_some_and(|extension| extension == "onnx")));

/// An import ends soon, with an error or with a graph that runs.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let start = Instant::now();
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        if let Ok(graph) = import(bytes, &Options { layout, ..options() })
            && graph.input.len() < 1 << 16
            && graph.mac_count().unwrap() < 1 << 24
            && graph.shapes().unwrap().iter().all(|shape| shape.len() < 1 << 20)
        {
            prop_assert!(graph.forward(&vec![0.5; graph.input.len()]).is_ok());
        }
    }
    prop_assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
    Ok(())
}

/// A damaged message: one that is still a file, but says something else.
fn distort(model: &mut ModelProto, what: usize, at: usize, number: i64) {
    let Some(graph) = model.graph.as_mut() else { return };
    let nodes = graph.node.len().max(1);
    let constants = graph.initializer.len().max(1);
    match what {
        0 => drop(graph.node.swap_remove(at % nodes)),
        1 => {
            graph.node[at % nodes].op_type =
                ["Reshape", "Conv", "Concat", "Transpose", "Gather", "Slice"][at % 6].into();
        }
        2 => graph.node[at % nodes].input.reverse(),
        3 => graph.node[at % nodes].input.push("x".into()),
        4 => graph.node[at % nodes].attribute.iter_mut().for_each(|attribute| attribute.i = number),
        5 => graph.node[at % nodes].attribute.iter_mut().for_each(|attribute| attribute.ints.push(number)),
        6 => graph.node[at % nodes].attribute.iter_mut().flat_map(|a| &mut a.ints).for_each(|value| *value = number),
        7 => graph.initializer.get_mut(at % constants).into_iter().for_each(|tensor| tensor.dims.push(number)),
        8 => graph.initializer.iter_mut().flat_map(|tensor| &mut tensor.int64_data).for_each(|value| *value = number),
        9 => graph.initializer.get_mut(at % constants).into_iter().for_each(|tensor| tensor.dims.reverse()),
        10 => graph.initializer.get_mut(at % constants).into_iter().for_each(|t| t.data_type = number as i32),
        11 => graph.initializer.get_mut(at % constants).into_iter().for_each(|tensor| {
            // Sizes that claim much beside one of 0, and so nothing together.
            tensor.dims = [[number, 0, number], [0, number, number], [number, number, 0]][at % 3].to_vec();
            (tensor.raw_data, tensor.float_data, tensor.int64_data) = Default::default();
        }),
        _ => {
            let dims = graph.input[0].r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut());
            let dims = dims.and_then(|tensor| tensor.shape.as_mut());
            dims.into_iter()
                .flat_map(|shape| shape.dim.iter_mut().skip(at % 4).take(1))
                .for_each(|dim| dim.dim_value = Some(number));
        }
    }
}

#[test]
fn what_fuzzing_found_is_survived() {
    let corpus = contents("fuzz/corpus/onnx", |_| true);
    assert!(corpus.len() > 200, "{} inputs", corpus.len());
    corpus.iter().for_each(|bytes| survives(bytes).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
    #[test]
    fn changed_bytes_are_survived(model in any::<prop::sample::Index>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = MODELS[model.index(MODELS.len())].clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        survives(&bytes)?;
    }

    #[test]
    fn cut_files_are_errors_or_graphs(model in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let bytes = &MODELS[model.index(MODELS.len())];
        survives(&bytes[..cut.index(bytes.len())])?;
    }

    #[test]
    fn distorted_models_are_survived(
        model in any::<prop::sample::Index>(),
        changes in prop::collection::vec((0usize..13, any::<usize>(), prop_oneof![-3i64..20, any::<i64>(), Just(1 << 20), Just(1 << 31), Just(1 << 62)]), 1..4),
    ) {
        let mut model = ModelProto::decode(MODELS[model.index(MODELS.len())].as_slice()).unwrap();
        for (what, at, number) in changes {
            if model.graph.as_ref().is_some_and(|graph| !graph.node.is_empty()) {
                distort(&mut model, what, at, number);
            }
        }
        survives(&model.encode_to_vec())?;
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes)?;
    }
}
