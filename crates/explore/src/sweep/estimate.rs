//! How long a plan will take, roughly.

use std::collections::BTreeMap;

use super::inputs::Inputs;
use super::{Plan, PlannedRow};
use crate::error::ExploreError;
use crate::experiment::Experiment;
use crate::store::{Kind, Store};
use crate::training::plan as trainings;

/// Rows that are looked at; the others are taken to be like them.
const LOOKED_AT: usize = 32;
/// Multiply-accumulates a thread does in a second while it trains, forward and backward: the trainings of docs/training.md.
const TRAINING_RATE: f64 = 2e9;
/// Multiply-accumulates of cells that a thread simulates in a second: LeNet-5 in docs/speed.md.
const SIMULATION_RATE: f64 = 5e10;
/// Seconds a row takes beside that: compiling, counting cycles, resampling.
const ROW_SECONDS: f64 = 0.1;

/// The work that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Rows that are there.
    pub present: usize,
    /// Time on this machine, within a factor of three or so. Trainings count in full where they are not known to be shared or there.
    pub seconds: f64,
    /// The same if every row takes the most chip samples that `target_ci` allows; none without it.
    pub most_seconds: Option<f64>,
}

/// The work that a store leaves to do.
///
/// # Errors
/// If a point is not allowed or the store cannot be read.
pub fn estimate(plan: &Plan, store: Option<&Store>) -> Result<Work, ExploreError> {
    let there = store.map(|store| store.ids(Kind::Row)).transpose()?.unwrap_or_default();
    let open: Vec<&PlannedRow> = plan.rows().iter().filter(|row| !there.contains(&row.id)).collect();
    let present = plan.rows().len() - open.len();
    let looked_at = open.len().min(LOOKED_AT);
    let inputs = Inputs::new(plan);
    let (mut simulating, mut training, mut uses) = (0.0, BTreeMap::new(), 0_usize);
    for index in 0..looked_at {
        let experiment = plan.experiment(open[index * open.len() / looked_at])?;
        let images = inputs.of(&experiment)?;
        let macs = macs(&experiment, images.dataset.shape)?;
        simulating += macs * cells_per_mac(&experiment) * images.test.len() as f64 / SIMULATION_RATE + ROW_SECONDS;
        for one in trainings(&experiment, &images.dataset)? {
            let passes = f64::from(experiment.training.epochs) * images.dataset.train.len() as f64;
            training.insert(one.key()?, macs * passes / TRAINING_RATE);
            uses += 1;
        }
    }
    let share = open.len() as f64 / looked_at.max(1) as f64;
    // Rows that share no training here will share none elsewhere.
    let more = if training.len() == uses { share } else { 1.0 };
    let threads = rayon::current_num_threads() as f64;
    let trained = training.values().sum::<f64>() * more;
    // All rounds together are at most twice the last one, whose chips grow by more than a tenth from one to the next, three of them as a rule.
    let rounds = |most: u32| 2.0 * f64::from(most) / f64::from(plan.sweep().experiment.chips.max(1));
    let most = plan.sweep().sampling().map(|sampling| (simulating * share * rounds(sampling.most) + trained) / threads);
    Ok(Work { present, seconds: (simulating * share + trained) / threads, most_seconds: most })
}

/// Multiply-accumulates of an inference.
fn macs(experiment: &Experiment, shape: nn::Shape) -> Result<f64, ExploreError> {
    let bits = experiment.chip.format.weight_bits;
    let graph = experiment.network.build(shape, bits, experiment.training.weight_scale, 0)?;
    Ok(graph.mac_count()? as f64)
}

/// How often a cell takes part for one multiply-accumulate, on all chip samples of a row.
fn cells_per_mac(experiment: &Experiment) -> f64 {
    let chip = &experiment.chip;
    let slices = chip.format.weight_bits.div_ceil(chip.tile.cell.bits.max(1));
    let digits = chip.format.input_bits.div_ceil(chip.tile.dac.bits.max(1));
    let chips = f64::from(experiment.chips) * f64::from(experiment.training_seeds);
    f64::from(slices * digits) * chips
}
