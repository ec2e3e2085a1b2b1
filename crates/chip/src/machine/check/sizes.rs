//! Nothing that the engine counts exceeds 64 bits, and what it does one by one is bounded.

use super::error::{Place, WorkloadError, require};
use crate::machine::hardware::{Hardware, TileHardware};
use crate::machine::instruction::Instruction;
use crate::machine::work::{Core, Workload};

/// Most slices of an image, of all banks, that are read and converted one by one: eight for every one of the most instructions of a trace.
const MOST_SLICES: u128 = 1 << 28;

pub(super) fn check(work: &Workload, hardware: &Hardware, images: u64) -> Result<(), WorkloadError> {
    require(images > 0, || Place::Workload, "images", images, "at least 1")?;
    check_items(work, images)?;
    let (mut cycles, mut volume, mut slices) = (0_u128, 0_u128, 0_u128);
    for (number, core) in work.cores.iter().enumerate() {
        for (at, &instruction) in core.instructions.iter().enumerate() {
            let most = u128::from(u64::MAX / images);
            cycles = cycles.saturating_add(longest(core, instruction, hardware));
            volume = volume.saturating_add(amount(core, instruction));
            slices = slices.saturating_add(slices_of(core, instruction));
            let place = || Place::instruction(work, number, at);
            let allowed = format_args!("at most {MOST_SLICES}, for each is an event of its own");
            require(slices <= MOST_SLICES, place, "slices of an image so far, of all banks", slices, allowed)?;
            let allowed = format_args!("at most {most}, so that {images} images stay within 64 bits");
            require(cycles <= most, place, "bound of all cycles of an image so far", cycles, allowed)?;
            require(volume <= most, place, "bits, values and conversions of an image so far", volume, allowed)?;
        }
    }
    Ok(())
}

/// Numbers of items, and of those for which a region has room.
fn check_items(work: &Workload, images: u64) -> Result<(), WorkloadError> {
    for (number, region) in work.regions.iter().enumerate() {
        let place = || Place::region(work, number);
        let free = u64::MAX - region.capacity.unwrap_or(0);
        let allowed = format_args!("at most {}, so that those of {images} images stay within 64 bits", free / images);
        require(region.items <= free / images, place, "items", region.items, allowed)?;
    }
    Ok(())
}

/// Base cycles that an instruction may take at most once it has what it waits for and nothing else is under way. While a workload is
/// not done something is under way, so the sum over all instructions bounds the run. Every part waits up to a cycle for its clock.
fn longest(core: &Core, instruction: Instruction, hardware: &Hardware) -> u128 {
    let (tile, mesh, clocks) = (&hardware.tile, &hardware.mesh, &hardware.clocks);
    let wide = |cycles: u64, clock: u64| (u128::from(cycles) + 1).saturating_mul(clock.max(1).into());
    let digital = |cycles: u64| wide(cycles, clocks.digital);
    match instruction {
        Instruction::Wait { .. }
        | Instruction::Room { .. }
        | Instruction::Free { .. }
        | Instruction::Receive { .. } => 1,
        Instruction::Load { bits, .. } => digital(tile.access_cycles.saturating_add(tile.transfer_cycles(bits))),
        Instruction::LoadMemory { bits, .. } => {
            let transfer = bits.div_ceil(hardware.memory.bits_per_cycle.max(1));
            let port = wide(transfer.saturating_add(hardware.memory.latency), clocks.memory);
            port.saturating_add(digital(tile.transfer_cycles(bits)))
        }
        Instruction::Mvm { slices } => mvm(core, slices, hardware).saturating_add(digital(tile.shift_add_cycles)),
        Instruction::Merge { values } => {
            digital(values.div_ceil(tile.adder_width.max(1)).saturating_add(tile.merge_cycles))
        }
        Instruction::Vector { operation, values } => {
            let latency = tile.vector_cycles.get(operation as usize).copied().unwrap_or(0);
            digital(values.div_ceil(tile.vector_width.max(1)).saturating_add(latency))
        }
        Instruction::Send { bits, .. } => {
            // A buffer of one flit passes one on per round trip of its credit.
            let hop =
                u128::from(mesh.router_cycles) + u128::from(mesh.link_cycles) + u128::from(mesh.credit_cycles) + 1;
            let hops = u128::from(mesh.width) + u128::from(mesh.height) + 1;
            let flits = u128::from(mesh.flits(bits)) + 1;
            let network = hop.saturating_mul(hops).saturating_mul(flits).saturating_mul(clocks.network.max(1).into());
            network.saturating_add(digital(tile.transfer_cycles(bits)))
        }
        Instruction::Store { bits, .. } => digital(tile.transfer_cycles(bits)),
    }
}

/// Slices that are read and converted, in banks that do not work alike.
fn slices_of(core: &Core, instruction: Instruction) -> u128 {
    let Instruction::Mvm { slices } = instruction else { return 0 };
    u128::from(slices) * core.banks.len() as u128
}

/// Read and conversion of every slice, one after the other, in the slowest bank.
fn mvm(core: &Core, slices: u32, hardware: &Hardware) -> u128 {
    let columns = core.banks.iter().map(|bank| bank.columns).max().unwrap_or(0);
    let clocks = &hardware.clocks;
    let slowest = |cycles: &dyn Fn(u32) -> u64, entries: usize| {
        (0..entries.max(1)).map(|slice| cycles(slice as u32)).max().unwrap_or(0)
    };
    let TileHardware { read, conversion, .. } = &hardware.tile;
    let read = slowest(&|slice| hardware.tile.read_cycles(slice), read.len());
    let convert = slowest(&|slice| hardware.tile.convert_cycles(slice, columns, clocks), conversion.len());
    let slice = u128::from(read) + u128::from(convert) + 2;
    slice.saturating_mul(clocks.arrays.max(1).into()).saturating_mul(slices.into())
}

/// What is counted of an instruction.
fn amount(core: &Core, instruction: Instruction) -> u128 {
    match instruction {
        Instruction::Mvm { slices } => {
            let columns = |sum: u128, bank: &crate::machine::work::Bank| {
                sum.saturating_add(u128::from(bank.count) * u128::from(bank.columns))
            };
            core.banks.iter().fold(0, columns).saturating_mul(slices.into())
        }
        Instruction::Load { bits, .. }
        | Instruction::LoadMemory { bits, .. }
        | Instruction::Send { bits, .. }
        | Instruction::Store { bits, .. } => bits.into(),
        Instruction::Merge { values } | Instruction::Vector { values, .. } => values.into(),
        _ => 1,
    }
}
