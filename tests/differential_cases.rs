//! Random networks on random chips: one case an index, whatever other cases are run.

use crate::differential_chips::{Bench, Levels};
use crate::differential_ranges::{own_columns, own_slices};
use crate::differential_stages::own_stages;
use crate::support::compiled::SEED;
use crate::support::counts::counts;
use crate::support::graphs::residual;
use crate::support::networks::{Builder, convolutions, dataset, linear_chain};
use crate::support::random::Random;
use chip::functional::{Cells, ChipSample, SampleAddress};
use chip::program::{Program, Stage};
use nn::{Graph, Shape};
use nn_compiler::front::Quantisation;
use nn_compiler::mapping::Mapping;
use nn_compiler::{Chip, CompilationSettings, CompileError, compile, compile_quantised};
use tile::address::Purpose;
use tile::fault_map::FaultMap;

/// Name of the networks that are chains of layers.
const CHAIN: &str = "random";

/// Cells that one batch of images reads, about: what a case may cost.
const CELL_READS: u64 = 250_000;

pub(crate) struct Case {
    pub(crate) index: u64,
    pub(crate) levels: Levels,
    pub(crate) program: Program,
    pub(crate) cells: Cells,
    pub(crate) sample: ChipSample,
    /// Codes of all images.
    pub(crate) images: Vec<i32>,
    /// Cells that a fault map changed.
    pub(crate) mapped_faults: u64,
}

/// Sizes of a case: most are small, a few cross every block of images and windows that an engine may work in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Small,
    ManyImages,
    ManyWindows,
}

impl Case {
    pub(crate) fn new(bench: &Bench, levels: Levels, index: u64) -> Self {
        let size = match index % 100 {
            11 | 33 | 55 => Size::ManyImages,
            22 | 66 => Size::ManyWindows,
            _ => Size::Small,
        };
        let mut random = Random::of_case(1 + levels as u64, index);
        let mut program = program(bench, &mut random, levels, size);
        if program.network == CHAIN {
            own_stages(&mut program, &mut random);
        }
        own_slices(&mut program, &mut random);
        own_columns(&mut program, &mut random);
        program.validate().unwrap();
        let (cells, mapped_faults) = cells(&program, &mut random, levels);
        let sample = ChipSample::from_cells(&program, &cells).unwrap();
        let count = image_count(&program, &mut random, size);
        let images = (0..count).flat_map(|image| codes(&program, &mut random, image)).collect();
        Self { index, levels, program, cells, sample, images, mapped_faults }
    }

    pub(crate) fn image_count(&self) -> usize {
        self.images.len() / self.program.input.len()
    }

    /// What one needs to know to look for the fault.
    pub(crate) fn describe(&self) -> String {
        let Program { chip, mapping, stages, .. } = &self.program;
        let (index, levels, images, tile) = (self.index, self.levels, self.image_count(), &chip.tile);
        let mut lines = vec![
            format!(
                "case {index} ({levels:?} levels; OHMIC_DIFFERENTIAL_CASE={index} runs it alone): {mapping}, {images} images"
            ),
            format!("array {} x {}, {:?}, {:?}", tile.array.rows, tile.array.cols, chip.format, tile.dac),
            format!("{} bits a cell, device {}, {:?}", tile.cell.bits, tile.cell.device.name, tile.wires),
            format!("{:?} {:?}, {:?}", tile.adc.kind, tile.adc.range, tile.adc.nonideal),
            format!("{} bits of accumulator", tile.digital.accumulator_bits),
        ];
        lines.extend(stages.iter().map(stage));
        lines.join("\n  ")
    }
}

fn stage(stage: &Stage) -> String {
    match stage {
        Stage::Pool(pool) => format!("{:?} pool {:?}", pool.kind, pool.window),
        Stage::Add(add) => format!("{:?} + {:?}: {:?}", add.inputs, add.maps, add.multipliers),
        Stage::Concat(concat) => format!("{:?} beside each other: {:?}", concat.inputs, concat.multipliers),
        Stage::Table(table) => format!("{:?} looked up in {} entries", table.input, table.table.len()),
        Stage::Mvm(mvm) => format!(
            "{:?}, {} outputs, {} polarities, {:?}, {} crossbars, {:?}",
            mvm.window,
            mvm.outputs,
            mvm.polarities,
            mvm.subtraction,
            mvm.crossbars.len(),
            mvm.slices
        ),
    }
}

/// A compiled program; of chips and networks that do not fit each other the next draw is taken.
fn program(bench: &Bench, random: &mut Random, levels: Levels, size: Size) -> Program {
    let mut refused = Vec::new();
    while refused.len() < 50 {
        let (chip, mapping) = bench.chip(random, levels);
        if size == Size::Small && random.once_in(3) {
            match graph(random, &mapping, &chip) {
                Ok(program) => return program,
                Err(error) => refused.push(error.to_string()),
            }
            continue;
        }
        let network = network(random, chip.format.weight_bits, size);
        let classes = network.shapes().unwrap().last().unwrap().len();
        let dataset = dataset(random, network.input, classes, 3, 1);
        let settings =
            CompilationSettings { dataset: &dataset, training: "none", mapping: &mapping, chip: &chip, seed: SEED };
        match compile(&network, &Quantisation::default(), &settings) {
            Ok(program) => return program,
            Err(error) => refused.push(error.to_string()),
        }
    }
    panic!("no program in 50 draws: {refused:?}");
}

/// A residual network in integers, with groups, signed images and widths of its own.
fn graph(random: &mut Random, mapping: &Mapping, chip: &Chip) -> Result<Program, CompileError> {
    let network = residual(random, chip);
    let classes = network.layers.last().unwrap().output_shape().len();
    let dataset = dataset(random, network.input, classes, 3, 1);
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping, chip, seed: SEED };
    compile_quantised(&network, &settings)
}

fn network(random: &mut Random, weight_bits: u32, size: Size) -> Graph {
    match size {
        Size::ManyImages => {
            let inputs = random.within(1, 30);
            chain(random, weight_bits, &[inputs, 2, 3])
        }
        Size::ManyWindows => many_windows(random, weight_bits),
        Size::Small => match random.within(0, 8) {
            0 | 1 => {
                let widths = [random.within(129, 340), random.within(1, 4)];
                chain(random, weight_bits, &widths)
            }
            2 => {
                let widths = [9, 14, 11].map(|most| random.within(1, most));
                chain(random, weight_bits, &[widths[0], widths[1], widths[2], 3])
            }
            3..=5 => linear_chain(random, weight_bits),
            _ => convolutions(random, weight_bits),
        },
    }
}

/// Linear layers of given widths.
fn chain(random: &mut Random, weight_bits: u32, widths: &[usize]) -> Graph {
    let mut chain = Builder::new(random, weight_bits, Shape { channels: widths[0], height: 1, width: 1 });
    for (index, &outputs) in widths.iter().enumerate().skip(1) {
        chain.linear(outputs);
        if index + 1 < widths.len() {
            chain.relu();
        }
    }
    chain.finish()
}

/// More than 256 windows in the first layer.
fn many_windows(random: &mut Random, weight_bits: u32) -> Graph {
    let input = Shape { channels: random.within(1, 2), height: random.within(17, 19), width: random.within(17, 19) };
    let kernel = random.within(1, 3);
    let channels = random.within(1, 2);
    let mut chain = Builder::new(random, weight_bits, input);
    chain.conv2d(channels, kernel, 1, (kernel - 1).min(1));
    chain.relu();
    chain.max_pool(2, 2);
    chain.conv2d(2, 3, 2, 1);
    chain.max_pool(2, 2);
    chain.relu();
    chain.linear(3);
    chain.finish()
}

/// Cells of a chip sample, and how many of them a fault map changed.
fn cells(program: &Program, random: &mut Random, levels: Levels) -> (Cells, u64) {
    let chip_sample = random.within(0, 9) as u64;
    let address = SampleAddress { seed: SEED, purpose: Purpose::Programming, chip_sample };
    let mut cells = Cells::program(program, address).unwrap();
    if levels == Levels::Varied {
        disturb(&mut cells, random);
    }
    let mapped_faults = if random.once_in(4) { stick(program, &mut cells, random) } else { 0 };
    (cells, mapped_faults)
}

/// Programming errors on top of those of the device, also of columns below `G_min`, and a factor that compensates drift.
fn disturb(cells: &mut Cells, random: &mut Random) {
    let spread = random.pick(&[0.01, 0.3, 2.0]);
    for stage in &mut cells.stages {
        for value in stage.values.iter_mut().flatten().flatten() {
            *value += spread * (random.unit() - 0.5);
        }
        stage.drift_gain = random.pick(&[1.0, stage.drift_gain, 1.07, 1.5]);
    }
}

/// Sets some cells by a fault map; returns how many were in use.
fn stick(program: &Program, cells: &mut Cells, random: &mut Random) -> u64 {
    let mut places: Vec<[usize; 4]> = Vec::new();
    for placed in program.mvm_stages().flat_map(|(_, stage)| &stage.crossbars) {
        let columns = (program.chip.tile.array.cols as usize).min(placed.outputs as usize * 8);
        let [row, column] = [placed.rows as usize, columns].map(|size| random.within(0, size - 1));
        places.push([placed.tile as usize, placed.array as usize, row, column]);
    }
    let line = |[tile, array, row, column]: &[usize; 4]| {
        format!("{tile},{array},{row},{column},{}\n", if random.once_in(2) { "low" } else { "high" })
    };
    let text = places.iter().map(line).fold("tile,array,row,column,fault\n".to_owned(), |text, line| text + &line);
    cells.apply_faults(program, &FaultMap::from_csv(&text).unwrap()).unwrap()
}

fn image_count(program: &Program, random: &mut Random, size: Size) -> usize {
    let affordable = (CELL_READS / counts(program).cell_read.max(1)).max(1) as usize;
    match size {
        Size::Small => random.within(1, affordable.min(40)),
        Size::ManyImages => random.pick(&[128, 129, 140, 257, 300]),
        Size::ManyWindows => random.within(2, 3),
    }
}

/// One image: all zero, all full, one pixel, sparse or dense; of either sign where the input has signs.
fn codes(program: &Program, random: &mut Random, image: usize) -> Vec<i32> {
    let (lowest, largest) = program.input.codes();
    let (largest, signed) = (largest as usize, lowest < 0);
    let kind = (image + random.within(0, 4)) % 5;
    let lit = random.within(0, program.input.len() - 1);
    let magnitude = |at: usize, random: &mut Random| match kind {
        0 => 0,
        1 => largest,
        2 => largest * usize::from(at == lit),
        3 => random.within(0, largest) * usize::from(random.once_in(10)),
        _ => random.within(0, largest),
    };
    let code = |at: usize| {
        let magnitude = magnitude(at, random) as i32;
        if signed && random.once_in(2) { -magnitude } else { magnitude }
    };
    (0..program.input.len()).map(code).collect()
}
