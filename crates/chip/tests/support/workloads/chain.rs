//! Chains of cores that share nothing: each on a tile of its own, beside the one before it, so that every packet has a link to itself.

use chip::machine::instruction::{Instruction, VectorOperation};
use chip::machine::work::{Bank, Core, Region, Workload};

use super::Case;
use super::hardware::hardware;
use super::random::Random;
use super::windows::Windows;

/// A random chain along a snake over the mesh: the first core reads a map that is there from the start, or items from the memory; the last one stores the result.
pub(crate) fn chain(seed: u64) -> Case {
    let mut random = Random(seed);
    let mut hardware = hardware(&mut random);
    // Any number of transfers at once: loads, packets that arrive, stores.
    (hardware.tile.ports, hardware.tile.banks, hardware.tile.duplex) = (16, 0, true);
    hardware.mesh.concentration = 1;
    let (width, height) = (random.within(1, 3) as u32, random.within(2, 3) as u32);
    (hardware.mesh.width, hardware.mesh.height) = (width, height);
    let count = random.within(2, u64::from(width * height));
    let snake = |at: u32| {
        let (row, column) = (at / width, at % width);
        row * width + if row % 2 == 0 { column } else { width - 1 - column }
    };
    hardware.memory.tile = 0;
    let mut builder = Builder { random: &mut random, regions: vec![], cores: vec![] };
    let mut items = builder.random.within(2, 9);
    let source = builder.source(items);
    let mut from = source;
    for at in 0..count as u32 {
        let windows = builder.windows(items);
        items = windows.count();
        let last = u64::from(at) + 1 == count;
        from = builder.core(snake(at), from, (!last).then(|| snake(at + 1)), &windows);
    }
    let Builder { regions, cores, .. } = builder;
    let workload = Workload { regions, cores, result: from };
    Case { seed, workload, hardware, images: random.within(1, 3) }
}

struct Builder<'r> {
    random: &'r mut Random,
    regions: Vec<Region>,
    cores: Vec<Core>,
}

impl Builder<'_> {
    /// The region that the first core reads.
    fn source(&mut self, items: u64) -> u32 {
        let from_memory = self.random.once_in(2);
        let capacity = from_memory.then(|| 9 + self.random.within(0, 3));
        let (writers, readers) = if from_memory { (vec![0], vec![1]) } else { (vec![], vec![0]) };
        let item_bits = self.random.within(20, 80);
        self.regions.push(Region { name: "source".into(), tile: 0, items, item_bits, capacity, writers, readers });
        if from_memory {
            let load = [Instruction::Room { region: 0 }, Instruction::LoadMemory { region: 0, bits: item_bits }];
            let instructions = load.repeat(items as usize);
            self.cores.push(Core {
                name: "memory".into(),
                stage: "memory".into(),
                tile: 0,
                banks: vec![],
                instructions,
            });
        }
        0
    }

    fn windows(&mut self, items: u64) -> Windows {
        if self.random.once_in(2) {
            Windows::items(items)
        } else {
            Windows::any(items, self.random.within(2, 9), self.random)
        }
    }

    /// A core that reads a region and writes one beside it, or the result; the number of that.
    fn core(&mut self, tile: u32, from: u32, to: Option<u32>, windows: &Windows) -> u32 {
        let (number, target) = (self.cores.len() as u32, self.regions.len() as u32);
        let capacity = self.regions[from as usize].capacity;
        self.regions[from as usize].capacity = capacity.map(|most| windows.least_places(1) + most % 3);
        let (bits, most) = (self.random.within(8, 80), self.random.within(0, 2));
        self.regions.push(Region {
            name: format!("from-{number}"),
            tile: to.unwrap_or(tile),
            items: windows.count(),
            item_bits: bits,
            capacity: to.map(|_| most),
            writers: vec![number],
            readers: to.map(|_| number + 1).into_iter().collect(),
        });
        let slices = (!self.random.once_in(3)).then(|| self.random.within(1, 4) as u32);
        let (load, values) = (self.random.within(1, 80), self.random.within(1, 40));
        let (merges, vectors) = (self.random.once_in(2), !self.random.once_in(4));
        let mut instructions = Vec::new();
        for window in 0..windows.count() {
            instructions.extend([
                Instruction::Wait { region: from, count: windows.need[window as usize] },
                Instruction::Room { region: target },
                Instruction::Load { region: from, bits: load },
                Instruction::Free { region: from, count: windows.freed(window, 1) },
            ]);
            instructions.extend(slices.map(|slices| Instruction::Mvm { slices }));
            instructions.extend(merges.then_some(Instruction::Merge { values }));
            instructions.extend(vectors.then_some(Instruction::Vector { operation: VectorOperation::Pool, values }));
            instructions.push(match to {
                Some(_) => Instruction::Send { region: target, bits },
                None => Instruction::Store { region: target, bits },
            });
        }
        let bank = |random: &mut Random| Bank { count: 1, columns: random.within(1, 12) };
        let banks = slices.map_or(0, |_| self.random.within(1, 2));
        let banks = (0..banks).map(|_| bank(self.random)).collect();
        let name = format!("core-{number}");
        self.cores.push(Core { stage: name.clone(), name, tile, banks, instructions });
        target
    }
}
