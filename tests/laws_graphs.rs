//! Residual networks: what holds of chains holds of graphs. An ideal chip is exact, both engines count the same, and files lose nothing.

use crate::support::chips::{self, all_widths, widths_for};
use crate::support::counts::counts;
use crate::support::graphs::compiled;
use crate::support::random::Random;
use chip::config::Chip;
use chip::machine::instruction::{Instruction, VectorOperation};
use chip::program::{MvmStage, Output, PoolKind, Program, Stage, load, save};
use chip::timing;
use chip::timing::lower::{Role, workload};
use nn_compiler::mapping::Mapping;
use tile::dac::DacFormat;

/// What decides who shares what and which way values take, drawn at random.
fn with_random_tile(random: &mut Random, mut chip: Chip) -> Chip {
    chip.tile.arrays = random.pick(&[2, 3, 96]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2]);
    chip.tile.buffer.word_bits = random.pick(&[8, 48, 256]);
    chip.mesh.flit_bits = random.pick(&[16, 100]);
    (chip.mesh.width, chip.mesh.height) = (random.pick(&[13, 64]), 256);
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
    offset_inputs: usize,
    signed_images: usize,
    own_multipliers: usize,
    shared_arrays: usize,
    cut_groups: usize,
    widths: usize,
}

impl Reached {
    fn note(&mut self, program: &Program) {
        let any = |holds: &dyn Fn(&Stage) -> bool| usize::from(program.stages.iter().any(holds));
        self.adds += any(&|stage| matches!(stage, Stage::Add(_)));
        self.averages +=
            any(&|stage| matches!(stage, Stage::Pool(pool) if matches!(pool.kind, PoolKind::Average { .. })));
        let signed = |stage: &MvmStage| matches!(stage.output, Output::Codes { signed: true, .. });
        self.projections += any(&|stage| matches!(stage, Stage::Mvm(mvm) if signed(mvm)));
        self.forks += usize::from((0..program.stages.len()).any(|index| program.readers(index).count() > 1));
        self.signed_chips += usize::from(program.chip.signed_inputs());
        let open = |stage: &Stage| matches!(stage, Stage::Add(add) if add.signed);
        self.stayed_open += any(&open);
        let reads_open =
            |stage: &Stage| stage.inputs().iter().any(|&input| input > 0 && open(&program.stages[input as usize - 1]));
        self.negative_inputs += any(&|stage| matches!(stage, Stage::Mvm(_)) && reads_open(stage));
        self.signed_pools += any(&|stage| matches!(stage, Stage::Pool(_)) && reads_open(stage));
        self.note_arrays(program);
    }

    fn note_arrays(&mut self, program: &Program) {
        let any = |holds: &dyn Fn(&MvmStage) -> bool| usize::from(program.mvm_stages().any(|(_, stage)| holds(stage)));
        self.offset_inputs += any(&|stage| stage.input_offset > 0);
        self.signed_images += usize::from(program.input.signed && program.coding.offsets != [0.0]);
        self.own_multipliers += any(&|stage| stage.multipliers.windows(2).any(|pair| pair[0] != pair[1]));
        let groups_of = |stage: &MvmStage| stage.crossbars.iter().map(|placed| stage.groups().of(placed).len()).max();
        self.shared_arrays += any(&|stage| groups_of(stage) > Some(1));
        self.cut_groups += any(&|stage| stage.groups > 1 && stage.crossbars.len() > stage.groups as usize);
        self.widths += any(&|stage| stage.window.input.bits != program.input.bits);
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
            let timing = timing::run(&case.program, images).unwrap().counts;
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
    let Reached { offset_inputs, signed_images, own_multipliers, shared_arrays, cut_groups, widths, .. } = reached;
    let graphs = [averages, projections, forks, signed_chips, stayed_open, negative_inputs, signed_pools];
    let arrays = [offset_inputs, signed_images, own_multipliers, shared_arrays, cut_groups, widths];
    assert!(reached.adds > 400 && graphs.iter().chain(&arrays).all(|&count| count > 30), "{reached:?}");
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
    std::fs::write(&file, text.replacen("version = 6", "version = 5", 1)).unwrap();
    let refused = load(directory.path()).unwrap_err().to_string();
    assert!(refused.ends_with("version = 5, but only version 6 can be read"), "{refused}");
}

/// What a stage of the vector unit reads, computes and writes for every pixel.
#[test]
fn the_vector_unit_reads_its_windows_and_writes_a_pixel() {
    let mut random = Random(48);
    let mapping = Mapping::parse("isaac").unwrap();
    let (mut adds, mut pools) = (0, [0, 0]);
    for _ in 0..60 {
        let program = compiled(&mut random, &mapping, &chips::exact(), 2).0.program;
        let lowered = workload(&program, &program.chip.hardware()).unwrap();
        for (role, core) in lowered.roles.iter().zip(&lowered.workload.cores) {
            let Role::Vector { stage } = role else { continue };
            let stage = &program.stages[*stage];
            let bits = |map: &chip::program::FeatureMap| u64::from(map.channels * map.bits);
            let channels = u64::from(stage.output().channels);
            let (reads, operations) = match stage {
                Stage::Mvm(_) => panic!("crossbars in the vector unit"),
                Stage::Add(add) => {
                    adds += 1;
                    (add.maps.iter().map(bits).sum::<u64>(), vec![(VectorOperation::Add, channels)])
                }
                Stage::Pool(pool) => {
                    let pixels = pool.window.places() as u64;
                    let average = pool.kind != PoolKind::Max;
                    pools[usize::from(average)] += 1;
                    let mut operations = vec![(VectorOperation::Pool, pixels * channels)];
                    operations.extend(average.then_some((VectorOperation::Requantise, channels)));
                    (pixels * bits(&pool.window.input), operations)
                }
            };
            let windows = stage.window().count() as u64;
            let (mut read, mut computed, mut written) = (0, Vec::new(), 0);
            for instruction in &core.instructions {
                match *instruction {
                    Instruction::Load { bits, .. } => read += bits,
                    Instruction::Vector { operation, values } => computed.push((operation, values)),
                    Instruction::Send { bits: of_item, .. } | Instruction::Store { bits: of_item, .. } => {
                        assert_eq!(of_item, bits(&stage.output()));
                        written += 1;
                    }
                    _ => {}
                }
            }
            assert_eq!((read, computed), (windows * reads, operations.repeat(windows as usize)), "{}", stage.name());
            assert!(written >= windows && written % windows == 0, "{}", stage.name());
        }
    }
    assert!(adds > 50 && pools[0] > 5 && pools[1] > 20, "{adds} additions, {pools:?} pools");
}
