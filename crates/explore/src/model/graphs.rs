//! Graphs that are built in: the layers of networks from elsewhere whose files hold weights only.

/// Name and text of every graph of `configs/graphs`; adding one is a file there and a line here.
const GRAPHS: &[(&str, &str)] = &[("burn-mnist", include_str!("../../../../configs/graphs/burn-mnist.toml"))];

/// The text of a built-in graph.
pub(super) fn text(name: &str) -> Option<&'static str> {
    GRAPHS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_list_and_the_folder_hold_the_same_graphs() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/graphs")).unwrap();
        let mut files: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort_unstable();
        let listed: Vec<String> = GRAPHS.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(listed, files, "graphs.rs and configs/graphs differ");
    }

    /// Without their weights, the first tensor is what is missing: everything before was read.
    #[test]
    fn graphs_are_read_up_to_their_weights() {
        let folder = tempfile::tempdir().unwrap();
        let weights = folder.path().join("empty.safetensors");
        std::fs::write(&weights, b"\x02\0\0\0\0\0\0\0{}").unwrap();
        for (name, text) in GRAPHS {
            let error = nn::graph::files::from_text(text, Path::new(name), &weights).unwrap_err().to_string();
            assert!(error.contains("tensor `conv1.weight` is missing"), "{name}: {error}");
        }
    }
}
