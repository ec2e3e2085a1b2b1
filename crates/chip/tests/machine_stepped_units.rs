//! Rules that closed forms do not reach, each on a handful of instructions and cycles counted by hand; engine and naive model are both held to them.

use crate::compare::both;
use crate::stepped::Outcome;
use crate::stepped::account::{Cycles, Unit};
use crate::workloads::examples::{core, plain_hardware, region};
use chip::machine::hardware::Hardware;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

fn vector(values: u64) -> Instruction {
    Instruction::Vector { operation: VectorOperation::Requantise, values }
}

fn load(region: u32, bits: u64) -> Instruction {
    Instruction::Load { region, bits }
}

fn store(region: u32, bits: u64) -> Instruction {
    Instruction::Store { region, bits }
}

/// Cores on the first tile, each with a result of its own (region `c` of core `c`) and a resident map (region `cores + c`).
fn workload(programs: &[&[Instruction]]) -> Workload {
    let count = programs.len() as u32;
    let cores: Vec<Core> = programs.iter().map(|program| core("core", &[], program.to_vec())).collect();
    let results = (0..count).map(|number| {
        let stores = programs[number as usize].iter().filter(|at| matches!(at, Instruction::Room { .. })).count();
        region("result", stores.max(1) as u64, &[number], &[])
    });
    let maps = (0..count).map(|number| region("map", 1, &[], &[number]));
    Workload { regions: results.chain(maps).collect(), cores, result: 0 }
}

fn run(programs: &[&[Instruction]], hardware: &Hardware) -> Outcome {
    both(&workload(programs), hardware, 1).unwrap()
}

/// Runs programs of which the first ones begin with an item from the memory each.
fn run_fed(programs: &[&[Instruction]], fed: usize, hardware: &Hardware) -> Outcome {
    let mut workload = workload(programs);
    for number in 0..fed as u32 {
        let region_number = workload.regions.len() as u32;
        workload.regions.push(Region { item_bits: 8, ..region("feed", 1, &[number], &[number]) });
        let bits = 5;
        let feed = [
            room(region_number),
            Instruction::LoadMemory { region: region_number, bits },
            Instruction::Wait { region: region_number, count: 1 },
            Instruction::Free { region: region_number, count: 1 },
        ];
        workload.cores[number as usize].instructions.splice(0..0, feed);
    }
    both(&workload, hardware, 1).unwrap()
}

fn room(region: u32) -> Instruction {
    Instruction::Room { region }
}

fn fetch(outcome: &Outcome, core: u32) -> Cycles {
    outcome.cycles(Unit::Fetch { core })
}

#[test]
fn requests_of_one_instant_are_served_by_number_of_the_core() {
    // Core 0 has the vector unit for 3 cycles, core 1 then for 2: its result is stored at 6.
    let outcome = run(&[&[room(0), vector(3), store(0, 1)], &[room(1), vector(2), store(1, 1)]], &plain_hardware());
    assert_eq!((outcome.image_done[0], outcome.end), (4, 6));
    let second = outcome.cycles(Unit::WriteBack { core: 1 });
    assert_eq!((second.busy, second.link), (2, 4), "waits for the unit, then for its store");
    assert_eq!(outcome.cycles(Unit::Vector { tile: 0 }).busy, 5);
}

#[test]
fn an_older_request_goes_first() {
    // Core 1 has the vector unit in 0..4. Core 2 asks at 1, behind its load, core 0 at 3: memory port, a cycle of latency, the buffer.
    let programs: [&[Instruction]; 3] = [&[room(0), vector(2), store(0, 1)], &[vector(4)], &[load(5, 1), vector(1)]];
    let mut hardware = plain_hardware();
    (hardware.memory.bits_per_cycle, hardware.memory.latency, hardware.tile.word_bits) = (5, 2, 8);
    let outcome = run_fed(&programs, 1, &hardware);
    assert_eq!(outcome.image_done, [8], "core 2 has the unit in 4..5, core 0 in 5..7, then its store");
    assert_eq!((fetch(&outcome, 0).busy, fetch(&outcome, 0).input), (1, 2));
}

#[test]
fn an_instruction_waits_for_the_one_of_the_step_before() {
    let mut hardware = plain_hardware();
    hardware.tile.vector_cycles = [5, 1, 1, 1, 1];
    let short = Instruction::Vector { operation: VectorOperation::Add, values: 1 };
    let steps = [room(0), vector(1), short, store(0, 1), room(0), short, short, store(0, 1)];
    // Step 0: 0..5, 5..6, store in 6..7. Step 1: its first vector in 1..2; the second is issued at 5, with that of step 0, served in 6..7.
    assert_eq!(run(&[&steps], &hardware).end, 8);
}

#[test]
fn an_input_register_is_free_when_the_slowest_bank_has_latched() {
    let mut hardware = plain_hardware();
    hardware.tile.input_registers = 1;
    let step = [Instruction::Mvm { slices: 3 }, store(0, 1)];
    let steps: Vec<Instruction> = [load(1, 1), room(0)].into_iter().chain(step).collect();
    let two: Vec<Instruction> = steps.iter().chain(&steps).copied().collect();
    let mut workload = workload(&[&two]);
    workload.cores[0].banks = vec![Bank { count: 1, columns: 1 }, Bank { count: 2, columns: 4 }];
    let outcome = both(&workload, &hardware, 1).unwrap();
    // Load in 0..1. The slow bank latches at 2, 6, 10 and converts in 2..6..10..14; the register is free at 10, the second load in 10..11. It
    // latches its slices at 14 (read in 11..12), 18 and 22 and has converted them at 26; shift-and-add, store.
    assert_eq!(outcome.end, 28);
    let [fast, slow] = [0, 1].map(|bank| outcome.cycles(Unit::Converters { core: 0, bank }));
    assert_eq!((fast.busy, slow.busy), (6, 24));
    let arrays = outcome.cycles(Unit::Arrays { core: 0, bank: 1 });
    assert_eq!((arrays.busy, arrays.adc, arrays.input, arrays.idle), (6, 3 + 3 + 2 + 3 + 3, 1 + 1, 6));
    assert_eq!((outcome.counts[0].reads, outcome.counts[0].conversions), (3 * 6, 6 + 6 * 8));
    let write_back = outcome.cycles(Unit::WriteBack { core: 0 });
    assert_eq!((write_back.adc, write_back.link, write_back.idle), (26, 2, 0));
}

#[test]
fn a_bus_that_is_not_duplex_serves_a_load_or_a_store() {
    let programs: [&[Instruction]; 2] = [&[room(0), vector(1), store(0, 4)], &[load(3, 6)]];
    let mut hardware = plain_hardware();
    assert_eq!(run(&programs, &hardware).image_done, [5]);
    hardware.tile.duplex = false;
    assert_eq!(run(&programs, &hardware).image_done, [10]);
    // With a port for one transfer it is the same with two buses.
    (hardware.tile.duplex, hardware.tile.ports) = (true, 1);
    assert_eq!(run(&programs, &hardware).image_done, [10]);
}

#[test]
fn a_request_that_waits_keeps_a_port_from_younger_ones() {
    // The load of core 0 has bus and port in 0..8. That of core 1 waits for the bus from 0 on and keeps the other port, so that the store, which
    // asks at 1, waits until 9 (the load of core 1 in 8..9).
    let programs: [&[Instruction]; 3] = [&[load(3, 8)], &[load(4, 1)], &[room(2), vector(1), store(2, 1)]];
    let mut hardware = plain_hardware();
    hardware.tile.ports = 2;
    let outcome = run(&programs, &hardware);
    assert_eq!(outcome.cycles(Unit::StoreBus { tile: 0 }).busy, 1);
    assert_eq!(outcome.cycles(Unit::WriteBack { core: 2 }).link, 9 - 1, "waits for a port in 1..8, then for the store");
    assert_eq!(outcome.end, 9);
}

#[test]
fn transfers_that_would_meet_in_a_bank_wait() {
    // Two banks. The load of region 2 begins at 0 in bank 0: phase 0, until 8.
    let programs: [&[Instruction]; 2] = [&[load(2, 8)], &[room(1), vector(1), store(1, 1)]];
    let mut hardware = plain_hardware();
    hardware.tile.banks = 2;
    let waits = |hardware: &Hardware| run(&programs, hardware).cycles(Unit::WriteBack { core: 1 }).link;
    // Region 1 begins in bank 1 at 1: phase 0, as the load. One cycle later it has phase 1.
    assert_eq!(waits(&hardware), 2, "a cycle of waiting, a cycle of storing");
    hardware.tile.banks = 1;
    assert_eq!(waits(&hardware), 8, "one bank serves one transfer: 7 cycles of waiting");
    hardware.tile.banks = 3;
    // Region 2 at 0: phase 2. Region 1 at 1: phase 0.
    assert_eq!(waits(&hardware), 1);
}

#[test]
fn the_memory_port_is_shared_and_its_latency_is_not() {
    let mut hardware = plain_hardware();
    (hardware.memory.bits_per_cycle, hardware.memory.latency, hardware.tile.word_bits) = (2, 4, 8);
    let outcome = run_fed(&[&[room(0), vector(1), store(0, 1)], &[room(1), vector(1), store(1, 1)]], 2, &hardware);
    // Port in 0..3 and 3..6, then 3 cycles of latency, a word into the buffer, a vector, a store.
    assert_eq!((outcome.image_done[0], outcome.end), (9, 12));
    assert_eq!(outcome.cycles(Unit::Memory).busy, 6);
    let second = fetch(&outcome, 1);
    assert_eq!((second.link, second.busy, second.input), (3, 3, 4));
}

#[test]
fn requests_overlap_in_the_latency_of_the_memory() {
    // Ten requests of 2 cycles each: the port is never idle, and the last item is there behind one latency.
    let (bits, items) = (2, 10);
    let mut hardware = plain_hardware();
    (hardware.memory.latency, hardware.tile.word_bits) = (50, 8);
    let requests = [room(0), Instruction::LoadMemory { region: 0, bits }].repeat(items);
    let run = |capacity| {
        let target = Region { item_bits: bits, capacity, ..region("target", items as u64, &[0], &[1]) };
        let reads = [
            Instruction::Wait { region: 0, count: 10 },
            Instruction::Free { region: 0, count: 10 },
            room(1),
            vector(1),
            store(1, 1),
        ];
        let one_by_one = (1..=10).flat_map(|count| {
            let free = Instruction::Free { region: 0, count };
            [Instruction::Wait { region: 0, count }, free, room(1), vector(1), store(1, 1)]
        });
        let reads = if capacity.is_none() { reads.to_vec() } else { one_by_one.collect() };
        let results = reads.iter().filter(|at| matches!(at, Instruction::Store { .. })).count() as u64;
        let workload = Workload {
            regions: vec![target, region("result", results, &[1], &[])],
            cores: vec![core("memory", &[], requests.clone()), core("reader", &[], reads)],
            result: 1,
        };
        both(&workload, &hardware, 1).unwrap()
    };
    let outcome = run(None);
    assert_eq!(outcome.end, 10 * 2 + 49 + 1 + 2, "the port, the latency, a word into the buffer, a vector, a store");
    assert_eq!(fetch(&outcome, 0).busy, 20);
    // With one place each request waits until the item before it is there.
    assert_eq!(run(Some(1)).end, 10 * (2 + 49 + 1) + 2);
    // Places for what comes within a round trip of 52 cycles, 26 requests, would be enough; five take turns in groups.
    assert_eq!(run(Some(5)).end, 52 + 5 * 2 + 49 + 1 + 2);
}

#[test]
fn steps_overlap_in_write_back_in_order_of_instructions() {
    // Latency 5, occupancy 1. Step 0: vectors in 0..5 and 5..10, store in 10..11. Step 1: its first vector may be issued at 0, and is served at 1;
    // its second one follows at 6 (issued by step 0 at 5), its store at 11.
    let mut hardware = plain_hardware();
    hardware.tile.vector_cycles[0] = 5;
    let step = [room(0), vector(1), vector(1), store(0, 1)];
    let two: Vec<Instruction> = step.iter().chain(&step).copied().collect();
    let outcome = run(&[&two], &hardware);
    assert_eq!(outcome.end, 12);
    hardware.tile.output_registers = 1;
    assert_eq!(run(&[&two], &hardware).end, 22, "one output register: one after the other");
    (hardware.tile.output_registers, hardware.tile.input_registers) = (2, 1);
    assert_eq!(run(&[&two], &hardware).end, 12, "the input register is free after the occupancy of the first vector");
}

#[test]
fn a_clock_of_three_begins_at_its_multiples() {
    let mut hardware = plain_hardware();
    hardware.clocks.digital = 3;
    hardware.clocks.memory = 2;
    (hardware.memory.bits_per_cycle, hardware.tile.word_bits) = (5, 8);
    // Memory in 0..2; the write into the buffer waits for 3 and ends at 6, the vector at 9, the store at 12.
    let program = [room(0), vector(1), store(0, 1)];
    let outcome = run_fed(&[&program], 1, &hardware);
    assert_eq!(outcome.image_done, [12]);
    let row = outcome.cycles(Unit::WriteBack { core: 0 });
    assert_eq!((row.input, row.link, row.busy), (6, 3, 3));
}

#[test]
fn outputs_take_inputs_in_turn() {
    // Tiles 0, 1, 2 of a row and a result on tile 1; each of the others sends two packets of two flits, which arrive in turn: tile 1's router
    // has the inputs tile, west, east.
    let mut hardware = plain_hardware();
    hardware.mesh.width = 3;
    hardware.tile.word_bits = 8;
    (hardware.mesh.router_cycles, hardware.mesh.link_cycles) = (1, 1);
    let send = |region| Instruction::Send { region, bits: 2 };
    let sender = |number: u32, tile| {
        let step = [room(number), vector(1), send(number)];
        let steps = step.iter().chain(&step).copied().collect();
        Core { tile, ..core("sender", &[], steps) }
    };
    let target = |number: u32| Region { tile: 1, ..region("result", 2, &[number], &[]) };
    let run = |result| {
        let workload =
            Workload { regions: vec![target(0), target(1)], cores: vec![sender(0, 0), sender(1, 2)], result };
        both(&workload, &hardware, 1).unwrap()
    };
    // Heads leave at 1 and wait at the router at 3. West wins: 3, 4; east 5, 6; west 7, 8; east 9, 10; a word into the buffer behind each.
    let (west, east) = (run(0), run(1));
    assert_eq!((west.image_done[0], east.image_done[0]), (9, 11));
    assert_eq!(east.links.iter().map(|link| link.flits).collect::<Vec<_>>(), [4, 0, 0, 4]);
    let held = east.cycles(Unit::Link { from: (2, 0), to: (1, 0) });
    assert_eq!((held.busy, held.link), (4, 0), "four places hold all of the flits");
}
