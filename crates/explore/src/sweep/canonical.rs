//! The identity of a configuration: a hash over the tree of its keys, in which only the way to a changed key has to be hashed anew, so that the
//! points of a large sweep are named in microseconds.

use sha2::{Digest, Sha256};
use toml::Value;

use crate::config::KeyPath;

/// A value with the bytes that stand for it: a scalar itself, or the hash of a table or array.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    pub(super) bytes: Vec<u8>,
    /// Entries of a table in the order of their keys, or elements of an array under their numbers.
    children: Vec<(String, Hashed)>,
    is_table: bool,
}

/// A value that stands at a path instead of the tree's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    pub(super) path: &'a [String],
    pub(super) bytes: &'a [u8],
}

impl Hashed {
    pub(super) fn new(value: &Value) -> Self {
        let (children, is_table): (Vec<(String, Self)>, bool) = match value {
            Value::Table(table) => (table.iter().map(|(key, value)| (key.clone(), Self::new(value))).collect(), true),
            Value::Array(items) => {
                (items.iter().enumerate().map(|(index, value)| (index.to_string(), Self::new(value))).collect(), false)
            }
            scalar => return Self { bytes: scalar_bytes(scalar), children: Vec::new(), is_table: false },
        };
        let mut tree = Self { bytes: Vec::new(), children, is_table };
        tree.bytes = tree.combine(&tree.children.iter().map(|(_, child)| child.bytes.as_slice()).collect::<Vec<_>>());
        tree
    }

    /// What is at a path.
    pub(super) fn get(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |tree, segment| {
            tree.children.iter().find(|(key, _)| key == segment).map(|(_, child)| child)
        })
    }

    /// The keys of the topmost table.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.children.iter().map(|(key, _)| key)
    }

    /// The tree with changes below it, whose paths exist in it.
    pub(super) fn changed(&self, changes: &[Change<'_>]) -> Changed<'_> {
        Changed { tree: self, anew: self.anew(changes, 0) }
    }

    /// The bytes of the children that have changes; none for the others.
    fn anew(&self, changes: &[Change<'_>], depth: usize) -> Vec<Option<Vec<u8>>> {
        let changed = |(key, child): &(String, Self)| {
            let own: Vec<Change<'_>> = changes.iter().filter(|change| change.path[depth] == *key).copied().collect();
            match own.iter().rev().find(|change| change.path.len() == depth + 1) {
                Some(whole) => Some(whole.bytes.to_vec()),
                None if own.is_empty() => None,
                None => Some(Changed { tree: child, anew: child.anew(&own, depth + 1) }.with(&[])),
            }
        };
        self.children.iter().map(changed).collect()
    }

    /// The hash of a table or array with these bytes of its children.
    fn combine(&self, children: &[&[u8]]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update((children.len() as u64).to_le_bytes());
        for ((key, _), bytes) in self.children.iter().zip(children) {
            if self.is_table {
                hash.update((key.len() as u64).to_le_bytes());
                hash.update(key);
            }
            hash.update(bytes);
        }
        let mut tagged = vec![if self.is_table { b't' } else { b'a' }];
        tagged.extend(hash.finalize());
        tagged
    }

    /// The paths at which another tree differs, as short as that can be said: where the keys of a table differ, the table.
    pub(super) fn differences(&self, other: &Self) -> Vec<KeyPath> {
        let mut found = Vec::new();
        self.differences_below(other, &mut Vec::new(), &mut found);
        found
    }

    fn differences_below(&self, other: &Self, path: &mut KeyPath, found: &mut Vec<KeyPath>) {
        if self.bytes == other.bytes {
            return;
        }
        if self.children.is_empty() || !self.is_table || !other.is_table || !self.keys().eq(other.keys()) {
            found.push(path.clone());
            return;
        }
        for ((key, own), (_, theirs)) in self.children.iter().zip(&other.children) {
            path.push(key.clone());
            own.differences_below(theirs, path, found);
            path.pop();
        }
    }
}

/// A tree with changes, of which the topmost entries may be changed further without hashing what lies below them again.
pub(super) struct Changed<'a> {
    tree: &'a Hashed,
    anew: Vec<Option<Vec<u8>>>,
}

impl Changed<'_> {
    /// The bytes that would stand for it with other bytes at topmost keys.
    pub(super) fn with(&self, entries: &[(&str, &[u8])]) -> Vec<u8> {
        let own = |key: &str| entries.iter().find(|(changed, _)| *changed == key).map(|(_, bytes)| *bytes);
        let children = self.tree.children.iter().zip(&self.anew);
        let bytes: Vec<&[u8]> =
            children.map(|((key, child), anew)| own(key).or(anew.as_deref()).unwrap_or(&child.bytes)).collect();
        self.tree.combine(&bytes)
    }
}

fn scalar_bytes(value: &Value) -> Vec<u8> {
    let (tag, bytes) = match value {
        Value::Integer(number) => (b'i', number.to_le_bytes().to_vec()),
        Value::Float(number) => (b'f', number.to_bits().to_le_bytes().to_vec()),
        Value::Boolean(truth) => (b'b', vec![u8::from(*truth)]),
        other => {
            let text = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            (b's', [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat())
        }
    };
    [vec![tag], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Hashed {
        Hashed::new(&Value::Table(text.parse().unwrap()))
    }

    #[test]
    fn a_change_gives_what_the_changed_tree_gives() {
        let base = "a = 1\nb = { c = 2.5, d = [1, 2], e = { f = \"x\" } }\nl = [{ n = 1 }, { n = 2 }]";
        for (path, value, changed) in [
            ("a", "7", "a = 7\nb = { c = 2.5, d = [1, 2], e = { f = \"x\" } }\nl = [{ n = 1 }, { n = 2 }]"),
            ("b.e.f", "\"y\"", "a = 1\nb = { c = 2.5, d = [1, 2], e = { f = \"y\" } }\nl = [{ n = 1 }, { n = 2 }]"),
            ("b.d", "[]", "a = 1\nb = { c = 2.5, d = [], e = { f = \"x\" } }\nl = [{ n = 1 }, { n = 2 }]"),
            ("l.1.n", "3", "a = 1\nb = { c = 2.5, d = [1, 2], e = { f = \"x\" } }\nl = [{ n = 1 }, { n = 3 }]"),
        ] {
            let path: KeyPath = path.split('.').map(str::to_owned).collect();
            let bytes = Hashed::new(&value.parse().unwrap()).bytes;
            let base = tree(base);
            let found = base.changed(&[Change { path: &path, bytes: &bytes }]);
            assert_eq!(found.with(&[]), tree(changed).bytes, "{path:?}");
            assert_ne!(found.with(&[]), base.bytes);
            // What is at the top afterwards counts.
            let (l, a) = (base.get(&["l".to_owned()]).unwrap(), Hashed::new(&Value::Integer(9)));
            let further = found.with(&[("a", &a.bytes), ("l", &l.bytes)]);
            let also = base.changed(&[
                Change { path: &path, bytes: &bytes },
                Change { path: &["a".to_owned()], bytes: &a.bytes },
                Change { path: &["l".to_owned()], bytes: &l.bytes },
            ]);
            assert_eq!(further, also.with(&[]), "{path:?}");
        }
        assert_eq!(tree(base).changed(&[]).with(&[]), tree(base).bytes);
    }

    #[test]
    fn what_differs_is_found() {
        let base = tree("a = 1\nb = { c = 2, d = 3 }\nl = [1]");
        let other = tree("a = 1\nb = { c = 5, d = 3 }\nl = [1, 2]");
        assert_eq!(base.differences(&other), [vec!["b".to_owned(), "c".to_owned()], vec!["l".to_owned()]]);
        let more = tree("a = 1\nb = { c = 2, d = 3, e = 4 }\nl = [1]");
        assert_eq!(base.differences(&more), [vec!["b".to_owned()]]);
    }

    #[test]
    fn kinds_of_values_are_told_apart() {
        let values = ["1", "1.0", "true", "\"1\"", "[1]", "[]", "{}", "{ a = 1 }", "[[1]]", "[1, 1]"];
        let bytes: std::collections::BTreeSet<Vec<u8>> =
            values.iter().map(|text| Hashed::new(&text.parse().unwrap()).bytes).collect();
        assert_eq!(bytes.len(), values.len());
    }
}
