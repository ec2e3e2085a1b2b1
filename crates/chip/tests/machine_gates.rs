//! Not ready at `c - 1`, ready at `c`: for every unit, something that is ready for it at `c`, and the unit free at `c - 1`, `c` and `c + 1`. Engine and naive
//! model are both held to the start that follows, the later of the two.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail the test")]

#[path = "support/compare.rs"]
mod compare;
#[path = "support/stepped/mod.rs"]
mod stepped;
#[path = "support/workloads/mod.rs"]
mod workloads;

use chip::machine::hardware::Hardware;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};
use compare::both;
use workloads::examples::{core, plain_hardware, region};

/// Cores and regions of a case; number 0 is the result, which core 0 writes once.
struct Build {
    hardware: Hardware,
    work: Workload,
}

fn vector(values: u64) -> Instruction {
    Instruction::Vector { operation: VectorOperation::Requantise, values }
}

fn merge(values: u64) -> Instruction {
    Instruction::Merge { values }
}

fn room(region: u32) -> Instruction {
    Instruction::Room { region }
}

fn store(region: u32, bits: u64) -> Instruction {
    Instruction::Store { region, bits }
}

fn send(region: u32, bits: u64) -> Instruction {
    Instruction::Send { region, bits }
}

fn wait(region: u32, count: u64) -> Instruction {
    Instruction::Wait { region, count }
}

fn free(region: u32, count: u64) -> Instruction {
    Instruction::Free { region, count }
}

fn mvm(slices: u32) -> Instruction {
    Instruction::Mvm { slices }
}

impl Build {
    fn new() -> Self {
        let result = region("result", 1, &[0], &[]);
        let work = Workload { regions: vec![result], cores: vec![core("gated", &[], vec![])], result: 0 };
        Self { hardware: plain_hardware(), work }
    }

    /// A region of the first tile that holds everything.
    fn region(&mut self, items: u64, writers: &[u32], readers: &[u32]) -> u32 {
        self.work.regions.push(Region { item_bits: 64, ..region("region", items, writers, readers) });
        self.work.regions.len() as u32 - 1
    }

    /// What the gated core executes.
    fn gated(&mut self, instructions: &[Instruction]) {
        self.work.cores[0].instructions = instructions.to_vec();
    }

    fn add(&mut self, tile: u32, instructions: &[Instruction]) -> u32 {
        self.work.cores.push(Core { tile, ..core("other", &[], instructions.to_vec()) });
        self.work.cores.len() as u32 - 1
    }

    /// A resident region and a load from it by a core that is added or gated.
    fn load(&mut self, reader: u32, bits: u64) -> Instruction {
        Instruction::Load { region: self.region(1, &[], &[reader]), bits }
    }

    /// A core that keeps the load bus and a port for so many cycles from the start.
    fn loads(&mut self, cycles: u64) {
        let number = self.work.cores.len() as u32;
        let load = self.load(number, cycles);
        self.add(0, &[load]);
    }

    /// A core that does something at the start and writes to a region of a tile that nobody reads.
    fn does(&mut self, tile: u32, to: u32, work: &[Instruction]) {
        let number = self.work.cores.len() as u32;
        let target = self.region(1, &[number], &[]);
        self.work.regions[target as usize].tile = to;
        let bits = 1;
        let end = if tile == to { store(target, bits) } else { send(target, bits) };
        let work = work.iter().map(|at| match *at {
            Instruction::Send { bits, .. } => send(target, bits),
            other => other,
        });
        let mut instructions: Vec<Instruction> = [room(target)].into_iter().chain(work).collect();
        if !instructions.iter().any(|at| matches!(at, Instruction::Send { .. })) {
            instructions.push(end);
        }
        self.add(tile, &instructions);
    }

    /// A region with one item for the gated core, there at an instant from 2 on: it comes from the memory, whose latency that takes.
    fn item_of_memory(&mut self, at: u64) -> u32 {
        self.hardware.memory.latency = at - 1;
        let writer = self.work.cores.len() as u32;
        let target = self.region(1, &[writer], &[0]);
        self.add(0, &[room(target), Instruction::LoadMemory { region: target, bits: 1 }]);
        target
    }

    /// The same with a vector unit and a store: another core's work until then.
    fn item_of_vector(&mut self, at: u64) -> u32 {
        let writer = self.work.cores.len() as u32;
        let target = self.region(1, &[writer], &[0]);
        self.add(0, &[room(target), vector(at - 1), store(target, 1)]);
        target
    }

    /// A row of three tiles, the gated core on one of them, its result on another.
    fn row(&mut self, from: u32, to: u32) {
        (self.hardware.mesh.width, self.hardware.tile.word_bits) = (3, 64);
        self.work.cores[0].tile = from;
        self.work.regions[0].tile = to;
    }

    fn products(&mut self, steps: &[&[Instruction]]) {
        self.work.cores[0].banks = vec![Bank { count: 1, columns: 1 }];
        self.gated(&steps.concat());
    }
}

/// A case: what is ready at `c` meets what is free at `r`; cycles from the start to the end of the image.
type Gate = (&'static str, fn(&mut Build, u64, u64) -> u64);

const GATES: [Gate; 19] = [
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
];

#[test]
fn every_unit_starts_when_it_is_free_and_asked_for() {
    for (name, build) in GATES {
        for ready in [7, 12] {
            let ends: Vec<u64> = [ready - 1, ready, ready + 1]
                .into_iter()
                .map(|free| {
                    let mut case = Build::new();
                    let rest = build(&mut case, ready, free);
                    assert_eq!(case.work.check(&case.hardware, 1), Ok(()), "{name}");
                    let done = both(&case.work, &case.hardware, 1).unwrap().image_done[0];
                    assert_eq!(done - rest, ready.max(free), "{name}: ready at {ready}, free at {free}");
                    done - rest
                })
                .collect();
            assert_eq!(ends, [ready, ready, ready + 1], "{name}");
        }
    }
}

/// A received item likewise, and the clocks of all domains: what is ready within a cycle of its clock waits for the next.
#[test]
fn items_are_received_and_clocks_waited_for() {
    for (ready, there) in [(7, 6), (7, 7), (7, 8)] {
        let mut case = Build::new();
        let item = case.item_of_memory(there);
        case.gated(&[room(0), vector(ready), Instruction::Receive { region: item }, store(0, 1)]);
        assert_eq!(both(&case.work, &case.hardware, 1).unwrap().image_done, [ready.max(there) + 1]);
    }
    for (ready, edge) in [(4, 5), (5, 5), (6, 10)] {
        let mut case = Build::new();
        case.hardware.clocks.digital = 5;
        case.hardware.tile.word_bits = 64;
        // Read in `ready - 1` cycles of 1, converted in one; shift-and-add ends 5 later, the store begins at the edge behind it.
        case.hardware.tile.read = vec![ready - 1];
        case.products(&[&[room(0), mvm(1), store(0, 1)]]);
        assert_eq!(both(&case.work, &case.hardware, 1).unwrap().image_done, [edge + 5 + 5], "ready at {ready}");
    }
}
