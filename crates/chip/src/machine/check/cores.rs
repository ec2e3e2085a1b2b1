//! Cores: each instruction by itself, and the shape of the steps.

use super::error::{Place, WorkloadError, require};
use super::regions::check_tile;
use crate::machine::hardware::Hardware;
use crate::machine::instruction::Instruction;
use crate::machine::steps::steps;
use crate::machine::work::{Core, Region, Workload};

pub(super) fn check(work: &Workload, hardware: &Hardware) -> Result<(), WorkloadError> {
    for (number, core) in work.cores.iter().enumerate() {
        let place = || Place::core(work, number);
        check_tile(core.tile, &hardware.mesh, place)?;
        require(!core.instructions.is_empty(), place, "instructions", 0, "at least 1")?;
        check_banks(work, number, core)?;
        check_steps(work, number, core)?;
        for (at, &instruction) in core.instructions.iter().enumerate() {
            check_instruction(work, hardware, (number, at), instruction)?;
        }
    }
    Ok(())
}

/// A core has banks if, and only if, it has something for them to do.
fn check_banks(work: &Workload, number: usize, core: &Core) -> Result<(), WorkloadError> {
    let place = || Place::core(work, number);
    for bank in &core.banks {
        require(bank.count > 0, place, "banks", bank.count, "at least 1")?;
        require(bank.columns > 0, place, "columns", bank.columns, "at least 1")?;
    }
    let mvm = core.instructions.iter().position(|instruction| matches!(instruction, Instruction::Mvm { .. }));
    match mvm {
        Some(at) => {
            let place = || Place::instruction(work, number, at);
            require(!core.banks.is_empty(), place, "banks of the core", 0, "at least 1 for an `mvm`")
        }
        None => require(core.banks.is_empty(), place, "banks", core.banks.len(), "0, since the core has no `mvm`"),
    }
}

/// An `mvm` stands between fetch and write-back, once, in every step of a core or in none.
fn check_steps(work: &Workload, number: usize, core: &Core) -> Result<(), WorkloadError> {
    let products = !core.banks.is_empty();
    for (count, step) in steps(&core.instructions).enumerate() {
        let back = core.instructions.get(step.back..step.end).unwrap_or(&[]);
        let Some(at) = back.iter().position(|instruction| matches!(instruction, Instruction::Mvm { .. })) else {
            let place = || Place::instruction(work, number, step.start);
            let has = usize::from(step.back > step.arrays);
            let allowed = "1, as in the other steps of the core";
            require(has == usize::from(products), place, "the number of `mvm` in its step", has, allowed)?;
            continue;
        };
        let place = || Place::instruction(work, number, step.back + at);
        let allowed = "one `mvm` in a step, before everything but fetch instructions";
        require(false, place, "its step", count, allowed)?;
    }
    Ok(())
}

fn check_instruction(
    work: &Workload,
    hardware: &Hardware,
    (number, at): (usize, usize),
    instruction: Instruction,
) -> Result<(), WorkloadError> {
    let place = || Place::instruction(work, number, at);
    let (what, amount) = instruction.amount();
    require(amount > 0, place, what, amount, "at least 1")?;
    let Some(found) = instruction.region() else { return Ok(()) };
    let allowed = format_args!("below {}, the number of regions", work.regions.len());
    require((found as usize) < work.regions.len(), place, "region", found, allowed)?;
    if matches!(instruction, Instruction::LoadMemory { .. }) {
        let port = hardware.memory.tile;
        let tile = work.cores.get(number).map_or(port, |core| core.tile);
        require(tile == port, place, "tile of the core", tile, format_args!("{port}, where the memory port is"))?;
    }
    work.regions.get(found as usize).map_or(Ok(()), |region| check_use(work, number, at, instruction, region))
}

/// Whether the core may do this with the region.
fn check_use(
    work: &Workload,
    number: usize,
    at: usize,
    instruction: Instruction,
    region: &Region,
) -> Result<(), WorkloadError> {
    use Instruction as I;
    let place = || Place::instruction(work, number, at);
    let named = |list: &[u32]| list.iter().any(|&core| core as usize == number);
    let own = work.cores.get(number).is_some_and(|core| core.tile == region.tile);
    match instruction {
        I::Wait { count, .. } | I::Free { count, .. } => {
            let allowed = format_args!("at most {}, the items of an image", region.items);
            require(count <= region.items, place, "items", count, allowed)?;
            require(named(&region.readers), place, "core", number, "a reader of the region")
        }
        I::Load { .. } | I::Receive { .. } => {
            require(named(&region.readers), place, "core", number, "a reader of the region")
        }
        I::Room { .. } => require(named(&region.writers), place, "core", number, "a writer of the region"),
        I::Send { bits, .. } | I::Store { bits, .. } | I::LoadMemory { bits, .. } => {
            let send = matches!(instruction, I::Send { .. });
            let allowed = if send { "another tile than the core's" } else { "the tile of the core" };
            require(named(&region.writers), place, "core", number, "a writer of the region")?;
            require(own != send, place, "tile of the region", region.tile, allowed)?;
            let allowed = format_args!("at most {}, the bits of an item of the region", region.item_bits);
            require(bits <= region.item_bits, place, "bits", bits, allowed)
        }
        I::Mvm { .. } | I::Merge { .. } | I::Vector { .. } => Ok(()),
    }
}

impl Instruction {
    /// The region that it is about.
    pub(in crate::machine) fn region(&self) -> Option<u32> {
        match *self {
            Self::Wait { region, .. }
            | Self::Room { region }
            | Self::Free { region, .. }
            | Self::Load { region, .. }
            | Self::LoadMemory { region, .. }
            | Self::Receive { region }
            | Self::Send { region, .. }
            | Self::Store { region, .. } => Some(region),
            Self::Mvm { .. } | Self::Merge { .. } | Self::Vector { .. } => None,
        }
    }

    /// What it works on that must not be nothing, by name.
    fn amount(self) -> (&'static str, u64) {
        match self {
            Self::Wait { .. } | Self::Room { .. } | Self::Free { .. } | Self::Receive { .. } => ("items", 1),
            Self::Load { bits, .. }
            | Self::LoadMemory { bits, .. }
            | Self::Send { bits, .. }
            | Self::Store { bits, .. } => ("bits", bits),
            Self::Mvm { slices } => ("slices", slices.into()),
            Self::Merge { values } | Self::Vector { values, .. } => ("values", values),
        }
    }
}
