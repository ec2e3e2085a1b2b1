//! Replaces every `preset = "NAME"` by the contents of that preset, below the keys beside it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Value;

use super::nearest::nearest;
use super::presets::Presets;
use super::tree::{Data, KeyPath, Node, Origin, Source, dotted};
use super::{ConfigError, Kind, measured, parse};

/// A larger file is not a configuration.
const MAX_BYTES: u64 = 4 << 20;
/// Presets that name presets many times over could fill any memory.
const MAX_PRESETS: usize = 1000;

/// The key that names a preset.
pub(crate) const PRESET: &str = "preset";

/// Identity of a document, to notice a preset that contains itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id {
    BuiltIn(Kind, String),
    File(PathBuf),
    /// A text without a file.
    Text,
}

/// A document as it was written.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) id: Id,
    pub(super) root: Node,
}

/// One expansion.
#[derive(Debug)]
pub(super) struct Expander {
    presets: Presets,
    /// The documents that contain the present node, outermost first.
    within: Vec<(Id, String)>,
    path: KeyPath,
    /// The paths of all `preset` keys found.
    pub(super) preset_paths: BTreeSet<KeyPath>,
    count: usize,
}

/// Expands a whole document; also returns the paths of the `preset` keys.
pub(super) fn expand(
    presets: Presets,
    document: Document,
    kind: Kind,
) -> Result<(Node, BTreeSet<KeyPath>), ConfigError> {
    let name = match &document.root.origin {
        Origin::Line(source, _) => source.name.clone(),
        other => other.to_string(),
    };
    let mut expander = Expander {
        presets,
        within: vec![(document.id, name)],
        path: Vec::new(),
        preset_paths: BTreeSet::new(),
        count: 0,
    };
    let node = expander.node(document.root, Some(kind))?;
    Ok((node, expander.preset_paths))
}

impl Expander {
    /// `kind` is that of the presets this table may name.
    fn node(&mut self, mut node: Node, kind: Option<Kind>) -> Result<Node, ConfigError> {
        let depth = self.within.len();
        while let Data::Table(table) = &mut node.data {
            let Some(preset) = table.remove(PRESET) else { break };
            let mut document = self.preset(&preset, kind)?.root;
            document.overlay(node);
            node = document;
        }
        measured::resolve(&mut node)?;
        node.data = match node.data {
            Data::Table(table) => Data::Table(
                table
                    .into_iter()
                    .map(|(key, child)| {
                        let child = self.below(&key, child, Kind::from_name(&key))?;
                        Ok((key, child))
                    })
                    .collect::<Result<_, ConfigError>>()?,
            ),
            Data::Array(items) => Data::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.below(&index.to_string(), item, kind))
                    .collect::<Result<_, _>>()?,
            ),
            scalar => scalar,
        };
        self.within.truncate(depth);
        Ok(node)
    }

    fn below(&mut self, segment: &str, node: Node, kind: Option<Kind>) -> Result<Node, ConfigError> {
        self.path.push(segment.to_owned());
        let node = self.node(node, kind);
        self.path.pop();
        node
    }

    /// The document that a `preset` key names.
    fn preset(&mut self, preset: &Node, kind: Option<Kind>) -> Result<Document, ConfigError> {
        let at = preset.origin.to_string();
        self.preset_paths.insert(self.path.iter().cloned().chain([PRESET.to_owned()]).collect());
        let Some(kind) = kind else {
            let message = format!("{}: a preset can only be in a table called {}", self.key(), Kind::names());
            return Err(ConfigError::Preset { at, message });
        };
        let Data::Scalar(Value::String(name)) = &preset.data else {
            let message = format!("{} = {}: a preset is a name or a path in quotes", self.key(), preset.to_value());
            return Err(ConfigError::Preset { at, message });
        };
        self.count += 1;
        if self.count > MAX_PRESETS {
            return Err(ConfigError::Preset { at, message: format!("more than {MAX_PRESETS} presets") });
        }
        let document = open(self.presets, kind, name, Some(&preset.origin))?;
        let shown = format!("{kind} {name}");
        if self.within.iter().any(|(id, _)| *id == document.id) {
            let chain: Vec<_> = self.within.iter().map(|(_, name)| name.as_str()).chain([shown.as_str()]).collect();
            return Err(ConfigError::Preset { at, message: format!("presets in a circle: {}", chain.join(" -> ")) });
        }
        self.within.push((document.id.clone(), shown));
        Ok(document)
    }

    fn key(&self) -> String {
        dotted(&self.path.iter().map(String::as_str).chain([PRESET]).map(str::to_owned).collect::<Vec<_>>())
    }
}

/// Opens a preset by name, or a file by path; `named_at` is where a document names it.
pub(super) fn open(
    presets: Presets,
    kind: Kind,
    name: &str,
    named_at: Option<&Origin>,
) -> Result<Document, ConfigError> {
    let at = named_at.map_or(String::new(), |origin| format!("{origin}: "));
    if name.contains('/') || name.ends_with(".toml") {
        return open_file(kind, name, named_at, at);
    }
    let Some(text) = presets.text(kind, name) else {
        let known: Vec<String> = presets.names(kind).map(str::to_owned).collect();
        let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(ConfigError::UnknownPreset { at, kind, name: name.to_owned(), nearest, known });
    };
    let shown = format!("configs/{}/{name}.toml (built in)", kind.folder());
    let source = Arc::new(Source { name: shown, directory: None });
    Ok(Document { id: Id::BuiltIn(kind, name.to_owned()), root: parse::document(text, &source, kind)? })
}

fn open_file(kind: Kind, name: &str, named_at: Option<&Origin>, at: String) -> Result<Document, ConfigError> {
    let path = located(name, named_at, &at)?;
    let file = path.display().to_string();
    let text = read(&path).map_err(|reason| ConfigError::Unreadable { at, file: file.clone(), reason })?;
    let directory = path.parent().map(Path::to_path_buf);
    let root = parse::document(&text, &Arc::new(Source { name: file, directory }), kind)?;
    // The same file may be reached by several relative paths.
    Ok(Document { id: Id::File(fs::canonicalize(&path).unwrap_or(path)), root })
}

/// A path that a document or an override names: relative to the file of the document, or to the working directory.
pub(super) fn located(name: &str, named_at: Option<&Origin>, at: &str) -> Result<PathBuf, ConfigError> {
    let Some(Origin::Line(source, _)) = named_at else { return Ok(PathBuf::from(name)) };
    let Some(directory) = &source.directory else {
        let reason = "a built-in preset can only name presets".to_owned();
        return Err(ConfigError::Unreadable { at: at.to_owned(), file: name.to_owned(), reason });
    };
    Ok(directory.join(name))
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let mut text = String::new();
    let result = fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match result {
        Ok(_) if text.len() as u64 > MAX_BYTES => Err(format!("it is larger than {} MiB", MAX_BYTES >> 20)),
        Ok(_) => Ok(text),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            io::ErrorKind::PermissionDenied => "no permission".to_owned(),
            io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        }),
    }
}
