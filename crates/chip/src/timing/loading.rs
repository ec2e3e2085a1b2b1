//! The loading of weights as a workload: rows of levels come through the memory port and the global buffer, over the network, into the buffers of the tiles, and are
//! written into the arrays.
//!
//! A tile has a core for each of the arrays that it writes at once; each takes the rows of its arrays one after the other. Rows travel in blocks
//! of one array, in an order that serves all arrays alike, so that they are written side by side. What an array does while a row is written is, for the
//! machine, a read that lasts as long.

use std::collections::BTreeMap;

use super::TimingError;
use super::buffers::{Need, check_global, row_bits};
use crate::machine::hardware::Hardware;
use crate::machine::instruction::Instruction;
use crate::machine::work::{Bank, Core, Region, Workload};
use crate::program::{LEAST_BURST_BITS, Program};

/// An array is written in at least so many blocks, if it has as many rows, so that transport and writing overlap.
const LEAST_BLOCKS: u64 = 8;

/// Rows of a crossbar, which travel together to all copies.
struct Block {
    rows: u64,
    bits: u64,
    /// The lanes that write it.
    lanes: Vec<usize>,
}

/// Arrays of a tile that are written one after the other.
struct Lane {
    tile: u32,
    /// Rows that it has been given so far.
    rows: u64,
    /// Bits that its part of the tile's buffer holds.
    bits: u64,
}

/// The workload that writes all cells of a program, copies of stages included, and the machine as it writes: an array operation of it is the writing of a row.
///
/// # Errors
/// If a buffer is too small for a row; the text names it and the size it needs.
pub fn loading(program: &Program) -> Result<(Workload, Hardware), TimingError> {
    Ok((workload(program)?, hardware(program)))
}

/// The machine as it writes: an array operation is the writing of a row.
fn hardware(program: &Program) -> Hardware {
    let chip = &program.chip;
    let mut hardware = chip.hardware();
    hardware.tile.read = vec![chip.cycles_of(chip.tile.array.write_time_s, chip.clocks.array_cycles).max(1)];
    hardware.tile.conversion = vec![0.0];
    hardware
}

fn workload(program: &Program) -> Result<Workload, TimingError> {
    Need::of_rows(program).map_or(Ok(()), |rows| rows.check(&program.chip))?;
    check_global(program)?;
    let mut plan = Plan { program, lanes: Vec::new(), blocks: Vec::new() };
    plan.fill();
    Ok(plan.workload())
}

struct Plan<'a> {
    program: &'a Program,
    lanes: Vec<Lane>,
    /// In the order in which they come from the memory.
    blocks: Vec<Block>,
}

impl Plan<'_> {
    fn fill(&mut self) {
        // Crossbars with the bits of a row and the lanes that write them.
        let mut crossbars: Vec<(u64, u64, Vec<usize>)> = Vec::new();
        let mut placed: BTreeMap<u32, Vec<(usize, u64)>> = BTreeMap::new();
        for (_, stage) in self.program.mvm_stages() {
            let first = crossbars.len();
            for crossbar in &stage.crossbars {
                crossbars.push((crossbar.rows.into(), row_bits(self.program, stage, crossbar), Vec::new()));
            }
            for copy in 0..stage.copies() {
                for (index, (_, place)) in stage.placed(copy).enumerate() {
                    placed.entry(place.tile).or_default().push((first + index, stage.polarities.into()));
                }
            }
        }
        for (tile, here) in placed {
            self.add_lanes(tile, &here, &mut crossbars);
        }
        self.add_blocks(&crossbars);
    }

    /// The lanes of a tile: as many as write at once, if its buffer holds a row for each.
    fn add_lanes(&mut self, tile: u32, here: &[(usize, u64)], crossbars: &mut [(u64, u64, Vec<usize>)]) {
        let chip = &self.program.chip;
        let arrays = here.iter().map(|&(_, arrays)| arrays).max().unwrap_or(1).max(1);
        let row_bits = here.iter().map(|&(crossbar, _)| crossbars[crossbar].1).max().unwrap_or(1).max(1);
        let buffer_bits = chip.tile.buffer.bytes.saturating_mul(8);
        let at_once = u64::from(chip.tile.array.written_at_once) / arrays;
        let count = at_once.min(buffer_bits / row_bits).min(here.len() as u64).max(1);
        let first = self.lanes.len();
        let lane = |_| Lane { tile, rows: 0, bits: buffer_bits / count };
        self.lanes.extend((0..count).map(lane));
        for (index, &(crossbar, _)) in here.iter().enumerate() {
            crossbars[crossbar].2.push(first + index % count as usize);
        }
    }

    /// Cuts crossbars into blocks that fit the buffers twice, and sorts them so that all lanes get their rows alike.
    fn add_blocks(&mut self, crossbars: &[(u64, u64, Vec<usize>)]) {
        let global_bits = self.program.chip.memory.buffer_bytes.saturating_mul(8);
        let mut blocks: Vec<(u64, Block)> = Vec::new();
        for (rows, row_bits, lanes) in crossbars {
            let buffers = lanes.iter().map(|&lane| self.lanes[lane].bits).chain([global_bits]);
            let fits = buffers.min().unwrap_or(0) / 2 / (*row_bits).max(1);
            let size = fits.min(rows.div_ceil(LEAST_BLOCKS)).max(1);
            let mut written = lanes.iter().map(|&lane| self.lanes[lane].rows).max().unwrap_or(0);
            for block in 0..rows.div_ceil(size) {
                let rows = size.min(rows - block * size);
                blocks.push((written, Block { rows, bits: rows * row_bits, lanes: lanes.clone() }));
                written += rows;
            }
            lanes.iter().for_each(|&lane| self.lanes[lane].rows = written);
        }
        blocks.sort_by_key(|(written, _)| *written);
        self.blocks = blocks.into_iter().map(|(_, block)| block).collect();
    }

    /// Blocks by burst from the memory: a burst fits half of the global buffer, if a block does.
    fn bursts(&self) -> Vec<&[Block]> {
        let memory = &self.program.chip.memory;
        let half = memory.buffer_bytes.saturating_mul(8) / 2;
        let least = LEAST_BURST_BITS.min(half);
        let mut bits = 0;
        let parts = self.blocks.chunk_by(|block, next| {
            bits += block.bits;
            let goes_on = bits < least && bits + next.bits <= half;
            bits = if goes_on { bits } else { 0 };
            goes_on
        });
        parts.collect()
    }

    fn workload(&self) -> Workload {
        let (memory, port) = (&self.program.chip.memory, self.program.chip.memory.port_tile);
        let bursts = self.bursts();
        let burst_bits =
            bursts.iter().map(|burst| burst.iter().map(|block| block.bits).sum::<u64>()).max().unwrap_or(1);
        let region = |name: String, tile, (items, item_bits), capacity, writers, readers| Region {
            name,
            tile,
            items,
            item_bits,
            capacity,
            writers,
            readers,
        };
        let capacity = Some(memory.buffer_bytes.saturating_mul(8) / burst_bits.max(1));
        let global = "weights in the global buffer".to_owned();
        let mut regions = vec![region(global, port, (bursts.len() as u64, burst_bits), capacity, vec![0], vec![1])];
        let lane_blocks = self.lane_blocks();
        for (number, (lane, blocks)) in self.lanes.iter().zip(&lane_blocks).enumerate() {
            let bits = blocks.iter().map(|block| block.bits).max().unwrap_or(1).max(1);
            let (name, reader) = (format!("rows in tile {}, {number}", lane.tile), vec![number as u32 + 2]);
            let items = (blocks.len() as u64, bits);
            regions.push(region(name, lane.tile, items, Some(lane.bits / bits), vec![1], reader));
        }
        let done = regions.len() as u32;
        let lanes = self.lanes.len() as u64;
        let writers = (0..lanes).map(|lane| lane as u32 + 2).collect();
        regions.push(region("lanes that are done".to_owned(), port, (lanes, 1), None, writers, Vec::new()));
        let mut cores =
            vec![self.core("memory", port, self.requests(&bursts)), self.core("loader", port, self.sends(&bursts))];
        cores.extend((0..).zip(&lane_blocks).map(|(lane, blocks)| self.lane(lane, blocks, done)));
        Workload { regions, cores, result: done }
    }

    /// The blocks of each lane, in order; one that two arrays of a lane take is there twice.
    fn lane_blocks(&self) -> Vec<Vec<&Block>> {
        let mut of_lanes = vec![Vec::new(); self.lanes.len()];
        for block in &self.blocks {
            block.lanes.iter().for_each(|&lane| of_lanes[lane].push(block));
        }
        of_lanes
    }

    fn core(&self, name: &str, tile: u32, instructions: Vec<Instruction>) -> Core {
        Core { name: name.to_owned(), stage: "weights".to_owned(), tile, banks: Vec::new(), instructions }
    }

    fn requests(&self, bursts: &[&[Block]]) -> Vec<Instruction> {
        let request = |burst: &&[Block]| {
            let bits = burst.iter().map(|block| block.bits).sum();
            [Instruction::Room { region: 0 }, Instruction::LoadMemory { region: 0, bits }]
        };
        bursts.iter().flat_map(request).collect()
    }

    /// Loads every block and sends it to all copies: at once to those of different lanes, whose buffers may hold one block only.
    fn sends(&self, bursts: &[&[Block]]) -> Vec<Instruction> {
        let port = self.program.chip.memory.port_tile;
        let mut instructions = Vec::new();
        for (count, burst) in (1..).zip(bursts) {
            let rounds: Vec<(u64, Vec<usize>)> = burst
                .iter()
                .flat_map(|block| rounds(&block.lanes).into_iter().map(|lanes| (block.bits, lanes)))
                .collect();
            for (place, (bits, lanes)) in rounds.iter().enumerate() {
                let (bits, regions) = (*bits, lanes.iter().map(|&lane| (lane as u32 + 1, self.lanes[lane].tile)));
                instructions.push(Instruction::Wait { region: 0, count });
                instructions.extend(regions.clone().map(|(region, _)| Instruction::Room { region }));
                instructions.push(Instruction::Load { region: 0, bits });
                let last = place + 1 == rounds.len();
                instructions.extend(last.then_some(Instruction::Free { region: 0, count }));
                instructions.extend(regions.map(|(region, tile)| match tile == port {
                    true => Instruction::Store { region, bits },
                    false => Instruction::Send { region, bits },
                }));
            }
        }
        instructions
    }

    /// Writes the rows of a lane, and says at the end that it has.
    fn lane(&self, number: usize, blocks: &[&Block], done: u32) -> Core {
        let (tile, region) = (self.lanes[number].tile, number as u32 + 1);
        let mut instructions = vec![Instruction::Room { region: done }];
        for (count, block) in (1..).zip(blocks) {
            instructions.push(Instruction::Wait { region, count });
            instructions.push(Instruction::Load { region, bits: block.bits });
            instructions.push(Instruction::Free { region, count });
            instructions.push(Instruction::Mvm { slices: block.rows as u32 });
        }
        let near = tile == self.program.chip.memory.port_tile;
        let (region, bits) = (done, 1);
        instructions.push(if near { Instruction::Store { region, bits } } else { Instruction::Send { region, bits } });
        Core { banks: vec![Bank { count: 1, columns: 1 }], ..self.core("rows", tile, instructions) }
    }
}

/// The lanes of a block in parts of which none has a lane twice.
fn rounds(lanes: &[usize]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for &lane in lanes {
        match rounds.iter_mut().find(|round| !round.contains(&lane)) {
            Some(round) => round.push(lane),
            None => rounds.push(vec![lane]),
        }
    }
    rounds
}
