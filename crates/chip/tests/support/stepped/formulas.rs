//! Durations and ways, worked out again: nothing that the engine computes with is used.

use chip::machine::hardware::{Clocks, MeshHardware, TileHardware};

/// Array cycles of a read: the entry of the slice or, behind the last entry, that one.
pub(crate) fn read_cycles(tile: &TileHardware, slice: u32) -> u64 {
    let entry = tile.read.get(slice as usize).or(tile.read.last());
    entry.copied().unwrap_or(1).max(1)
}

/// Array cycles of a conversion: as few as hold one conversion after the other, to a billionth of a cycle.
pub(crate) fn convert_cycles(tile: &TileHardware, slice: u32, columns: u64, clocks: &Clocks) -> u64 {
    let entry = tile.conversion.get(slice as usize).or(tile.conversion.last());
    let mut needed = 0.0;
    let mut converted = 0;
    while converted < columns {
        needed += entry.copied().unwrap_or(0.0);
        converted += tile.converters;
    }
    let mut cycles = 0;
    while (cycles * clocks.arrays) as f64 + 1e-9 < needed {
        cycles += 1;
    }
    cycles
}

/// Column and row of a tile's router.
pub(crate) fn router(mesh: &MeshHardware, tile: u32) -> (u32, u32) {
    let (column, row) = (tile % mesh.width, tile / mesh.width);
    if mesh.concentration == 4 { (column / 2, row / 2) } else { (column, row) }
}

/// Links of a way, walked one by one.
pub(crate) fn links(mesh: &MeshHardware, from: u32, to: u32) -> u64 {
    let ((mut column, mut row), to) = (router(mesh, from), router(mesh, to));
    let mut links = 0;
    while (column, row) != to {
        match (column.cmp(&to.0), row.cmp(&to.1)) {
            (std::cmp::Ordering::Less, _) => column += 1,
            (std::cmp::Ordering::Greater, _) => column -= 1,
            (_, std::cmp::Ordering::Less) => row += 1,
            _ => row -= 1,
        }
        links += 1;
    }
    links
}

/// Flits that hold so many bits, at least one.
pub(crate) fn flits(mesh: &MeshHardware, bits: u64) -> u64 {
    let mut flits = 1;
    while flits * mesh.flit_bits < bits {
        flits += 1;
    }
    flits
}
