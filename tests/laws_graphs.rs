//! Residual networks: what holds of chains holds of graphs. An ideal chip is exact, both engines count the same, and files lose nothing.

use crate::support::chips::{self, all_widths, widths_for};
use crate::support::counts::counts;
use crate::support::graphs::compiled;
use crate::support::random::Random;
use chip::config::Chip;
use chip::program::{
    AddStage, ConcatStage, MvmStage, Output, PoolKind, PoolStage, Program, Stage, TableStage, load, save,
};
use chip::timing;
use nn_compiler::mapping::Mapping;
use std::collections::BTreeSet;
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
    concats: usize,
    of_three: usize,
    of_images: usize,
    of_itself: usize,
    copies: usize,
    tables: usize,
    signed_tables: usize,
    signed_global_averages: usize,
    uncounted_padding: usize,
    ends_in_codes: usize,
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
        self.note_vector_unit(program);
    }

    fn note_vector_unit(&mut self, program: &Program) {
        let any = |holds: &dyn Fn(&Stage) -> bool| usize::from(program.stages.iter().any(holds));
        let concat =
            |holds: &dyn Fn(&ConcatStage) -> bool| any(&|s| matches!(s, Stage::Concat(concat) if holds(concat)));
        self.concats += concat(&|_| true);
        self.of_three += concat(&|concat| concat.inputs.len() == 3);
        self.of_images += concat(&|concat| concat.inputs.contains(&0));
        let distinct = |inputs: &[u32]| inputs.iter().collect::<BTreeSet<_>>().len();
        self.of_itself += concat(&|concat| distinct(&concat.inputs) < concat.inputs.len());
        self.copies += concat(&|concat| concat.scaled_channels() == 0);
        self.tables += any(&|stage| matches!(stage, Stage::Table(_)));
        let negative = |table: &TableStage| table.table[..table.table.len() / 2].iter().any(|&code| code < 0);
        self.signed_tables += any(&|stage| matches!(stage, Stage::Table(table) if table.map.signed && negative(table)));
        let of_signed = |source: u32| match source.checked_sub(1).map(|index| &program.stages[index as usize]) {
            Some(Stage::Add(AddStage { signed, .. }) | Stage::Concat(ConcatStage { signed, .. })) => *signed,
            Some(Stage::Table(table)) => table.signed,
            _ => false,
        };
        let uncounted = |pool: &PoolStage| {
            let clipped = pool.window.down().iter().chain(&pool.window.across()).any(|of| of.places().count() < 2);
            clipped && matches!(pool.kind, PoolKind::Average { count_padding: false, .. })
        };
        self.uncounted_padding += any(&|stage| matches!(stage, Stage::Pool(pool) if uncounted(pool)));
        self.ends_in_codes += usize::from(!matches!(program.stages.last(), Some(Stage::Mvm(_))));
        let global = |pool: &PoolStage| pool.kind != PoolKind::Max && pool.window.count() == 1;
        self.signed_global_averages +=
            any(&|stage| matches!(stage, Stage::Pool(pool) if global(pool) && of_signed(pool.input)));
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
    let Reached {
        concats, of_three, of_images, of_itself, copies, tables, signed_tables, signed_global_averages, ..
    } = reached;
    let ends = [reached.uncounted_padding, reached.ends_in_codes];
    assert!(ends.into_iter().min() > Some(5), "{reached:?}");
    let vectors = [concats, of_three, of_images, of_itself, copies, tables, signed_tables, signed_global_averages];
    let all = || graphs.iter().chain(&arrays).chain(&vectors);
    assert!(reached.adds > 400 && all().all(|&count| count > 30), "{reached:?}");
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
    // As an older version was: no layer says how it is mapped.
    let file = directory.path().join("program.toml");
    let text = std::fs::read_to_string(&file).unwrap().replacen("version = 9", "version = 6", 1);
    let older: String =
        text.lines().filter(|line| !line.starts_with("mapping = ")).flat_map(|line| [line, "\n"]).collect();
    assert!(older.len() < text.len());
    std::fs::write(&file, older).unwrap();
    let refused = load(directory.path()).unwrap_err().to_string();
    assert!(refused.ends_with("version = 6, but only version 9 can be read"), "{refused}");
}
