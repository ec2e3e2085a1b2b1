//! What must hold of the engine whatever the workload: more hardware never slows what shares nothing, moving everything changes nothing, and what is arbitrated
//! may behave oddly, but only a little.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests tell what they find"
)]

#[path = "support/workloads/mod.rs"]
mod workloads;

use chip::machine::hardware::Hardware;
use chip::machine::instruction::Instruction;
use chip::machine::report::Report;
use chip::machine::work::Workload;
use chip::machine::{Settings, run};
use workloads::{Case, case};

const CASES: u64 = 1500;

fn report(workload: &Workload, hardware: &Hardware, images: u64) -> Option<Report> {
    run(workload, hardware, images, Settings::default()).ok()
}

/// One thing more or faster.
type Change = (&'static str, fn(&mut Workload, &mut Hardware));

const CHANGES: [Change; 12] = [
    ("converters", |_, hardware| hardware.tile.converters += 1),
    ("word bits", |_, hardware| hardware.tile.word_bits *= 2),
    ("capacities", |workload, _| {
        for region in &mut workload.regions {
            region.capacity = region.capacity.map(|capacity| capacity + 1);
        }
    }),
    ("input registers", |_, hardware| hardware.tile.input_registers += 1),
    ("output registers", |_, hardware| hardware.tile.output_registers += 1),
    ("sample-and-hold", |_, hardware| hardware.tile.sample_hold_depth += 1),
    ("vector width", |_, hardware| hardware.tile.vector_width *= 2),
    ("adder width", |_, hardware| hardware.tile.adder_width *= 2),
    ("memory width", |_, hardware| hardware.memory.bits_per_cycle *= 2),
    ("flit width", |_, hardware| hardware.mesh.flit_bits *= 2),
    ("router buffers", |_, hardware| hardware.mesh.buffer_flits += 1),
    ("virtual output queues", |_, hardware| hardware.mesh.virtual_output_queues = true),
];

/// Makes of a case one in which nothing is arbitrated, if it is of a single core whose steps use each shared unit once: a bus in each direction, two ports, no
/// banks that could meet.
fn without_arbitration(case: &mut Case) -> bool {
    let Case { workload, hardware, .. } = case;
    hardware.tile.banks = 0;
    (hardware.tile.ports, hardware.tile.duplex) = (4, true);
    let [core] = workload.cores.as_slice() else { return false };
    let steps = core
        .instructions
        .split(|instruction| matches!(instruction, Instruction::Wait { .. } | Instruction::Room { .. }));
    let most_of = |kind: fn(&Instruction) -> bool| {
        let of_step = steps.clone().map(|step| step.iter().filter(|instruction| kind(instruction)).count());
        of_step.max().unwrap_or(0)
    };
    most_of(|instruction| matches!(instruction, Instruction::Merge { .. })) <= 1
        && most_of(|instruction| matches!(instruction, Instruction::Vector { .. })) <= 1
        && most_of(|instruction| matches!(instruction, Instruction::Store { .. })) <= 1
}

#[test]
fn more_hardware_never_slows_what_shares_nothing() {
    let mut compared = 0;
    for seed in 0..20 * CASES {
        let mut case = case(seed);
        if !without_arbitration(&mut case) {
            continue;
        }
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        for (name, change) in CHANGES {
            let Case { mut workload, mut hardware, images, .. } = case.clone();
            change(&mut workload, &mut hardware);
            let after = report(&workload, &hardware, images).unwrap();
            for (before, after) in before.image_done.iter().zip(&after.image_done) {
                assert!(after <= before, "seed {seed}, more {name}: {before} becomes {after}");
            }
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared} comparisons");
}

/// Where cores share buses, units and links, a request that comes earlier can come before another's, which then is late, and what waits for that one too
/// (the anomalies of Graham, 1969). They are rare and small.
#[test]
fn anomalies_of_arbitration_are_rare_and_small() {
    let (mut compared, mut slower, mut worst, mut worst_case) = (0_u64, 0_u64, 1.0_f64, (0, ""));
    for seed in 0..CASES {
        let case = case(seed);
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        for (name, change) in CHANGES {
            let Case { mut workload, mut hardware, images, .. } = case.clone();
            change(&mut workload, &mut hardware);
            let Some(after) = report(&workload, &hardware, images) else {
                panic!("seed {seed}: more {name} stops it");
            };
            let (Some(&before), Some(&after)) = (before.image_done.last(), after.image_done.last()) else { continue };
            compared += 1;
            slower += u64::from(after > before);
            let ratio = after as f64 / before as f64;
            if ratio > worst {
                (worst, worst_case) = (ratio, (seed, name));
            }
        }
    }
    eprintln!("{slower} of {compared} are slower, at worst {worst:.3} times: {worst_case:?}");
    assert!(slower * 20 < compared, "{slower} of {compared}");
    assert!(worst < 1.3, "{worst} times as slow with more {worst_case:?}");
}

/// The same chip on a larger mesh, two columns to the right and two rows down: the same routes, hence the same cycles.
#[test]
fn moving_all_tiles_changes_nothing() {
    let mut moved = 0;
    for seed in 0..CASES {
        let case = case(seed);
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        let Case { mut workload, mut hardware, images, .. } = case.clone();
        let (width, wide) = (case.hardware.mesh.width, case.hardware.mesh.width + 4);
        (hardware.mesh.width, hardware.mesh.height) = (wide, case.hardware.mesh.height + 4);
        let place = |tile: u32| (tile / width + 2) * wide + tile % width + 2;
        workload.cores.iter_mut().for_each(|core| core.tile = place(core.tile));
        workload.regions.iter_mut().for_each(|region| region.tile = place(region.tile));
        hardware.memory.tile = place(hardware.memory.tile);
        let after = report(&workload, &hardware, images).unwrap();
        assert_eq!(
            (after.image_done, after.end, after.cores, after.peaks),
            (before.image_done, before.end, before.cores, before.peaks),
            "seed {seed}"
        );
        moved += 1;
    }
    assert!(moved > CASES / 2);
}

/// The cycles of the path are those of the run, and none of its parts is longer than the run.
#[test]
fn the_critical_path_is_as_long_as_the_run() {
    let (mut paths, mut long) = (0, 0);
    for seed in 0..CASES {
        let case = case(seed);
        let settings = Settings { critical_path: true, ..Settings::default() };
        let Ok(report) = run(&case.workload, &case.hardware, case.images, settings) else { continue };
        let path: u64 = report.critical_path.iter().map(|(_, cycles)| cycles).sum();
        assert_eq!(Some(&path), report.image_done.last(), "seed {seed}");
        paths += 1;
        long += usize::from(report.critical_path.len() > 20);
    }
    assert!(paths > 1000 && long > 500, "{paths} paths, {long} of more than 20 operations");
}
