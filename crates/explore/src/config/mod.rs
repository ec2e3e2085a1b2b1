//! Configurations: TOML documents, presets by name, overrides of single keys.
//!
//! A document says what it is (`kind = "chip"`) and in which version of the format (`version = 1`). A table of it may
//! say `preset = "NAME"`: it then holds what that preset holds, with the other keys of the table on top. The name of
//! the table tells the kind of preset: `[tile.cell.device]` takes its presets from `configs/devices/`. At the top of a
//! document, `preset` names another document of the same kind. A name with a `/` or the ending `.toml` is a path,
//! relative to the file that holds it.
//!
//! Where a document names a CSV file of measured cells (`model = "measured"`, `file = "cells.csv"`), the cells take its place, so that a
//! resolved document needs no other file.
//!
//! An override `KEY=VALUE` wins over all files. It acts before the presets are filled in, so it may name another
//! preset. The first segments of its key may be left out as long as only one key fits.

mod decode;
mod error;
mod expand;
mod kind;
mod measured;
mod nearest;
mod overrides;
mod parse;
mod presets;
mod substitute;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tile::check::Check;

pub use self::error::ConfigError;
pub(crate) use self::expand::PRESET;
use self::expand::{Document, Id, expand};
pub use self::kind::Kind;
use self::overrides::Override;
use self::presets::Presets;
pub use self::presets::{preset_names, preset_text};
pub use self::substitute::with_overrides;
pub(crate) use self::substitute::{Unchecked, places, with_unchecked_overrides};
pub(crate) use self::tree::KeyPath;
use self::tree::{Node, Origin, Source};

/// Loads a preset by name or a file by path (with a `/` or ending in `.toml`), with overrides `KEY=VALUE` on top.
pub fn load<T>(kind: Kind, name_or_path: &str, overrides: &[String]) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Check,
{
    let presets = Presets::built_in();
    typed(presets, expand::open(presets, kind, name_or_path, None)?, kind, overrides)
}

/// Like [`load`], from the text of a document; `name` stands for its file in messages and relative paths.
pub fn load_text<T>(kind: Kind, name: &str, text: &str, overrides: &[String]) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Check,
{
    typed(Presets::built_in(), text_document(kind, name, text)?, kind, overrides)
}

/// Loads a document as a table without presets, its keys unchecked. Overrides may only set keys that are in it.
pub fn resolve_table(kind: Kind, name_or_path: &str, overrides: &[String]) -> Result<toml::Table, ConfigError> {
    let presets = Presets::built_in();
    let document = expand::open(presets, kind, name_or_path, None)?;
    let resolved = resolve(presets, document, kind, overrides, |_| BTreeSet::new())?;
    match resolved.guesses.first() {
        Some((guess, _)) => Err(guess.unknown(&resolved.known)),
        None => Ok(resolved.tree.to_table()),
    }
}

/// A configuration as a self-contained document, with keys in alphabetical order: equal values give equal bytes.
pub fn to_toml<T: Serialize>(kind: Kind, value: &T) -> Result<String, ConfigError> {
    let unwritable = |error: toml::ser::Error| ConfigError::Unwritable(error.to_string());
    let table = toml::Table::try_from(value).map_err(unwritable)?;
    let body = toml::to_string(&table).map_err(unwritable)?;
    Ok(format!("kind = \"{kind}\"\nversion = 1\n\n{body}"))
}

/// The kind of the document in `text`; `name` stands for its file in messages.
pub fn kind_of(name: &str, text: &str) -> Result<Kind, ConfigError> {
    parse::kind_in(&parse::tree(text, &source(name))?)
}

fn source(name: &str) -> Arc<Source> {
    Arc::new(Source { name: name.to_owned(), directory: Path::new(name).parent().map(Path::to_path_buf) })
}

fn text_document(kind: Kind, name: &str, text: &str) -> Result<Document, ConfigError> {
    Ok(Document { id: Id::Text, root: parse::document(text, &source(name), kind)? })
}

fn typed<T>(presets: Presets, document: Document, kind: Kind, overrides: &[String]) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Check,
{
    let resolved = resolve(presets, document, kind, overrides, |tree| {
        decode::decode::<T>(tree).map_or(BTreeSet::new(), |value| known_paths(&value))
    })?;
    finish(&resolved)
}

/// Deserialises, demands that every override arrived, and checks.
fn finish<T: DeserializeOwned + Serialize + Check>(resolved: &ResolvedTree) -> Result<T, ConfigError> {
    let value = decoded(resolved)?;
    decode::check(&resolved.tree, &value)?;
    Ok(value)
}

/// Deserialises, and demands that every override arrived.
fn decoded<T: DeserializeOwned + Serialize>(resolved: &ResolvedTree) -> Result<T, ConfigError> {
    let value: T = decode::decode(&resolved.tree).map_err(|error| resolved.as_override(error))?;
    let read = known_paths(&value);
    if !read.is_empty()
        && let Some((guess, _)) = resolved.guesses.iter().find(|(_, path)| !read.contains(path))
    {
        return Err(guess.unknown(&resolved.known));
    }
    Ok(value)
}

/// The paths of a value as it would be written; none if it cannot be written.
fn known_paths<T: Serialize>(value: &T) -> BTreeSet<KeyPath> {
    toml::Table::try_from(value).map_or(BTreeSet::new(), |table| Node::from_value(table.into(), &Origin::Given).paths())
}

/// A tree without presets, and what is needed to judge its overrides.
#[derive(Debug)]
struct ResolvedTree {
    tree: Node,
    /// The keys an override may set.
    known: BTreeSet<KeyPath>,
    /// Overrides of keys that were not known; the type of the configuration decides.
    guesses: Vec<(Override, KeyPath)>,
}

impl ResolvedTree {
    /// An unknown key that an override brought in is explained with the keys an override may set.
    fn as_override(&self, error: ConfigError) -> ConfigError {
        let ConfigError::UnknownKey { at, .. } = &error else { return error };
        match self.guesses.iter().find(|(guess, _)| guess.origin.to_string() == *at) {
            Some((guess, _)) => guess.unknown(&self.known),
            None => error,
        }
    }
}

/// Applies overrides to a document as written, then expands its presets.
fn resolve(
    presets: Presets,
    mut document: Document,
    kind: Kind,
    overrides: &[String],
    known_of: impl Fn(&Node) -> BTreeSet<KeyPath>,
) -> Result<ResolvedTree, ConfigError> {
    let overrides: Vec<Override> = overrides.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
    let mut known = BTreeSet::new();
    let mut guesses = Vec::new();
    if !overrides.is_empty() {
        known = document.root.paths();
        // An override may be what makes the document whole, so a failure here is not yet an error.
        let plain = expand(presets, document.clone(), kind);
        if let Ok((tree, preset_paths)) = &plain {
            known.extend(tree.paths().into_iter().chain(preset_paths.iter().cloned()).chain(known_of(tree)));
        }
        let (choices, others): (Vec<Override>, Vec<Override>) =
            overrides.into_iter().partition(|change| change.key.last().is_some_and(|key| key == PRESET));
        for choice in &choices {
            let to = choice.resolve(&known)?;
            choice.apply(&to.path, &mut document.root);
        }
        // A preset that is chosen here may bring keys of its own.
        if let (false, Ok((tree, preset_paths))) = (choices.is_empty(), expand(presets, document.clone(), kind)) {
            known.extend(tree.paths().into_iter().chain(preset_paths).chain(known_of(&tree)));
        }
        for change in others {
            let to = change.resolve(&known)?;
            change.apply(&to.path, &mut document.root);
            if !to.known {
                plain.as_ref().map_err(ConfigError::clone)?;
                guesses.push((change, to.path));
            }
        }
    }
    let (tree, _) = expand(presets, document, kind)?;
    Ok(ResolvedTree { tree, known, guesses })
}
