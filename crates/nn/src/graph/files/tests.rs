//! Tests of graphs in TOML files.

use super::*;
use safetensors::tensor::TensorView;
use std::fs;

const HEAD: &str = "format_version = 1\nkind = \"graph\"\nname = \"x\"\ndataset = \"random\"\n\
                    input = { channels = 1, height = 2, width = 2 }\n";

fn load_text(nodes: &str) -> Result<Graph, FileError> {
    let directory = tempfile::tempdir().unwrap();
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (linear, ones) = (bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), bytes(&[1.0, 1.0]));
    let view = |shape: &[usize], data| TensorView::new(Dtype::F32, shape.to_vec(), data).unwrap();
    let tensors =
        [("lin", view(&[4, 2], &linear)), ("conv", view(&[2, 1, 2, 2], &linear)), ("ones", view(&[2], &ones))];
    let weights = directory.path().join("w.safetensors");
    fs::write(&weights, safetensors::serialize(tensors, None).unwrap()).unwrap();
    let description = directory.path().join("g.toml");
    fs::write(&description, format!("{HEAD}{nodes}")).unwrap();
    load(&description, &weights)
}

fn problem(nodes: &str) -> String {
    load_text(nodes).unwrap_err().to_string()
}

#[test]
fn nodes_compute_what_they_say() {
    let image = [1.0, -1.0, 2.0, 0.5];
    let run = |nodes: &str| load_text(nodes).unwrap().forward(&image).unwrap();
    assert_eq!(run("[[nodes]]\nname = \"a\"\nop = \"linear\"\nweight = \"lin\"\ntransposed = true"), [11.5, 14.0]);
    assert_eq!(run("[[nodes]]\nname = \"a\"\nop = \"conv\"\nweight = \"conv\"\nbias = \"ones\""), [8.0, 18.0]);
    let residual =
        "[[nodes]]\nname = \"a\"\nop = \"relu\"\n[[nodes]]\nname = \"b\"\nop = \"add\"\ninputs = [\"a\", \"input\"]";
    assert_eq!(run(residual), [2.0, -1.0, 4.0, 1.0]);
    let pool = "[[nodes]]\nname = \"a\"\nop = \"max-pool\"\nkernel = [2, 2]\nstride = [2, 2]\npadding = [1, 1, 1, 1]";
    assert_eq!(run(pool), image);
    let norm = "[[nodes]]\nname = \"c\"\nop = \"conv\"\nweight = \"conv\"\n[[nodes]]\nname = \"n\"\nop = \"batch-norm\"\n\
                weight = \"ones\"\nbias = \"ones\"\nmean = \"ones\"\nvariance = \"ones\"\nepsilon = 3.0";
    assert_eq!(run(norm), [4.0, 9.0]);
}

#[test]
fn mistakes_are_named() {
    let relu = |rest: &str| format!("[[nodes]]\nname = \"a\"\nop = \"relu\"\n{rest}");
    assert!(problem(&relu("slope = 1.0")).contains("slope"), "{}", problem(&relu("slope = 1.0")));
    assert!(problem(&relu("inputs = [\"b\"]")).contains("node `a`: input `b` is unknown"));
    assert!(
        problem("[[nodes]]\nname = \"a\"\nop = \"linear\"\nweight = \"none\"").contains("allowed: conv, lin, ones")
    );
    assert!(
        problem("[[nodes]]\nname = \"a\"\nop = \"linear\"\nweight = \"conv\"").contains("[2, 1, 2, 2], allowed: two")
    );
    assert!(
        problem("[[nodes]]\nname = \"a\"\nop = \"conv\"\nweight = \"conv\"\nstride = [0, 1]").contains("stride is 0")
    );
    assert!(problem("[[nodes]]\nname = \"a\"\nop = \"conv\"\nweight = \"conv\"\nstrides = [1, 1]").contains("strides"));
    assert!(problem("[[nodes]]\nname = \"a\"\nop = \"conv\"\nweight = \"conv\"\ngroups = 2").contains("2 groups"));
    assert!(problem(&format!("{}\n{}", relu(""), relu(""))).contains("names used only once"));
    let other = format!("{HEAD}nodes = []").replace("\"graph\"", "\"chain\"");
    assert_eq!(GraphRecord::parse(&other).unwrap_err(), "kind is `chain`, allowed: graph");
    let newer = format!("{HEAD}nodes = []").replace("= 1\nkind", "= 2\nkind");
    assert_eq!(GraphRecord::parse(&newer).unwrap_err(), "format_version is 2, allowed: 1");
}

/// What can be checked without weights is: a description stays what it is, and mistakes are named as by a reader.
#[test]
fn a_description_is_checked_without_its_weights() {
    let checked = |nodes: &str| check(&format!("{HEAD}{nodes}"), Path::new("g.toml"));
    let nodes = "[[nodes]]\nname = \"a\"\nop = \"conv\"\nweight = \"conv\"\nstride = [2, 1]\ngroups = 1\n\
                 [[nodes]]\nname = \"b\"\nop = \"relu\"\ninputs = [\"a\"]";
    let text = checked(nodes).unwrap();
    assert!(text.starts_with("format_version = 1\nkind = \"graph\"\n"), "{text}");
    assert!(text.contains("stride = [2, 1]") && !text.contains("groups"), "{text}");
    assert_eq!(check(&text, Path::new("g.toml")).unwrap(), text);
    let relu = "[[nodes]]\nname = \"a\"\nop = \"relu\"\n";
    for (nodes, expected) in [
        ("[[nodes]]\nname = \"a\"\nop = \"rely\"".to_owned(), "g.toml: node `a`: unknown variant `rely`"),
        (format!("{relu}{relu}"), "names used only once"),
        (format!("{relu}inputs = [\"b\"]"), "node `a`: input `b` is unknown"),
        (format!("{relu}stride = 1"), "stride"),
    ] {
        let error = checked(&nodes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
