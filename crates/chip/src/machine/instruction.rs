//! Instructions of a core.

/// One instruction; `docs/timing.md` says what each does, and when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// `sync wait`: until the first `count` items of the image are in the region.
    Wait {
        /// Number of the region.
        region: u32,
        /// Items of one image.
        count: u64,
    },
    /// `sync room`: takes a place for the next item that the core writes to the region.
    Room {
        /// Number of the region.
        region: u32,
    },
    /// `sync free`: gives back the items of the image before `count`.
    Free {
        /// Number of the region.
        region: u32,
        /// Items of one image.
        count: u64,
    },
    /// `load`: bits of a region into the input register.
    Load {
        /// Number of the region.
        region: u32,
        /// Bits to move.
        bits: u64,
    },
    /// `load memory`: an item from the off-chip memory into a region beside the memory port.
    LoadMemory {
        /// Number of the region.
        region: u32,
        /// Bits of the item.
        bits: u64,
    },
    /// `mvm`: a matrix-vector product of so many input slices in all banks of the core.
    Mvm {
        /// Input slices.
        slices: u32,
    },
    /// `receive`: the next item of a region of partial sums.
    Receive {
        /// Number of the region.
        region: u32,
    },
    /// `merge`: additions in the tile's adder tree.
    Merge {
        /// Values to add.
        values: u64,
    },
    /// `vector`: an operation of the tile's vector unit.
    Vector {
        /// Which.
        operation: VectorOperation,
        /// Values to work on.
        values: u64,
    },
    /// `send`: an item to a region in another tile.
    Send {
        /// Number of the region.
        region: u32,
        /// Bits of the item.
        bits: u64,
    },
    /// `store`: an item to a region in the core's own tile.
    Store {
        /// Number of the region.
        region: u32,
        /// Bits of the item.
        bits: u64,
    },
}

/// Operations of the vector unit, which differ in latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VectorOperation {
    /// Requantisation and activation.
    Requantise,
    /// Subtraction of a digital offset.
    Offset,
    /// Maxima or sums of a window.
    Pool,
    /// Sum of two maps.
    Add,
    /// Look-up in a table.
    Lookup,
}

impl VectorOperation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Requantise, Self::Offset, Self::Pool, Self::Add, Self::Lookup];

    /// Its name in traces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requantise => "requantise",
            Self::Offset => "offset",
            Self::Pool => "pool",
            Self::Add => "add",
            Self::Lookup => "lookup",
        }
    }
}

/// The part of a core that executes an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Synchronisation and loads.
    Fetch,
    /// Matrix-vector products.
    Arrays,
    /// Everything behind.
    WriteBack,
}

impl Instruction {
    /// The part of a core that executes it.
    #[must_use]
    pub fn part(self) -> Part {
        match self {
            Self::Wait { .. } | Self::Room { .. } | Self::Free { .. } | Self::Load { .. } | Self::LoadMemory { .. } => {
                Part::Fetch
            }
            Self::Mvm { .. } => Part::Arrays,
            Self::Receive { .. }
            | Self::Merge { .. }
            | Self::Vector { .. }
            | Self::Send { .. }
            | Self::Store { .. } => Part::WriteBack,
        }
    }
}
