//! Residual networks: what holds of chains holds of graphs. An ideal chip is exact, both engines count the same, and files lose nothing.

use crate::support::chips::{self, all_widths, widths_for};
use crate::support::counts::counts;
use crate::support::graphs::compiled;
use crate::support::random::Random;
use chip::config::Chip;
use chip::program::{PoolKind, Program, Stage, load, save};
use chip::timing::lower;
use chip::timing::model::{IntervalTiming, UnitTiming};
use nn_compiler::mapping::Mapping;
use tile::dac::DacFormat;

/// What decides who shares what and which way values take, drawn at random.
fn with_random_tile(random: &mut Random, mut chip: Chip) -> Chip {
    chip.tile.arrays = random.pick(&[2, 3, 96]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2]);
    chip.tile.buffer.word_bits = random.pick(&[8, 48, 256]);
    chip.mesh.flit_bits = random.pick(&[16, 100]);
    (chip.mesh.width, chip.mesh.height) = (random.pick(&[3, 64]), 1024);
    if random.once_in(4) && chip.format.input_bits > 1 {
        chip.tile.dac.format = DacFormat::SignMagnitude;
    }
    chip
}

/// Which kinds of stages a set of programs has, and how often.
#[derive(Debug, Default)]
struct Reached {
    adds: usize,
    averages: usize,
    projections: usize,
    forks: usize,
    signed_chips: usize,
    stayed_open: usize,
    negative_inputs: usize,
    signed_pools: usize,
}

impl Reached {
    fn note(&mut self, program: &Program) {
        let any = |holds: &dyn Fn(&Stage) -> bool| usize::from(program.stages.iter().any(holds));
        self.adds += any(&|stage| matches!(stage, Stage::Add(_)));
        self.averages +=
            any(&|stage| matches!(stage, Stage::Pool(pool) if matches!(pool.kind, PoolKind::Average { .. })));
        self.projections += any(&|stage| matches!(stage, Stage::Mvm(mvm) if mvm.output_signed()));
        self.forks += usize::from((0..program.stages.len()).any(|index| program.readers(index).count() > 1));
        self.signed_chips += usize::from(program.chip.signed_inputs());
        let open = |stage: &Stage| matches!(stage, Stage::Add(add) if add.signed);
        self.stayed_open += any(&open);
        let reads_open =
            |stage: &Stage| stage.inputs().iter().any(|&input| input > 0 && open(&program.stages[input as usize - 1]));
        self.negative_inputs += any(&|stage| matches!(stage, Stage::Mvm(_)) && reads_open(stage));
        self.signed_pools += any(&|stage| matches!(stage, Stage::Pool(_)) && reads_open(stage));
    }
}

#[test]
fn residual_networks_are_exact_and_counted_alike() {
    let (mut random, mut reached) = (Random(41), Reached::default());
    let mut live_scores = 0;
    for mapping in &Mapping::every() {
        let name = mapping.name();
        for widths in widths_for(mapping, all_widths(&[(8, 8), (16, 32), (128, 128)])).into_iter().step_by(3) {
            let chip = with_random_tile(&mut random, widths.of(chips::exact()));
            let (case, dataset) = compiled(&mut random, mapping, &chip, 3);
            let inference = case.infer(0, &dataset.test);
            assert_eq!(inference.scores, case.expected(&dataset.test), "{name}, {widths:?}, {:#?}", case.reference);
            let images = dataset.test.len() as u64;
            let timing = lower::run(&case.program, images).unwrap().counts;
            assert_eq!(inference.counts, timing, "functional and timing engine: {name}, {widths:?}");
            assert_eq!(timing, counts(&case.program).times(images), "engines and definition: {name}, {widths:?}");
            reached.note(&case.program);
            // The image that is all black and another one differ: not all paths are dead.
            let classes = inference.classes;
            live_scores += usize::from(inference.scores[..classes] != inference.scores[2 * classes..]);
        }
    }
    let Reached { averages, projections, forks, signed_chips, stayed_open, negative_inputs, signed_pools, .. } =
        reached;
    let least = [averages, projections, forks, signed_chips, stayed_open, negative_inputs, signed_pools];
    assert!(reached.adds > 400 && least.iter().all(|&count| count > 30), "{reached:?}");
    assert!(live_scores * 2 > reached.adds, "{live_scores} of {} networks depend on the image", reached.adds);
}

#[test]
fn a_residual_program_read_back_is_the_same_program() {
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(42);
    let mapping = Mapping::parse("isaac").unwrap();
    for _ in 0..20 {
        let (case, dataset) = compiled(&mut random, &mapping, &chips::exact(), 3);
        save(&case.program, directory.path()).unwrap();
        let program = load(directory.path()).unwrap();
        assert_eq!(program, case.program);
        assert_eq!(case.infer(0, &dataset.test).scores, case.expected(&dataset.test));
    }
    let file = directory.path().join("program.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("version = 3", "version = 2", 1)).unwrap();
    let refused = load(directory.path()).unwrap_err().to_string();
    assert!(refused.ends_with("version = 2, but only version 3 can be read"), "{refused}");
}

/// Words of 48 bits after 2 cycles of access, 3 cycles to merge, 5 to requantise, 7 to pool, and links of no length.
#[test]
fn the_vector_unit_takes_its_reads_its_arithmetic_and_its_write() {
    let mut random = Random(48);
    let mapping = Mapping::parse("isaac").unwrap();
    let mut chip = chips::exact();
    (chip.tile.buffer.bytes, chip.tile.buffer.word_bits, chip.tile.buffer.access_cycles) = (600, 48, 2);
    let digital = &mut chip.tile.digital;
    (digital.merge_cycles, digital.requantise_cycles, digital.pool_cycles) = (3, 5, 7);
    chip.mesh.hop_cycles = 0;
    // A flit holds any pixel, so that links take no cycle even where tiles differ.
    chip.mesh.flit_bits = 4096;
    let (mut adds, mut pools) = (0, [0, 0]);
    for _ in 0..60 {
        let program = compiled(&mut random, &mapping, &chip, 2).0.program;
        for (stage, timing) in program.stages.iter().zip(lower::stage_timings(&program)) {
            let pixel_bits: Vec<u64> =
                stage.input_maps().iter().map(|map| u64::from(map.channels * map.bits)).collect();
            let capacities: Vec<u64> = timing.inputs.iter().map(|input| input.flow.capacity.unwrap()).collect();
            // 4800 bits, in equal parts for each input.
            let share = 4800 / pixel_bits.len() as u64;
            assert_eq!(capacities, pixel_bits.iter().map(|bits| share / bits).collect::<Vec<_>>());
            let output = stage.output();
            let written = u64::from(output.channels * output.bits).div_ceil(48);
            let (read, arithmetic) = match stage {
                Stage::Mvm(_) => continue,
                Stage::Add(_) => {
                    adds += 1;
                    (2 + pixel_bits[0].div_ceil(48) + pixel_bits[1].div_ceil(48), 3 + 5)
                }
                Stage::Pool(pool) => {
                    let pixels = u64::from(pool.window.kernel_height * pool.window.kernel_width);
                    let average = usize::from(pool.kind != PoolKind::Max);
                    pools[average] += 1;
                    (2 + (pixels * pixel_bits[0]).div_ceil(48), 7 + 5 * average as u64)
                }
            };
            let expected = IntervalTiming { interval: read, latency: read + arithmetic + written, release: read };
            assert_eq!(timing.unit, UnitTiming::Interval(expected), "{}", stage.name());
        }
    }
    assert!(adds > 50 && pools[0] > 5 && pools[1] > 20, "{adds} additions, {pools:?} pools");
}
