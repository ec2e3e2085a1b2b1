//! Cases in which something is ready for a unit at one instant and the unit is free at another.
#![allow(dead_code, reason = "every test file uses a part")]

use chip::machine::hardware::Hardware;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

use crate::compare::both;
use crate::workloads::examples::{core, plain_hardware, region};

/// Cores and regions of a case; number 0 is the result, which core 0 writes once.
pub(crate) struct Build {
    pub(crate) hardware: Hardware,
    pub(crate) work: Workload,
}

pub(crate) fn vector(values: u64) -> Instruction {
    Instruction::Vector { operation: VectorOperation::Requantise, values }
}

pub(crate) fn merge(values: u64) -> Instruction {
    Instruction::Merge { values }
}

pub(crate) fn room(region: u32) -> Instruction {
    Instruction::Room { region }
}

pub(crate) fn store(region: u32, bits: u64) -> Instruction {
    Instruction::Store { region, bits }
}

pub(crate) fn send(region: u32, bits: u64) -> Instruction {
    Instruction::Send { region, bits }
}

pub(crate) fn wait(region: u32, count: u64) -> Instruction {
    Instruction::Wait { region, count }
}

pub(crate) fn free(region: u32, count: u64) -> Instruction {
    Instruction::Free { region, count }
}

pub(crate) fn mvm(slices: u32) -> Instruction {
    Instruction::Mvm { slices }
}

impl Build {
    pub(crate) fn new() -> Self {
        let result = region("result", 1, &[0], &[]);
        let work = Workload { regions: vec![result], cores: vec![core("gated", &[], vec![])], result: 0 };
        Self { hardware: plain_hardware(), work }
    }

    /// When the image is done, of engine and naive model.
    pub(crate) fn done(&self) -> u64 {
        assert_eq!(self.work.check(&self.hardware, 1), Ok(()));
        both(&self.work, &self.hardware, 1).unwrap().image_done[0]
    }

    /// A region of the first tile that holds everything.
    pub(crate) fn region(&mut self, items: u64, writers: &[u32], readers: &[u32]) -> u32 {
        self.work.regions.push(Region { item_bits: 64, ..region("region", items, writers, readers) });
        self.work.regions.len() as u32 - 1
    }

    /// What the gated core executes.
    pub(crate) fn gated(&mut self, instructions: &[Instruction]) {
        self.work.cores[0].instructions = instructions.to_vec();
    }

    pub(crate) fn add(&mut self, tile: u32, instructions: &[Instruction]) -> u32 {
        self.work.cores.push(Core { tile, ..core("other", &[], instructions.to_vec()) });
        self.work.cores.len() as u32 - 1
    }

    /// A resident region and a load from it by a core that is added or gated.
    pub(crate) fn load(&mut self, reader: u32, bits: u64) -> Instruction {
        Instruction::Load { region: self.region(1, &[], &[reader]), bits }
    }

    /// A core that keeps the load bus and a port for so many cycles from the start.
    pub(crate) fn loads(&mut self, cycles: u64) {
        let number = self.work.cores.len() as u32;
        let load = self.load(number, cycles);
        self.add(0, &[load]);
    }

    /// A core that does something at the start and writes to a region of a tile that nobody reads.
    pub(crate) fn does(&mut self, tile: u32, to: u32, work: &[Instruction]) {
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
    pub(crate) fn item_of_memory(&mut self, at: u64) -> u32 {
        self.hardware.memory.latency = at - 1;
        let writer = self.work.cores.len() as u32;
        let target = self.region(1, &[writer], &[0]);
        self.add(0, &[room(target), Instruction::LoadMemory { region: target, bits: 1 }]);
        target
    }

    /// The same with a vector unit and a store: another core's work until then.
    pub(crate) fn item_of_vector(&mut self, at: u64) -> u32 {
        let writer = self.work.cores.len() as u32;
        let target = self.region(1, &[writer], &[0]);
        self.add(0, &[room(target), vector(at - 1), store(target, 1)]);
        target
    }

    /// A row of three tiles, the gated core on one of them, its result on another.
    pub(crate) fn row(&mut self, from: u32, to: u32) {
        (self.hardware.mesh.width, self.hardware.tile.word_bits) = (3, 64);
        self.work.cores[0].tile = from;
        self.work.regions[0].tile = to;
    }

    pub(crate) fn products(&mut self, steps: &[&[Instruction]]) {
        self.work.cores[0].banks = vec![Bank { count: 1, columns: 1 }];
        self.gated(&steps.concat());
    }
}

/// A case: what is ready at `c` meets what is free at `r`; cycles from the start to the end of the image.
pub(crate) type Gate = (&'static str, fn(&mut Build, u64, u64) -> u64);

/// Requires of every case that it starts at the later of the two.
pub(crate) fn hold(gates: &[Gate]) {
    for (name, build) in gates {
        for ready in [7, 12] {
            let ends = [ready - 1, ready, ready + 1].map(|free| {
                let mut case = Build::new();
                let rest = build(&mut case, ready, free);
                let done = case.done();
                assert_eq!(done - rest, ready.max(free), "{name}: ready at {ready}, free at {free}");
                done - rest
            });
            assert_eq!(ends, [ready, ready, ready + 1], "{name}");
        }
    }
}
