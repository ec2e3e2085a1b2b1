//! The instructions of every core.

use super::flow::Flow;
use super::layout::{Content, Layout, Role};
use super::sizes::size_regions;
use crate::machine::hardware::Hardware;
use crate::machine::instruction::{Instruction, VectorOperation};
use crate::machine::work::{Bank, Core, Region, Workload};
use crate::program::{AddStage, ConcatStage, MvmStage, PoolKind, PoolStage, Program, Stage, TableStage};
use crate::timing::TimingError;

/// A workload with what each of its cores is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The workload.
    pub workload: Workload,
    /// In the order of its cores.
    pub roles: Vec<Role>,
}

/// The workload of a program: one image's instructions.
///
/// # Errors
/// If a buffer is too small; the text names it and the size it needs.
pub fn workload(program: &Program, hardware: &Hardware) -> Result<Lowered, TimingError> {
    check_global_buffer(program)?;
    let layout = Layout::new(program);
    let cores: Vec<Core> = (0..layout.cores.len()).map(|number| core(&layout, number as u32)).collect();
    let roles = layout.cores.iter().map(|(role, _)| *role).collect();
    let result = |(content, _): &(Content, Region)| *content == Content::Pixels { source: program.stages.len() };
    let result = layout.regions.iter().position(result).unwrap_or(0) as u32;
    let contents: Vec<Content> = layout.regions.iter().map(|(content, _)| *content).collect();
    let regions = layout.regions.into_iter().map(|(_, region)| region).collect();
    let mut workload = Workload { regions, cores, result };
    size_regions(&mut workload, &contents, &program.chip, hardware)?;
    Ok(Lowered { workload, roles })
}

/// Requires room for a pixel where images are streamed.
fn check_global_buffer(program: &Program) -> Result<(), TimingError> {
    let bytes = program.chip.memory.buffer_bytes;
    let needed_bytes = program.image_stream().pixel_bits.div_ceil(8);
    let fits = !program.chip.memory.streams_images() || bytes >= needed_bytes;
    if fits {
        Ok(())
    } else {
        Err(TimingError::GlobalBuffer { what: "a pixel of the streamed images", bytes, needed_bytes })
    }
}

fn core(layout: &Layout<'_>, number: u32) -> Core {
    let (role, tile) = layout.cores[number as usize];
    let stage = role.stage().map(|stage| &layout.program.stages[stage]);
    let emitter = Emitter { layout, number, tile };
    let (banks, instructions) = match (role, stage) {
        (Role::Crossbars { copy, home, .. }, Some(Stage::Mvm(mvm))) => {
            (banks(mvm, copy, tile), emitter.crossbars(mvm, copy, home))
        }
        (_, Some(Stage::Pool(pool))) => (Vec::new(), emitter.pool(pool)),
        (_, Some(Stage::Add(add))) => (Vec::new(), emitter.add(add)),
        (_, Some(Stage::Concat(concat))) => (Vec::new(), emitter.concat(concat)),
        (_, Some(Stage::Table(table))) => (Vec::new(), emitter.table(table)),
        (Role::Memory, _) => (Vec::new(), emitter.memory()),
        _ => (Vec::new(), emitter.images()),
    };
    let stage = stage.map_or("images", Stage::name);
    let name = match role {
        Role::Memory => "memory".to_owned(),
        Role::Images => "images".to_owned(),
        Role::Crossbars { copy, .. } => format!("{stage}, copy {copy}, tile {tile}"),
        Role::Vector { .. } => stage.to_owned(),
    };
    Core { name, stage: stage.to_owned(), tile, banks, instructions }
}

/// The converter banks of a copy in a tile; those with as many columns work alike.
pub(in crate::timing) fn bank_columns(stage: &MvmStage, copy: usize, tile: u32) -> Vec<(u64, Vec<u32>)> {
    let mut banks: std::collections::BTreeMap<u32, u64> = std::collections::BTreeMap::new();
    for (crossbar, place) in stage.placed(copy).filter(|(_, place)| place.tile == tile) {
        *banks.entry(place.bank).or_default() += stage.converted_columns(crossbar);
    }
    let mut alike: std::collections::BTreeMap<u64, Vec<u32>> = std::collections::BTreeMap::new();
    for (bank, columns) in banks {
        alike.entry(columns).or_default().push(bank);
    }
    alike.into_iter().collect()
}

fn banks(stage: &MvmStage, copy: usize, tile: u32) -> Vec<Bank> {
    let bank = |(columns, banks): (u64, Vec<u32>)| Bank { count: banks.len() as u64, columns };
    bank_columns(stage, copy, tile).into_iter().map(bank).collect()
}

/// Writes the instructions of one core.
struct Emitter<'a> {
    layout: &'a Layout<'a>,
    number: u32,
    tile: u32,
}

impl Emitter<'_> {
    fn crossbars(&self, stage: &MvmStage, copy: usize, home: bool) -> Vec<Instruction> {
        let input_bits = u64::from(stage.window.input.bits);
        let chip = &self.layout.program.chip;
        let foreign: Vec<u32> = self.sums().collect();
        let load = |region| Instruction::Load { region, bits: stage.rows_in(copy, self.tile) * input_bits };
        let mut behind = vec![Instruction::Mvm { slices: chip.array_reads(stage.applied_bits()) }];
        behind.extend(foreign.iter().map(|&region| Instruction::Receive { region }));
        let values = stage.additions(copy, self.tile, home);
        if values > 0 {
            behind.push(Instruction::Merge { values });
        }
        if home {
            let outputs = u64::from(stage.outputs);
            if stage.needs_input_sums() && chip.tile.digital.offset_cycles > 0 {
                behind.push(Instruction::Vector { operation: VectorOperation::Offset, values: outputs });
            }
            behind.push(Instruction::Vector { operation: VectorOperation::Requantise, values: outputs });
        }
        self.steps(&stage.window, (copy, stage.copies()), &load, &behind)
    }

    fn pool(&self, stage: &PoolStage) -> Vec<Instruction> {
        let channels = u64::from(stage.window.input.channels);
        let values = stage.window.rows() as u64;
        let load = |region| Instruction::Load { region, bits: values * u64::from(stage.window.input.bits) };
        let mut behind = vec![Instruction::Vector { operation: VectorOperation::Pool, values }];
        if matches!(stage.kind, PoolKind::Average { .. }) {
            behind.push(Instruction::Vector { operation: VectorOperation::Requantise, values: channels });
        }
        self.steps(&stage.window, (0, 1), &load, &behind)
    }

    fn add(&self, stage: &AddStage) -> Vec<Instruction> {
        let values = u64::from(stage.maps[0].channels);
        let behind = [Instruction::Vector { operation: VectorOperation::Add, values }];
        self.steps(&stage.window(), (0, 1), &|region| self.load_item(region), &behind)
    }

    fn concat(&self, stage: &ConcatStage) -> Vec<Instruction> {
        let values = stage.scaled_channels();
        // What is only copied takes no operation.
        let scale = (values > 0).then_some(Instruction::Vector { operation: VectorOperation::Requantise, values });
        self.steps(&stage.window(), (0, 1), &|region| self.load_item(region), scale.as_slice())
    }

    fn table(&self, stage: &TableStage) -> Vec<Instruction> {
        let values = u64::from(stage.map.channels);
        let behind = [Instruction::Vector { operation: VectorOperation::Lookup, values }];
        self.steps(&stage.window(), (0, 1), &|region| self.load_item(region), &behind)
    }

    /// A load of one pixel of a region.
    fn load_item(&self, region: u32) -> Instruction {
        Instruction::Load { region, bits: self.layout.regions[region as usize].1.item_bits }
    }

    /// The steps of every `turns`-th window from `turn`.
    fn steps(
        &self,
        window: &crate::program::Window,
        (turn, turns): (usize, usize),
        load: &dyn Fn(u32) -> Instruction,
        behind: &[Instruction],
    ) -> Vec<Instruction> {
        let flow = Flow::new(window);
        let freed = flow.freed(turn, turns);
        let inputs: Vec<u32> = self.inputs().map(|(region, _)| region).collect();
        let loads = self.loads();
        let (room, leave) = self.outputs();
        let mut instructions = Vec::new();
        for (window, &freed) in (turn..flow.windows()).step_by(turns).zip(&freed) {
            let count = flow.need[window];
            instructions.extend(inputs.iter().map(|&region| Instruction::Wait { region, count }));
            instructions.extend(&room);
            instructions.extend(loads.iter().map(|&region| load(region)));
            instructions.extend(inputs.iter().map(|&region| Instruction::Free { region, count: freed }));
            instructions.extend(behind);
            instructions.extend(&leave);
        }
        instructions
    }

    /// A request for every burst, as soon as there is room for it.
    fn memory(&self) -> Vec<Instruction> {
        let stream = self.layout.program.image_stream();
        let outputs: Vec<u32> = self.layout.regions_of(self.number, true).map(|(region, ..)| region).collect();
        let burst = |pixels: u64| {
            let bits = pixels * stream.pixel_bits;
            let load = move |&region| [Instruction::Room { region }, Instruction::LoadMemory { region, bits }];
            outputs.iter().flat_map(load).collect::<Vec<_>>()
        };
        stream.bursts().flat_map(burst).collect()
    }

    /// Loads a word of pixels at a time and sends them on one by one; a burst is given back with its last word.
    fn images(&self) -> Vec<Instruction> {
        let (room, leave) = self.outputs();
        let Some((region, ..)) = self.layout.regions_of(self.number, false).next() else { return Vec::new() };
        let stream = self.layout.program.image_stream();
        let mut instructions = Vec::new();
        for (count, pixels) in (1..).zip(stream.bursts()) {
            let mut left = pixels;
            for pixels in stream.loads(pixels) {
                left -= pixels;
                instructions.push(Instruction::Wait { region, count });
                instructions.extend(&room);
                instructions.push(Instruction::Load { region, bits: pixels * stream.pixel_bits });
                instructions.extend((left == 0).then_some(Instruction::Free { region, count }));
                instructions.extend(&leave);
                (1..pixels).for_each(|_| instructions.extend(room.iter().chain(&leave)));
            }
        }
        instructions
    }

    /// Regions of pixels that the core reads, and the sources that they hold.
    fn inputs(&self) -> impl Iterator<Item = (u32, usize)> {
        let regions = self.layout.regions_of(self.number, false);
        regions.filter_map(|(region, content, _)| match content {
            Content::Pixels { source } => Some((region, source)),
            _ => None,
        })
    }

    /// Regions that a step loads from, as often as its stage names their sources.
    fn loads(&self) -> Vec<u32> {
        let stage = self.layout.cores[self.number as usize].0.stage();
        let sources = stage.map_or(&[][..], |stage| self.layout.program.stages[stage].inputs());
        let times = |source: usize| sources.iter().filter(|&&named| named as usize == source).count();
        self.inputs().flat_map(|(region, source)| std::iter::repeat_n(region, times(source))).collect()
    }

    /// Regions of partial sums that the core reads.
    fn sums(&self) -> impl Iterator<Item = u32> {
        let regions = self.layout.regions_of(self.number, false);
        regions.filter(|(_, content, _)| matches!(content, Content::Sums { .. })).map(|(region, ..)| region)
    }

    /// What takes places for a result, and what brings it there.
    fn outputs(&self) -> (Vec<Instruction>, Vec<Instruction>) {
        let regions: Vec<(u32, &Region)> =
            self.layout.regions_of(self.number, true).map(|(number, _, region)| (number, region)).collect();
        let leave = |&(region, of): &(u32, &Region)| match of.tile == self.tile {
            true => Instruction::Store { region, bits: of.item_bits },
            false => Instruction::Send { region, bits: of.item_bits },
        };
        let room = regions.iter().map(|&(region, _)| Instruction::Room { region }).collect();
        (room, regions.iter().map(leave).collect())
    }
}
