//! Watching the sums that reach the converters, for calibration and diagnosis.

use super::plan::{StagePlan, computed_column};
use super::windows::Windows;
use std::ops::Range;
use tile::crossbar::DrivenRow;
use tile::kernel::{LANES, Lanes};

/// Watches the sums that reach the converters.
pub trait ColumnProbe {
    /// One array was read.
    fn observe(&mut self, read: &Observation<'_>);
}

/// The column sums of one array for one input slice. Arrays follow each other, for every array the windows, for every window the input slices.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// Index of the MVM stage.
    pub layer: usize,
    /// Index of the crossbar in its stage.
    pub crossbar: usize,
    /// 1 for the negative array of a pair that is subtracted after conversion.
    pub array: usize,
    /// Input slice, 0 = least significant.
    pub cycle: usize,
    /// Number of slices; column `c` belongs to slice `c % slices`.
    pub slices: usize,
    /// The driven word lines, counted within the crossbar.
    pub driven: &'a [DrivenRow],
    /// Sums of all columns, in level spacings times DAC steps.
    pub sums: &'a [f32],
    /// Digital factor that compensation of drift puts on what the converters make of them.
    pub drift_gain: f64,
}

/// Shows a probe the sums of a unit, `[block of columns][window and cycle]`.
pub(super) fn show(
    probe: &mut dyn ColumnProbe,
    plan: &StagePlan<'_>,
    unit: usize,
    (windows, rows): (&Windows, &Range<usize>),
    blocks: &[Vec<Lanes<f32>>],
) {
    let unit = &plan.units[unit];
    let slices = plan.stage.slices.len();
    let mut sums = vec![0.0; unit.scale.len()];
    for (at, digits) in windows.digits(rows, plan.format).enumerate() {
        for (column, sum) in sums.iter_mut().enumerate() {
            let computed = computed_column(column, unit.outputs.len(), slices);
            *sum = blocks[computed / LANES][at].0[computed % LANES];
        }
        let row =
            |(row, &digit): (usize, &i32)| (digit != 0).then_some(DrivenRow { row: row as u32, digit: digit as f32 });
        let driven: Vec<DrivenRow> = digits.iter().enumerate().filter_map(row).collect();
        probe.observe(&Observation {
            layer: plan.layer,
            crossbar: unit.crossbar,
            array: unit.array,
            cycle: at % plan.format.cycles as usize,
            slices,
            driven: &driven,
            sums: &sums,
            drift_gain: plan.sample.drift_gain,
        });
    }
}
