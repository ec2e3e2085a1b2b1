//! The networks of a sweep: trainings that do not differ are run once.

use std::collections::BTreeMap;

use nn::datasets::{Dataset, Split};
use trainer::{Method, Trained};

use super::Point;
use crate::checkpoint::TrainOptions;
use crate::compare::{no_network, test_images};
use crate::datasets;
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::training::{Plan, is_better, plan, train_plans};

/// The data that the points need, each loaded once.
pub(super) struct Inputs {
    datasets: BTreeMap<String, Dataset>,
    /// Test images by data set and their number.
    images: BTreeMap<(String, u32), Split>,
}

impl Inputs {
    pub(super) fn load(points: &[Point]) -> Result<Self, ExploreError> {
        let mut inputs = Self { datasets: BTreeMap::new(), images: BTreeMap::new() };
        for point in points {
            let Experiment { images, network, .. } = &point.experiment;
            let name = &network.dataset;
            if !inputs.datasets.contains_key(name) {
                let dataset = datasets::load(name, None).map_err(|error| point.error(error))?;
                inputs.datasets.insert(name.clone(), dataset);
            }
            if let Some(dataset) = inputs.datasets.get(name) {
                let key = (name.clone(), *images);
                inputs.images.entry(key).or_insert_with(|| test_images(&dataset.test, *images));
            }
        }
        Ok(inputs)
    }

    pub(super) fn dataset(&self, experiment: &Experiment) -> Result<&Dataset, ExploreError> {
        self.datasets.get(&experiment.network.dataset).ok_or_else(|| not_loaded(experiment))
    }

    pub(super) fn images(&self, experiment: &Experiment) -> Result<&Split, ExploreError> {
        let key = (experiment.network.dataset.clone(), experiment.images);
        self.images.get(&key).ok_or_else(|| not_loaded(experiment))
    }
}

fn not_loaded(experiment: &Experiment) -> ExploreError {
    ExploreError::Request(format!("data set `{}` was not loaded", experiment.network.dataset))
}

/// The trained networks of all points.
pub(super) struct Networks<'a> {
    trained: Vec<Trained>,
    /// By point: its trainings and the index of their networks.
    uses: Vec<Vec<(Plan<'a>, usize)>>,
}

impl<'a> Networks<'a> {
    /// Trains what has to be trained, in parallel.
    pub(super) fn train(
        points: &'a [Point],
        inputs: &'a Inputs,
        progress: &dyn Progress,
    ) -> Result<Self, ExploreError> {
        let (uses, plans) = share(points, inputs)?;
        let first_user = |index| uses.iter().position(|point| point.iter().any(|(_, used)| *used == index));
        let trained = train_plans(&plans, &TrainOptions::default(), progress).map_err(|(index, error)| {
            match first_user(index).and_then(|point| points.get(point)) {
                Some(point) => point.error(error),
                None => error,
            }
        })?;
        Ok(Self { trained, uses })
    }

    /// The networks of one row, by training seed; of several shares of constrained columns the best.
    pub(super) fn of_row(&self, row: &super::run::Task<'_>) -> Result<Vec<&Trained>, ExploreError> {
        let network = |seed_index| self.best(row.point, seed_index, row.method, row.mapping);
        let networks: Option<Vec<&Trained>> = (0..row.experiment.training_seeds).map(network).collect();
        networks.ok_or_else(|| no_network(row.method.name(), row.mapping))
    }

    fn best(&self, point: usize, seed_index: u32, method: Method, mapping: &str) -> Option<&Trained> {
        let fits = |plan: &Plan<'_>| {
            (plan.seed_index, plan.method) == (seed_index, method) && plan.mapping().is_none_or(|name| name == mapping)
        };
        let fitting = self.uses.get(point)?.iter().filter(|(plan, _)| fits(plan));
        let networks = fitting.filter_map(|(_, index)| self.trained.get(*index));
        networks.reduce(|kept, new| if is_better(new, kept) { new } else { kept })
    }
}

type Uses<'a> = Vec<Vec<(Plan<'a>, usize)>>;

/// The trainings of every point, and the plans that remain where equal ones are run once.
fn share<'a>(points: &'a [Point], inputs: &'a Inputs) -> Result<(Uses<'a>, Vec<Plan<'a>>), ExploreError> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut plans = Vec::new();
    let mut uses = Vec::with_capacity(points.len());
    for point in points {
        let mut used = Vec::new();
        for one in plan(&point.experiment, inputs.dataset(&point.experiment)?)? {
            let index = *known.entry(one.key()?).or_insert_with(|| {
                plans.push(one.clone());
                plans.len() - 1
            });
            used.push((one, index));
        }
        uses.push(used);
    }
    Ok((uses, plans))
}
