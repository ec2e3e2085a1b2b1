//! Tree to value, with errors that say where and what.

use serde::de::{DeserializeOwned, Unexpected};
use serde_path_to_error::Segment;
use tile::check::{Check, Problems};
use toml::Value;

use super::ConfigError;
use super::nearest::nearest;
use super::tree::{Data, KeyPath, Node, dotted};

/// How Rust's types are called to a user.
const TYPES: [(&str, &str); 13] = [
    ("u8", "an integer from 0 to 255"),
    ("u16", "an integer from 0 to 65535"),
    ("u32", "an integer from 0 to 4294967295"),
    ("u64", "an integer from 0"),
    ("usize", "an integer from 0"),
    ("i8", "an integer from -128 to 127"),
    ("i16", "an integer from -32768 to 32767"),
    ("i32", "an integer from -2147483648 to 2147483647"),
    ("i64", "an integer"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("a boolean", "true or false"),
    ("a sequence", "an array"),
];

/// Deserialises a tree without presets.
pub(super) fn decode<T: DeserializeOwned>(tree: &Node) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(tree.to_value()).map_err(|error| {
        let path = error.path().iter().filter_map(segment).collect();
        explain(tree, path, error.inner().message())
    })
}

/// Runs the checks of a value that came from `tree`.
pub(super) fn check<T: Check>(tree: &Node, value: &T) -> Result<(), ConfigError> {
    let mut problems = Problems::default();
    value.check(&mut problems);
    if problems.found.is_empty() {
        return Ok(());
    }
    let place = |key: &str| tree.nearest(&segments(key)).origin.to_string();
    Err(ConfigError::NotAllowed(problems.found.into_iter().map(|problem| (place(&problem.key), problem)).collect()))
}

/// The segments of a key in a message of a check, which may write an index as `[3]`.
fn segments(key: &str) -> KeyPath {
    key.split(['.', '[', ']']).filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    }
}

/// Serde's messages are its only account of what went wrong, so they are taken apart here.
fn explain(tree: &Node, path: KeyPath, message: &str) -> ConfigError {
    if let Some((field, expected)) = quoted_after(message, "unknown field ") {
        return unknown_key(tree, path, field, &all_quoted(expected));
    }
    if let Some((field, _)) = quoted_after(message, "missing field ") {
        let at = tree.nearest(&path).origin.to_string();
        return ConfigError::MissingKey { at, key: dotted(&[path, vec![field.to_owned()]].concat()) };
    }
    let path = mistyped(tree, path, message);
    let message = in_words(message);
    let key = if path.is_empty() { "the document".to_owned() } else { dotted(&path) };
    ConfigError::WrongValue { at: tree.nearest(&path).origin.to_string(), key, message: message.replace('\n', " ") }
}

fn unknown_key(tree: &Node, mut path: KeyPath, field: &str, expected: &[String]) -> ConfigError {
    // The path of a field ends with it, except inside enums, where it ends at the enum or above it.
    if path.last().is_none_or(|last| last != field) {
        path.push(field.to_owned());
        if tree.get(&path).is_none() {
            path.pop();
            path = only_below(tree, &path, |end, _| end.last().is_some_and(|key| key == field)).unwrap_or(path);
        }
    }
    let table = &path[..path.len().saturating_sub(1)];
    let full = |key: &str| dotted(&[table, &[key.to_owned()]].concat());
    ConfigError::UnknownKey {
        at: tree.nearest(&path).origin.to_string(),
        key: dotted(&path),
        nearest: nearest(field, expected.iter().map(String::as_str)).map(full),
        known: expected.to_vec(),
    }
}

/// The path of a value of a wrong type; inside enums serde only tells the value.
fn mistyped(tree: &Node, path: KeyPath, message: &str) -> KeyPath {
    let Some(found) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) else {
        return path;
    };
    let is_it = |_: &[String], node: &Node| {
        let Data::Scalar(value) = &node.data else { return false };
        unexpected(value)
            .is_some_and(|text| found.strip_prefix(&text).is_some_and(|rest| rest.starts_with(", expected ")))
    };
    match tree.get(&path) {
        Some(Node { data: Data::Table(_), .. }) => only_below(tree, &path, is_it).unwrap_or(path),
        _ => path,
    }
}

/// The only path below `path` that fits.
fn only_below(tree: &Node, path: &[String], fits: impl Fn(&[String], &Node) -> bool) -> Option<KeyPath> {
    let top = tree.get(path)?;
    let mut fitting = top.paths().into_iter().filter(|end| top.get(end).is_some_and(|node| fits(end, node)));
    let end = fitting.next()?;
    fitting.next().is_none().then(|| [path, &end].concat())
}

/// How serde names a value it did not expect.
fn unexpected(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => Unexpected::Str(text).to_string(),
        Value::Integer(number) => Unexpected::Signed(*number).to_string(),
        Value::Float(number) => Unexpected::Float(*number).to_string(),
        Value::Boolean(truth) => Unexpected::Bool(*truth).to_string(),
        _ => return None,
    })
}

/// A message without the names of Rust's types.
fn in_words(message: &str) -> String {
    let message = message.replace("invalid type: map,", "invalid type: a table,").replace("sequence,", "an array,");
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message };
    let words = TYPES.iter().find(|(rust, _)| *rust == expected).map(|(_, words)| *words);
    let table = expected.starts_with("struct ").then_some("a table");
    format!("{found}, expected {}", words.or(table).unwrap_or(expected))
}

/// The text between backquotes that follows `start`, and what comes after it.
fn quoted_after<'a>(message: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    message.strip_prefix(start)?.strip_prefix('`')?.split_once('`')
}

fn all_quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
