//! What the dimensions of a sweep do to the configuration, found out for each of them alone: dimensions that change different keys do not see each
//! other, so that the product of their values needs no configuration to be resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use toml::Value;

use super::Sweep;
use super::canonical::{Change, Changed, Hashed};
use super::dimensions::Dimension;
use crate::config::{ConfigError, KeyPath, Unchecked, with_unchecked_overrides};
use crate::datasets;
use crate::error::ExploreError;
use crate::experiment::Experiment;

/// Keys that name an experiment and change nothing about its results.
const NAMES: [&str; 2] = ["name", "doc"];
/// Dimensions with more choices are not resolved value by value, if they set numbers.
const MANY: usize = 2000;

/// What some dimensions, which change the same keys, do together.
#[derive(Debug)]
pub(super) struct Factor {
    /// Numbers of the dimensions.
    dimensions: Vec<usize>,
    /// The keys that they change.
    paths: Vec<KeyPath>,
    /// What stands there, by the choices of the dimensions.
    effects: BTreeMap<Vec<u32>, Effect>,
}

/// What one choice does.
#[derive(Clone, Debug)]
struct Effect {
    /// By path.
    bytes: Vec<Vec<u8>>,
    /// The mapping strategies and methods, where the choice sets them.
    names: Option<(Vec<String>, Vec<String>)>,
}

/// The configuration without any axis, and what the axes make of it.
#[derive(Debug)]
pub(super) struct Factors {
    /// What stands for the images of the data sets.
    pub(super) digests: BTreeMap<String, String>,
    base: Hashed,
    names: (Vec<String>, Vec<String>),
    factors: Vec<Factor>,
}

/// The identity of one point, and what it compares.
pub(super) struct Identity<'a> {
    /// What stands for the whole configuration.
    pub(super) bytes: Vec<u8>,
    pub(super) mappings: &'a [String],
    pub(super) methods: &'a [String],
    changed: Changed<'a>,
}

impl Identity<'_> {
    /// What stands for the configuration with one of the mapping strategies and one of the methods.
    pub(super) fn row(&self, mapping: &str, method: &str) -> Vec<u8> {
        let [mappings, methods] = [mapping, method].map(|name| Hashed::new(&Value::Array(vec![name.into()])).bytes);
        self.changed.with(&[("mappings", &mappings), ("methods", &methods)])
    }
}

/// Resolves configurations for their identities.
struct Resolver<'a> {
    sweep: &'a Sweep,
    /// The directory of data sets, if one was named.
    data: Option<&'a Path>,
    dimensions: &'a [Dimension],
    /// What stands for the images of the data sets.
    digests: BTreeMap<String, String>,
}

impl Factors {
    /// Finds out what every choice does.
    ///
    /// # Errors
    /// If an axis does not fit the experiment, or a data set cannot be read.
    pub(super) fn new(
        sweep: &Sweep,
        data: Option<&Path>,
        dimensions: &[Dimension],
        combinations: &[u32],
    ) -> Result<Self, ExploreError> {
        let mut resolver = Resolver { sweep, data, dimensions, digests: BTreeMap::new() };
        let base = resolver.tree(&sweep.experiment)?;
        let names = (sweep.experiment.mappings.clone(), sweep.experiment.methods.clone());
        let all: Vec<usize> = (0..dimensions.len()).collect();
        let apart = resolver.apart(&base).and_then(|groups| {
            let factor = |group: &Vec<usize>| resolver.factor(&base, group, combinations);
            groups.iter().map(factor).collect::<Result<Vec<_>, _>>()
        });
        let factors = match apart {
            Ok(factors) if are_disjoint(&factors) => factors,
            // Axes that only make sense together are resolved together.
            _ => vec![resolver.factor(&base, &all, combinations)?],
        };
        Ok(Self { digests: resolver.digests, base, names, factors })
    }

    /// The identity of the point with these choices.
    pub(super) fn identity(&self, choices: &[u32]) -> Identity<'_> {
        let mut changes = Vec::new();
        let (mut mappings, mut methods) = (&self.names.0, &self.names.1);
        let mut key = Vec::new();
        for factor in &self.factors {
            key.clear();
            key.extend(factor.dimensions.iter().map(|&dimension| choices[dimension]));
            let Some(effect) = factor.effects.get(&key) else { continue };
            let own = factor.paths.iter().zip(&effect.bytes);
            changes.extend(own.map(|(path, bytes)| Change { path, bytes }));
            if let Some((own_mappings, own_methods)) = &effect.names {
                let sets = |key: &str| factor.paths.iter().any(|path| path[0] == key);
                mappings = if sets("mappings") { own_mappings } else { mappings };
                methods = if sets("methods") { own_methods } else { methods };
            }
        }
        let changed = self.base.changed(&changes);
        Identity { bytes: changed.with(&[]), mappings, methods, changed }
    }
}

fn are_disjoint(factors: &[Factor]) -> bool {
    let overlap = |a: &Factor, b: &Factor| a.paths.iter().any(|a| b.paths.iter().any(|b| overlap(a, b)));
    factors.iter().enumerate().all(|(index, factor)| !factors[..index].iter().any(|other| overlap(factor, other)))
}

fn overlap(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

impl Resolver<'_> {
    /// The tree of an experiment that stands for it: without names, and with its images.
    fn tree(&mut self, experiment: &Experiment) -> Result<Hashed, ExploreError> {
        let name = &experiment.network.dataset;
        if !self.digests.contains_key(name) {
            self.digests.insert(name.clone(), datasets::digest(name, self.data)?);
        }
        tree(experiment, &self.digests)
    }

    /// Dimensions that change the same keys, found by their first values.
    fn apart(&self, base: &Hashed) -> Result<Vec<Vec<usize>>, ExploreError> {
        let mut groups: Vec<(Vec<usize>, Vec<KeyPath>)> = Vec::new();
        for (number, _) in self.dimensions.iter().enumerate() {
            let Unchecked { paths, .. } = self.resolve(&[number], &[0])?;
            let mut group = (vec![number], paths.iter().map(|path| existing(base, path)).collect::<Vec<_>>());
            let touches =
                |other: &(Vec<usize>, Vec<KeyPath>)| other.1.iter().any(|a| group.1.iter().any(|b| overlap(a, b)));
            let (same, others): (Vec<_>, Vec<_>) = groups.iter().cloned().partition(touches);
            for (dimensions, paths) in same {
                group.0.extend(dimensions);
                group.1.extend(paths);
            }
            group.0.sort_unstable();
            groups = others;
            groups.push(group);
        }
        Ok(groups.into_iter().map(|(dimensions, _)| dimensions).collect())
    }

    /// What the choices of some dimensions do.
    fn factor(&mut self, base: &Hashed, dimensions: &[usize], combinations: &[u32]) -> Result<Factor, ExploreError> {
        let keys: BTreeSet<Vec<u32>> = combinations
            .chunks(self.dimensions.len().max(1))
            .map(|choices| dimensions.iter().map(|&dimension| choices[dimension]).collect())
            .collect();
        if let (&[dimension], true) = (dimensions, keys.len() > MANY)
            && let Some(factor) = self.numbers(base, dimension, &keys)
        {
            return Ok(factor);
        }
        let resolve = |key: Vec<u32>| {
            let Unchecked { value, paths } = self.resolve(dimensions, &key)?;
            Ok((key, value, paths))
        };
        let keys: Vec<Vec<u32>> = keys.into_iter().collect();
        let resolved: Vec<(Vec<u32>, Experiment, Vec<KeyPath>)> =
            keys.into_par_iter().map(resolve).collect::<Result<_, ExploreError>>()?;
        let (mut trees, mut touched) = (Vec::with_capacity(resolved.len()), BTreeSet::new());
        for (key, experiment, paths) in resolved {
            let tree = self.tree(&experiment)?;
            touched.extend(paths.iter().map(|path| existing(base, path)).chain(base.differences(&tree)));
            trees.push((key, tree, (experiment.mappings, experiment.methods)));
        }
        let paths = outermost(base, touched);
        let named = paths.iter().any(|path| path[0] == "mappings" || path[0] == "methods");
        let effect = |(key, tree, names): (Vec<u32>, Hashed, _)| {
            let at = |path: &KeyPath| tree.get(path).map_or_else(Vec::new, |found| found.bytes.clone());
            (key, Effect { bytes: paths.iter().map(at).collect(), names: named.then_some(names) })
        };
        let effects = trees.into_iter().map(effect).collect();
        Ok(Factor { dimensions: dimensions.to_vec(), paths, effects })
    }

    /// What many numbers do, each of which goes where it is written: seen by the first and the last.
    fn numbers(&self, base: &Hashed, dimension: usize, keys: &BTreeSet<Vec<u32>>) -> Option<Factor> {
        let axes = &self.dimensions[dimension];
        let mut paths: Vec<KeyPath> = Vec::new();
        for ends in [keys.first()?, keys.last()?] {
            let Unchecked { value, paths: found } = self.resolve(&[dimension], ends).ok()?;
            let tree = tree(&value, &self.digests).ok()?;
            let stands = found.iter().zip(self.written(axes, ends[0])).all(|(path, written)| {
                let as_number = base.get(path).zip(number_like(base.get(path), &written));
                as_number.is_some_and(|(_, bytes)| tree.get(path).is_some_and(|found| found.bytes == bytes))
            });
            let only = base.differences(&tree).iter().all(|path| found.contains(path));
            if !stands || !only || (!paths.is_empty() && paths != found) {
                return None;
            }
            paths = found;
        }
        let effect = |key: &Vec<u32>| {
            let written = self.written(axes, *key.first()?);
            let bytes = paths.iter().zip(written).map(|(path, value)| number_like(base.get(path), &value));
            Some((key.clone(), Effect { bytes: bytes.collect::<Option<_>>()?, names: None }))
        };
        let effects = keys.iter().map(effect).collect::<Option<_>>()?;
        Some(Factor { dimensions: vec![dimension], paths, effects })
    }

    /// The value of every key of a dimension at a choice; none where it is left out.
    fn written(&self, dimension: &Dimension, choice: u32) -> Vec<Value> {
        let axes = dimension.axes.iter().zip(&dimension.values);
        axes.flat_map(|(&axis, values)| {
            values.get(choice as usize).map_or_else(Vec::new, |value| self.sweep.axes[axis].key_values(value))
        })
        .collect()
    }

    /// The experiment with some dimensions at these choices.
    fn resolve(&self, dimensions: &[usize], choices: &[u32]) -> Result<Unchecked<Experiment>, ExploreError> {
        let settings = self.sweep.settings(self.dimensions, dimensions.iter().copied().zip(choices.iter().copied()));
        let overrides = self.sweep.overrides(&settings);
        with_unchecked_overrides(&self.sweep.experiment, &overrides)
            .map_err(|error| super::points::explain(super::points::at(&settings), &error))
    }
}

pub(super) fn tree(experiment: &Experiment, digests: &BTreeMap<String, String>) -> Result<Hashed, ExploreError> {
    let mut table = toml::Table::try_from(experiment).map_err(|error| ConfigError::Unwritable(error.to_string()))?;
    NAMES.iter().for_each(|name| drop(table.remove(*name)));
    if let Some(Value::Table(network)) = table.get_mut("network") {
        let name = &experiment.network.dataset;
        let images = digests.get(name).map_or("", String::as_str);
        network.insert("dataset".to_owned(), format!("{name} {images}").into());
    }
    Ok(Hashed::new(&Value::Table(table)))
}

/// The longest part of a path that the tree has.
fn existing(tree: &Hashed, path: &[String]) -> KeyPath {
    let length = (0..=path.len()).rev().find(|&length| tree.get(&path[..length]).is_some()).unwrap_or(0);
    path[..length].to_vec()
}

/// Paths without those that lie below others; all keys of the topmost table instead of that itself.
fn outermost(base: &Hashed, paths: BTreeSet<KeyPath>) -> Vec<KeyPath> {
    if paths.contains(&Vec::new()) {
        return base.keys().map(|key| vec![key.clone()]).collect();
    }
    // A path stands behind those that it begins with.
    paths.into_iter().fold(Vec::new(), |mut kept: Vec<KeyPath>, path| {
        if !kept.last().is_some_and(|last| path.starts_with(last)) {
            kept.push(path);
        }
        kept
    })
}

/// The bytes of a number, as an integer or not like the one that it replaces; none for anything else.
fn number_like(replaced: Option<&Hashed>, value: &Value) -> Option<Vec<u8>> {
    let value = match (replaced?.bytes.first()?, value) {
        (b'f', Value::Integer(number)) => Value::Float(*number as f64),
        (b'f', Value::Float(_)) | (b'i', Value::Integer(_)) => value.clone(),
        _ => return None,
    };
    Some(Hashed::new(&value).bytes)
}
