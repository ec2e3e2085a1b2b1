//! How much of a tile's buffer each region gets.

use std::collections::BTreeMap;

use super::layout::Content;
use crate::machine::hardware::Hardware;
use crate::machine::instruction::Instruction;
use crate::machine::liveness::LivenessError;
use crate::machine::work::Workload;
use crate::program::Program;
use crate::timing::TimingError;
use crate::timing::buffers::Need;

/// Sets the capacities of all regions: as many places as the workload needs to finish and, of what is left in a buffer, a share in proportion.
///
/// # Errors
/// If a buffer is too small; the text names it and the size it needs.
pub(super) fn size_regions(
    workload: &mut Workload,
    contents: &[Content],
    program: &Program,
    hardware: &Hardware,
) -> Result<(), TimingError> {
    let windows = least_for_windows(workload);
    for (number, content) in contents.iter().enumerate() {
        let region = &mut workload.regions[number];
        match content {
            Content::Pixels { .. } if region.writers.is_empty() => {}
            Content::Pixels { .. } => region.capacity = Some(windows[number]),
            Content::Global => {
                region.capacity = Some(program.chip.memory.buffer_bytes.saturating_mul(8) / region.item_bits.max(1));
            }
            Content::Result | Content::Sums => {}
        }
    }
    grow(workload, contents, hardware)?;
    let used = used(workload, contents);
    // Rows of weights go through the same buffers, before.
    let needs = Need::of_rows(program).into_iter().chain(fullest(workload, contents, &used));
    needs.max_by_key(|need| need.bits).map_or(Ok(()), |need| need.check(&program.chip))?;
    share_rest(workload, contents, (&used, hardware.tile.buffer_bits));
    Ok(())
}

/// For every region, the most items that a core has between those it has given back and those it waits for.
fn least_for_windows(workload: &Workload) -> Vec<u64> {
    let mut least = vec![1; workload.regions.len()];
    for core in &workload.cores {
        let mut freed: BTreeMap<u32, u64> = BTreeMap::new();
        for instruction in &core.instructions {
            match *instruction {
                Instruction::Wait { region, count } => {
                    let held = count - freed.get(&region).copied().unwrap_or(0).min(count);
                    least[region as usize] = held.max(least[region as usize]);
                }
                Instruction::Free { region, count } => {
                    freed.insert(region, count);
                }
                _ => {}
            }
        }
    }
    least
}

/// Grows regions of pixels and of partial sums until nobody waits for ever.
fn grow(workload: &mut Workload, contents: &[Content], hardware: &Hardware) -> Result<(), TimingError> {
    // Capacities are checked against the buffers only when they are known.
    let unlimited = Hardware {
        tile: crate::machine::hardware::TileHardware { buffer_bits: u64::MAX, ..hardware.tile.clone() },
        ..hardware.clone()
    };
    match workload.check_liveness(&unlimited) {
        Ok(()) => Ok(()),
        Err(LivenessError::Full { regions, .. })
            if regions.iter().all(|grown| contents[grown.region as usize] != Content::Global) =>
        {
            for grown in regions {
                workload.regions[grown.region as usize].capacity = Some(grown.required);
            }
            Ok(())
        }
        Err(error) => Err(TimingError::Liveness(error)),
    }
}

fn is_pixels(content: Content) -> bool {
    matches!(content, Content::Pixels { .. })
}

/// Bits of each tile's buffer that are in use, all of them and those of pixels.
type Used = BTreeMap<u32, (u64, u64)>;

fn used(workload: &Workload, contents: &[Content]) -> Used {
    let mut used = Used::new();
    for (region, content) in workload.regions.iter().zip(contents).filter(|(_, content)| **content != Content::Global) {
        let bits = region.capacity.unwrap_or(0).saturating_mul(region.item_bits);
        let (all, pixels) = used.entry(region.tile).or_default();
        *all = all.saturating_add(bits);
        *pixels = pixels.saturating_add(if is_pixels(*content) { bits } else { 0 });
    }
    used
}

/// What the fullest tile needs.
fn fullest(workload: &Workload, contents: &[Content], used: &Used) -> Option<Need> {
    let (&tile, &(bits, _)) = used.iter().max_by_key(|(_, (all, _))| *all)?;
    let counted = workload.regions.iter().zip(contents).filter(|(_, content)| **content != Content::Global);
    let here = counted.map(|(region, _)| region).filter(|region| region.tile == tile && region.capacity.is_some());
    let largest = here.max_by_key(|region| region.capacity.unwrap_or(0).saturating_mul(region.item_bits));
    Some(Need { bits, tile, region: largest.map_or_else(String::new, |region| region.name.clone()) })
}

/// Shares out what is left of each buffer.
fn share_rest(workload: &mut Workload, contents: &[Content], (used, buffer_bits): (&Used, u64)) {
    let pixels = workload.regions.iter_mut().zip(contents).filter(|(_, content)| is_pixels(**content));
    for (region, _) in pixels {
        let (Some(capacity), Some(&(all, of_pixels))) = (region.capacity, used.get(&region.tile)) else { continue };
        let rest = u128::from(buffer_bits.saturating_sub(all));
        let more = rest * u128::from(capacity) / u128::from(of_pixels.max(1));
        region.capacity = Some(capacity.saturating_add(more as u64));
    }
}
