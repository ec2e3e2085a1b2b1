//! Names of units that a person reads.

use chip::machine::report::{Unit, UnitKind};
use chip::machine::work::Workload;

/// What a unit is called next to the others of its tile.
#[must_use]
pub fn unit_name(workload: &Workload, unit: Unit) -> String {
    let core = unit.core.and_then(|core| workload.cores.get(core as usize));
    let bank = |what: &str, bank: u32| {
        let alike = core.and_then(|core| core.banks.get(bank as usize)).map_or(1, |bank| bank.count);
        if alike > 1 { format!("{what} {bank} ({alike} alike)") } else { format!("{what} {bank}") }
    };
    let kind = match unit.kind {
        UnitKind::Fetch => "fetch".to_owned(),
        UnitKind::Arrays(number) => bank("arrays", number),
        UnitKind::Converters(number) => bank("converters", number),
        UnitKind::WriteBack => "write-back".to_owned(),
        UnitKind::LoadBus => "load bus".to_owned(),
        UnitKind::StoreBus => "store bus".to_owned(),
        UnitKind::Port(number) => format!("buffer port {number}"),
        UnitKind::Adder => "adder tree".to_owned(),
        UnitKind::Vector => "vector unit".to_owned(),
        UnitKind::Memory => "memory port".to_owned(),
        UnitKind::MemoryLatency => "memory latency".to_owned(),
        UnitKind::Interface => "network interface".to_owned(),
        UnitKind::Link(to) => format!("link to tile {to}"),
    };
    // The tile is told where the unit stands.
    core.map_or(kind.clone(), |core| {
        let tile = format!(", tile {}", core.tile);
        format!("{}: {kind}", core.name.strip_suffix(&tile).unwrap_or(&core.name))
    })
}
