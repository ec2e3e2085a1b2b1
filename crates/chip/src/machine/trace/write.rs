//! Workloads as text.

use super::{FORMAT, VERSION};
use crate::machine::instruction::Instruction;
use crate::machine::work::{Core, Region, Workload};
use std::fmt::{self, Display, Formatter};
use std::io::{self, Write};

/// Writes a workload, one instruction a line. The same workload gives the same bytes, and [`read`](super::read()) gives the same workload.
///
/// # Errors
/// Those of `out`.
pub fn write(workload: &Workload, mut out: impl Write) -> io::Result<()> {
    writeln!(out, "{FORMAT} {VERSION}")?;
    for (number, region) in workload.regions.iter().enumerate() {
        write_region(number, region, &mut out)?;
    }
    writeln!(out, "result {}", workload.result)?;
    for (number, core) in workload.cores.iter().enumerate() {
        write_core(number, core, &mut out)?;
    }
    writeln!(out, "end trace")
}

fn write_region(number: usize, region: &Region, out: &mut impl Write) -> io::Result<()> {
    let Region { name, tile, items, item_bits, capacity, writers, readers } = region;
    let capacity = capacity.map_or_else(|| "unlimited".to_owned(), |capacity| capacity.to_string());
    let name = quoted(name)?;
    write!(out, "region {number} {name} tile {tile} items {items} bits {item_bits} capacity {capacity}")?;
    writeln!(out, " writers {} readers {}", list(writers), list(readers))
}

fn write_core(number: usize, core: &Core, out: &mut impl Write) -> io::Result<()> {
    let (name, stage) = (quoted(&core.name)?, quoted(&core.stage)?);
    writeln!(out, "core {number} {name} stage {stage} tile {}", core.tile)?;
    for bank in &core.banks {
        writeln!(out, "  banks {} columns {}", bank.count, bank.columns)?;
    }
    core.instructions.iter().try_for_each(|instruction| writeln!(out, "  {instruction}"))
}

/// A name as a JSON string.
fn quoted(name: &str) -> io::Result<String> {
    serde_json::to_string(name).map_err(io::Error::other)
}

fn list(cores: &[u32]) -> String {
    if cores.is_empty() {
        return "none".to_owned();
    }
    cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl Display for Instruction {
    /// The instruction as in traces.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait { region, count } => write!(f, "sync wait {region} {count}"),
            Self::Room { region } => write!(f, "sync room {region}"),
            Self::Free { region, count } => write!(f, "sync free {region} {count}"),
            Self::Load { region, bits } => write!(f, "load {region} {bits}"),
            Self::LoadMemory { region, bits } => write!(f, "load memory {region} {bits}"),
            Self::Mvm { slices } => write!(f, "mvm {slices}"),
            Self::Receive { region } => write!(f, "receive {region}"),
            Self::Merge { values } => write!(f, "merge {values}"),
            Self::Vector { operation, values } => write!(f, "vector {} {values}", operation.name()),
            Self::Send { region, bits } => write!(f, "send {region} {bits}"),
            Self::Store { region, bits } => write!(f, "store {region} {bits}"),
        }
    }
}
