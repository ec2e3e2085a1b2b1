//! The images that rows need, each loaded once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nn::datasets::{Dataset, Split};

use super::Plan;
use crate::compare::test_images;
use crate::datasets;
use crate::error::ExploreError;
use crate::experiment::Experiment;

/// What one row needs.
#[derive(Clone)]
pub(super) struct Images {
    pub(super) dataset: Arc<Dataset>,
    /// What stands for the data set in names.
    pub(super) digest: Arc<str>,
    /// The test images that chips classify.
    pub(super) test: Arc<Split>,
}

/// A data set with what stands for it.
type Known = (Arc<Dataset>, Arc<str>);

/// What was loaded so far of the data sets of a plan.
pub(super) struct Inputs<'a> {
    plan: &'a Plan,
    datasets: Mutex<BTreeMap<String, Known>>,
    /// By data set and number.
    images: Mutex<BTreeMap<(String, u32), Arc<Split>>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self { plan, datasets: Mutex::default(), images: Mutex::default() }
    }

    /// What an experiment of the plan needs.
    ///
    /// # Errors
    /// If a data set is not there, or is not the one that the plan has named its rows after.
    pub(super) fn of(&self, experiment: &Experiment) -> Result<Images, ExploreError> {
        let name = &experiment.network.dataset;
        let mut loaded = self.datasets.lock().unwrap_or_else(PoisonError::into_inner);
        let (dataset, digest) = match loaded.get(name) {
            Some(there) => there.clone(),
            None => {
                let data = self.plan.data();
                let dataset = Arc::new(datasets::load(name, data)?);
                let digest = datasets::digest(name, data)?;
                if self.plan.digests.get(name) != Some(&digest) {
                    let error = format!("the files of data set `{name}` have changed since the sweep was planned");
                    return Err(ExploreError::Request(error));
                }
                loaded.entry(name.clone()).or_insert((dataset, digest.into())).clone()
            }
        };
        drop(loaded);
        let key = (name.clone(), experiment.images);
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let some = || Arc::new(test_images(&dataset.test, experiment.images));
        let test = images.entry(key).or_insert_with(some).clone();
        Ok(Images { dataset, digest, test })
    }
}
