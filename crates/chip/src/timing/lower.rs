//! From a program to what the timing engine needs, and from its activity back to action counts.

use super::model::{BankTiming, Flow, InputTiming, MvmTiming, StageTiming, UnitTiming};
use super::vector::{add_actions, add_timing, pool_actions, pool_timing};
use super::{TimingError, TimingReport, simulate};
use crate::config::Chip;
use crate::program::{FeatureMap, MvmStage, PlacedCrossbar, Program, Stage, Window};
use tile::actions::ActionCounts;

/// Result of [`run`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramTiming {
    /// Cycles and activity of every stage.
    pub report: TimingReport,
    /// Actions of all images.
    pub counts: ActionCounts,
}

/// Streams `images` through a program.
///
/// # Errors
/// If the program cannot finish; the text names the buffer and the size it needs.
pub fn run(program: &Program, images: u64) -> Result<ProgramTiming, TimingError> {
    let report = simulate(&stage_timings(program), images)?;
    let mut counts = ActionCounts::default();
    for (index, activity) in report.stages.iter().enumerate() {
        match &program.stages[index] {
            Stage::Mvm(stage) => {
                counts += load_actions(program, stage).times(activity.loads);
                for (bank, done) in stage.banks().iter().zip(&activity.banks) {
                    counts += read_actions(&program.chip, stage, bank).times(done.reads);
                    counts += conversion_actions(stage, bank).times(done.conversions);
                }
                counts += pixel_actions(program, stage).times(activity.pixels);
            }
            Stage::Pool(stage) => counts += pool_actions(&program.chip, stage).times(activity.pixels),
            Stage::Add(stage) => counts += add_actions(&program.chip, stage).times(activity.pixels),
        }
        counts +=
            ActionCounts { flit_hop: program.send_flit_hops(index), ..ActionCounts::default() }.times(activity.pixels);
    }
    Ok(ProgramTiming { report, counts })
}

/// Stage times of a program in cycles.
#[must_use]
pub fn stage_timings(program: &Program) -> Vec<StageTiming> {
    let timing = |(index, stage): (usize, &Stage)| {
        let unit = match stage {
            Stage::Mvm(mvm) => UnitTiming::Mvm(mvm_timing(program, index, mvm)),
            Stage::Pool(pool) => UnitTiming::Interval(pool_timing(program, index, pool)),
            Stage::Add(add) => UnitTiming::Interval(add_timing(program, index, add)),
        };
        StageTiming { name: stage.name().to_owned(), unit, inputs: inputs(&program.chip, stage) }
    };
    program.stages.iter().enumerate().map(timing).collect()
}

/// What a stage reads: windows at the same place in all of its sources, which share its buffer in equal parts.
fn inputs(chip: &Chip, stage: &Stage) -> Vec<InputTiming> {
    let sources = stage.inputs().iter().zip(stage.input_maps());
    let part_bits = chip.tile.buffer.bytes.saturating_mul(8) / stage.inputs().len() as u64;
    let input = |(&source, map): (&u32, &FeatureMap)| {
        let pixel_bits = (u64::from(map.channels) * u64::from(map.bits)).max(1);
        InputTiming { source: source as usize, flow: flow(&stage.window(), Some(part_bits / pixel_bits)) }
    };
    sources.map(input).collect()
}

fn mvm_timing(program: &Program, index: usize, stage: &MvmStage) -> MvmTiming {
    let chip = &program.chip;
    let (tile, digital) = (&chip.tile, &chip.tile.digital);
    let words = |bits: u64| bits.div_ceil(tile.buffer.word_bits.into());
    let load_words = |t: &u32| words(stage.rows_in_tile(*t) * u64::from(stage.window.input.bits));
    let offset = if stage.needs_input_sums() { digital.offset_cycles } else { 0 };
    let write = words(u64::from(stage.outputs) * u64::from(stage.output_bits()));
    MvmTiming {
        slices: chip.input_cycles(),
        load: tile.buffer.access_cycles + stage.tiles().iter().map(load_words).max().unwrap_or(0),
        load_latency: 0,
        banks: stage.banks().iter().map(|bank| bank_timing(chip, stage, bank)).collect(),
        post: digital.shift_add_cycles
            + program.merge_transfer_cycles(stage)
            + digital.merge_cycles
            + offset
            + digital.requantise_cycles
            + program.send_cycles(index)
            + write,
        input_registers: tile.input_registers,
        sample_hold_depth: tile.sample_hold_depth,
    }
}

fn bank_timing(chip: &Chip, stage: &MvmStage, bank: &[&PlacedCrossbar]) -> BankTiming {
    let (tile, adc) = (&chip.tile, &chip.tile.adc);
    let columns: u64 = bank.iter().map(|crossbar| stage.converted_columns(crossbar)).sum();
    let rounds = columns.div_ceil(adc.per_bank.into());
    BankTiming {
        read: chip.cycles(tile.dac.time_s + tile.array.read_time_s + tile.array.sample_time_s),
        convert: chip.cycles(rounds as f64 * adc.conversion_time_s()),
    }
}

/// Which pixels each window needs, and which no later window needs any more.
fn flow(window: &Window, capacity: Option<u64>) -> Flow {
    let pixels = window.input.pixels() as u64;
    let mut need = Vec::with_capacity(window.count());
    let mut first = Vec::with_capacity(window.count());
    for index in 0..window.count() {
        let under = || window.pixels(index).flatten().map(|pixel| pixel as u64);
        // A window that lies in the padding altogether waits for pixel 0 and keeps nothing.
        need.push(under().max().unwrap_or(0));
        first.push(under().min().unwrap_or(pixels));
    }
    let mut freed = vec![pixels; need.len()];
    for index in (1..freed.len()).rev() {
        freed[index - 1] = freed[index].min(first[index]);
    }
    Flow { input_pixels: pixels, need, freed, capacity }
}

/// Reading one window into the input registers.
fn load_actions(program: &Program, stage: &MvmStage) -> ActionCounts {
    let bits: Vec<u64> =
        stage.tiles().iter().map(|&tile| stage.rows_in_tile(tile) * u64::from(stage.window.input.bits)).collect();
    let words = bits.iter().map(|bits| bits.div_ceil(program.chip.tile.buffer.word_bits.into()));
    let biased = u64::from(stage.needs_input_sums());
    ActionCounts {
        buffer_read: words.sum(),
        bus_bit: bits.iter().sum(),
        input_sum_add: biased * stage.window.rows() as u64,
        ..ActionCounts::default()
    }
}

/// One input slice through the arrays of a bank.
fn read_actions(chip: &Chip, stage: &MvmStage, bank: &[&PlacedCrossbar]) -> ActionCounts {
    let polarities = u64::from(stage.polarities);
    let rows: u64 = bank.iter().map(|crossbar| u64::from(crossbar.rows)).sum();
    let cells: u64 = bank.iter().map(|crossbar| u64::from(crossbar.rows) * stage.columns(crossbar)).sum();
    ActionCounts {
        dac_drive: rows * polarities,
        input_register_bit: rows * polarities * u64::from(chip.tile.dac.bits),
        cell_read: cells * polarities,
        sample_hold: bank.iter().map(|crossbar| stage.converted_columns(crossbar)).sum(),
        ..ActionCounts::default()
    }
}

/// Converting one input slice of a bank.
fn conversion_actions(stage: &MvmStage, bank: &[&PlacedCrossbar]) -> ActionCounts {
    let columns = bank.iter().map(|crossbar| stage.converted_columns(crossbar)).sum();
    ActionCounts { adc_conversion: columns, shift_add: columns, ..ActionCounts::default() }
}

/// Everything between the last conversion of a window and its pixel in the buffer.
fn pixel_actions(program: &Program, stage: &MvmStage) -> ActionCounts {
    let outputs = u64::from(stage.outputs);
    let partial_sums = outputs * stage.slices.len() as u64 * stage.row_partitions() * stage.converted_arrays();
    let bits = outputs * u64::from(stage.output_bits());
    let requantised = matches!(stage.output, crate::program::Output::Codes { .. });
    ActionCounts {
        slice_scale: if stage.steps_are_shifts() { 0 } else { partial_sums },
        merge_add: partial_sums - outputs,
        offset_subtract: u64::from(stage.offset != 0) * outputs + stage.flipped_columns(),
        requantise: u64::from(requantised) * outputs,
        output_register_word: outputs,
        buffer_write: bits.div_ceil(program.chip.tile.buffer.word_bits.into()),
        bus_bit: bits,
        flit_hop: program.merge_flit_hops(stage),
        ..ActionCounts::default()
    }
}
