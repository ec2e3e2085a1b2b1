//! What is to be done: cores with instructions, regions of buffers between them.

use super::instruction::Instruction;

/// A workload for one chip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Parts of tile buffers; instructions name them by their place in this list.
    pub regions: Vec<Region>,
    /// Instruction streams.
    pub cores: Vec<Core>,
    /// The region whose last item ends an image.
    pub result: u32,
}

/// A part of a tile's buffer that holds items of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Name, for reports, traces and errors.
    pub name: String,
    /// The tile whose buffer it is in.
    pub tile: u32,
    /// Items of an image.
    pub items: u64,
    /// Bits of an item.
    pub item_bits: u64,
    /// Items that it holds at once; `None` is unlimited.
    pub capacity: Option<u64>,
    /// Cores that write it in turn: item `i` of an image by `writers[i % writers.len()]`. None: all items are there from the start.
    pub writers: Vec<u32>,
    /// Cores that read it. None: nothing is kept.
    pub readers: Vec<u32>,
}

/// An instruction stream with its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Name, for reports, traces and errors.
    pub name: String,
    /// The stage of the program that it works for, by which reports sum up.
    pub stage: String,
    /// The tile that it belongs to.
    pub tile: u32,
    /// Banks of converters with their arrays; none for a core without `mvm`.
    pub banks: Vec<Bank>,
    /// Instructions of one image.
    pub instructions: Vec<Instruction>,
}

/// Banks that work alike, hence in the same cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bank {
    /// How many banks.
    pub count: u64,
    /// Columns that each converts for every input slice.
    pub columns: u64,
}
