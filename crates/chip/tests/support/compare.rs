//! The engine and the naive model, side by side: the same instants, the same cycles of every unit, the same places in use.
#![allow(dead_code, reason = "every test file uses a part")]

use crate::stepped::account::Unit;
use crate::stepped::formulas::router;
use crate::stepped::{Outcome, Stuck, stepped};
use chip::machine::account::Class;
use chip::machine::hardware::Hardware;
use chip::machine::report::{CoreTimes, Report, UnitKind};
use chip::machine::work::Workload;
use chip::machine::{MachineError, Settings, run};
use std::collections::BTreeMap;
use std::fmt::Display;

/// The name that the naive model gives a unit.
fn name(unit: chip::machine::report::Unit, hardware: &Hardware) -> Unit {
    let chip::machine::report::Unit { tile, core, kind } = unit;
    let core = core.unwrap_or(u32::MAX);
    match kind {
        UnitKind::Fetch => Unit::Fetch { core },
        UnitKind::Arrays(bank) => Unit::Arrays { core, bank: bank as usize },
        UnitKind::Converters(bank) => Unit::Converters { core, bank: bank as usize },
        UnitKind::WriteBack => Unit::WriteBack { core },
        UnitKind::LoadBus => Unit::LoadBus { tile },
        UnitKind::StoreBus => Unit::StoreBus { tile },
        UnitKind::Port(port) => Unit::Port { tile, port },
        UnitKind::Adder => Unit::Adder { tile },
        UnitKind::Vector => Unit::Vector { tile },
        UnitKind::Memory => Unit::Memory,
        UnitKind::MemoryLatency => panic!("the latency of the memory is no unit"),
        UnitKind::Interface => Unit::Interface { tile },
        UnitKind::Link(to) => Unit::Link { from: router(&hardware.mesh, tile), to: router(&hardware.mesh, to) },
    }
}

/// Requires that a report tells what the naive model found.
pub(crate) fn check(what: impl Display, (hardware, images): (&Hardware, u64), report: &Report, outcome: &Outcome) {
    assert_eq!(report.image_done, outcome.image_done, "{what}: images");
    assert_eq!(report.end, outcome.end, "{what}: end");
    assert_eq!(report.peaks, outcome.peaks, "{what}: peaks");
    let units: BTreeMap<Unit, _> = report.units.iter().map(|of| (name(of.unit, hardware), of.cycles)).collect();
    for (unit, cycles) in &outcome.units {
        let expected = [cycles.busy, cycles.input, cycles.adc, cycles.output_full, cycles.link, cycles.idle];
        // Tiles that nobody uses have no account in the engine.
        let found = units
            .get(unit)
            .map_or_else(|| [0, 0, 0, 0, 0, report.end], |cycles| Class::ALL.map(|class| cycles.of(class)));
        assert_eq!(found, expected, "{what}: {unit:?} ({:?})", Class::ALL);
    }
    for (core, (times, ends)) in report.times.iter().zip(&outcome.ends).enumerate() {
        assert_eq!(*times, expected_times(core as u32, ends, images as usize, outcome), "{what}: core {core}");
    }
    for of in &report.units {
        assert_eq!(of.cycles.total(), report.end, "{what}: {:?}", of.unit);
    }
}

/// When a core worked: its units' first cycles of work, and the ends of its write-backs.
fn expected_times(core: u32, ends: &[u64], images: usize, outcome: &Outcome) -> CoreTimes {
    let own = |unit: &Unit| match *unit {
        Unit::Fetch { core: of } | Unit::WriteBack { core: of } => of == core,
        Unit::Arrays { core: of, .. } | Unit::Converters { core: of, .. } => of == core,
        _ => false,
    };
    let starts = outcome.units.iter().filter(|(unit, _)| own(unit)).filter_map(|(_, cycles)| cycles.started);
    let last_end = *ends.last().unwrap();
    CoreTimes { first_start: starts.min().unwrap_or(last_end), first_end: ends[ends.len() / images - 1], last_end }
}

/// Runs a workload on both, which must agree.
pub(crate) fn both(workload: &Workload, hardware: &Hardware, images: u64) -> Result<Outcome, Stuck> {
    agreed("both", workload, hardware, images)
}

/// As [`both`], with a name for the messages.
pub(crate) fn agreed(
    what: impl Display,
    workload: &Workload,
    hardware: &Hardware,
    images: u64,
) -> Result<Outcome, Stuck> {
    let found = run(workload, hardware, images, Settings::default());
    let outcome = stepped(workload, hardware, images);
    match &outcome {
        Ok(outcome) => {
            let report = found.unwrap_or_else(|error| panic!("{what}: {error}"));
            check(&what, (hardware, images), &report, outcome);
        }
        Err(Stuck::Dead { .. }) => {
            assert!(matches!(found, Err(MachineError::Stuck { .. })), "{what} cannot finish");
        }
        Err(Stuck::Limit) => panic!("{what} takes too long"),
    }
    outcome
}
