//! Converters of a case that no configuration chooses: codes and steps of single slices, steps and gains of single columns.

use crate::support::random::Random;
use chip::program::{ColumnAdc, MvmStage, Program, Stage};
use tile::adc::AdcTransfer;

fn stages(program: &mut Program) -> impl Iterator<Item = &mut MvmStage> {
    program.stages.iter_mut().filter_map(|stage| if let Stage::Mvm(stage) = stage { Some(stage) } else { None })
}

/// Codes and steps of their own for the slices of half of the programs: whole, shifts or anything; far too few codes or plenty.
pub(crate) fn own_slices(program: &mut Program, random: &mut Random) {
    if random.once_in(2) {
        return;
    }
    let dac = (1_u32 << program.chip.tile.dac.bits) - 1;
    let bits = program.chip.tile.adc.bits;
    let fine = random.once_in(8) && program.chip.tile.adc.nonideal.is_none();
    for stage in stages(program) {
        let rows = stage.crossbars.iter().map(|placed| placed.rows).max().unwrap_or(1);
        let bipolar = stage.bipolar() || random.once_in(8);
        for slice in &mut stage.slices {
            let typical = f64::from(rows * dac * ((1 << slice.bits) - 1)) / 4.0;
            let codes = random.pick(&[1, 2, 3, 6, 15, 100, 255, (1 << bits) - 1]);
            // As many codes as a converter may have, and steps so fine that they are used.
            let codes = if fine { 1 << 20 } else { codes };
            let anything = typical * (0.01 + f64::from(random.unit())) / f64::from(codes);
            slice.adc = AdcTransfer {
                min_code: if bipolar { -random.pick(&[codes, 1, codes / 2]) } else { 0 },
                max_code: codes,
                step: random.pick(&[1.0, 2.0, 0.5, 3.0, 8.0, anything, anything]),
            };
        }
    }
}

/// Steps and gains of their own for the columns of every fourth program.
pub(crate) fn own_columns(program: &mut Program, random: &mut Random) {
    if !random.once_in(4) {
        return;
    }
    for stage in stages(program) {
        for index in 0..stage.crossbars.len() {
            let columns = stage.converted_columns(&stage.crossbars[index]) as usize;
            let slices = stage.slices.clone();
            let own = |column: usize| {
                let step = slices[column % slices.len()].adc.step;
                let (factor, gain) = (0.2 + f64::from(random.unit()), 0.5 + f64::from(random.unit()));
                ColumnAdc { step: step * random.pick(&[1.0, 2.0, factor]), gain: random.pick(&[1.0, 0.5, gain]) }
            };
            stage.crossbars[index].column_adcs = (0..columns).map(own).collect();
        }
    }
}
