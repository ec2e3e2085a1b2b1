//! Pass `calibrate`: the range of every converter, per layer and slice.

use crate::error::CompileError;
use chip::config::{Adc, Chip, Criterion, RangePolicy};
use chip::functional::{ChipSample, ColumnProbe, infer};
use chip::program::{MvmStage, Program, Stage};
use tile::adc::AdcTransfer;
use tile::address::Purpose;

/// Sets the converters of all stages as the chip's range policy says. `images` are calibration images in input codes.
///
/// With `lossless` the chip of the program gets the resolution that exact sums need.
pub(crate) fn calibrate(program: &mut Program, images: &[u32], seed: u64) -> Result<(), CompileError> {
    let chip = program.chip.clone();
    match chip.tile.adc.range {
        RangePolicy::Full => {
            let states = chip.tile.cell.device.states(chip.tile.cell.bits);
            let (lowest, highest) = states.map_err(|what| CompileError::chip(&chip, what))?.clip;
            // A pair differs most when one cell is at the upper limit of the device and the other at the lower, below `G_min`.
            let reach = |stage: &MvmStage| if stage.polarities == 2 { highest - lowest } else { highest };
            set_transfers(program, |stage| transfer(&chip.tile.adc, stage, largest_sum(&chip, stage, reach(stage))));
        }
        RangePolicy::Lossless => lossless(program)?,
        RangePolicy::Calibrated => {
            set_transfers(program, |stage| exact(&chip, stage));
            let seen = observe(program, images, seed)?;
            let mut sums = seen.slices.iter();
            set_transfers(program, |stage| {
                sums.next().map_or_else(|| exact(&chip, stage), |s| fit(&chip.tile.adc, stage, s))
            });
        }
    }
    Ok(())
}

/// Chooses a transfer for every slice, stage by stage, least significant slice first.
fn set_transfers(program: &mut Program, mut choose: impl FnMut(&MvmStage) -> AdcTransfer) {
    for stage in &mut program.stages {
        if let Stage::Mvm(stage) = stage {
            let chosen: Vec<AdcTransfer> = stage.slices.iter().map(|_| choose(stage)).collect();
            for (slice, adc) in stage.slices.iter_mut().zip(chosen) {
                slice.adc = adc;
            }
        }
    }
}

/// The largest sum of a column whose cells can reach `highest` level spacings.
fn largest_sum(chip: &Chip, stage: &MvmStage, highest: f64) -> f64 {
    let rows = stage.crossbars.iter().map(|crossbar| crossbar.rows).max().unwrap_or(1);
    f64::from(rows) * highest * f64::from((1_u32 << chip.tile.dac.bits) - 1)
}

/// A converter of the chip's resolution with a full scale; unipolar behind single arrays, bipolar behind pairs.
fn transfer(adc: &Adc, stage: &MvmStage, full_scale: f64) -> AdcTransfer {
    if stage.polarities == 2 {
        AdcTransfer::bipolar(adc.bits, full_scale)
    } else {
        AdcTransfer::unipolar(adc.bits, full_scale)
    }
}

/// One code per level spacing and a code for every nominal sum.
fn exact(chip: &Chip, stage: &MvmStage) -> AdcTransfer {
    let highest = f64::from((1_u32 << chip.tile.cell.bits) - 1);
    let max_code = largest_sum(chip, stage, highest) as i32;
    AdcTransfer { min_code: if stage.polarities == 2 { -max_code } else { 0 }, max_code, step: 1.0 }
}

fn lossless(program: &mut Program) -> Result<(), CompileError> {
    let chip = program.chip.clone();
    let mut bits = 1;
    set_transfers(program, |stage| {
        let adc = exact(&chip, stage);
        let codes = i64::from(adc.max_code) - i64::from(adc.min_code) + 1;
        bits = bits.max(u64::BITS - (codes as u64 - 1).leading_zeros());
        adc
    });
    program.chip.tile.adc.bits = bits;
    let uncovered = |allowed| {
        CompileError::chip(&chip, format!("lossless conversion needs an ADC of {bits} bits; allowed is {allowed}"))
    };
    program.chip.tile.adc.cost().map(|_| ()).map_err(uncovered)
}

/// Magnitudes of the column sums of one slice, in bins of a quarter of a level spacing.
#[derive(Clone, Debug, Default)]
struct Sums {
    bins: Vec<u64>,
}

const BINS_PER_LEVEL: f64 = 4.0;

impl Sums {
    fn add(&mut self, sum: f32) {
        let bin = (f64::from(sum.abs()) * BINS_PER_LEVEL).round_ties_even() as usize;
        if bin >= self.bins.len() {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
    }

    fn value(bin: usize) -> f64 {
        bin as f64 / BINS_PER_LEVEL
    }

    /// Smallest magnitude that at least `percent` of all sums do not exceed.
    fn percentile(&self, percent: f64) -> f64 {
        let total: u64 = self.bins.iter().sum();
        let enough = (total as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        let reaches = |&count: &u64| {
            seen += count;
            seen >= enough
        };
        self.bins.iter().position(reaches).map_or(0.0, Self::value)
    }

    /// Mean squared error of converting these sums. Signs do not matter: transfers are symmetric or the sums are positive.
    fn squared_error(&self, adc: AdcTransfer) -> f64 {
        let error = |bin: usize| {
            let value = Self::value(bin);
            (f64::from(adc.convert(value as f32)) * adc.step - value).powi(2)
        };
        self.bins
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
            .map(|(bin, &count)| count as f64 * error(bin))
            .sum()
    }
}

/// The column sums of all slices, stage by stage.
struct Seen {
    slices: Vec<Sums>,
    first_slice: Vec<usize>,
}

impl ColumnProbe for Seen {
    fn observe(&mut self, layer: usize, slices: usize, sums: &[f32]) {
        let first = self.first_slice[layer];
        for (column, &sum) in sums.iter().enumerate() {
            self.slices[first + column % slices].add(sum);
        }
    }
}

fn observe(program: &Program, images: &[u32], seed: u64) -> Result<Seen, CompileError> {
    let mut first_slice = Vec::new();
    let mut count = 0;
    for (_, stage) in program.mvm_stages() {
        first_slice.push(count);
        count += stage.slices.len();
    }
    let mut seen = Seen { slices: vec![Sums::default(); count], first_slice };
    for chip_sample in 0..u64::from(program.chip.tile.adc.calibration_chips) {
        let sample = ChipSample::program(program, seed, Purpose::Calibration, chip_sample);
        let sample = sample.map_err(|what| CompileError::chip(&program.chip, what))?;
        let _ = infer(program, &sample, images, Some(&mut seen));
    }
    Ok(seen)
}

/// The transfer that the criterion asks for, with no step finer than the chip's finest.
fn fit(adc: &Adc, stage: &MvmStage, sums: &Sums) -> AdcTransfer {
    let candidate = |scale: f64| {
        let transfer = transfer(adc, stage, scale);
        shift_step(adc, AdcTransfer { step: transfer.step.max(adc.finest_step_levels), ..transfer })
    };
    match adc.criterion {
        Criterion::Percentile => candidate(sums.percentile(adc.percentile)),
        Criterion::LeastSquaredError => {
            // 64 ranges from a tiny part of the largest sum to all of it; the widest of equally good ones.
            let largest = Sums::value(sums.bins.len().saturating_sub(1));
            let candidates = (1..=64).rev().map(|index| candidate(largest * f64::from(index * index) / 4096.0));
            let mut best = (f64::INFINITY, candidate(largest));
            for candidate in candidates {
                let error = sums.squared_error(candidate);
                if error < best.0 {
                    best = (error, candidate);
                }
            }
            best.1
        }
    }
}

/// Rounds the step up to a power of two where the chip scales slices by shifts.
fn shift_step(adc: &Adc, transfer: AdcTransfer) -> AdcTransfer {
    if !adc.power_of_two_step {
        return transfer;
    }
    let mut step = 1.0;
    while step < transfer.step {
        step *= 2.0;
    }
    while step / 2.0 >= transfer.step {
        step /= 2.0;
    }
    AdcTransfer { step, ..transfer }
}
