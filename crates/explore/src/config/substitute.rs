//! Overrides of a configuration that is already resolved: the axes of sweeps.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tile::check::Check;
use toml::{Table, Value};

use super::expand::{PRESET, expand, open};
use super::overrides::Override;
use super::presets::Presets;
use super::tree::{KeyPath, Node, Origin, dotted};
use super::{ConfigError, Kind, ResolvedTree, decoded, finish};

/// A configuration with some keys changed, of which nobody has asked whether it is allowed.
#[derive(Debug)]
pub(crate) struct Unchecked<T> {
    /// The configuration.
    pub(crate) value: T,
    /// Where the changes went: the full path of every key, and of every table that a preset replaced.
    pub(crate) paths: Vec<KeyPath>,
}

/// `base` with some keys changed.
///
/// A key that ends in `.preset`, e.g. `chip.tile.cell.device.preset`, replaces that whole table by the contents of the
/// preset. Presets are put in first, outer tables before inner ones, and other keys after them in the given order, so
/// the order of two axes of a sweep does not matter.
pub fn with_overrides<T>(base: &T, overrides: &[(String, Value)]) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Check,
{
    substituted(Presets::built_in(), base, overrides)
}

/// Like [`with_overrides`], but does not check the values.
pub(crate) fn with_unchecked_overrides<T>(base: &T, overrides: &[(String, Value)]) -> Result<Unchecked<T>, ConfigError>
where
    T: DeserializeOwned + Serialize,
{
    let (resolved, paths) = change(Presets::built_in(), base, overrides)?;
    Ok(Unchecked { value: decoded(&resolved)?, paths })
}

/// Where an argument of `--set` goes in a configuration, as in [`Unchecked::paths`]; none if it goes nowhere.
pub(crate) fn places<T: Serialize>(base: &T, argument: &str) -> Option<Vec<KeyPath>> {
    let Override { key, value, .. } = Override::parse(argument).ok()?;
    Some(change(Presets::built_in(), base, &[(dotted(&key), value)]).ok()?.1)
}

pub(super) fn substituted<T>(presets: Presets, base: &T, overrides: &[(String, Value)]) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Serialize + Check,
{
    finish(&change(presets, base, overrides)?.0)
}

/// The tree of `base` with its changes, and where they went.
fn change<T: Serialize>(
    presets: Presets,
    base: &T,
    overrides: &[(String, Value)],
) -> Result<(ResolvedTree, Vec<KeyPath>), ConfigError> {
    let table = Table::try_from(base).map_err(|error| ConfigError::Unwritable(error.to_string()))?;
    let mut tree = Node::from_value(Value::Table(table), &Origin::Given);
    let changes = overrides
        .iter()
        .map(|(key, value)| Override::new(key, value.clone(), format!("{key} = {value}")))
        .collect::<Result<Vec<_>, _>>()?;
    let (named, plain): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| is_preset(&change.key));
    let mut paths = Vec::new();
    for (table, change) in placed(named, &tree)? {
        replace_table(presets, &mut tree, &table, &change)?;
        paths.push(table);
    }
    let known = tree.paths();
    let mut guesses = Vec::new();
    for change in plain {
        let to = change.resolve(&known)?;
        change.apply(&to.path, &mut tree);
        paths.push(to.path.clone());
        if !to.known {
            guesses.push((change, to.path));
        }
    }
    Ok((ResolvedTree { tree, known, guesses }, paths))
}

fn is_preset(key: &[String]) -> bool {
    key.len() > 1 && key.last().is_some_and(|last| last == PRESET)
}

/// The tables that presets replace, outer ones first.
fn placed(named: Vec<Override>, tree: &Node) -> Result<Vec<(KeyPath, Override)>, ConfigError> {
    let known: BTreeSet<KeyPath> =
        tree.paths().into_iter().map(|path| [path, vec![PRESET.to_owned()]].concat()).collect();
    let mut found = Vec::new();
    for change in named {
        let mut path = change.resolve(&known)?;
        if !path.known {
            return Err(change.unknown(&known));
        }
        path.path.pop();
        found.push((path.path, change));
    }
    found.sort_by_key(|(path, _)| path.len());
    Ok(found)
}

fn replace_table(presets: Presets, tree: &mut Node, table: &[String], change: &Override) -> Result<(), ConfigError> {
    let at = change.origin.to_string();
    let Some(kind) = table.last().and_then(|key| Kind::from_name(key)) else {
        let message = format!("{}: a preset can only be in a table called {}", dotted(&change.key), Kind::names());
        return Err(ConfigError::Preset { at, message });
    };
    let Value::String(name) = &change.value else {
        let message = "a preset is a name or a path in quotes".to_owned();
        return Err(ConfigError::Preset { at, message });
    };
    let (content, _) = expand(presets, open(presets, kind, name, Some(&change.origin))?, kind)?;
    if let Some(node) = tree.get_mut(table) {
        *node = content;
    }
    Ok(())
}
