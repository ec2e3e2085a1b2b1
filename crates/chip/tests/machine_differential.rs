//! The event engine against the naive model that visits every cycle and every unit: the same instants, the same cycles of every unit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/stepped/mod.rs"]
mod stepped;
#[path = "support/workloads/mod.rs"]
mod workloads;

use chip::machine::account::Class;
use chip::machine::hardware::Hardware;
use chip::machine::report::{CoreTimes, Report, UnitKind};
use chip::machine::{MachineError, Settings, run};
use std::collections::BTreeMap;
use stepped::account::Unit;
use stepped::{Outcome, Stuck, stepped};
use workloads::{Case, case};

const CASES: u64 = 3000;

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
        UnitKind::Interface => Unit::Interface { tile },
        UnitKind::Link(to) => Unit::Link { from: hardware.mesh.router(tile), to: hardware.mesh.router(to) },
    }
}

fn check(case: &Case, report: &Report, outcome: &Outcome) {
    let seed = case.seed;
    assert_eq!(report.image_done, outcome.image_done, "case {seed}: images");
    assert_eq!(report.end, outcome.end, "case {seed}: end");
    assert_eq!(report.peaks, outcome.peaks, "case {seed}: peaks");
    let units: BTreeMap<Unit, _> = report.units.iter().map(|of| (name(of.unit, &case.hardware), of.cycles)).collect();
    for (unit, cycles) in &outcome.units {
        let expected = [cycles.busy, cycles.input, cycles.adc, cycles.output_full, cycles.link, cycles.idle];
        // Tiles that nobody uses have no account in the engine.
        let found = units
            .get(unit)
            .map_or_else(|| [0, 0, 0, 0, 0, report.end], |cycles| Class::ALL.map(|class| cycles.of(class)));
        assert_eq!(found, expected, "case {seed}: {unit:?} ({:?})", Class::ALL);
    }
    for (core, (times, ends)) in report.times.iter().zip(&outcome.ends).enumerate() {
        assert_eq!(*times, expected_times(core as u32, ends, case.images, outcome), "case {seed}: core {core}");
    }
    for of in &report.units {
        assert_eq!(of.cycles.total(), report.end, "case {seed}: {:?}", of.unit);
    }
}

/// When a core worked: its units' first cycles of work, and the ends of its write-backs.
fn expected_times(core: u32, ends: &[u64], images: u64, outcome: &Outcome) -> CoreTimes {
    let own = |unit: &Unit| match *unit {
        Unit::Fetch { core: of } | Unit::WriteBack { core: of } => of == core,
        Unit::Arrays { core: of, .. } | Unit::Converters { core: of, .. } => of == core,
        _ => false,
    };
    let starts = outcome.units.iter().filter(|(unit, _)| own(unit)).filter_map(|(_, cycles)| cycles.started);
    let last_end = *ends.last().unwrap();
    let end_of = |image: u64| ends[(image + 1) as usize * ends.len() / images as usize - 1];
    let (first_end, middle_end) =
        (end_of(0), end_of(if images.is_multiple_of(2) { images / 2 - 1 } else { images / 2 }));
    CoreTimes { first_start: starts.min().unwrap_or(last_end), first_end, middle_end, last_end }
}

#[test]
fn random_workloads_take_the_same_cycles() {
    let (mut finished, mut stuck) = (0, 0);
    let only = std::env::var("OHMIC_MACHINE_CASE").ok().and_then(|seed| seed.parse::<u64>().ok());
    for seed in only.map_or(0..CASES, |seed| seed..seed + 1) {
        let case = case(seed);
        let found = run(&case.workload, &case.hardware, case.images, Settings::default());
        match stepped(&case.workload, &case.hardware, case.images) {
            Ok(outcome) => {
                let report = found.unwrap_or_else(|error| panic!("case {seed}: {error}"));
                check(&case, &report, &outcome);
                finished += 1;
            }
            Err(Stuck::Dead { .. }) => {
                assert!(matches!(found, Err(MachineError::Stuck { .. })), "case {seed} cannot finish");
                stuck += 1;
            }
            Err(Stuck::Limit) => panic!("case {seed} takes too long"),
        }
    }
    assert!(finished > 2000 && stuck > 100 || only.is_some(), "{finished} finished, {stuck} cannot");
}

/// Visiting every cycle, every core and every tile changes nothing but what it costs.
#[test]
fn skipping_changes_no_count() {
    for seed in 0..CASES / 10 {
        let case = case(seed);
        let with = |skip| run(&case.workload, &case.hardware, case.images, Settings { skip, ..Settings::default() });
        match (with(true), with(false)) {
            (Ok(mut skipped), Ok(mut stepped)) => {
                assert!(stepped.instants >= skipped.instants, "case {seed}");
                (skipped.instants, stepped.instants) = (0, 0);
                (skipped.events, stepped.events) = (0, 0);
                assert_eq!(skipped, stepped, "case {seed}");
            }
            (skipped, stepped) => assert_eq!(skipped.is_err(), stepped.is_err(), "case {seed}"),
        }
    }
}
