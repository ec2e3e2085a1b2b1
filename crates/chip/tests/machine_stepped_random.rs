//! What must hold for the naive model of the machine on every workload: cycles and items are conserved, and time changes nothing but time.

use crate::stepped::account::{Cycles, Unit};
use crate::stepped::{Outcome, Stuck, stepped};
use crate::workloads::{Case, case};
use chip::machine::instruction::Instruction;

fn run(case: &Case, queues: bool) -> Option<Outcome> {
    let mut hardware = case.hardware.clone();
    hardware.mesh.virtual_output_queues = queues;
    match stepped(&case.workload, &hardware, case.images) {
        Ok(outcome) => Some(outcome),
        Err(Stuck::Dead { .. }) => None,
        Err(Stuck::Limit) => panic!("seed {}: no end", case.seed),
    }
}

#[test]
fn cycles_and_items_are_conserved() {
    let mut dead = 0;
    for seed in 0..600 {
        let case = case(seed);
        let Some(outcome) = run(&case, seed % 2 == 1) else {
            dead += 1;
            continue;
        };
        for (unit, cycles) in &outcome.units {
            assert_eq!(cycles.total(), outcome.end, "{unit:?} of seed {seed}");
        }
        assert!(outcome.settled, "items of seed {seed}");
        for (region, peak) in case.workload.regions.iter().zip(&outcome.peaks) {
            assert!(region.capacity.is_none_or(|capacity| *peak <= capacity), "{} of seed {seed}", region.name);
        }
        assert_eq!(outcome.image_done.len() as u64, case.images);
        assert!(outcome.image_done.is_sorted() && outcome.image_done.iter().all(|done| *done <= outcome.end));
        assert_eq!(busy(&outcome), expected_busy(&case), "seed {seed}");
    }
    assert!((30..200).contains(&dead), "{dead} of 600 workloads are dead");
}

/// Busy cycles of the run: load and store buses, ports, adders, vector units, memory port, interfaces, links, arrays, converters.
type Busy = [u64; 9];

fn busy(outcome: &Outcome) -> Busy {
    let sum = |kind: fn(&Unit) -> bool| -> u64 {
        outcome.units.iter().filter(|(unit, _)| kind(unit)).map(|(_, cycles): &(Unit, Cycles)| cycles.busy).sum()
    };
    [
        sum(|unit| matches!(unit, Unit::LoadBus { .. } | Unit::StoreBus { .. })),
        sum(|unit| matches!(unit, Unit::Port { .. })),
        sum(|unit| matches!(unit, Unit::Adder { .. })),
        sum(|unit| matches!(unit, Unit::Vector { .. })),
        sum(|unit| matches!(unit, Unit::Memory)),
        outcome.links.iter().map(|link| link.flits).sum(),
        sum(|unit| matches!(unit, Unit::Link { .. })),
        sum(|unit| matches!(unit, Unit::Arrays { .. })),
        sum(|unit| matches!(unit, Unit::Converters { .. })),
    ]
}

/// The same from the instructions alone.
fn expected_busy(case: &Case) -> Busy {
    let (tile, mesh, clocks) = (&case.hardware.tile, &case.hardware.mesh, &case.hardware.clocks);
    let mut busy = [0; 9];
    for core in &case.workload.cores {
        for instruction in &core.instructions {
            let words = |bits: u64| bits.div_ceil(tile.word_bits).div_ceil(tile.words_per_cycle) * clocks.digital;
            match *instruction {
                Instruction::Load { bits, .. } => {
                    let cycles = words(bits) + tile.access_cycles * clocks.digital;
                    busy[0] += cycles;
                    busy[1] += cycles;
                }
                Instruction::Store { bits, .. } => {
                    busy[0] += words(bits);
                    busy[1] += words(bits);
                }
                Instruction::Send { bits, region } => {
                    busy[1] += words(bits);
                    let to = case.workload.regions[region as usize].tile;
                    let flits = mesh.flits(bits) * mesh.links(core.tile, to);
                    busy[5] += flits;
                    busy[6] += flits * clocks.network;
                }
                Instruction::Merge { values } => busy[2] += values.div_ceil(tile.adder_width) * clocks.digital,
                Instruction::Vector { values, .. } => busy[3] += values.div_ceil(tile.vector_width) * clocks.digital,
                Instruction::LoadMemory { bits, .. } => {
                    busy[1] += words(bits);
                    busy[4] += bits.div_ceil(case.hardware.memory.bits_per_cycle) * clocks.memory;
                }
                Instruction::Mvm { slices } => {
                    for (bank, slice) in core.banks.iter().flat_map(|bank| (0..slices).map(move |at| (bank, at))) {
                        busy[7] += tile.read_cycles(slice) * clocks.arrays;
                        busy[8] += tile.convert_cycles(slice, bank.columns, clocks) * clocks.arrays;
                    }
                }
                _ => {}
            }
        }
    }
    busy.map(|cycles| cycles * case.images)
}

#[test]
fn slower_clocks_scale_everything() {
    for seed in 0..300 {
        let mut case = case(seed);
        let clocks = &mut case.hardware.clocks;
        (clocks.arrays, clocks.digital, clocks.network, clocks.memory) = (1, 1, 1, 1);
        let fast = run(&case, false);
        let clocks = &mut case.hardware.clocks;
        (clocks.arrays, clocks.digital, clocks.network, clocks.memory) = (3, 3, 3, 3);
        case.hardware.tile.conversion.iter_mut().for_each(|cycles| *cycles *= 3.0);
        let (Some(fast), Some(slow)) = (fast, run(&case, false)) else { continue };
        assert_eq!(fast.image_done.iter().map(|done| 3 * done).collect::<Vec<_>>(), slow.image_done, "seed {seed}");
        assert_eq!(3 * fast.end, slow.end, "seed {seed}");
        for ((unit, fast), (_, slow)) in fast.units.iter().zip(&slow.units) {
            let [fast, slow] = [fast, slow].map(|at| [at.busy, at.input, at.adc, at.output_full, at.link, at.idle]);
            assert_eq!(fast.map(|cycles| 3 * cycles), slow, "{unit:?} of seed {seed}");
        }
    }
}

/// Whether a workload is dead depends on places and registers, not on how fast anything is.
#[test]
fn speed_decides_nothing_about_death() {
    let mut dead = 0;
    for seed in 0..300 {
        let slow = case(seed);
        let mut fast = slow.clone();
        let other = case(seed + 10_000).hardware;
        let (tile, mesh) = (&slow.hardware.tile, slow.hardware.mesh);
        fast.hardware = other.clone();
        fast.hardware.tile.input_registers = tile.input_registers;
        fast.hardware.tile.output_registers = tile.output_registers;
        fast.hardware.tile.sample_hold_depth = tile.sample_hold_depth;
        fast.hardware.mesh.width = mesh.width;
        fast.hardware.mesh.height = mesh.height;
        fast.hardware.mesh.concentration = mesh.concentration;
        let [slow, fast] = [&slow, &fast].map(|case| stepped(&case.workload, &case.hardware, case.images));
        assert_eq!(slow.is_ok(), fast.is_ok(), "seed {seed}");
        if let (Ok(slow), Ok(fast)) = (&slow, &fast) {
            assert_eq!(slow.counts, fast.counts, "seed {seed}");
        }
        dead += u32::from(slow.is_err());
    }
    assert!(dead > 20, "{dead} of 300 workloads are dead");
}

/// A generator whose workloads never wait for anything would find no fault.
#[test]
fn random_workloads_contend_for_everything() {
    let mut waits = [0; 9];
    for seed in 0..600 {
        let case = case(seed);
        let Some(outcome) = run(&case, false) else { continue };
        let any = |waits: fn(&Unit, &Cycles) -> bool| outcome.units.iter().any(|(unit, cycles)| waits(unit, cycles));
        let seen = [
            any(|unit, cycles| matches!(unit, Unit::Fetch { .. }) && cycles.link > 0),
            any(|unit, cycles| matches!(unit, Unit::Fetch { .. }) && cycles.output_full > 0),
            any(|unit, cycles| matches!(unit, Unit::Arrays { .. }) && cycles.adc > 0),
            any(|unit, cycles| matches!(unit, Unit::Converters { .. }) && cycles.output_full > 0),
            any(|unit, cycles| matches!(unit, Unit::WriteBack { .. }) && cycles.link > 0),
            any(|unit, cycles| matches!(unit, Unit::Interface { .. }) && cycles.link > 0),
            any(|unit, cycles| matches!(unit, Unit::Link { .. }) && cycles.link > 0),
            any(|unit, cycles| matches!(unit, Unit::Memory) && cycles.busy > 0),
            run(&case, true).is_none_or(|with| with.image_done != outcome.image_done),
        ];
        waits.iter_mut().zip(seen).for_each(|(waits, seen)| *waits += u32::from(seen));
    }
    assert!(waits.iter().all(|waits| *waits > 30), "too few of 600 workloads wait: {waits:?}");
}
