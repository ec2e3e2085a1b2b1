//! What a run costs grows with the work, and not with its square.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/workloads/mod.rs"]
mod workloads;

use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::summary::Summary;
use chip::machine::work::{Core, Workload};
use chip::machine::{Settings, run};
use std::time::{Duration, Instant};
use workloads::examples::{core, plain_hardware, region};

/// Cores of one tile, each a stage of its own, that ask for the same units at the same time. The first writes the result.
fn crowd(cores: u32) -> Workload {
    let step = |number: u32| {
        let room = (number == 0).then_some(Instruction::Room { region: 0 });
        let work = [
            Instruction::Load { region: 1, bits: 1 },
            Instruction::Vector { operation: VectorOperation::Add, values: 1 },
            Instruction::Merge { values: 1 },
        ];
        room.into_iter().chain(work).chain((number == 0).then_some(Instruction::Store { region: 0, bits: 1 })).collect()
    };
    let all: Vec<u32> = (0..cores).collect();
    let list = |&number: &u32| Core { stage: format!("stage {number}"), ..core("core", &[], step(number)) };
    let cores = all.iter().map(list).collect();
    Workload { regions: vec![region("result", 1, &[0], &[]), region("map", 1, &[], &all)], cores, result: 0 }
}

/// The least time of several runs, with and without the critical path, and of the tables about them.
fn cost(cores: u32) -> Duration {
    let (workload, hardware) = (crowd(cores), plain_hardware());
    let once = |_| {
        let start = Instant::now();
        for critical_path in [false, true] {
            let settings = Settings { critical_path, ..Settings::default() };
            let report = run(&workload, &hardware, 1, settings).unwrap();
            let summary = Summary { workload: &workload, report: &report };
            // What cores share, and four units of each; one load a cycle.
            assert!(summary.components().len() > 2 * cores as usize && report.end > u64::from(cores));
            assert_eq!(summary.stages().len(), cores as usize);
        }
        start.elapsed()
    };
    (0..5).map(once).min().unwrap()
}

#[test]
fn cores_of_a_tile_cost_in_proportion_to_their_number() {
    // Of a cost that grows with the square, 256.
    let (few, many) = (cost(1_000), cost(16_000));
    assert!(many < 50 * few, "1000 cores take {few:?}, 16000 take {many:?}");
}
