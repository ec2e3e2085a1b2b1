//! Running a sweep.

use rayon::prelude::*;
use trainer::Method;

use super::networks::{Inputs, Networks};
use super::{Point, Setting, Sweep};
use crate::compare::RowRequest;
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::progress::Progress;
use crate::results::Row;
use crate::training::method;

/// A row holds its programs and chip samples in memory while it is simulated; this many do so at a time, whatever the
/// number of points and threads.
const ROWS_AT_A_TIME: usize = 16;

/// The rows of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRows {
    /// The values of the axes.
    pub settings: Vec<Setting>,
    /// Mapping strategies outside, methods inside.
    pub rows: Vec<Row>,
}

/// One row to simulate.
pub(super) struct Task<'a> {
    pub(super) point: usize,
    pub(super) experiment: &'a Experiment,
    pub(super) mapping: &'a str,
    pub(super) method: Method,
}

/// Runs a sweep: a row for every point, mapping strategy and training method, in this order.
///
/// # Errors
/// If a point is not allowed, before anything runs; or if a part of it fails.
pub fn run(sweep: &Sweep, progress: &dyn Progress) -> Result<Vec<Row>, ExploreError> {
    Ok(run_points(sweep, progress)?.into_iter().flat_map(|point| point.rows).collect())
}

/// Like [`run`], with the values of the axes beside the rows: not every key of an experiment is a column of a row.
///
/// Progress has two stages: trainings, with a step per epoch, and simulations, with a step per chip sample.
///
/// # Errors
/// As [`run`].
pub fn run_points(sweep: &Sweep, progress: &dyn Progress) -> Result<Vec<PointRows>, ExploreError> {
    let points = sweep.points()?;
    let inputs = Inputs::load(&points)?;
    let networks = Networks::train(&points, &inputs, progress)?;
    let tasks = tasks(&points)?;
    let chips = |task: &Task<'_>| u64::from(task.experiment.training_seeds) * u64::from(task.experiment.chips);
    progress.begin("simulating", tasks.iter().map(chips).sum());
    let mut results: Vec<PointRows> =
        points.iter().map(|point| PointRows { settings: point.settings.clone(), rows: Vec::new() }).collect();
    for batch in tasks.chunks(ROWS_AT_A_TIME) {
        let simulate = |task: &Task<'_>| {
            let row = simulate(task, &networks, &inputs, progress);
            row.map_err(|error| points[task.point].error(error))
        };
        let rows: Vec<Row> = batch.par_iter().map(simulate).collect::<Result<_, _>>()?;
        for (task, row) in batch.iter().zip(rows) {
            results[task.point].rows.push(row);
        }
    }
    progress.end();
    Ok(results)
}

fn tasks(points: &[Point]) -> Result<Vec<Task<'_>>, ExploreError> {
    let mut tasks = Vec::new();
    for (point, Point { experiment, .. }) in points.iter().enumerate() {
        for mapping in &experiment.mappings {
            for name in &experiment.methods {
                tasks.push(Task { point, experiment, mapping, method: method(name)? });
            }
        }
    }
    Ok(tasks)
}

/// The row is all that remains of a simulation.
fn simulate(
    task: &Task<'_>,
    networks: &Networks<'_>,
    inputs: &Inputs,
    progress: &dyn Progress,
) -> Result<Row, ExploreError> {
    let request = RowRequest {
        experiment: task.experiment,
        dataset: inputs.dataset(task.experiment)?,
        images: inputs.images(task.experiment)?,
        mapping: task.mapping,
        method: task.method,
        trained: networks.of_row(task)?,
    };
    Ok(request.run(progress)?.row)
}
