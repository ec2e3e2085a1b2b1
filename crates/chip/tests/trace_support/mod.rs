//! A small chip and random workloads for it.

#![allow(dead_code, reason = "every test uses a part of it")]

pub(crate) mod naive;

use chip::machine::hardware::{Clocks, Hardware, MemoryHardware, MeshHardware, TileHardware};
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

/// The tile of the memory port.
const PORT: u32 = 0;

/// A chip of 2 x 2 tiles with unit times.
pub(crate) fn hardware(input_registers: u32, sample_hold_depth: u32, output_registers: u32) -> Hardware {
    Hardware {
        clocks: Clocks { arrays: 1, digital: 1, network: 1, memory: 1 },
        tile: TileHardware {
            input_registers,
            sample_hold_depth,
            output_registers,
            read: vec![1],
            converters: 1,
            conversion: vec![1.0],
            word_bits: 8,
            words_per_cycle: 1,
            access_cycles: 1,
            duplex: true,
            ports: 1,
            banks: 1,
            buffer_bits: 1 << 20,
            shift_add_cycles: 1,
            adder_width: 1,
            merge_cycles: 1,
            vector_width: 1,
            vector_cycles: [1; 5],
        },
        mesh: MeshHardware {
            width: 2,
            height: 2,
            concentration: 1,
            flit_bits: 8,
            router_cycles: 1,
            link_cycles: 1,
            virtual_output_queues: false,
            buffer_flits: 1,
            credit_cycles: 1,
        },
        memory: MemoryHardware { tile: PORT, buffer_bits: 0, bits_per_cycle: 8, latency: 1 },
    }
}

/// Numbers to make choices with; zeros at its end.
pub(crate) struct Tape<'a>(pub(crate) &'a [u8], pub(crate) usize);

impl Tape<'_> {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let value = self.0.get(self.1).copied().unwrap_or(0);
        self.1 += 1;
        u64::from(value) % bound
    }

    /// `count` steps out of `steps`, in order.
    fn places(&mut self, count: u64, steps: u64) -> Vec<u64> {
        let mut places: Vec<u64> = (0..count).map(|_| self.below(steps)).collect();
        places.sort_unstable();
        places
    }
}

struct Step {
    fetch: Vec<Instruction>,
    back: Vec<Instruction>,
    mvm: Option<u32>,
}

/// A workload that makes sense but may stand still.
pub(crate) fn workload(tape: &mut Tape<'_>) -> Workload {
    let cores = 1 + tape.below(4) as u32;
    let tiles: Vec<u32> = (0..cores).map(|_| tape.below(4) as u32).collect();
    let mut regions = vec![region("images", tiles[0], 4, None, vec![], vec![0])];
    for edge in 0..tape.below(6) {
        let reader = tape.below(cores.into()) as u32;
        let writer = tape.below(cores.into()) as u32;
        let second = tape.below(cores.into()) as u32;
        let mut writers = vec![writer];
        if second != writer && tape.below(3) == 0 {
            writers.push(second);
        }
        let items = 1 + tape.below(6);
        let capacity = Some(1 + tape.below(4)).filter(|&capacity| capacity < 4);
        regions.push(region(&format!("edge {edge}"), tiles[reader as usize], items, capacity, writers, vec![reader]));
    }
    // A second reader on the same tile.
    for region in regions.iter_mut().skip(1) {
        let other = tape.below(cores.into()) as u32;
        if tiles[other as usize] == region.tile && !region.readers.contains(&other) && tape.below(2) == 0 {
            region.readers.push(other);
        }
    }
    let last = tape.below(cores.into()) as u32;
    let (tile, items) = (tape.below(4) as u32, 1 + tape.below(5));
    regions.push(region("result \"\u{e9}\"\n#", tile, items, Some(1), vec![last], vec![]));
    let result = regions.len() as u32 - 1;
    // What a step loads that needs nothing.
    for (number, &tile) in (0..).zip(&tiles) {
        regions.push(region(&format!("spare {number}"), tile, 1, None, vec![], vec![number]));
    }
    let cores = (0..cores).map(|number| core(number, tiles[number as usize], &regions, tape)).collect();
    Workload { regions, cores, result }
}

fn region(name: &str, tile: u32, items: u64, capacity: Option<u64>, writers: Vec<u32>, readers: Vec<u32>) -> Region {
    Region { name: name.to_owned(), tile, items, item_bits: 16, capacity, writers, readers }
}

fn core(number: u32, tile: u32, regions: &[Region], tape: &mut Tape<'_>) -> Core {
    let count = 1 + tape.below(4);
    let arrays = tape.below(2) == 1;
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..count {
        let mvm = arrays.then(|| 1 + tape.below(3) as u32);
        steps.push(Step { fetch: vec![], back: vec![], mvm });
    }
    let spare = (regions.iter().rposition(|region| region.readers == [number])).map_or(0, |at| at as u32);
    for (at, region) in regions.iter().enumerate() {
        if region.readers.contains(&number) && at as u32 != spare {
            reads(at as u32, region, &mut steps, tape);
        }
    }
    for (at, region) in regions.iter().enumerate() {
        if let Some(place) = region.writers.iter().position(|&writer| writer == number) {
            writes(at as u32, region, place as u64, tile, &mut steps, tape);
        }
    }
    for step in &mut steps {
        for _ in 0..tape.below(3) {
            let work = match tape.below(2) {
                0 => Instruction::Merge { values: 2 },
                _ => Instruction::Vector { operation: VectorOperation::ALL[tape.below(5) as usize], values: 3 },
            };
            let at = tape.below(step.back.len() as u64 + 1) as usize;
            step.back.insert(at, work);
        }
        if step.fetch.is_empty() {
            step.fetch.push(Instruction::Load { region: spare, bits: 8 });
        }
    }
    let banks = if arrays { vec![Bank { count: 1 + tape.below(2), columns: 3 }] } else { vec![] };
    let list = |step: Step| {
        let mvm = step.mvm.map(|slices| Instruction::Mvm { slices });
        step.fetch.into_iter().chain(mvm).chain(step.back)
    };
    let instructions = steps.into_iter().flat_map(list).collect();
    Core { name: format!("core {number}"), stage: "a \\ stage".to_owned(), tile, banks, instructions }
}

fn reads(number: u32, region: &Region, steps: &mut [Step], tape: &mut Tape<'_>) {
    let count = steps.len() as u64;
    if !region.writers.is_empty() && tape.below(2) == 0 {
        for step in tape.places(region.items, count) {
            let back = &mut steps[step as usize].back;
            let at = tape.below(back.len() as u64 + 1) as usize;
            back.insert(at, Instruction::Receive { region: number });
        }
        return;
    }
    let mut freed = tape.places(region.items, count);
    freed.push(count);
    for (at, step) in steps.iter_mut().enumerate() {
        let wait = tape.below(region.items + 1);
        let free = freed.iter().position(|&step| step >= at as u64).unwrap_or(0) as u64;
        step.fetch.push(Instruction::Wait { region: number, count: wait.max(free) });
        step.fetch.push(Instruction::Free { region: number, count: free });
        step.fetch.push(Instruction::Load { region: number, bits: 8 });
    }
    let last = Instruction::Free { region: number, count: region.items };
    steps[count as usize - 1].fetch.push(last);
}

fn writes(number: u32, region: &Region, place: u64, tile: u32, steps: &mut [Step], tape: &mut Tape<'_>) {
    let share = (0..region.items).filter(|item| item % region.writers.len() as u64 == place).count() as u64;
    let from_memory = region.tile == PORT && tile == PORT && tape.below(3) == 0;
    for step in tape.places(share, steps.len() as u64) {
        let Step { fetch, back, .. } = &mut steps[step as usize];
        let at = tape.below(fetch.len() as u64 + 1) as usize;
        fetch.insert(at, Instruction::Room { region: number });
        if from_memory {
            let behind = at + 1 + tape.below((fetch.len() - at) as u64) as usize;
            fetch.insert(behind, Instruction::LoadMemory { region: number, bits: 16 });
            continue;
        }
        let item = match region.tile == tile {
            true => Instruction::Store { region: number, bits: 16 },
            false => Instruction::Send { region: number, bits: 16 },
        };
        let at = tape.below(back.len() as u64 + 1) as usize;
        back.insert(at, item);
    }
}
