//! What must hold of the engine whatever the workload: more hardware never slows what shares nothing, moving everything changes nothing, and what is arbitrated
//! may behave oddly, but only a little.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests tell what they find"
)]

use crate::workloads::chain::chain;
use crate::workloads::random::Random;
use crate::workloads::{Case, case};
use chip::machine::account::Class;
use chip::machine::hardware::Hardware;
use chip::machine::instruction::Instruction;
use chip::machine::report::Report;
use chip::machine::work::Workload;
use chip::machine::{Settings, run};

const CASES: u64 = 1500;

fn report(workload: &Workload, hardware: &Hardware, images: u64) -> Option<Report> {
    run(workload, hardware, images, Settings::default()).ok()
}

/// One thing more or faster.
type Change = (&'static str, fn(&mut Workload, &mut Hardware));

const CHANGES: [Change; 18] = [
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
    ("ports", |_, hardware| hardware.tile.ports += 1),
    ("banks", |_, hardware| hardware.tile.banks = 0),
    ("buses", |_, hardware| hardware.tile.duplex = true),
    ("reads", |_, hardware| hardware.tile.read.iter_mut().for_each(|cycles| *cycles = (*cycles - 1).max(1))),
    ("memory latency", |_, hardware| hardware.memory.latency = (hardware.memory.latency - 1).max(1)),
    ("credits", |_, hardware| hardware.mesh.credit_cycles = 1),
];

/// In how many cases a change changed anything, in the order of [`CHANGES`].
type Effects = [u64; CHANGES.len()];

/// Requires that no change slows any image of cases in which nothing is arbitrated.
fn never_slower(cases: impl Iterator<Item = Case>) -> (u64, Effects) {
    let (mut compared, mut effects) = (0, [0; CHANGES.len()]);
    for case in cases {
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        for (place, (name, change)) in CHANGES.into_iter().enumerate() {
            let Case { seed, mut workload, mut hardware, images } = case.clone();
            change(&mut workload, &mut hardware);
            let after = report(&workload, &hardware, images).unwrap();
            for (before, after) in before.image_done.iter().zip(&after.image_done) {
                assert!(after <= before, "seed {seed}, more {name}: {before} becomes {after}");
            }
            effects[place] += u64::from(after.image_done != before.image_done);
        }
        compared += 1;
    }
    (compared, effects)
}

/// Chains of cores on tiles of their own, with links of their own: buffers, registers, widths and times between them, and nothing that two could ask for at once but the
/// buffer's ports, of which there are enough. What nobody waits for there, queues for every output, a second bus, ports and banks, cannot change anything.
#[test]
fn more_hardware_never_slows_a_chain() {
    let (compared, effects) = never_slower((0..CASES).map(chain));
    eprintln!(
        "{compared} chains, changed by {:?}",
        CHANGES.map(|(name, _)| name).into_iter().zip(effects).collect::<Vec<_>>()
    );
    for ((name, _), effects) in CHANGES.into_iter().zip(effects) {
        if ["virtual output queues", "ports", "banks", "buses"].contains(&name) {
            assert_eq!(effects, 0, "more {name} in a chain");
        } else {
            assert!(effects >= 30, "more {name} changed {effects} chains");
        }
    }
}

/// A load and a packet that arrives, or a load and a store, are all that meet in a chain: what they share then, ports, banks or a bus, is served in the order of requests.
/// More of it slows no chain either.
#[test]
fn more_ports_banks_and_buses_never_slow_a_chain() {
    let scarce = |seed: u64| {
        let mut case = chain(seed);
        let tile = &mut case.hardware.tile;
        (tile.ports, tile.banks, tile.duplex) = [(1, 0, true), (16, 1, true), (16, 0, false)][seed as usize % 3];
        case
    };
    let (mut compared, mut changed) = (0, [0; 3]);
    for case in (0..CASES).map(scarce) {
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        for (place, (name, change)) in CHANGES[12..15].iter().enumerate() {
            let Case { seed, mut workload, mut hardware, images } = case.clone();
            change(&mut workload, &mut hardware);
            let after = report(&workload, &hardware, images).unwrap();
            let slower = before.image_done.iter().zip(&after.image_done).find(|(before, after)| after > before);
            assert_eq!(slower, None, "seed {seed}, more {name}");
            changed[place] += u64::from(after.image_done != before.image_done);
        }
        compared += 1;
    }
    assert!(
        changed.iter().all(|changed| *changed >= 30),
        "{compared} chains, changed by ports, banks, buses: {changed:?}"
    );
}

/// Where cores share buses, units and links, a request that comes earlier can come before another's, which then is late, and what waits for that one too
/// (the anomalies of Graham, 1969; `machine_anomalies.rs` has one of each kind). They are rare and small.
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
    // As docs/timing.md says.
    assert!(slower * 100 < 4 * compared, "{slower} of {compared}");
    assert!(worst < 1.25, "{worst} times as slow with more {worst_case:?}");
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

/// Chains on a mesh that is mirrored along either axis or both, or transposed: packets go to neighbours only, so that it does not matter that routes go along rows first,
/// and nothing is arbitrated, so that the order of inputs at outputs does not. Cores and regions under other numbers are the same too.
#[test]
fn mirrors_and_other_numbers_change_no_chain() {
    let mut compared = 0;
    for seed in 0..CASES / 3 {
        let case = chain(seed);
        let Some(before) = report(&case.workload, &case.hardware, case.images) else { continue };
        let (width, height) = (case.hardware.mesh.width, case.hardware.mesh.height);
        let mirrors: [&dyn Fn(u32, u32) -> u32; 4] = [
            &|x, y| y * width + (width - 1 - x),
            &|x, y| (height - 1 - y) * width + x,
            &|x, y| (height - 1 - y) * width + (width - 1 - x),
            &|x, y| x * height + y,
        ];
        for (number, mirror) in mirrors.into_iter().enumerate() {
            let mut case = case.clone();
            if number == 3 {
                (case.hardware.mesh.width, case.hardware.mesh.height) = (height, width);
            }
            let place = |tile: u32| mirror(tile % width, tile / width);
            case.workload.cores.iter_mut().for_each(|core| core.tile = place(core.tile));
            case.workload.regions.iter_mut().for_each(|region| region.tile = place(region.tile));
            case.hardware.memory.tile = place(case.hardware.memory.tile);
            renumber(&mut case, &mut Random(seed + number as u64));
            let after = report(&case.workload, &case.hardware, case.images).unwrap();
            assert_eq!((&after.image_done, after.end), (&before.image_done, before.end), "seed {seed}, {number}");
            let works = |report: &Report| {
                // Tiles that nobody uses may have no account.
                let busy = report.units.iter().map(|of| of.cycles.of(Class::Busy));
                let mut busy: Vec<u64> = busy.filter(|busy| *busy > 0).collect();
                busy.sort_unstable();
                busy
            };
            assert_eq!(works(&after), works(&before), "seed {seed}, {number}");
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared}");
}

/// Gives cores and regions other numbers.
fn renumber(case: &mut Case, random: &mut Random) {
    let work = &mut case.workload;
    let mut numbers = |count: usize| {
        let mut numbers: Vec<u32> = (0..count as u32).collect();
        random.shuffle(&mut numbers);
        numbers
    };
    let (cores, regions) = (numbers(work.cores.len()), numbers(work.regions.len()));
    for region in &mut work.regions {
        region.writers.iter_mut().chain(&mut region.readers).for_each(|core| *core = cores[*core as usize]);
    }
    for instruction in work.cores.iter_mut().flat_map(|core| &mut core.instructions) {
        if let Some(region) = region_of(instruction) {
            *region = regions[*region as usize];
        }
    }
    work.result = regions[work.result as usize];
    work.cores = sorted(&work.cores, &cores);
    work.regions = sorted(&work.regions, &regions);
}

fn region_of(instruction: &mut Instruction) -> Option<&mut u32> {
    match instruction {
        Instruction::Wait { region, .. }
        | Instruction::Room { region }
        | Instruction::Free { region, .. }
        | Instruction::Load { region, .. }
        | Instruction::LoadMemory { region, .. }
        | Instruction::Receive { region }
        | Instruction::Send { region, .. }
        | Instruction::Store { region, .. } => Some(region),
        Instruction::Mvm { .. } | Instruction::Merge { .. } | Instruction::Vector { .. } => None,
    }
}

/// The list in which each element has its new number.
fn sorted<T: Clone>(list: &[T], numbers: &[u32]) -> Vec<T> {
    let mut pairs: Vec<(u32, &T)> = numbers.iter().copied().zip(list).collect();
    pairs.sort_by_key(|(number, _)| *number);
    pairs.into_iter().map(|(_, element)| element.clone()).collect()
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
