//! How fast everything is, in cycles of the clock domain it belongs to.

use super::instruction::VectorOperation;

/// Base cycles per cycle of each clock domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// DACs, arrays, sample-and-hold, converters.
    pub arrays: u64,
    /// Buses, buffers, adder trees, vector units.
    pub digital: u64,
    /// Routers and links.
    pub network: u64,
    /// Off-chip memory port.
    pub memory: u64,
}

/// A chip as the machine sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hardware {
    /// Clock domains.
    pub clocks: Clocks,
    /// All tiles are alike.
    pub tile: TileHardware,
    /// The network.
    pub mesh: MeshHardware,
    /// The off-chip memory port.
    pub memory: MemoryHardware,
}

/// A tile. Cycles are digital ones, but for `read` and `convert`.
#[derive(Clone, Debug, PartialEq)]
pub struct TileHardware {
    /// Input vectors that a core holds at once (2 = double buffer).
    pub input_registers: u32,
    /// Column vectors that the sample-and-hold keeps.
    pub sample_hold_depth: u32,
    /// Result vectors that a core holds at once, from the first conversion to the end of the write-back.
    pub output_registers: u32,
    /// Array cycles of an array read, for each input slice; the last entry holds for all further slices.
    pub read: Vec<u64>,
    /// Converters in a bank.
    pub converters: u64,
    /// Base cycles of one conversion, for each input slice; the last entry holds for all further slices. Not whole: a bank's
    /// conversions follow each other without waiting for the clock.
    pub conversion: Vec<f64>,
    /// Width of a word of bus and buffer, bits.
    pub word_bits: u64,
    /// Words that a transfer moves per cycle.
    pub words_per_cycle: u64,
    /// Cycles before the first word of a load.
    pub access_cycles: u64,
    /// Whether loads and stores have a bus each.
    pub duplex: bool,
    /// Transfers that the buffer serves at once.
    pub ports: u32,
    /// Banks of the buffer; 0 if every port reaches every word at any time.
    pub banks: u64,
    /// Capacity of the buffer, bits.
    pub buffer_bits: u64,
    /// From the last conversion of a step to its write-back.
    pub shift_add_cycles: u64,
    /// Values that the adder tree adds per cycle.
    pub adder_width: u64,
    /// Latency of an addition.
    pub merge_cycles: u64,
    /// Values that the vector unit takes per cycle.
    pub vector_width: u64,
    /// Latencies of the vector unit, in the order of [`VectorOperation::ALL`].
    pub vector_cycles: [u64; VectorOperation::ALL.len()],
}

/// A mesh of routers. Cycles are those of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshHardware {
    /// Tiles in a row.
    pub width: u32,
    /// Rows of tiles.
    pub height: u32,
    /// Tiles that share a router: 1, or 4 (blocks of 2 x 2).
    pub concentration: u32,
    /// Width of a flit, bits.
    pub flit_bits: u64,
    /// Cycles in a router.
    pub router_cycles: u64,
    /// Cycles on a link.
    pub link_cycles: u64,
    /// Whether an input has a lane for every output, so that packets for different outputs do not wait for one another.
    pub virtual_output_queues: bool,
    /// Flits that a lane of an input from a neighbour keeps.
    pub buffer_flits: u32,
    /// Cycles until a freed place is a credit of the router before.
    pub credit_cycles: u64,
}

/// The port to the off-chip memory. Cycles are those of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHardware {
    /// The tile at whose router it is, and whose buffer the global buffer adds to.
    pub tile: u32,
    /// Capacity of the global buffer, bits.
    pub buffer_bits: u64,
    /// Bits per cycle.
    pub bits_per_cycle: u64,
    /// Latency of an access.
    pub latency: u64,
}

impl TileHardware {
    /// Words of a transfer.
    #[must_use]
    pub fn words(&self, bits: u64) -> u64 {
        bits.div_ceil(self.word_bits.max(1))
    }

    /// Digital cycles in which a bus or a port moves so many bits.
    #[must_use]
    pub fn transfer_cycles(&self, bits: u64) -> u64 {
        self.words(bits).div_ceil(self.words_per_cycle.max(1))
    }

    /// Array cycles of the array read of an input slice; at least 1.
    #[must_use]
    pub fn read_cycles(&self, slice: u32) -> u64 {
        let at = (slice as usize).min(self.read.len().saturating_sub(1));
        self.read.get(at).map_or(1, |&cycles| cycles.max(1))
    }

    /// Array cycles in which a bank converts `columns` columns of an input slice; 0 where the array read converts.
    #[must_use]
    pub fn convert_cycles(&self, slice: u32, columns: u64, clocks: &Clocks) -> u64 {
        let at = (slice as usize).min(self.conversion.len().saturating_sub(1));
        let conversion = self.conversion.get(at).copied().unwrap_or(0.0);
        let base = columns.div_ceil(self.converters.max(1)) as f64 * conversion;
        // A rounding error of a billionth does not cost a cycle.
        (base / clocks.arrays as f64 - 1e-9).ceil().max(0.0) as u64
    }
}

impl MeshHardware {
    /// Place of a tile's router, column and row of the mesh of routers.
    #[must_use]
    pub fn router(&self, tile: u32) -> (u32, u32) {
        let side = if self.concentration == 4 { 2 } else { 1 };
        (tile % self.width / side, tile / self.width / side)
    }

    /// The first tile of a router, given its column and row.
    #[must_use]
    pub fn first_tile(&self, (column, row): (u32, u32)) -> u32 {
        let side = if self.concentration == 4 { 2 } else { 1 };
        row * side * self.width + column * side
    }

    /// Links between two tiles on an XY route.
    #[must_use]
    pub fn links(&self, from: u32, to: u32) -> u64 {
        let (from, to) = (self.router(from), self.router(to));
        u64::from(from.0.abs_diff(to.0)) + u64::from(from.1.abs_diff(to.1))
    }

    /// Flits of a packet.
    #[must_use]
    pub fn flits(&self, bits: u64) -> u64 {
        bits.div_ceil(self.flit_bits.max(1)).max(1)
    }
}
