//! Pass `calibrate`: the range of every converter, per layer and slice or per column, and the digital gain of every column.

mod fit;
mod observe;
mod share;
mod sums;
#[cfg(test)]
mod tests;

use crate::error::CompileError;
use chip::config::{Adc, Chip, RangePolicy};
use chip::program::{ColumnAdc, MvmStage, Program, Stage};
use fit::fit;
use observe::{Observed, observe};
pub(crate) use sums::Sums;
use tile::adc::AdcTransfer;
use tile::cost::MAX_ADC_BITS;
use tile::device::States;

/// Sets the converters of all stages as the chip's range policy says. `images` are calibration images in input codes.
///
/// With `lossless` the chip of the program gets the resolution that exact sums need.
pub(crate) fn calibrate(program: &mut Program, images: &[i32], seed: u64) -> Result<(), CompileError> {
    let chip = program.chip.clone();
    let adc = &chip.tile.adc;
    set_transfers(program, |stage, slice| Ok(exact(&chip, stage, slice)))?;
    let observed = if adc.range == RangePolicy::Calibrated || adc.column_gain {
        Some(observe(program, images, seed)?)
    } else {
        None
    };
    match (adc.range, &observed) {
        (RangePolicy::Full, _) => set_transfers(program, |stage, slice| full(&chip, stage, slice))?,
        (RangePolicy::Lossless, _) => lossless(program)?,
        (RangePolicy::Calibrated, Some(observed)) => calibrated(program, observed),
        // Observed above, as the range is calibrated.
        (RangePolicy::Calibrated, None) => {}
    }
    if let Some(observed) = &observed {
        set_column_adcs(program, observed, &chip);
    }
    Ok(())
}

/// The converter that the range policy gives to a slice, before a program is there to be observed: a calibrated one for `sums`.
pub(crate) fn foreseen(
    chip: &Chip,
    stage: &MvmStage,
    slice: usize,
    sums: impl FnOnce() -> Sums,
) -> Result<AdcTransfer, CompileError> {
    match chip.tile.adc.range {
        RangePolicy::Full => full(chip, stage, slice),
        RangePolicy::Lossless => Ok(exact(chip, stage, slice)),
        RangePolicy::Calibrated => Ok(fit(&chip.tile.adc, stage, &sums())),
    }
}

/// Chooses a transfer for every slice, stage by stage, least significant slice first.
fn set_transfers(
    program: &mut Program,
    mut choose: impl FnMut(&MvmStage, usize) -> Result<AdcTransfer, CompileError>,
) -> Result<(), CompileError> {
    for stage in &mut program.stages {
        if let Stage::Mvm(stage) = stage {
            for slice in 0..stage.slices.len() {
                stage.slices[slice].adc = choose(stage, slice)?;
            }
        }
    }
    Ok(())
}

/// The largest sum of a column of so many cells that can reach `highest` level spacings.
fn largest_sum(chip: &Chip, rows: u32, highest: f64) -> f64 {
    f64::from(rows) * highest * f64::from((1_u32 << chip.tile.dac.bits) - 1)
}

/// A converter of the chip's resolution with a full scale; unipolar behind single arrays, bipolar where sums have both signs.
fn transfer(adc: &Adc, stage: &MvmStage, full_scale: f64) -> AdcTransfer {
    if stage.bipolar() {
        AdcTransfer::bipolar(adc.bits, full_scale)
    } else {
        AdcTransfer::unipolar(adc.bits, full_scale)
    }
}

/// Range `full`: whatever the cells can do.
fn full(chip: &Chip, stage: &MvmStage, slice: usize) -> Result<AdcTransfer, CompileError> {
    let states: Result<States, String> = chip.tile.cell.device.states(stage.slices[slice].bits);
    let (lowest, highest) = states.map_err(|what| CompileError::chip(chip, what))?.clip;
    // A pair differs most when one cell is at the upper limit of the device and the other at the lower, below `G_min`.
    let pair = stage.polarities == 2 && stage.converted_arrays() == 1;
    let reach = if pair { highest - lowest } else { highest.max(if stage.bipolar() { -lowest } else { 0.0 }) };
    // Unused cells are driven like the others.
    let rows = stage.crossbars.iter().map(|crossbar| crossbar.rows).max().unwrap_or(1);
    Ok(transfer(&chip.tile.adc, stage, largest_sum(chip, rows, reach)))
}

/// One code per level spacing and a code for every nominal sum; where columns are stored complemented, for every sum of these weights.
fn exact(chip: &Chip, stage: &MvmStage, slice: usize) -> AdcTransfer {
    let max_code = if stage.flipped_columns() > 0 {
        largest_stored_sum(chip, stage, slice)
    } else {
        // Unused cells are nominally 0.
        let groups = stage.groups();
        let rows = stage.crossbars.iter().map(|crossbar| crossbar.rows.min(groups.rows as u32)).max().unwrap_or(1);
        largest_sum(chip, rows, f64::from(stage.top_level(slice))) as i32
    };
    AdcTransfer { min_code: if stage.bipolar() { -max_code } else { 0 }, max_code: max_code.max(1), step: 1.0 }
}

/// The largest nominal sum of any column of a slice with the levels as stored.
fn largest_stored_sum(chip: &Chip, stage: &MvmStage, slice: usize) -> i32 {
    let mut largest = 0;
    for placed in &stage.crossbars {
        let columns = stage.columns(placed) as usize;
        for levels in &placed.levels {
            for column in (slice..columns).step_by(stage.slices.len()) {
                largest = largest.max(levels.iter().skip(column).step_by(columns).map(|&level| i32::from(level)).sum());
            }
        }
    }
    largest * ((1 << chip.tile.dac.bits) - 1)
}

/// Bits of a converter with the codes of a transfer.
fn resolution(adc: AdcTransfer) -> u32 {
    let codes = i64::from(adc.max_code) - i64::from(adc.min_code) + 1;
    (u64::BITS - (codes as u64 - 1).leading_zeros()).max(1)
}

/// Bits of the converter of a stage that `lossless` gives it alone.
pub(crate) fn lossless_bits(chip: &Chip, stage: &MvmStage) -> u32 {
    (0..stage.slices.len()).map(|slice| resolution(exact(chip, stage, slice))).max().unwrap_or(1)
}

/// Gives the chip of a program with exact transfers the resolution that they need, or the least above it that its model of converters covers.
pub(crate) fn lossless(program: &mut Program) -> Result<(), CompileError> {
    let chip = program.chip.clone();
    let transfers = program.mvm_stages().flat_map(|(_, stage)| stage.slices.iter().map(|slice| slice.adc));
    let needed = transfers.map(resolution).max().unwrap_or(1);
    let priced = |bits: u32| Adc { bits, ..chip.tile.adc.clone() }.cost().map(|_| bits);
    let bits = (needed..=MAX_ADC_BITS as u32).find_map(|bits| priced(bits).ok()).map_or_else(|| priced(needed), Ok);
    program.chip.tile.adc.bits = bits.map_err(|allowed| {
        CompileError::chip(&chip, format!("lossless conversion needs an ADC of {needed} bits; allowed is {allowed}"))
    })?;
    Ok(())
}

/// Range `calibrated`: what the criterion makes of the sums of each slice.
fn calibrated(program: &mut Program, observed: &Observed) {
    let adc = program.chip.tile.adc.clone();
    for (stage, seen) in mvm_stages_mut(program).zip(&observed.stages) {
        for slice in 0..stage.slices.len() {
            stage.slices[slice].adc = fit(&adc, stage, &seen.slices[slice]);
        }
    }
}

/// What single columns have of their own: a calibrated step with `per_column`, a gain with `column_gain`.
fn set_column_adcs(program: &mut Program, observed: &Observed, chip: &Chip) {
    let adc = &chip.tile.adc;
    let own_range = adc.per_column && adc.range == RangePolicy::Calibrated;
    if !own_range && !adc.column_gain {
        return;
    }
    for (stage, seen) in mvm_stages_mut(program).zip(&observed.stages) {
        for crossbar in 0..stage.crossbars.len() {
            let columns = stage.columns(&stage.crossbars[crossbar]) as usize;
            let own = |(index, column): (usize, &observe::Column)| {
                let slice = stage.slices[index % columns % stage.slices.len()].adc;
                let step = if own_range { fit(adc, stage, &column.sums).step } else { slice.step };
                ColumnAdc { step, gain: if adc.column_gain { column.gain() } else { 1.0 } }
            };
            let column_adcs = seen.crossbars[crossbar].iter().enumerate().map(own).collect();
            stage.crossbars[crossbar].column_adcs = column_adcs;
        }
    }
}

fn mvm_stages_mut(program: &mut Program) -> impl Iterator<Item = &mut MvmStage> {
    program.stages.iter_mut().filter_map(|stage| match stage {
        Stage::Mvm(stage) => Some(stage),
        _ => None,
    })
}
