//! What `docs/networks.md` says of the format of graphs is what the reader takes.

use crate::support::root;
use nn::graph::files;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::fs;
use std::path::Path;

fn page() -> String {
    fs::read_to_string(root().join("docs/networks.md")).unwrap()
}

/// The block of TOML that describes a graph.
fn example() -> String {
    let page = page();
    let blocks = page.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.into_iter().find(|block| block.contains("kind = \"graph\"")).unwrap().to_owned()
}

#[test]
fn the_example_of_a_graph_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let sizes: [(&str, &[usize]); 4] =
        [("features.0.weight", &[4, 1, 3, 3]), ("features.0.bias", &[4]), ("fc.weight", &[10, 4]), ("fc.bias", &[10])];
    let zeros = [0; 160];
    let tensors = sizes.map(|(name, sizes)| {
        let bytes = 4 * sizes.iter().product::<usize>();
        (name, TensorView::new(Dtype::F32, sizes.to_vec(), &zeros[..bytes]).unwrap())
    });
    let (description, weights) = (directory.path().join("small.toml"), directory.path().join("small.safetensors"));
    fs::write(&description, example()).unwrap();
    fs::write(&weights, safetensors::serialize(tensors, None).unwrap()).unwrap();
    let graph = files::load(&description, &weights).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(graph.shapes().unwrap().last().unwrap().len(), 10);
}

/// The names that the error for an unknown one lists.
fn allowed(text: &str) -> Vec<String> {
    let error = files::check(text, Path::new("graph.toml")).unwrap_err().to_string();
    if error.contains("there are no fields") {
        return Vec::new();
    }
    let list = error.split("expected").nth(1).unwrap_or_else(|| panic!("{error}"));
    let list = list.lines().next().unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_operation_and_key_of_a_graph_is_described() {
    let page = page();
    let table = page.split("## Graphs in TOML").nth(1).unwrap().split("## Passes").next().unwrap();
    let head = example().split("[[nodes]]").next().unwrap().to_owned();
    let operations = allowed(&format!("{head}[[nodes]]\nname = \"a\"\nop = \"none\"\n"));
    assert!(operations.len() > 15, "{operations:?}");
    for operation in operations {
        let row = table
            .lines()
            .find(|line| line.starts_with("| ") && line.split('|').nth(1).unwrap().contains(&format!("`{operation}`")));
        let row = row.unwrap_or_else(|| panic!("`{operation}` is not described"));
        for key in allowed(&format!("{head}[[nodes]]\nname = \"a\"\nop = \"{operation}\"\nnone = 1\n")) {
            // Those of the other window are referred to.
            let like_max_pool = operation == "average-pool" && row.contains("as `max-pool`") && key != "count_padding";
            assert!(like_max_pool || row.contains(&format!("`{key}`")), "key `{key}` of `{operation}`: {row}");
        }
    }
}
