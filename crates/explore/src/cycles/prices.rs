//! Prices of what the cores of each stage did.

use super::run::CyclesReport;
use crate::error::ExploreError;
use chip::energy::{ArrayEnergy, Energy, Occupied, area, price, price_stage};
use chip::program::Program;
use chip::timing::{WeightWriting, weight_writing};
use tile::actions::ActionCounts;

/// Energy, area and weight writing of a program.
#[derive(Clone, Debug)]
pub struct Prices {
    /// Name of the cost table.
    pub cost_table: String,
    /// Name of the model of the converters.
    pub adc_model: String,
    /// Actions and energy of one inference, by stage in the order of the program, without leakage.
    pub stages: Vec<StageActions>,
    /// Energy of one inference, with leakage over its share of the run: the steady interval, or the latency of a single image.
    pub energy: Energy,
    /// Area of what the program occupies, m2; none if the cost table has no areas.
    pub area: Option<Occupied>,
    /// Writing the weights, which no inference contains.
    pub writing: WeightWriting,
    /// Energy of writing them, with leakage until the last one is written.
    pub writing_energy: Energy,
}

/// What a stage did for one inference.
#[derive(Clone, Debug)]
pub struct StageActions {
    /// The stage.
    pub stage: String,
    /// Its actions.
    pub counts: ActionCounts,
    /// Their price, J; the arrays at the flat price of a cell read, because no values are simulated.
    pub energy: Energy,
}

/// Prices the actions of all images, given by core.
pub(super) fn prices(
    program: &Program,
    counts_of_cores: &[ActionCounts],
    report: &CyclesReport,
) -> Result<Prices, ExploreError> {
    let mut by_stage: Vec<(String, ActionCounts)> = Vec::new();
    for (core, counts) in report.workload.cores.iter().zip(counts_of_cores) {
        match by_stage.iter_mut().find(|(stage, _)| *stage == core.stage) {
            Some((_, sum)) => *sum += *counts,
            None => by_stage.push((core.stage.clone(), *counts)),
        }
    }
    let mut all = ActionCounts::default();
    let mut stages = Vec::new();
    for (stage, counts) in by_stage {
        // Every image does the same, so that the counts of a run are a whole multiple of those of one.
        let counts = counts.divided_by(report.images);
        all += counts;
        let energy = price_stage(&counts, program, &stage, ArrayEnergy::PerCellRead).map_err(ExploreError::Request)?;
        stages.push(StageActions { stage, counts, energy });
    }
    let energy = price(&all, program, ArrayEnergy::PerCellRead, report.interval_s()).map_err(ExploreError::Request)?;
    let writing = weight_writing(program)?;
    let writing_energy = price(&writing.counts, program, ArrayEnergy::PerCellRead, writing.time_s());
    Ok(Prices {
        cost_table: program.chip.costs.name.clone(),
        adc_model: program.chip.tile.adc.model.clone(),
        stages,
        energy,
        area: area(program).map_err(ExploreError::Request)?,
        writing,
        writing_energy: writing_energy.map_err(ExploreError::Request)?,
    })
}
