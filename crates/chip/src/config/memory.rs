//! The off-chip memory and the chip's port to it.

use serde::{Deserialize, Serialize};
use tile::check::Problems;

/// The port to the off-chip memory. Cycles are those of the memory's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Bits that the port moves per cycle.
    pub bits_per_cycle: u64,
    /// Cycles from the end of a request's transfer time to its data.
    pub latency_cycles: u64,
    /// The tile at whose router the port sits.
    pub port_tile: u32,
    /// Where input images come from.
    pub input_images: Images,
    /// Capacity of the global buffer behind the port, bytes.
    pub buffer_bytes: u64,
}

/// Where input images come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// They stand ready in the buffers of the first stage.
    Resident,
    /// They come through the port, at its pace.
    Streamed,
}

impl Memory {
    /// Whether input images come through the port.
    #[must_use]
    pub fn streams_images(&self) -> bool {
        self.input_images == Images::Streamed
    }

    /// Adds every problem of a chip of so many tiles.
    pub(super) fn check(&self, tiles: u64, problems: &mut Problems) {
        problems.integer("bits_per_cycle", self.bits_per_cycle, 1..=1 << 20);
        problems.integer("latency_cycles", self.latency_cycles, 1..=1_000_000);
        problems.integer("buffer_bytes", self.buffer_bytes, 1..=1 << 40);
        problems.integer("port_tile", self.port_tile.into(), 0..=tiles.saturating_sub(1));
    }
}
