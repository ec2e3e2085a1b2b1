//! The plan of a sweep: all its points, each with a row for every mapping strategy and training method, by name. Nothing is resolved in full before
//! it is needed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::dimensions::{ABSENT, Dimension, combinations, dimensions};
use super::factors::Factors;
use super::points::{at, explain, label};
use super::{Point, Sampling, Setting, Sweep};
use crate::config::{ConfigError, with_overrides};
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::store::Id;

/// Of plans with more points, so many are checked before anything runs; the others when it is their turn.
const MOST_CHECKED: usize = 500;

/// A sweep with its points.
#[derive(Debug)]
pub struct Plan {
    sweep: Sweep,
    /// The directory of data sets; that of the environment if none was named.
    data: Option<PathBuf>,
    dimensions: Vec<Dimension>,
    /// The choices of every point.
    choices: Vec<u32>,
    names: Vec<String>,
    rows: Vec<PlannedRow>,
    dropped: usize,
    /// What stood for the images of each data set when rows were named.
    pub(super) digests: BTreeMap<String, String>,
}

/// A row of the table of results, before it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedRow {
    /// Number of the point.
    pub point: u32,
    mapping: u16,
    method: u16,
    /// Its name in the store.
    pub id: Id,
}

impl Plan {
    /// The plan of a sweep, with the data sets of the environment's directory.
    ///
    /// # Errors
    /// As [`Plan::with_data`].
    pub fn new(sweep: &Sweep) -> Result<Self, ExploreError> {
        Self::with_data(sweep, None)
    }

    /// The plan of a sweep. `data` is the directory of data sets; without it that of the environment is taken.
    ///
    /// # Errors
    /// If an axis does not fit the experiment, a data set is not there, or two points are the same.
    pub fn with_data(sweep: &Sweep, data: Option<&Path>) -> Result<Self, ExploreError> {
        let dimensions = dimensions(sweep);
        let all = combinations(&dimensions);
        let factors = Factors::new(sweep, data, &dimensions, &all)?;
        let width = dimensions.len().max(1);
        let mut plan = Self {
            sweep: sweep.clone(),
            data: data.map(Path::to_path_buf),
            dimensions,
            choices: Vec::new(),
            names: Vec::new(),
            rows: Vec::new(),
            dropped: 0,
            digests: factors.digests.clone(),
        };
        let sampling = Sampling::bytes(sweep.sampling());
        let identify = |choices: &[u32]| {
            let identity = factors.identity(choices);
            let (mappings, methods) = (identity.mappings, identity.methods);
            let names = mappings.iter().flat_map(|mapping| methods.iter().map(move |method| (mapping, method)));
            let id = |mapping: &str, method: &str| Id::of("row", &[&identity.row(mapping, method), &sampling]);
            let rows: Vec<_> = names.map(|(mapping, method)| (mapping, method, id(mapping, method))).collect();
            (identity.bytes, rows)
        };
        let mut seen: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        // In parts, so that not all names of all rows are in memory at once.
        for some in all.chunks(width * 4096) {
            let identities: Vec<_> = some.par_chunks(width).map(identify).collect();
            for (choices, (bytes, rows)) in some.chunks(width).zip(identities) {
                let point = plan.len() as u32;
                match seen.entry(bytes) {
                    Entry::Occupied(same) => {
                        plan.refuse_twice(*same.get(), choices)?;
                        plan.dropped += 1;
                        continue;
                    }
                    Entry::Vacant(place) => {
                        place.insert(point);
                    }
                }
                plan.choices.extend_from_slice(choices);
                for (mapping, method, id) in rows {
                    let row = PlannedRow { point, mapping: plan.word(mapping), method: plan.word(method), id };
                    plan.rows.push(row);
                }
            }
        }
        Ok(plan)
    }

    /// Of values that were drawn, some may be drawn twice. Otherwise two axes set one key by two of its names; one of them then has no effect.
    fn refuse_twice(&self, first: u32, choices: &[u32]) -> Result<(), ExploreError> {
        if self.sweep.samples.is_some() {
            return Ok(());
        }
        let second = self.sweep.settings(&self.dimensions, choices.iter().copied().enumerate());
        let at = format!("sweep points `{}` and `{}`", label(&self.settings(first as usize)), label(&second));
        let message = "the same experiment; two axes set one key, or a value is written twice".to_owned();
        Err(ConfigError::Override { at, message }.into())
    }

    fn word(&mut self, name: &str) -> u16 {
        let found = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        found as u16
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.choices.len() / self.dimensions.len().max(1)
    }

    /// Draws that gave a point which another one had given already.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// The directory of data sets, if one was named.
    #[must_use]
    pub fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The sweep.
    #[must_use]
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// The axes that change together.
    pub(super) fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The choices of all dimensions at a point.
    pub(super) fn choices(&self, point: usize) -> &[u32] {
        &self.choices[point * self.dimensions.len()..][..self.dimensions.len()]
    }

    /// All rows in the order of the table: points outside, then mapping strategies, then methods.
    #[must_use]
    pub fn rows(&self) -> &[PlannedRow] {
        &self.rows
    }

    /// The mapping strategy and the method of a row.
    #[must_use]
    pub fn names(&self, row: &PlannedRow) -> (&str, &str) {
        let name = |word: u16| self.names.get(usize::from(word)).map_or("", String::as_str);
        (name(row.mapping), name(row.method))
    }

    /// The values of the axes at a point.
    #[must_use]
    pub fn settings(&self, point: usize) -> Vec<Setting> {
        let choices = self.choices(point).iter().copied().enumerate();
        self.sweep.settings(&self.dimensions, choices.filter(|(_, choice)| *choice != ABSENT))
    }

    /// A point, resolved and checked.
    ///
    /// # Errors
    /// If it is not allowed.
    pub fn point(&self, point: usize) -> Result<Point, ExploreError> {
        let settings = self.settings(point);
        match with_overrides(&self.sweep.experiment, &self.sweep.overrides(&settings)) {
            Ok(experiment) => Ok(Point { settings, experiment }),
            Err(error) => Err(explain(at(&settings), &error)),
        }
    }

    /// The experiment of one row: that of its point, with one mapping strategy and one method.
    ///
    /// # Errors
    /// If the point is not allowed.
    pub fn experiment(&self, row: &PlannedRow) -> Result<Experiment, ExploreError> {
        let experiment = self.point(row.point as usize)?.experiment;
        let (mapping, method) = self.names(row);
        Ok(Experiment { mappings: vec![mapping.to_owned()], methods: vec![method.to_owned()], ..experiment })
    }

    /// What messages call a row.
    #[must_use]
    pub fn label(&self, row: &PlannedRow) -> String {
        let (mapping, method) = self.names(row);
        format!("{}, {mapping}, {method}", at(&self.settings(row.point as usize)))
    }

    /// Resolves and checks all points, or 500 evenly spread ones.
    ///
    /// # Errors
    /// The first that is not allowed.
    pub fn check(&self) -> Result<(), ExploreError> {
        let count = self.len().min(MOST_CHECKED);
        let points: Vec<usize> = (0..count).map(|index| index * self.len() / count).collect();
        let found: Vec<Result<Point, ExploreError>> = points.into_par_iter().map(|point| self.point(point)).collect();
        found.into_iter().try_for_each(|point| point.map(drop))
    }
}
