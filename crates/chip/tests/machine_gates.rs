//! Not ready at `c - 1`, ready at `c`: for every unit, something that is ready for it at `c`, and the unit free at `c - 1`, `c` and `c + 1`. Engine and naive
//! model are both held to the start that follows, the later of the two.

use crate::gates::{Build, Gate, free, hold, merge, mvm, room, send, store, vector, wait};
use chip::machine::instruction::Instruction;

const GATES: [Gate; 23] = [
    ("load bus", |b, c, r| {
        b.loads(r);
        let item = b.item_of_vector(c);
        let load = b.load(0, 1);
        b.gated(&[wait(item, 1), free(item, 1), load, room(0), store(0, 1)]);
        2
    }),
    ("store bus", |b, c, r| {
        b.gated(&[room(0), vector(c), store(0, 1)]);
        let other = b.region(1, &[1], &[]);
        b.add(0, &[room(other), store(other, r)]);
        1
    }),
    ("bus that is not duplex", |b, c, r| {
        b.hardware.tile.duplex = false;
        b.gated(&[room(0), vector(c), store(0, 1)]);
        b.loads(r);
        1
    }),
    ("port", |b, c, r| {
        b.hardware.tile.ports = 1;
        b.gated(&[room(0), vector(c), store(0, 1)]);
        b.loads(r);
        1
    }),
    ("bank", |b, c, r| {
        b.hardware.tile.banks = 1;
        b.gated(&[room(0), vector(c), store(0, 1)]);
        b.loads(r);
        1
    }),
    ("input register", |b, c, r| {
        b.hardware.tile.input_registers = 1;
        let item = b.item_of_memory(c);
        let load = b.load(0, 1);
        b.gated(&[load, vector(r - 1), wait(item, 1), free(item, 1), load, room(0), store(0, 1)]);
        2
    }),
    ("array", |b, c, r| {
        b.hardware.tile.read = vec![r];
        let item = b.item_of_memory(c);
        b.products(&[&[room(0), mvm(1), wait(item, 1), free(item, 1), mvm(1), store(0, 1)]]);
        r + 1 + 1 + 1
    }),
    ("sample-and-hold", |b, c, r| {
        // The second slice is read at c, the first one converted at r; then the third is read for 30 cycles.
        (b.hardware.tile.read, b.hardware.tile.conversion) = (vec![1, c - 1, 30], vec![(r - 1) as f64, 0.0]);
        b.products(&[&[room(0), mvm(3), store(0, 1)]]);
        30 + 1 + 1
    }),
    ("converter", |b, c, r| {
        b.hardware.tile.sample_hold_depth = 2;
        (b.hardware.tile.read, b.hardware.tile.conversion) = (vec![1, c - 1], vec![(r - 1) as f64, 1.0]);
        b.products(&[&[room(0), mvm(2), store(0, 1)]]);
        1 + 1 + 1
    }),
    ("adder tree", |b, c, r| {
        b.gated(&[room(0), vector(c), merge(1), store(0, 1)]);
        b.does(0, 0, &[merge(r)]);
        2
    }),
    ("vector unit", |b, c, r| {
        b.gated(&[room(0), merge(c), vector(1), store(0, 1)]);
        b.does(0, 0, &[vector(r)]);
        2
    }),
    ("output register", |b, c, r| {
        b.hardware.tile.output_registers = 1;
        let item = b.item_of_memory(c);
        b.work.regions[0].items = 2;
        b.gated(&[room(0), vector(r - 1), store(0, 1), room(0), wait(item, 1), free(item, 1), store(0, 1)]);
        1
    }),
    ("output register of a conversion", |b, c, r| {
        // The first step is converted at 2 and ends at r: shift-and-add, a vector, a store. The second one is latched at c.
        b.hardware.tile.output_registers = 1;
        b.work.regions[0].items = 2;
        let item = b.item_of_memory(c - 1);
        let second = [wait(item, 1), free(item, 1), room(0), mvm(1), store(0, 1)];
        b.products(&[&[room(0), mvm(1), vector(r - 4), store(0, 1)], &second]);
        1 + 1 + 1
    }),
    ("network interface", |b, c, r| {
        // To the right, behind a packet to the left.
        b.row(1, 2);
        b.gated(&[room(0), vector(c), send(0, 1)]);
        b.does(1, 0, &[send(0, r)]);
        2 + 1
    }),
    ("link", |b, c, r| {
        // The other packet comes from the left, on the link from 2 on.
        b.row(1, 2);
        b.gated(&[room(0), vector(c), send(0, 1)]);
        b.does(0, 2, &[send(0, r - 2)]);
        2 + 1
    }),
    ("credit", |b, c, r| {
        // A flit takes the only place at 2 and leaves it at once, which the sender knows at r.
        b.row(0, 1);
        (b.hardware.mesh.buffer_flits, b.hardware.mesh.credit_cycles) = (1, r - 2);
        b.gated(&[room(0), vector(c), send(0, 1)]);
        b.does(0, 1, &[send(0, 1)]);
        2 + 1
    }),
    ("memory port", |b, c, r| {
        let item = b.item_of_vector(c);
        let load = b.region(1, &[0], &[0]);
        let from_memory = [room(load), Instruction::LoadMemory { region: load, bits: 1 }, wait(load, 1), free(load, 1)];
        b.gated(&[&[wait(item, 1), free(item, 1)][..], &from_memory, &[room(0), store(0, 1)]].concat());
        let other = b.region(1, &[2], &[]);
        b.hardware.tile.word_bits = 64;
        b.add(0, &[room(other), Instruction::LoadMemory { region: other, bits: r }]);
        1 + 1 + 1
    }),
    ("place of a region", |b, c, r| {
        // The gated core writes two items into one place; the reader gives the first one back at r. It asks for the second at c.
        let (timer, items) = (b.item_of_vector(c), b.region(2, &[0], &[2]));
        b.work.regions[items as usize].capacity = Some(1);
        let first = [room(items), store(items, 1)];
        let second = [wait(timer, 1), free(timer, 1), room(items), room(0), store(0, 1), store(items, 1)];
        b.gated(&[&first[..], &second].concat());
        let load = b.load(2, r - 1);
        b.add(0, &[wait(items, 1), load, free(items, 1), wait(items, 2), free(items, 2)]);
        1
    }),
    ("item of a region", |b, c, r| {
        let item = b.item_of_memory(r);
        let load = b.load(0, c);
        b.gated(&[load, wait(item, 1), free(item, 1), room(0), store(0, 1)]);
        1
    }),
    ("port for a packet that arrives", |b, c, r| {
        b.row(0, 1);
        b.hardware.tile.ports = 1;
        // The flit leaves at c - 2 and arrives two cycles later. A core beside the result loads r words.
        b.gated(&[room(0), vector(c - 2), send(0, 1)]);
        let load = b.load(1, 64 * r);
        b.work.regions[1].tile = 1;
        b.add(1, &[load]);
        1
    }),
    ("output of a router to its tile", |b, c, r| {
        // A flit from the left is at the router at c, a packet from the right goes through its output in 2..r.
        b.row(0, 1);
        b.gated(&[room(0), vector(c - 2), send(0, 1)]);
        b.does(2, 1, &[send(0, r - 2)]);
        1
    }),
    ("second port", |b, c, r| {
        // One port loads, the other one writes what comes from the memory at 1.
        (b.hardware.tile.ports, b.hardware.tile.banks, b.hardware.memory.bits_per_cycle) = (2, 0, 64);
        b.gated(&[room(0), vector(c), store(0, 1)]);
        b.loads(40);
        let other = b.region(1, &[2], &[]);
        b.add(0, &[room(other), Instruction::LoadMemory { region: other, bits: r - 1 }]);
        1
    }),
    ("shift-and-add", |b, c, r| {
        // Converted at 2, added up at c; the store bus is free at r.
        b.hardware.tile.shift_add_cycles = c - 2;
        b.products(&[&[room(0), mvm(1), store(0, 1)]]);
        let other = b.region(1, &[1], &[]);
        b.add(0, &[room(other), store(other, r)]);
        1
    }),
];

#[test]
fn every_unit_starts_when_it_is_free_and_asked_for() {
    hold(&GATES);
}

/// A received item likewise.
#[test]
fn items_are_received_when_they_are_there() {
    for (ready, there) in [(7, 6), (7, 7), (7, 8)] {
        let mut case = Build::new();
        let item = case.item_of_memory(there);
        case.gated(&[room(0), vector(ready), Instruction::Receive { region: item }, store(0, 1)]);
        assert_eq!(case.done(), ready.max(there) + 1);
    }
}

/// A clock of 5: sets it, lets something be ready for a unit of its domain, and tells what comes behind the edge.
type Clock = (&'static str, fn(&mut Build, u64) -> u64);

const CLOCKS: [Clock; 4] = [
    ("digital", |b, ready| {
        b.hardware.clocks.digital = 5;
        b.hardware.tile.word_bits = 64;
        // Read in `ready - 1` cycles of 1, converted in one; shift-and-add ends 5 later, the store begins at the edge behind it.
        b.hardware.tile.read = vec![ready - 1];
        b.products(&[&[room(0), mvm(1), store(0, 1)]]);
        5 + 5
    }),
    ("arrays", |b, ready| {
        b.hardware.clocks.arrays = 5;
        // Fetched behind a load; read and converted in a cycle each; shift-and-add and store.
        let load = b.load(0, ready);
        b.products(&[&[load, room(0), mvm(1), store(0, 1)]]);
        5 + 5 + 1 + 1
    }),
    ("network", |b, ready| {
        b.hardware.clocks.network = 5;
        // A router and a link, and a word into the buffer.
        b.row(0, 1);
        b.gated(&[room(0), vector(ready), send(0, 1)]);
        2 * 5 + 1
    }),
    ("memory", |b, ready| {
        b.hardware.clocks.memory = 5;
        // The port, a word into the buffer, the store.
        let (load, item) = (b.load(0, ready), b.region(1, &[0], &[0]));
        let from_memory = [room(item), Instruction::LoadMemory { region: item, bits: 1 }, wait(item, 1), free(item, 1)];
        b.gated(&[&[load][..], &from_memory, &[room(0), store(0, 1)]].concat());
        5 + 1 + 1
    }),
];

/// In every domain what is ready within a cycle of its clock waits for the next.
#[test]
fn edges_of_all_clocks_are_waited_for() {
    for (name, build) in CLOCKS {
        for (ready, edge) in [(4, 5), (5, 5), (6, 10), (9, 10), (10, 10), (11, 15)] {
            let mut case = Build::new();
            let rest = build(&mut case, ready);
            assert_eq!(case.done() - rest, edge, "{name}: ready at {ready}");
        }
    }
}
