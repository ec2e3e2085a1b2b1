//! From what the cores did to action counts.

use super::lower::{Role, bank_columns};
use crate::config::Chip;
use crate::machine::instruction::VectorOperation;
use crate::machine::report::Work;
use crate::program::{MvmStage, Output, PlacedCrossbar, PoolKind, Program, Stage};
use tile::actions::ActionCounts;

/// What a core did, in actions.
pub(super) fn actions(program: &Program, role: Role, tile: u32, work: &Work) -> ActionCounts {
    let mut counts = movements(work);
    match (role, role.stage().map(|stage| &program.stages[stage])) {
        (Role::Crossbars { copy, home, .. }, Some(Stage::Mvm(stage))) => {
            counts += array_actions(&program.chip, stage, (copy, tile), work);
            counts += step_actions(stage, (copy, tile), home).times(work.steps);
            counts.merge_add += work.merged_values;
        }
        (_, Some(Stage::Pool(stage))) => {
            let compared = work.vector_values[VectorOperation::Pool as usize];
            let channels = u64::from(stage.window.input.channels) * work.steps;
            match stage.kind {
                PoolKind::Max => counts.compare += compared - channels,
                PoolKind::Average { .. } => {
                    counts.merge_add += compared - channels;
                    counts.requantise += work.vector_values[VectorOperation::Requantise as usize];
                }
            }
        }
        (_, Some(Stage::Add(_))) => {
            let added = work.vector_values[VectorOperation::Add as usize];
            counts.merge_add += added;
            counts.requantise += added;
        }
        (_, Some(Stage::Concat(_))) => {
            counts.requantise += work.vector_values[VectorOperation::Requantise as usize];
        }
        (_, Some(Stage::Table(_))) => counts.lookup += work.vector_values[VectorOperation::Lookup as usize],
        _ => {}
    }
    counts
}

/// What a core moved, in actions.
pub(super) fn movements(work: &Work) -> ActionCounts {
    ActionCounts {
        buffer_read: work.load_words,
        buffer_write: work.store_words + work.sent_words,
        bus_bit: work.load_bits + work.store_bits + work.sent_bits,
        memory_bit: work.memory_bits,
        flit_hop: work.flit_hops,
        ..ActionCounts::default()
    }
}

/// The actions of a stage of a program for an image that follow from its own description: of its arrays and converters, of the digital work behind
/// them, of loading its inputs and merging its partial sums. What brings maps from stage to stage is not among them.
#[must_use]
pub fn stage_actions(program: &Program, stage: &MvmStage) -> ActionCounts {
    let reads = u64::from(program.chip.array_reads(stage.applied_bits()));
    let mut counts = ActionCounts::default();
    for copy in 0..stage.copies() {
        let mut window = program.window_movement(stage, copy);
        for (crossbar, _) in stage.placed(copy) {
            window += read_actions(&program.chip, stage, crossbar).times(reads);
            window += conversion_actions(stage, crossbar).times(reads);
        }
        for tile in stage.tiles_of(copy) {
            let home = tile == stage.home(copy);
            window += step_actions(stage, (copy, tile), home);
            window.merge_add += stage.additions(copy, tile, home);
        }
        counts += window.times(stage.windows_of(copy));
    }
    counts
}

/// Reads and conversions of a core's banks.
fn array_actions(chip: &Chip, stage: &MvmStage, (copy, tile): (usize, u32), work: &Work) -> ActionCounts {
    let mut counts = ActionCounts::default();
    for ((_, banks), (&reads, &conversions)) in
        bank_columns(stage, copy, tile).into_iter().zip(work.reads.iter().zip(&work.conversions))
    {
        let placed = stage.placed(copy).filter(|(_, place)| place.tile == tile && banks.contains(&place.bank));
        for (crossbar, _) in placed {
            counts += read_actions(chip, stage, crossbar).times(reads);
            counts += conversion_actions(stage, crossbar).times(conversions);
        }
    }
    counts
}

/// One input slice through a crossbar.
fn read_actions(chip: &Chip, stage: &MvmStage, crossbar: &PlacedCrossbar) -> ActionCounts {
    let driven = u64::from(crossbar.rows) * u64::from(stage.polarities);
    ActionCounts {
        dac_drive: driven,
        input_register_bit: driven * u64::from(chip.tile.dac.bits),
        cell_read: driven * stage.columns(crossbar),
        sample_hold: stage.converted_columns(crossbar),
        ..ActionCounts::default()
    }
}

/// The conversions of one input slice of a crossbar.
fn conversion_actions(stage: &MvmStage, crossbar: &PlacedCrossbar) -> ActionCounts {
    let columns = stage.converted_columns(crossbar);
    ActionCounts { adc_conversion: columns, shift_add: columns, ..ActionCounts::default() }
}

/// What a step of a core of crossbars does beside reading, converting, adding and moving.
fn step_actions(stage: &MvmStage, (copy, tile): (usize, u32), home: bool) -> ActionCounts {
    let placed = || stage.placed(copy).filter(|(_, place)| place.tile == tile).map(|(crossbar, _)| crossbar);
    let converted: u64 = placed().map(|crossbar| stage.converted_columns(crossbar)).sum();
    let flipped = placed().flat_map(|crossbar| &crossbar.flipped).filter(|&&flipped| flipped).count() as u64;
    let mut counts = ActionCounts {
        slice_scale: if stage.steps_are_shifts() { 0 } else { converted },
        offset_subtract: flipped,
        ..ActionCounts::default()
    };
    if home {
        let outputs = u64::from(stage.outputs);
        counts.input_sum_add = if stage.needs_input_sums() { stage.window.rows() as u64 } else { 0 };
        counts.offset_subtract += if stage.offset == 0 { 0 } else { outputs };
        counts.requantise = if matches!(stage.output, Output::Codes { .. }) { outputs } else { 0 };
        counts.output_register_word = outputs;
    }
    counts
}
