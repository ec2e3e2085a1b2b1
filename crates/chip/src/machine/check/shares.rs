//! Every writer writes its share of an image, and every reader gives all of it back.

use super::error::{Place, WorkloadError, require};
use crate::machine::instruction::Instruction;
use crate::machine::work::{Region, Workload};
use std::collections::BTreeMap;

/// What a core does to a region in an image.
#[derive(Default)]
struct Use {
    /// Places taken.
    rooms: u64,
    /// Items written, and those of them from the memory.
    written: u64,
    from_memory: u64,
    /// Items received.
    received: u64,
    /// Items given back by the last `sync free`.
    freed: Option<u64>,
}

/// What a core does, region by region.
type Uses = BTreeMap<u32, Use>;

pub(super) fn check(work: &Workload) -> Result<(), WorkloadError> {
    let mut all = Vec::with_capacity(work.cores.len());
    for (number, core) in work.cores.iter().enumerate() {
        let mut uses = Uses::new();
        for (at, &instruction) in core.instructions.iter().enumerate() {
            add(&mut uses, instruction).or_else(|fault| refuse(work, number, at, fault))?;
        }
        all.push(uses);
    }
    for (number, region) in work.regions.iter().enumerate() {
        for (place, &writer) in region.writers.iter().enumerate() {
            check_writer(work, number, writer, share(region, place), &all)?;
        }
        for &reader in &region.readers {
            check_reader(work, number, reader, &all)?;
        }
    }
    Ok(())
}

/// Items of an image that the writer at `place` of the list writes.
pub(super) fn share(region: &Region, place: usize) -> u64 {
    let (place, writers) = (place as u64, region.writers.len().max(1) as u64);
    region.items.saturating_sub(place).div_ceil(writers)
}

/// What, its value, and what is allowed.
type Fault = (&'static str, u64, String);

fn add(uses: &mut Uses, instruction: Instruction) -> Result<(), Fault> {
    let Some(region) = instruction.region() else { return Ok(()) };
    let used = uses.entry(region).or_default();
    match instruction {
        Instruction::Room { .. } => used.rooms += 1,
        Instruction::Send { .. } | Instruction::Store { .. } | Instruction::LoadMemory { .. } => {
            used.written += 1;
            used.from_memory += u64::from(matches!(instruction, Instruction::LoadMemory { .. }));
            if used.written > used.rooms {
                let allowed = format!("at most {}, the places that `sync room` has taken before", used.rooms);
                return Err(("items written", used.written, allowed));
            }
            if ![0, used.written].contains(&used.from_memory) {
                let allowed = "all or none, so that they come in order".to_owned();
                return Err(("items written from the memory", used.from_memory, allowed));
            }
        }
        Instruction::Receive { .. } => used.received += 1,
        Instruction::Free { count, .. } => {
            let before = used.freed.replace(count).unwrap_or(0);
            if count < before {
                return Err(("items", count, format!("at least {before}, as in the `sync free` before")));
            }
        }
        _ => {}
    }
    if used.received > 0 && used.freed.is_some() {
        let allowed = "0, since this core gives the items of this region back by `sync free`".to_owned();
        return Err(("items received", used.received, allowed));
    }
    Ok(())
}

fn refuse(work: &Workload, core: usize, at: usize, (what, value, allowed): Fault) -> Result<(), WorkloadError> {
    require(false, || Place::instruction(work, core, at), what, value, allowed)
}

fn check_writer(work: &Workload, number: usize, writer: u32, share: u64, all: &[Uses]) -> Result<(), WorkloadError> {
    let used = all.get(writer as usize).and_then(|uses| uses.get(&(number as u32)));
    let (rooms, written) = used.map_or((0, 0), |used| (used.rooms, used.written));
    let allowed = format_args!("{share}, the share of core {} of the items of an image", named(work, writer));
    let place = || Place::region(work, number);
    require(rooms == share, place, "places taken by `sync room`", rooms, allowed)?;
    require(written == share, place, "items written", written, allowed)
}

/// Items without writers are always there: who reads them may forget to give them back, but not half of them.
fn check_reader(work: &Workload, number: usize, reader: u32, all: &[Uses]) -> Result<(), WorkloadError> {
    let Some(region) = work.regions.get(number) else { return Ok(()) };
    let used = all.get(reader as usize).and_then(|uses| uses.get(&(number as u32)));
    let given = used.and_then(|used| used.freed.or((used.received > 0).then_some(used.received)));
    if given.is_none() && region.writers.is_empty() {
        return Ok(());
    }
    let given = given.unwrap_or(0);
    let allowed = format_args!(
        "{}, all items of an image, of core {} by `sync free` or `receive`",
        region.items,
        named(work, reader)
    );
    require(given == region.items, || Place::region(work, number), "items given back", given, allowed)
}

/// Number and name of a core.
fn named(work: &Workload, core: u32) -> String {
    let name = work.cores.get(core as usize).map_or("", |core| core.name.as_str());
    format!("{core} `{name}`")
}
