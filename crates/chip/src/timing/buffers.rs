//! What the buffers of a program must hold, whatever goes through them: images later, rows of weights before.

use super::TimingError;
use crate::config::Chip;
use crate::program::{MvmStage, PlacedCrossbar, Program};

/// What the fullest tile needs of its buffer. All buffers are equally large, so that it is enough for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) bits: u64,
    pub(super) tile: u32,
    /// What takes most of it.
    pub(super) region: String,
}

impl Need {
    /// A tile with the longest row of weights; none without weights.
    pub(super) fn of_rows(program: &Program) -> Option<Self> {
        let of_stage = |stage: &MvmStage| {
            let placed = (0..stage.copies()).flat_map(|copy| stage.placed(copy));
            placed.map(|(crossbar, place)| (row_bits(program, stage, crossbar), place.tile)).max()
        };
        let (bits, tile) = program.mvm_stages().filter_map(|(_, stage)| of_stage(stage)).max()?;
        Some(Self { bits, tile, region: "rows of weights".to_owned() })
    }

    /// Requires a buffer that is large enough.
    pub(super) fn check(self, chip: &Chip) -> Result<(), TimingError> {
        let Self { bits, tile, region } = self;
        let (needed_bytes, bytes) = (bits.div_ceil(8), chip.tile.buffer.bytes);
        if bytes < needed_bytes { Err(TimingError::Buffer { tile, region, needed_bytes, bytes }) } else { Ok(()) }
    }
}

/// Bits of a row of a crossbar, as they come from the memory.
pub(super) fn row_bits(program: &Program, stage: &MvmStage, crossbar: &PlacedCrossbar) -> u64 {
    stage.columns(crossbar) * u64::from(stage.polarities) * u64::from(program.chip.tile.cell.bits)
}

/// Requires room in the global buffer for a row of weights and, where images are streamed, for a pixel.
pub(super) fn check_global(program: &Program) -> Result<(), TimingError> {
    let memory = &program.chip.memory;
    let pixel = if memory.streams_images() { program.image_stream().pixel_bits } else { 0 };
    let row = Need::of_rows(program).map_or(0, |rows| rows.bits);
    let what = if row > pixel { "a row of weights" } else { "a pixel of the streamed images" };
    let (needed_bytes, bytes) = (row.max(pixel).div_ceil(8), memory.buffer_bytes);
    if bytes < needed_bytes { Err(TimingError::GlobalBuffer { what, bytes, needed_bytes }) } else { Ok(()) }
}
