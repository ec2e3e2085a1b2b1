//! What adds up over the windows of a stage.

use super::ConverterUse;
use super::conduction::{RowDrives, array_energy_j};
use super::plan::{StagePlan, Unit, program_column};
use tile::adc::{AdcKind, CodesSeen};
use tile::kernel::Lanes;

/// Sums over the windows of a block of images.
pub(super) struct StageTotals {
    /// One entry per unit.
    pub(super) units: Vec<UnitTotals>,
    /// Per logical row: sum over all cycles of the squared digit it was driven with.
    pub(super) squares: Vec<u64>,
    /// Cycles in which a logical row was driven with each digit, `[digit - 1][row]`; only of cells whose power is not a matter of squares.
    pub(super) digits: Vec<Vec<u64>>,
    /// Energy of circuits that are solved, J.
    pub(super) solved_energy_j: f64,
    pub(super) saturated_outputs: u64,
    pub(super) wire_error_bound: f64,
}

/// What the converters of a unit did.
pub(super) struct UnitTotals {
    pub(super) seen: CodesSeen,
    pub(super) conversions: u64,
    /// Additions that saturated, per block of columns.
    pub(super) saturated: Vec<Lanes<u64>>,
}

impl StageTotals {
    pub(super) fn new(plan: &StagePlan<'_>, with_errors: bool) -> Self {
        let rows = plan.stage.window.rows();
        let unit = |unit: &Unit| UnitTotals {
            seen: CodesSeen::new(unit.steps.len(), with_errors),
            conversions: 0,
            saturated: vec![Lanes::splat(0); unit.draws.len()],
        };
        let digits = plan.sample.arrays.first().map_or(0, |array| array.row_power_w().len());
        Self {
            units: plan.units.iter().map(unit).collect(),
            squares: vec![0; rows],
            digits: vec![vec![0; rows]; digits],
            solved_energy_j: 0.0,
            saturated_outputs: 0,
            wire_error_bound: plan.sample.wire_error_bound,
        }
    }

    /// Adds those of the next block of images.
    pub(super) fn add(&mut self, next: &Self) {
        for (unit, next) in self.units.iter_mut().zip(&next.units) {
            unit.seen.add(&next.seen);
            unit.conversions += next.conversions;
            for (sum, next) in unit.saturated.iter_mut().zip(&next.saturated) {
                *sum = sum.zip(*next, |sum, next| sum + next);
            }
        }
        let add = |sums: &mut [u64], next: &[u64]| sums.iter_mut().zip(next).for_each(|(sum, next)| *sum += next);
        add(&mut self.squares, &next.squares);
        self.digits.iter_mut().zip(&next.digits).for_each(|(sums, next)| add(sums, next));
        self.solved_energy_j += next.solved_energy_j;
        self.saturated_outputs += next.saturated_outputs;
        self.wire_error_bound = self.wire_error_bound.max(next.wire_error_bound);
    }

    /// Energy of everything that conducted, J.
    pub(super) fn array_energy_j(&self, plan: &StagePlan<'_>) -> f64 {
        let times = |counts: &Vec<u64>| counts.iter().map(|&count| count as f64).collect();
        let drives = RowDrives { squares: times(&self.squares), digits: self.digits.iter().map(times).collect() };
        let tile = &plan.program.chip.tile;
        array_energy_j(tile, plan.stage, &plan.sample.arrays, &drives) + self.solved_energy_j
    }

    /// What the converters of each slice saw.
    pub(super) fn converter_use(&self, plan: &StagePlan<'_>) -> Vec<ConverterUse> {
        let slices = plan.stage.slices.len();
        let mut uses: Vec<ConverterUse> = (0..slices).map(|slice| unused(plan, slice)).collect();
        for (unit, totals) in plan.units.iter().zip(&self.units) {
            let outputs = unit.outputs.len();
            for column in 0..unit.steps.len() {
                let slice = &mut uses[program_column(column, outputs, slices) % slices];
                slice.conversions += totals.conversions;
                slice.add_column(&totals.seen, column, unit.steps[column]);
                slice.saturated += totals.saturated[column / tile::kernel::LANES].0[column % tile::kernel::LANES];
            }
        }
        uses
    }
}

fn unused(plan: &StagePlan<'_>, slice: usize) -> ConverterUse {
    let adc = plan.stage.slices[slice].adc;
    let quantises = plan.program.chip.tile.adc.kind != AdcKind::Ideal;
    let available = if quantises { i64::from(adc.max_code) - i64::from(adc.min_code) + 1 } else { 0 };
    ConverterUse::unused(&plan.stage.name, slice, available as u64)
}
