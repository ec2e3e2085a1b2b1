//! Workloads for tests: random ones, and worked examples.
#![allow(dead_code, reason = "every test file uses a part")]

mod build;
pub(crate) mod chain;
pub(crate) mod examples;
pub(crate) mod graph;
mod hardware;
pub(crate) mod random;
mod uneven;
pub(crate) mod windows;

use chip::machine::hardware::Hardware;
use chip::machine::work::Workload;
use random::Random;

/// A random run; `case(seed)` is the same one everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) workload: Workload,
    pub(crate) hardware: Hardware,
    pub(crate) images: u64,
}

pub(crate) fn case(seed: u64) -> Case {
    let mut random = Random(seed);
    let hardware = hardware::hardware(&mut random);
    let tiles = u64::from(hardware.mesh.width * hardware.mesh.height);
    let port = hardware.memory.tile;
    let stages = graph::graph(tiles, port, &mut random);
    let workload = build::build(stages, (tiles, port), &mut random);
    Case { seed, workload, hardware, images: random.within(1, 3) }
}

/// As [`case`], with steps that differ within a core in three of four.
pub(crate) fn uneven_case(seed: u64) -> Case {
    let mut case = case(seed);
    if !seed.is_multiple_of(4) {
        uneven::make_uneven(&mut case.workload, &mut Random(!seed));
    }
    case
}
