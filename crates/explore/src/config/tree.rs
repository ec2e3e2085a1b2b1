//! A configuration as a tree in which every node remembers where it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use toml::{Table, Value};

/// The segments of a dotted key; an element of an array is its index.
pub(crate) type KeyPath = Vec<String>;

/// The file of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// As shown to the user.
    pub(super) name: String,
    /// Where the relative paths in it start; `None` for a preset built into the program.
    pub(super) directory: Option<PathBuf>,
}

/// Where a node was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In a file, at a line counted from 1.
    Line(Arc<Source>, usize),
    /// In an override; the text says which.
    Override(Arc<str>),
    /// In a value that another program part handed over.
    Given,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(source, line) => write!(f, "{}:{line}", source.name),
            Self::Override(text) => f.write_str(text),
            Self::Given => f.write_str("resolved configuration"),
        }
    }
}

/// A value with its origin.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) data: Data,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar(Value),
    Array(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn from_value(value: Value, origin: &Origin) -> Self {
        let data = match value {
            Value::Array(items) => {
                Data::Array(items.into_iter().map(|value| Self::from_value(value, origin)).collect())
            }
            Value::Table(table) => {
                Data::Table(table.into_iter().map(|(key, value)| (key, Self::from_value(value, origin))).collect())
            }
            scalar => Data::Scalar(scalar),
        };
        Self { origin: origin.clone(), data }
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Data::Table(_) => Value::Table(self.to_table()),
        }
    }

    /// The table of a table; empty otherwise.
    pub(super) fn to_table(&self) -> Table {
        match &self.data {
            Data::Table(table) => table.iter().map(|(key, node)| (key.clone(), node.to_value())).collect(),
            _ => Table::new(),
        }
    }

    /// A child by key or index.
    pub(super) fn child(&self, segment: &str) -> Option<&Self> {
        match &self.data {
            Data::Table(table) => table.get(segment),
            Data::Array(items) => items.get(segment.parse::<usize>().ok()?),
            Data::Scalar(_) => None,
        }
    }

    pub(super) fn get(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, segment| node.child(segment))
    }

    pub(super) fn get_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, segment| match &mut node.data {
            Data::Table(table) => table.get_mut(segment),
            Data::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
            Data::Scalar(_) => None,
        })
    }

    /// The node at `path`, or the last one that exists on the way there.
    pub(super) fn nearest(&self, path: &[String]) -> &Self {
        let mut node = self;
        for segment in path {
            match node.child(segment) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    /// Lays `top` over `self`: tables are merged, anything else is replaced.
    pub(super) fn overlay(&mut self, top: Self) {
        match (&mut self.data, top.data) {
            (Data::Table(own), Data::Table(entries)) => {
                // An override below a table does not write the table.
                if !matches!(top.origin, Origin::Override(_)) {
                    self.origin = top.origin;
                }
                for (key, node) in entries {
                    match own.get_mut(&key) {
                        Some(below) => below.overlay(node),
                        None => drop(own.insert(key, node)),
                    }
                }
            }
            // An override of one element, written before the array of a preset was known.
            (Data::Array(items), Data::Table(entries)) if are_indices(&entries, items.len()) => {
                for (key, node) in entries {
                    if let Some(below) = key.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                        below.overlay(node);
                    }
                }
            }
            (own, data) => {
                *own = data;
                self.origin = top.origin;
            }
        }
    }

    /// `value` at the end of otherwise empty tables along `path`.
    pub(super) fn at_path(path: &[String], value: Value, origin: &Origin) -> Self {
        let end = Self::from_value(value, origin);
        path.iter().rev().fold(end, |node, segment| {
            let table = BTreeMap::from([(segment.clone(), node)]);
            Self { origin: origin.clone(), data: Data::Table(table) }
        })
    }

    /// The paths of all nodes below this one.
    pub(super) fn paths(&self) -> BTreeSet<KeyPath> {
        let mut found = BTreeSet::new();
        self.collect_paths(&mut Vec::new(), &mut found);
        found
    }

    fn collect_paths(&self, path: &mut KeyPath, found: &mut BTreeSet<KeyPath>) {
        let children: Vec<(String, &Self)> = match &self.data {
            Data::Table(table) => table.iter().map(|(key, node)| (key.clone(), node)).collect(),
            // Arrays of numbers are set as a whole; arrays of tables have keys of their own.
            Data::Array(items) if items.iter().all(|node| matches!(node.data, Data::Table(_))) => {
                items.iter().enumerate().map(|(index, node)| (index.to_string(), node)).collect()
            }
            _ => Vec::new(),
        };
        for (segment, node) in children {
            path.push(segment);
            found.insert(path.clone());
            node.collect_paths(path, found);
            path.pop();
        }
    }
}

fn are_indices(entries: &BTreeMap<String, Node>, length: usize) -> bool {
    entries.keys().all(|key| key.parse::<usize>().is_ok_and(|index| index < length))
}

/// The dotted key of a path.
pub(super) fn dotted(path: &[String]) -> String {
    path.join(".")
}
