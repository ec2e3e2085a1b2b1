//! The instructions of every core.

use super::flow::{Flow, Leading};
use super::layout::{Content, Layout, Role};
use super::sizes::size_regions;
use crate::machine::hardware::Hardware;
use crate::machine::instruction::{Instruction, VectorOperation};
use crate::machine::work::{Bank, Core, Region, Workload};
use crate::program::{AddStage, ConcatStage, MvmStage, PoolKind, PoolStage, Program, Stage, TableStage};
use crate::timing::TimingError;
use crate::timing::buffers::check_global;

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
/// If a buffer is too small, for the images or for the loading of weights; the text names it and the size it needs.
pub fn workload(program: &Program, hardware: &Hardware) -> Result<Lowered, TimingError> {
    check_global(program)?;
    let layout = Layout::new(program);
    let cores: Vec<Core> = (0..layout.cores.len()).map(|number| core(&layout, number as u32)).collect();
    let roles = layout.cores.iter().map(|(role, _)| *role).collect();
    let result = |(content, _): &(Content, Region)| *content == Content::Result;
    let result = layout.regions.iter().position(result).unwrap_or(0) as u32;
    let contents: Vec<Content> = layout.regions.iter().map(|(content, _)| *content).collect();
    let regions = layout.regions.into_iter().map(|(_, region)| region).collect();
    let mut workload = Workload { regions, cores, result };
    size_regions(&mut workload, &contents, program, hardware)?;
    Ok(Lowered { workload, roles })
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
        let foreign: Vec<u32> = self.layout.other_inputs(self.number).collect();
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
        self.steps(&load, &behind)
    }

    fn pool(&self, stage: &PoolStage) -> Vec<Instruction> {
        let channels = u64::from(stage.window.input.channels);
        let values = stage.window.rows() as u64;
        let load = |region| Instruction::Load { region, bits: values * u64::from(stage.window.input.bits) };
        let mut behind = vec![Instruction::Vector { operation: VectorOperation::Pool, values }];
        if matches!(stage.kind, PoolKind::Average { .. }) {
            behind.push(Instruction::Vector { operation: VectorOperation::Requantise, values: channels });
        }
        self.steps(&load, &behind)
    }

    fn add(&self, stage: &AddStage) -> Vec<Instruction> {
        let values = u64::from(stage.maps[0].channels);
        let behind = [Instruction::Vector { operation: VectorOperation::Add, values }];
        self.steps(&|region| self.load_item(region), &behind)
    }

    fn concat(&self, stage: &ConcatStage) -> Vec<Instruction> {
        let values = stage.scaled_channels();
        // What is only copied takes no operation.
        let scale = (values > 0).then_some(Instruction::Vector { operation: VectorOperation::Requantise, values });
        self.steps(&|region| self.load_item(region), scale.as_slice())
    }

    fn table(&self, stage: &TableStage) -> Vec<Instruction> {
        let values = u64::from(stage.map.channels);
        let behind = [Instruction::Vector { operation: VectorOperation::Lookup, values }];
        self.steps(&|region| self.load_item(region), &behind)
    }

    /// A load of one pixel of a region.
    fn load_item(&self, region: u32) -> Instruction {
        Instruction::Load { region, bits: self.layout.regions[region as usize].1.item_bits }
    }

    /// The steps of all windows of the core.
    fn steps(&self, load: &dyn Fn(u32) -> Instruction, behind: &[Instruction]) -> Vec<Instruction> {
        let (flows, windows) = (self.layout.flows(self.number), self.layout.windows(self.number));
        let mut outputs = self.outputs();
        let free = |of: &Leading| Instruction::Free { region: of.region, count: of.count };
        let mut instructions: Vec<Instruction> = flows.iter().flat_map(|flow| &flow.before).map(free).collect();
        for (index, &window) in windows.iter().enumerate() {
            let waits = flows.iter().flat_map(|flow| &flow.waits[index]);
            instructions.extend(waits.map(|of| Instruction::Wait { region: of.region, count: of.count }));
            let outputs = outputs.of(window);
            instructions.extend(outputs.iter().map(|output| output.room));
            instructions.extend(self.loads(flows, index).map(load));
            instructions.extend(flows.iter().flat_map(|flow| &flow.frees[index]).map(free));
            instructions.extend(behind);
            instructions.extend(outputs.iter().map(|output| output.leave));
        }
        instructions
    }

    /// A request for every burst, as soon as there is room for it.
    fn memory(&self) -> Vec<Instruction> {
        let stream = self.layout.program.image_stream();
        let outputs: Vec<u32> = self.layout.outputs(self.number).map(|(region, ..)| region).collect();
        let burst = |pixels: u64| {
            let bits = pixels * stream.pixel_bits;
            let load = move |&region| [Instruction::Room { region }, Instruction::LoadMemory { region, bits }];
            outputs.iter().flat_map(load).collect::<Vec<_>>()
        };
        stream.bursts().flat_map(burst).collect()
    }

    /// Loads a word of pixels at a time and sends them on one by one; a burst is given back with its last word.
    fn images(&self) -> Vec<Instruction> {
        let mut outputs = self.outputs();
        let Some(region) = self.layout.other_inputs(self.number).next() else { return Vec::new() };
        let stream = self.layout.program.image_stream();
        let (mut instructions, mut sent) = (Vec::new(), 0);
        for (count, pixels) in (1..).zip(stream.bursts()) {
            let mut left = pixels;
            for pixels in stream.loads(pixels) {
                left -= pixels;
                for pixel in 0..pixels {
                    let outputs = outputs.of(sent);
                    instructions.extend((pixel == 0).then_some(Instruction::Wait { region, count }));
                    instructions.extend(outputs.iter().map(|output| output.room));
                    if pixel == 0 {
                        instructions.push(Instruction::Load { region, bits: pixels * stream.pixel_bits });
                        instructions.extend((left == 0).then_some(Instruction::Free { region, count }));
                    }
                    instructions.extend(outputs.iter().map(|output| output.leave));
                    sent += 1;
                }
            }
        }
        instructions
    }

    /// Regions that a window is loaded from, as often as the stage names their sources.
    fn loads<'f>(&self, flows: &'f [Flow], window: usize) -> impl Iterator<Item = u32> + 'f
    where
        Self: 'f,
    {
        let stage = self.layout.cores[self.number as usize].0.stage();
        let sources = stage.map_or(&[][..], |stage| self.layout.program.stages[stage].inputs());
        let times = move |source: usize| sources.iter().filter(|&&named| named as usize == source).count();
        flows.iter().flat_map(move |flow| std::iter::repeat_n(flow.loads[window], times(flow.source)))
    }

    fn outputs(&self) -> Outputs<'_> {
        let output = |(region, of, pixels): (u32, &Region, _)| {
            let leave = match of.tile == self.tile {
                true => Instruction::Store { region, bits: of.item_bits },
                false => Instruction::Send { region, bits: of.item_bits },
            };
            (Output { room: Instruction::Room { region }, leave }, pixels)
        };
        Outputs(self.layout.outputs(self.number).map(output).collect())
    }
}

/// What takes a place for a result in a region, and what brings it there.
#[derive(Clone, Copy)]
struct Output {
    room: Instruction,
    leave: Instruction,
}

/// The regions that a core writes, with the pixels that have still to go there; none where all results go.
struct Outputs<'a>(Vec<(Output, Option<&'a [u32]>)>);

impl Outputs<'_> {
    /// Where a pixel goes; pixels must be asked for in ascending order.
    fn of(&mut self, pixel: usize) -> Vec<Output> {
        let mut here = Vec::new();
        for (output, pixels) in &mut self.0 {
            let goes = match pixels {
                Some([first, rest @ ..]) if *first as usize == pixel => {
                    *pixels = Some(rest);
                    true
                }
                Some(_) => false,
                None => true,
            };
            here.extend(goes.then_some(*output));
        }
        here
    }
}
