//! Stages of the vector unit in cycles and actions.

use super::model::IntervalTiming;
use crate::config::Chip;
use crate::program::{AddStage, PoolKind, PoolStage, Program};
use tile::actions::ActionCounts;

/// Cycles of a pool stage: all codes of a window are read, combined, requantised if need be, and sent.
pub(super) fn pool_timing(program: &Program, index: usize, stage: &PoolStage) -> IntervalTiming {
    let (buffer, digital) = (program.chip.tile.buffer, &program.chip.tile.digital);
    let pixel_bits = u64::from(stage.window.input.channels) * u64::from(stage.window.input.bits);
    let words = |pixels: u64| (pixels * pixel_bits).div_ceil(buffer.word_bits.into());
    let read = buffer.access_cycles + words(u64::from(stage.window.kernel_height * stage.window.kernel_width));
    let requantise = match stage.kind {
        PoolKind::Max => 0,
        PoolKind::Average { .. } => digital.requantise_cycles,
    };
    IntervalTiming {
        interval: read.max(1),
        latency: read + digital.pool_cycles + requantise + program.send_cycles(index) + words(1),
        release: read,
    }
}

/// Cycles of an add stage: a pixel of each map is read, they are merged like partial sums, requantised and sent.
pub(super) fn add_timing(program: &Program, index: usize, stage: &AddStage) -> IntervalTiming {
    let (buffer, digital) = (program.chip.tile.buffer, &program.chip.tile.digital);
    let words = |map: &crate::program::FeatureMap| {
        (u64::from(map.channels) * u64::from(map.bits)).div_ceil(buffer.word_bits.into())
    };
    let read = buffer.access_cycles + stage.maps.iter().map(words).sum::<u64>();
    let compute = digital.merge_cycles + digital.requantise_cycles;
    IntervalTiming {
        interval: read.max(1),
        latency: read + compute + program.send_cycles(index) + words(&stage.output()),
        release: read,
    }
}

/// One window of a pool stage.
pub(super) fn pool_actions(chip: &Chip, stage: &PoolStage) -> ActionCounts {
    let channels = u64::from(stage.window.input.channels);
    let values = stage.window.rows() as u64;
    let bits = u64::from(stage.window.input.bits);
    let words = |values: u64| (values * bits).div_ceil(chip.tile.buffer.word_bits.into());
    let (compare, merge_add, requantise) = match stage.kind {
        PoolKind::Max => (values - channels, 0, 0),
        PoolKind::Average { .. } => (0, values - channels, channels),
    };
    ActionCounts {
        compare,
        merge_add,
        requantise,
        buffer_read: words(values),
        buffer_write: words(channels),
        bus_bit: (values + channels) * bits,
        ..ActionCounts::default()
    }
}

/// One pixel of an add stage.
pub(super) fn add_actions(chip: &Chip, stage: &AddStage) -> ActionCounts {
    let channels = u64::from(stage.maps[0].channels);
    let bits = stage.maps.map(|map| channels * u64::from(map.bits));
    let written = channels * u64::from(stage.output().bits);
    let words = |bits: u64| bits.div_ceil(chip.tile.buffer.word_bits.into());
    ActionCounts {
        merge_add: channels,
        requantise: channels,
        buffer_read: bits.iter().map(|&bits| words(bits)).sum(),
        buffer_write: words(written),
        bus_bit: bits.iter().sum::<u64>() + written,
        ..ActionCounts::default()
    }
}
