//! Watching the sums that reach the converters, for calibration and diagnosis.

use super::plan::{StagePlan, computed_column};
use super::windows::Windows;
use std::ops::Range;
use tile::crossbar::DrivenRow;
use tile::kernel::{DigitFormat, LANES, Lanes};

/// Watches the sums that reach the converters.
pub trait ColumnProbe {
    /// One array was read.
    fn observe(&mut self, read: &Observation<'_>);

    /// Whether it wants to see what a crossbar of an MVM stage makes of a window, which is numbered over all images of the batch.
    fn wants(&self, _layer: usize, _crossbar: usize, _window: u64) -> bool {
        true
    }
}

/// The column sums of one array for one input slice. Arrays follow each other, for every array the windows, for every window the input slices.
#[derive(Clone, Copy)]
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
    /// Sums of all columns, in level spacings times DAC steps.
    pub sums: &'a [f32],
    /// Digital factor that compensation of drift puts on what the converters make of them.
    pub drift_gain: f64,
    inputs: Inputs<'a>,
}

/// What drives the rows of an array, of which few probes want to know.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    windows: &'a Windows,
    rows: &'a Range<usize>,
    format: DigitFormat,
    at: usize,
}

impl Observation<'_> {
    /// The driven word lines, counted within the crossbar.
    #[must_use]
    pub fn driven(&self) -> Vec<DrivenRow> {
        let Inputs { windows, rows, format, at } = self.inputs;
        let row =
            |(row, &digit): (usize, &i32)| (digit != 0).then_some(DrivenRow { row: row as u32, digit: digit as f32 });
        windows.digits_at(rows, format, at).iter().enumerate().filter_map(row).collect()
    }
}

/// Shows a probe the sums of a unit, `[block of columns][window and cycle]`. The windows are numbered from `first` over all images.
pub(super) fn show(
    probe: &mut dyn ColumnProbe,
    plan: &StagePlan<'_>,
    unit: usize,
    (first, windows, rows): (u64, &Windows, &Range<usize>),
    blocks: &[Vec<Lanes<f32>>],
) {
    let unit = &plan.units[unit];
    let (slices, format) = (plan.stage.slices.len(), plan.format);
    let place = |column| {
        let computed = computed_column(column, unit.outputs.len(), slices);
        (computed / LANES, computed % LANES)
    };
    let places: Vec<(usize, usize)> = (0..unit.scale.len()).map(place).collect();
    let mut sums = vec![0.0; places.len()];
    let sum_at = |at: usize, &(block, lane): &(usize, usize)| blocks[block][at].0[lane];
    let cycles = format.cycles as usize;
    let wanted = |window: &usize| probe.wants(plan.layer, unit.crossbar, first + *window as u64);
    let wanted: Vec<usize> = (0..windows.count()).filter(wanted).collect();
    for at in wanted.into_iter().flat_map(|window| window * cycles..(window + 1) * cycles) {
        sums.iter_mut().zip(&places).for_each(|(sum, place)| *sum = sum_at(at, place));
        probe.observe(&Observation {
            layer: plan.layer,
            crossbar: unit.crossbar,
            array: unit.array,
            cycle: at % cycles,
            slices,
            sums: &sums,
            drift_gain: plan.sample.drift_gain,
            inputs: Inputs { windows, rows, format, at },
        });
    }
}
