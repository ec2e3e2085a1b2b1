//! Compiled programs on the machine: the event engine and the naive model that visits every cycle take the same cycles, with and without skipping.

use crate::compare::agreed;
use crate::support::chips;
use crate::support::compiled::Compiled;
use crate::support::graphs;
use crate::support::networks::{Builder, dataset};
use crate::support::random::Random;
use chip::config::{Chip, Images, RangePolicy};
use chip::machine::{Settings, run};
use chip::program::Program;
use chip::timing::lower;
use nn::{Graph, Shape};
use nn_compiler::mapping::Mapping;
use nn_compiler::replicate;

/// A small chip on which everything is shared: few arrays a tile, banks of converters, one or two ports, narrow links, small buffers.
fn crowded(random: &mut Random) -> Chip {
    let mut chip = chips::exact();
    (chip.tile.adc.calibration_images, chip.tile.adc.calibration_chips) = (2, 1);
    chip.tile.adc.range = random.pick(&[RangePolicy::Lossless, RangePolicy::Full]);
    (chip.tile.array.rows, chip.tile.array.cols) = (12, 24);
    chip.tile.arrays = random.pick(&[2, 3, 8]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2, 3]);
    chip.tile.adc.per_bank = random.pick(&[1, 4]);
    chip.tile.dac.bits = random.pick(&[2, 4]);
    chip.tile.output_registers = random.pick(&[1, 2]);
    chip.tile.sample_hold_depth = random.pick(&[1, 2]);
    (chip.tile.buffer.word_bits, chip.tile.buffer.bytes) = (random.pick(&[16, 64]), random.pick(&[256, 4096]));
    (chip.tile.buffer.ports, chip.tile.buffer.banks) = (random.pick(&[1, 2]), random.pick(&[1, 3]));
    chip.tile.bus.duplex = random.once_in(2);
    chip.mesh.flit_bits = random.pick(&[16, 40]);
    (chip.mesh.width, chip.mesh.height) = (6, 6);
    chip.mesh.buffer_flits = random.pick(&[1, 4]);
    chip.mesh.virtual_output_queues = random.once_in(2);
    chip.clocks.digital_cycles = random.pick(&[1, 2]);
    if random.once_in(2) {
        chip.memory.input_images = Images::Streamed;
        (chip.memory.port_tile, chip.memory.bits_per_cycle) = (random.pick(&[0, 7, 29]), random.pick(&[3, 64]));
        (chip.memory.latency_cycles, chip.memory.buffer_bytes) = (random.pick(&[1, 40]), random.pick(&[12, 20, 1000]));
    }
    chip
}

fn convolutions(random: &mut Random, weight_bits: u32) -> Graph {
    let mut chain = Builder::new(random, weight_bits, Shape { channels: 2, height: 6, width: 5 });
    chain.conv2d(5, 3, 1, 1);
    chain.relu();
    chain.max_pool(2, 2);
    chain.conv2d(4, 2, 1, 0);
    chain.relu();
    chain.linear(3);
    chain.finish()
}

/// A chain with copies of its stages, or a graph with additions.
fn program(random: &mut Random, graph: bool) -> Program {
    let chip = crowded(random);
    let mapping = Mapping::parse(random.pick(&["isaac", "differential"])).unwrap();
    if graph {
        return graphs::compiled(random, &mapping, &chip, 1).0.program;
    }
    let network = convolutions(random, chip.format.weight_bits);
    let images = dataset(random, network.input, 3, 2, 1);
    let mut program = Compiled::new(&network, &images, &mapping, &chip).program;
    let stages: u64 = program.mvm_stages().map(|(_, s)| s.crossbars.len() as u64 * u64::from(s.polarities)).sum();
    // Where the mesh has no room for more it stays as it is.
    let mut copied = program.clone();
    if replicate(&mut copied, stages + random.within(0, 20) as u64).is_ok() && copied.validate().is_ok() {
        program = copied;
    }
    program
}

#[test]
fn compiled_programs_take_the_same_cycles_on_both_models() {
    let mut random = Random(91);
    let (mut finished, mut copies, mut sums, mut streamed) = (0, 0, 0, 0);
    for case in 0..60 {
        let program = program(&mut random, case % 5 == 4);
        let hardware = program.chip.hardware();
        // Some buffers are too small: that is what `laws_graphs_refused` is about.
        let Ok(lowered) = lower::workload(&program, &hardware) else { continue };
        let images = random.within(1, 2) as u64;
        agreed(format_args!("program {case}"), &lowered.workload, &hardware, images).unwrap();
        let with = |skip| {
            let settings = Settings { skip, critical_path: true, ..Settings::default() };
            run(&lowered.workload, &hardware, images, settings).unwrap()
        };
        let (mut skipped, stepped) = (with(true), with(false));
        skipped.instants = stepped.instants;
        assert_eq!(skipped, stepped, "program {case}");
        finished += 1;
        copies += usize::from(program.mvm_stages().any(|(_, stage)| stage.copies() > 1));
        sums += usize::from(lowered.workload.regions.iter().any(|region| region.name.starts_with("partial sums")));
        streamed += usize::from(program.chip.memory.streams_images());
    }
    let all = [finished, copies, sums, streamed];
    assert!(finished >= 30 && all.iter().all(|count| *count >= 8), "programs, with copies, sums, streams: {all:?}");
}
