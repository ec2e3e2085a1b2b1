//! Regions: where they are, who writes and reads them, whether they fit.

use super::error::{Place, WorkloadError, require};
use crate::machine::hardware::{Hardware, MeshHardware};
use crate::machine::work::{Region, Workload};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(work: &Workload, hardware: &Hardware) -> Result<(), WorkloadError> {
    for (number, region) in work.regions.iter().enumerate() {
        let place = || Place::region(work, number);
        check_tile(region.tile, &hardware.mesh, place)?;
        require(region.items > 0, place, "items", region.items, "at least 1")?;
        require(region.item_bits > 0, place, "bits", region.item_bits, "at least 1")?;
        require(region.capacity != Some(0), place, "capacity", 0, "at least 1, or unlimited")?;
        check_cores(work, number, "writers", &region.writers)?;
        check_cores(work, number, "readers", &region.readers)?;
        check_reader_tiles(work, number, region)?;
    }
    check_result(work)?;
    check_buffers(work, hardware)
}

/// A tile of the mesh.
pub(super) fn check_tile(tile: u32, mesh: &MeshHardware, place: impl FnOnce() -> Place) -> Result<(), WorkloadError> {
    let tiles = u64::from(mesh.width) * u64::from(mesh.height);
    let allowed = format_args!("below {tiles}, the tiles of the {} x {} mesh", mesh.width, mesh.height);
    require(u64::from(tile) < tiles, place, "tile", tile, allowed)
}

/// Cores that exist, each named once.
fn check_cores(work: &Workload, number: usize, what: &'static str, cores: &[u32]) -> Result<(), WorkloadError> {
    let place = || Place::region(work, number);
    let mut seen = BTreeSet::new();
    for &core in cores {
        let allowed = format_args!("below {}, the number of cores", work.cores.len());
        require((core as usize) < work.cores.len(), place, what, core, allowed)?;
        require(seen.insert(core), place, what, format_args!("{core} twice"), "each core once")?;
    }
    Ok(())
}

/// A core loads from the buffer of its own tile and sees without delay what is in it.
fn check_reader_tiles(work: &Workload, number: usize, region: &Region) -> Result<(), WorkloadError> {
    for &reader in &region.readers {
        let Some(core) = work.cores.get(reader as usize) else { continue };
        let value = format_args!("{reader} `{}` of tile {}", core.name, core.tile);
        let allowed = format_args!("cores of tile {}, in which the region is", region.tile);
        require(core.tile == region.tile, || Place::region(work, number), "readers", value, allowed)?;
    }
    Ok(())
}

fn check_result(work: &Workload) -> Result<(), WorkloadError> {
    let place = || Place::Workload;
    let region = work.regions.get(work.result as usize);
    let allowed = format_args!("below {}, the number of regions", work.regions.len());
    require(region.is_some(), place, "result", work.result, allowed)?;
    let written = region.is_some_and(|region| !region.writers.is_empty());
    require(written, place, "result", work.result, "a region with writers")
}

/// The regions of a tile fit its buffer; what is unlimited is not counted.
fn check_buffers(work: &Workload, hardware: &Hardware) -> Result<(), WorkloadError> {
    let mut used = BTreeMap::<u32, u128>::new();
    for region in &work.regions {
        let bits = region.capacity.map_or(0, |capacity| u128::from(capacity) * u128::from(region.item_bits));
        let sum = used.entry(region.tile).or_insert(0);
        *sum = sum.saturating_add(bits);
    }
    for (&tile, &bits) in &used {
        let (global, and) = if tile == hardware.memory.tile {
            (hardware.memory.buffer_bits, " and of the global buffer at the memory port")
        } else {
            (0, "")
        };
        let most = hardware.tile.buffer_bits.saturating_add(global);
        let allowed = format_args!("at most {most} bits, the capacity of the tile's buffer{and}");
        require(bits <= u128::from(most), || Place::Tile(tile), "bits of its regions", bits, allowed)?;
    }
    Ok(())
}
