//! What a run tells.

use super::account::Cycles;
use super::instruction::VectorOperation;

/// Result of [`run`](super::run). Times are in base cycles from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// When the last item of each image was in the result region.
    pub image_done: Vec<u64>,
    /// When the last event happened. Every unit's cycles sum to it.
    pub end: u64,
    /// Every unit and what it did in every cycle.
    pub units: Vec<UnitReport>,
    /// What every core did, in the order of the workload.
    pub cores: Vec<Work>,
    /// When every core worked, in the order of the workload.
    pub times: Vec<CoreTimes>,
    /// Most places that were taken in each region, in the order of the workload.
    pub peaks: Vec<u64>,
    /// Where the time of the run went, from its start to the last item of the result: the operations that waited for one another, each with the cycles by
    /// which it was late; empty unless asked for. The cycles sum to the last entry of `image_done`.
    pub critical_path: Vec<(Unit, u64)>,
    /// Instants at which something happened: what the simulation cost.
    pub instants: u64,
    /// Ends of operations that happened in them, network and clock edges apart: the same whether cycles are skipped or not.
    pub events: u64,
}

/// When a core worked. An image ends with so many write-backs as it has steps, sends and stores complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreTimes {
    /// The first cycle in which one of its units was busy or waited for something shared.
    pub first_start: u64,
    /// When the first image ended.
    pub first_end: u64,
    /// When the last image ended.
    pub last_end: u64,
}

/// A unit and its cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitReport {
    /// Which unit.
    pub unit: Unit,
    /// Its cycles by class.
    pub cycles: Cycles,
}

/// Names a unit of the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// Its tile; of a link, the first tile of the router that it leaves.
    pub tile: u32,
    /// The core it belongs to, if it belongs to one.
    pub core: Option<u32>,
    /// What it is.
    pub kind: UnitKind,
}

/// The kinds of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKind {
    /// Synchronisation and loads of a core.
    Fetch,
    /// Arrays of a bank, numbered within the core.
    Arrays(u32),
    /// Converters of a bank, numbered within the core.
    Converters(u32),
    /// Write-back of a core.
    WriteBack,
    /// Bus from the buffer to the registers (and back, if it is not duplex).
    LoadBus,
    /// Bus from the registers to the buffer.
    StoreBus,
    /// Port of a buffer, numbered within the tile.
    Port(u32),
    /// Adder tree.
    Adder,
    /// Vector unit.
    Vector,
    /// Port to the off-chip memory.
    Memory,
    /// Latency of the off-chip memory, in which any number of requests may be: no unit with an account, but a part of critical paths.
    MemoryLatency,
    /// Network interface.
    Interface,
    /// Link to the router with this first tile.
    Link(u32),
}

/// What a core did, counted when it was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Words and bits loaded from the tile's buffer.
    pub load_words: u64,
    /// Bits loaded from the tile's buffer.
    pub load_bits: u64,
    /// Bits loaded from the memory.
    pub memory_bits: u64,
    /// Slices read, for each entry of the core's banks (for one bank of each entry).
    pub reads: Vec<u64>,
    /// Slices converted, likewise.
    pub conversions: Vec<u64>,
    /// Values added in the adder tree.
    pub merged_values: u64,
    /// Values through the vector unit, by operation.
    pub vector_values: [u64; VectorOperation::ALL.len()],
    /// Words stored in the own tile's buffer.
    pub store_words: u64,
    /// Bits stored in the own tile's buffer.
    pub store_bits: u64,
    /// Words written to other tiles' buffers.
    pub sent_words: u64,
    /// Bits written to other tiles' buffers.
    pub sent_bits: u64,
    /// Flits times links.
    pub flit_hops: u64,
    /// Write-backs ended.
    pub steps: u64,
}
