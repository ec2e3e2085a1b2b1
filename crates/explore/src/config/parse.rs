//! Text to tree, with the line of every key.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::tree::{Data, Node, Origin, Source};
use super::{ConfigError, Kind};

/// The only version of the formats so far.
const VERSION: i64 = 1;

/// Parses a document, demands its `kind` and `version`, and removes them.
pub(super) fn document(text: &str, source: &Arc<Source>, kind: Kind) -> Result<Node, ConfigError> {
    let mut root = tree(text, source)?;
    let found = kind_in(&root)?;
    if found != kind {
        let message = format!("kind = \"{found}\", but \"{kind}\" is wanted here");
        return Err(header(&root, "kind", message));
    }
    match root.child("version").map(Node::to_value) {
        Some(Value::Integer(VERSION)) => {}
        Some(value) => return Err(header(&root, "version", format!("version = {value} is unknown; known: {VERSION}"))),
        None => return Err(header(&root, "version", format!("missing key version; write version = {VERSION}"))),
    }
    if let Data::Table(table) = &mut root.data {
        table.remove("kind");
        table.remove("version");
    }
    Ok(root)
}

/// The `kind` of a document.
pub(super) fn kind_in(root: &Node) -> Result<Kind, ConfigError> {
    match root.child("kind").map(Node::to_value) {
        Some(Value::String(name)) if let Some(kind) = Kind::from_name(&name) => Ok(kind),
        Some(value) => Err(header(root, "kind", format!("kind = {value} is unknown; known: {}", Kind::names()))),
        None => Err(header(root, "kind", format!("missing key kind; one of {}", Kind::names()))),
    }
}

fn header(root: &Node, key: &str, message: String) -> ConfigError {
    ConfigError::Header { at: root.nearest(&[key.to_owned()]).origin.to_string(), message }
}

/// Parses TOML.
pub(super) fn tree(text: &str, source: &Arc<Source>) -> Result<Node, ConfigError> {
    let parser = Parser { text, source, starts: line_starts(text) };
    let table = DeTable::parse(text).map_err(|error| parser.syntax(&error))?;
    let data = parser.table(table.into_inner())?;
    Ok(Node { origin: Origin::Line(source.clone(), 1), data })
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

struct Parser<'a> {
    text: &'a str,
    source: &'a Arc<Source>,
    /// Byte offset of every line.
    starts: Vec<usize>,
}

impl Parser<'_> {
    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let offset = error.span().map_or(0, |span| span.start).min(self.text.len());
        let line = self.line(offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        let message = error.message().replace('\n', " ");
        ConfigError::Syntax { file: self.source.name.clone(), line, column, message }
    }

    fn table(&self, table: DeTable<'_>) -> Result<Data, ConfigError> {
        let mut entries = BTreeMap::new();
        for (key, value) in table {
            let origin = Origin::Line(self.source.clone(), self.line(key.span().start));
            entries.insert(key.into_inner().into_owned(), self.node(value, origin)?);
        }
        Ok(Data::Table(entries))
    }

    fn node(&self, value: Spanned<DeValue<'_>>, origin: Origin) -> Result<Node, ConfigError> {
        let span = value.span();
        let data = match value.into_inner() {
            DeValue::Table(table) => self.table(table)?,
            DeValue::Array(items) => Data::Array(
                items
                    .into_iter()
                    .map(|item| {
                        let origin = Origin::Line(self.source.clone(), self.line(item.span().start));
                        self.node(item, origin)
                    })
                    .collect::<Result<_, _>>()?,
            ),
            scalar => Data::Scalar(
                Value::deserialize(ValueDeserializer::from(Spanned::new(span, scalar)))
                    .map_err(|error| self.syntax(&error))?,
            ),
        };
        Ok(Node { origin, data })
    }
}
