//! Watches the column sums of calibration images on calibration chip samples.

use super::Sums;
use super::share::Share;
use crate::error::CompileError;
use chip::functional::{ChipSample, ColumnProbe, Observation, infer};
use chip::program::{MvmStage, PlacedCrossbar, Program};
use rayon::prelude::*;
use tile::address::Purpose;
use tile::crossbar::Crossbar;

/// What was seen, stage by stage.
pub(super) struct Observed {
    pub(super) stages: Vec<ObservedStage>,
}

/// The sums of one stage.
pub(super) struct ObservedStage {
    share: Share,
    /// Per slice.
    pub(super) slices: Vec<Sums>,
    /// Per crossbar and converted column; empty unless columns have something of their own.
    pub(super) crossbars: Vec<Vec<Column>>,
    /// Nominal cells per crossbar and converted array, where gains are wanted.
    nominal: Vec<Vec<Crossbar>>,
    scratch: Vec<f32>,
}

/// One converted column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) sums: Sums,
    nominal_times_seen: f64,
    seen_squared: f64,
}

impl Column {
    /// The factor that brings the sums seen closest to the nominal ones: least squares through the origin; 1 where nothing was seen.
    pub(super) fn gain(&self) -> f64 {
        let gain = self.nominal_times_seen / self.seen_squared;
        if gain.is_finite() && gain > 0.0 { gain } else { 1.0 }
    }

    fn append(&mut self, other: &Self) {
        self.sums.append(&other.sums);
        self.nominal_times_seen += other.nominal_times_seen;
        self.seen_squared += other.seen_squared;
    }
}

impl ColumnProbe for Observed {
    fn wants(&self, layer: usize, crossbar: usize, window: u64) -> bool {
        self.stages[layer].share.has(crossbar, window)
    }

    fn observe(&mut self, read: &Observation<'_>) {
        let stage = &mut self.stages[read.layer];
        for (slice, sums) in stage.slices.iter_mut().enumerate() {
            read.sums.iter().skip(slice).step_by(read.slices).for_each(|&sum| sums.add(sum));
        }
        let Some(columns) = stage.crossbars.get_mut(read.crossbar) else { return };
        let columns = &mut columns[read.array * read.sums.len()..];
        for (column, &sum) in columns.iter_mut().zip(read.sums) {
            column.sums.add(sum);
        }
        if let Some(nominal) = stage.nominal.get(read.crossbar) {
            nominal[read.array].column_sums(&read.driven(), 1, &mut stage.scratch);
            for ((column, &seen), &nominal) in columns.iter_mut().zip(read.sums).zip(&stage.scratch) {
                // Compensation of drift acts on the same codes; the gain is for what it leaves.
                let seen = f64::from(seen) * read.drift_gain;
                column.nominal_times_seen += f64::from(nominal) * seen;
                column.seen_squared += seen * seen;
            }
        }
    }
}

impl Observed {
    /// Nothing yet of so many images.
    fn new(program: &Program, images: u64) -> Self {
        let adc = &program.chip.tile.adc;
        let stage = |stage: &MvmStage| {
            let columns = |placed| vec![Column::default(); stage.converted_columns(placed) as usize];
            let own = adc.per_column || adc.column_gain;
            ObservedStage {
                share: Share::new(&program.chip, stage, images),
                slices: vec![Sums::default(); stage.slices.len()],
                crossbars: if own { stage.crossbars.iter().map(columns).collect() } else { Vec::new() },
                nominal: if adc.column_gain {
                    stage.crossbars.iter().map(|p| nominal(stage, p)).collect()
                } else {
                    Vec::new()
                },
                scratch: Vec::new(),
            }
        };
        Self { stages: program.mvm_stages().map(|(_, of)| stage(of)).collect() }
    }

    /// Adds what was seen on another chip sample.
    fn append(&mut self, other: &Self) {
        for (stage, other) in self.stages.iter_mut().zip(&other.stages) {
            stage.slices.iter_mut().zip(&other.slices).for_each(|(sums, other)| sums.append(other));
            let columns = stage.crossbars.iter_mut().flatten();
            columns.zip(other.crossbars.iter().flatten()).for_each(|(column, other)| column.append(other));
        }
    }
}

/// Runs calibration images through the chip's calibration chip samples, some in parallel; they are added in their order.
pub(super) fn observe(program: &Program, images: &[i32], seed: u64) -> Result<Observed, CompileError> {
    let count = (images.len() / program.input.len().max(1)) as u64;
    let run = |sample: &ChipSample| {
        let mut observed = Observed::new(program, count);
        infer(program, sample, images, Some(&mut observed)).map(|_| observed)
    };
    let failed = |what| CompileError::chip(&program.chip, what);
    let mut all = Observed::new(program, count);
    let numbers: Vec<u64> = (0..program.chip.tile.adc.calibration_chips.into()).collect();
    for some in numbers.chunks(at_once(program)) {
        // One after the other, as programming is parallel in itself and needs twice the memory of what it makes.
        let sample = |&number: &u64| ChipSample::program(program, seed, Purpose::Calibration, number);
        let samples: Vec<ChipSample> = some.iter().map(sample).collect::<Result<_, _>>().map_err(failed)?;
        let seen: Vec<Result<Observed, String>> = samples.par_iter().map(run).collect();
        for seen in seen {
            all.append(&seen.map_err(failed)?);
        }
    }
    Ok(all)
}

/// Cells of all chip samples that are in memory at once, unless one sample has more.
const MOST_CELLS: u64 = 100_000_000;

/// Chip samples that are looked at in parallel.
fn at_once(program: &Program) -> usize {
    let cells: u64 = program.mvm_stages().map(|(_, stage)| stage.cells()).sum();
    ((MOST_CELLS / cells.max(1)) as usize).clamp(1, rayon::current_num_threads())
}

/// The converted arrays of a crossbar with every cell at its level.
fn nominal(stage: &MvmStage, placed: &PlacedCrossbar) -> Vec<Crossbar> {
    let (rows, columns) = (placed.rows as usize, stage.columns(placed) as usize);
    let together = stage.polarities as usize / stage.converted_arrays() as usize;
    let array = |polarities: &[Vec<u8>]| {
        let mut crossbar = Crossbar::new(rows, columns);
        for (levels, sign) in polarities.iter().zip([1.0, -1.0]) {
            for (at, &level) in levels.iter().enumerate() {
                crossbar.add_cell(at / columns, at % columns, f32::from(level), sign);
            }
        }
        crossbar
    };
    placed.levels.chunks(together).map(array).collect()
}
