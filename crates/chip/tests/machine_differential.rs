//! The event engine against the naive model that visits every cycle and every unit: the same instants, the same cycles of every unit.

use crate::compare::agreed;
use crate::workloads::uneven_case;
use chip::machine::{MachineError, Settings, run};

const CASES: u64 = 3900;

#[test]
fn random_workloads_take_the_same_cycles() {
    let (mut finished, mut stuck) = (0, 0);
    let only = std::env::var("OHMIC_MACHINE_CASE").ok().and_then(|seed| seed.parse::<u64>().ok());
    for seed in only.map_or(0..CASES, |seed| seed..seed + 1) {
        let case = uneven_case(seed);
        match agreed(format_args!("case {seed}"), &case.workload, &case.hardware, case.images) {
            Ok(_) => finished += 1,
            Err(_) => stuck += 1,
        }
    }
    assert!(finished >= 3000 && stuck > 100 || only.is_some(), "{finished} finished, {stuck} cannot");
}

/// Packets between tiles of one router, which takes no time, are written before the interface has noticed that they have left it: what comes next must not
/// be taken for them.
#[test]
fn packets_may_be_written_before_they_have_left_their_interface() {
    for seed in [81, 146, 284, 292, 332] {
        let mut case = uneven_case(seed);
        (case.hardware.mesh.router_cycles, case.hardware.mesh.link_cycles) = (0, 1);
        let finished = agreed(format_args!("case {seed}"), &case.workload, &case.hardware, case.images);
        assert!(finished.is_ok(), "case {seed}");
    }
}

/// Visiting every cycle, every core and every tile changes nothing but what it costs: instants, which then are all of them.
#[test]
fn skipping_changes_no_count() {
    for seed in 0..CASES {
        let case = uneven_case(seed);
        let with = |skip| {
            let settings = Settings { skip, critical_path: true, ..Settings::default() };
            run(&case.workload, &case.hardware, case.images, settings)
        };
        match (with(true), with(false)) {
            (Ok(mut skipped), Ok(stepped)) => {
                assert_eq!(stepped.instants, stepped.end + 1, "case {seed}");
                assert!(skipped.instants <= stepped.instants, "case {seed}");
                skipped.instants = stepped.instants;
                assert_eq!(skipped, stepped, "case {seed}");
            }
            (skipped, stepped) => assert_eq!(skipped, stepped, "case {seed}"),
        }
    }
}

/// A limit in which the run ends changes nothing; an earlier one stops it.
#[test]
fn a_limit_ends_what_is_late_and_nothing_else() {
    for seed in 0..300 {
        let case = uneven_case(seed);
        let with = |until, skip| {
            let settings = Settings { until, skip, ..Settings::default() };
            run(&case.workload, &case.hardware, case.images, settings)
        };
        let Ok(report) = with(u64::MAX, true) else { continue };
        let last = report.end;
        assert_eq!(with(last, true), Ok(report), "case {seed}");
        for skip in [true, false] {
            assert_eq!(with(last - 1, skip), Err(MachineError::Late { until: last - 1 }), "case {seed}");
            assert_eq!(with(0, skip), Err(MachineError::Late { until: 0 }), "case {seed}");
        }
    }
}
