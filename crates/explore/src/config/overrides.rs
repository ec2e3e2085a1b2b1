//! `KEY=VALUE`: the value as TOML, the key possibly without its first segments.

use std::collections::BTreeSet;
use std::num::{IntErrorKind, ParseIntError};
use std::sync::Arc;

use toml::Value;

use super::ConfigError;
use super::nearest::distance;
use super::tree::{KeyPath, Node, Origin, dotted};

/// As deep as TOML documents may be.
const MAX_SEGMENTS: usize = 80;

/// One override.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) origin: Origin,
    /// As given, possibly shortened.
    pub(super) key: KeyPath,
    pub(super) value: Value,
}

impl Override {
    /// Reads the argument of `--set`.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let at = format!("--set {text}");
        let Some((key, value)) = text.split_once('=') else {
            return Err(ConfigError::Override { at, message: "KEY=VALUE is wanted".to_owned() });
        };
        let value = value.trim();
        let value = match value.parse() {
            Ok(value) => value,
            Err(_) if is_too_large(value) => {
                let message = format!("an integer is at least {} and at most {}", i64::MIN, i64::MAX);
                return Err(ConfigError::Override { at, message });
            }
            // Most words need no quotes on a command line.
            Err(_) => Value::String(value.to_owned()),
        };
        Self::new(key, value, at)
    }

    pub(super) fn new(key: &str, value: Value, at: String) -> Result<Self, ConfigError> {
        let key: KeyPath = key.trim().split('.').map(|segment| segment.trim().to_owned()).collect();
        if key.iter().any(String::is_empty) || key.len() > MAX_SEGMENTS {
            let message = "the key is not of the form name.name.name".to_owned();
            return Err(ConfigError::Override { at, message });
        }
        Ok(Self { origin: Origin::Override(Arc::from(at)), key, value })
    }

    /// The full path of the key: the known path that equals or ends with it. A key that is not known may still be
    /// one, e.g. an optional key that is not set, so it is tried below the table that its first segments name.
    pub(super) fn resolve(&self, known: &BTreeSet<KeyPath>) -> Result<Resolved, ConfigError> {
        for length in (1..=self.key.len()).rev() {
            let (table, rest) = self.key.split_at(length);
            let mut candidates: Vec<&KeyPath> = known.iter().filter(|path| path.ends_with(table)).collect();
            if let Some(exact) = candidates.iter().position(|path| path.as_slice() == table) {
                candidates = vec![candidates[exact]];
            }
            if candidates.len() > 1 {
                let candidates = candidates.into_iter().map(|path| dotted(&[path, rest].concat())).collect();
                let at = self.origin.to_string();
                return Err(ConfigError::AmbiguousKey { at, key: dotted(&self.key), candidates });
            }
            if let [path] = candidates[..] {
                return Ok(Resolved { path: [path, rest].concat(), known: rest.is_empty() });
            }
        }
        Ok(Resolved { path: self.key.clone(), known: false })
    }

    /// The error for a key that turned out to be unknown.
    pub(super) fn unknown(&self, known: &BTreeSet<KeyPath>) -> ConfigError {
        let key = dotted(&self.key);
        let ends = known.iter().map(|path| {
            let end = path.len().saturating_sub(self.key.len());
            (distance(&key, &dotted(&path[end..])), path)
        });
        let nearest = ends.min().map(|(_, path)| path);
        let siblings = nearest.and_then(|path| path.split_last()).map_or(&[][..], |(_, table)| table);
        let here = known.iter().filter(|path| path.len() == siblings.len() + 1 && path.starts_with(siblings));
        ConfigError::UnknownKey {
            at: self.origin.to_string(),
            nearest: nearest.map(|path| dotted(path)),
            known: here.filter_map(|path| path.last().cloned()).collect(),
            key,
        }
    }

    /// Writes the value into a tree.
    pub(super) fn apply(&self, path: &[String], tree: &mut Node) {
        tree.overlay(Node::at_path(path, self.value.clone(), &self.origin));
    }
}

/// Whether a text is an integer beyond those of TOML.
fn is_too_large(text: &str) -> bool {
    let beyond = |error: ParseIntError| matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
    text.parse::<i64>().is_err_and(beyond)
}

/// Where an override goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) path: KeyPath,
    /// Whether the key was known before it was set.
    pub(super) known: bool,
}
