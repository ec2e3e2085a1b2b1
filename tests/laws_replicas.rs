//! Copies of stages: they compute and count what one copy does, in less time, on more arrays.

use crate::support::chips::{self, all_widths, widths_for};
use crate::support::compiled::Compiled;
use crate::support::graphs;
use crate::support::networks::{Builder, convolutions, dataset};
use crate::support::random::Random;
use chip::config::Chip;
use chip::energy::{ArrayEnergy, area_m2, leakage_w, price};
use chip::program::{MvmStage, Program, Stage, load, save};
use chip::timing::{self, weight_writing};
use explore::config::{Kind, load as load_config};
use explore::cycles::CHIP_OF_OUTLINES;
use explore::outline::{Outline, Placement};
use nn::Shape;
use nn_compiler::mapping::Mapping;
use nn_compiler::{Limit, replicate};

/// Arrays that a program takes, copies included.
fn arrays(program: &Program) -> u64 {
    program
        .mvm_stages()
        .map(|(_, stage)| stage.crossbars.len() as u64 * u64::from(stage.polarities) * stage.copies() as u64)
        .sum()
}

fn copies(program: &Program) -> Vec<usize> {
    program.mvm_stages().map(|(_, stage)| stage.copies()).collect()
}

fn replicated(program: &Program, arrays: u64) -> Program {
    let mut program = program.clone();
    replicate(&mut program, arrays).unwrap();
    assert_eq!(program.validate(), Ok(()));
    program
}

/// Two convolutions of 64 windows of 32 columns and 36 windows of 128 columns, and a small linear layer. Arrays are read within the time in which
/// their columns are converted, 25 and 100 cycles a slice.
fn two_convolutions(chip: &Chip) -> Program {
    let mut random = Random(61);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 1, height: 8, width: 8 });
    chain.conv2d(8, 3, 1, 1);
    chain.relu();
    chain.conv2d(32, 3, 1, 0);
    chain.relu();
    chain.linear(4);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 4, 2, 2);
    Compiled::new(&network, &dataset, &Mapping::parse("differential").unwrap(), chip).program
}

/// The default chip with a tile for every stage, however many copies it has, and a mesh that does not hold anybody up.
fn roomy() -> Chip {
    let mut chip = chips::chip("default");
    (chip.tile.adc.calibration_images, chip.tile.adc.calibration_chips) = (2, 1);
    (chip.tile.arrays, chip.tile.buffer.bytes, chip.mesh.flit_bits) = (1024, 1 << 20, 4096);
    chip
}

/// An image keeps the first stage busy for 64 windows of 200 cycles and the second one for 36 of 800, as 4096 to 9216: ceil(9216 / 4096) = 3 copies
/// of the second balance them; behind that they take turns.
#[test]
fn copies_balance_two_stages() {
    let program = two_convolutions(&roomy());
    let pairs: Vec<u64> = program.mvm_stages().map(|(_, stage)| 2 * stage.crossbars.len() as u64).collect();
    assert_eq!(pairs[..2], [2, 2], "a pair each");
    let least = arrays(&program);
    for (more, expected) in [(0, [1, 1]), (1, [1, 1]), (2, [1, 2]), (4, [1, 3]), (6, [2, 3]), (8, [2, 4]), (10, [2, 5])]
    {
        assert_eq!(copies(&replicated(&program, least + more))[..2], expected, "{more} more arrays");
    }
    // Windows end it: the first stage has 64.
    let most = replicated(&program, u64::MAX);
    assert!(most.mvm_stages().all(|(_, stage)| stage.copies() <= stage.window.count()), "{:?}", copies(&most));
    let mut program = program;
    let refused = replicate(&mut program, least - 1).unwrap_err().to_string();
    assert!(refused.contains(&format!("{} arrays; allowed is {least} and more", least - 1)), "{refused}");
}

/// Image intervals are those of the longest stage: 36 windows of 800 cycles for one copy, 18 for two.
#[test]
fn more_arrays_never_slow_a_program_down() {
    let program = two_convolutions(&roomy());
    let least = arrays(&program);
    let (mut last, mut intervals) = (u64::MAX, Vec::new());
    for more in (0..=40).step_by(2) {
        let timing = timing::run(&replicated(&program, least + more), 4).unwrap();
        assert!(timing.cycles() <= last, "{} behind {last} cycles with {more} more arrays", timing.cycles());
        last = timing.cycles();
        let (cycles, images) = timing.steady_interval();
        intervals.push(cycles / images);
    }
    let expected = [36 * 800, 18 * 800, 64 * 200];
    for (interval, expected) in intervals.iter().zip(expected) {
        assert!(interval.abs_diff(expected) <= expected / 50, "{intervals:?}, expected {expected:?}");
    }
    assert!(*intervals.last().unwrap() < expected[2] / 4, "{intervals:?}");
}

/// Neither is a network on a chip whose mesh does hold it up: a larger budget tries all that a smaller one does, and what it has beyond that stays unused if it does
/// not help. That is exact for the four images that are timed.
#[test]
fn more_arrays_never_slow_a_network_down() {
    let chip: Chip = load_config(Kind::Chip, CHIP_OF_OUTLINES, &[]).unwrap();
    let timed = |network: &str, replicate| {
        let outline: Outline = load_config(Kind::Outline, network, &[]).unwrap();
        let (program, limit) = outline.copied(&chip, Placement { mapping: "differential", replicate }).unwrap();
        (arrays(&program), limit, timing::run(&program, 4).unwrap())
    };
    let (least, _, one_copy) = timed("vgg-8", None);
    let (mut last, mut limits) = (one_copy.cycles(), Vec::new());
    for budget in [least, 7000, 8000, 10_000, 12_000, 30_000, 50_000] {
        let (used, limit, timing) = timed("vgg-8", Some(budget));
        assert_eq!(timing.report.end, timing.cycles());
        assert!(used <= budget && timing.cycles() <= last, "{} behind {last} with {budget} arrays", timing.cycles());
        last = timing.cycles();
        limits.push(limit.unwrap());
    }
    assert!(last * 4 < one_copy.cycles(), "{last} cycles instead of {}", one_copy.cycles());
    assert_eq!((limits[0], limits[6]), (Limit::Arrays, Limit::Contention), "{limits:?}");
    // Nor is the wait for the first image the price.
    let (mut first, mut end) = (u64::MAX, u64::MAX);
    for budget in [8000, 14_000] {
        let timing = timed("resnet-18", Some(budget)).2;
        let (of_first, of_end) = (timing.report.image_done[0], timing.cycles());
        assert!(of_first <= first.saturating_add(first / 20), "{of_first} cycles behind {first} with {budget} arrays");
        assert!(of_end <= end, "{of_end} cycles behind {end} with {budget} arrays");
        (first, end) = (of_first, of_end);
    }
}

/// What is done is the same, if it is done in the same tiles; only what leaks and is written is more.
#[test]
fn copies_cost_area_leakage_and_writing_but_no_energy() {
    let program = two_convolutions(&roomy());
    let copied = replicated(&program, arrays(&program) + 6);
    assert_eq!(copies(&copied)[..2], [2, 3]);
    let counts = [&program, &copied].map(|program| timing::run(program, 2).unwrap().counts);
    assert_eq!(counts[0], counts[1]);
    let energy = [&program, &copied].map(|program| price(&counts[0], program, ArrayEnergy::PerCellRead, 1e-3).unwrap());
    let watts = [&program, &copied].map(|program| leakage_w(program).unwrap());
    assert_eq!(energy[0].total_j() - energy[0].leakage_j, energy[1].total_j() - energy[1].leakage_j);
    assert_eq!(energy.map(|energy| energy.leakage_j), watts.map(|watts| watts * 1e-3));
    let written = [&program, &copied].map(|program| weight_writing(program).unwrap().counts);
    let cells = |stage: &MvmStage, copies: u64| {
        stage.crossbars.iter().map(|c| u64::from(c.rows) * stage.columns(c)).sum::<u64>() * 2 * copies
    };
    let more: u64 = program.mvm_stages().zip([1, 2]).map(|((_, stage), copies)| cells(stage, copies)).sum();
    assert_eq!(written[1].cell_write - written[0].cell_write, more);
    assert_eq!(written[1].memory_bit, written[0].memory_bit, "levels come once");
    // Six more arrays with one converter each for a pair; the tiles are the same.
    let (chip, unit) = (&program.chip, &program.chip.costs.area_m2.unwrap());
    let adc = chip.tile.adc.cost().unwrap().area_m2;
    let array =
        128.0 * 128.0 * unit.cell + 128.0 * chip.costs.dac_size_factor(1).unwrap() * unit.dac + unit.input_register;
    let converted =
        128.0 * unit.sample_hold + unit.shift_add + unit.output_register + f64::from(chip.tile.adc.per_bank) * adc;
    let grown = area_m2(&copied).unwrap().unwrap() - area_m2(&program).unwrap().unwrap();
    let expected = 6.0 * array + 3.0 * converted;
    assert!((grown - expected).abs() <= 1e-9 * expected, "{grown} m2, expected {expected}");
}

/// Few arrays a tile, and banks that several share.
fn cramped(random: &mut Random, mut chip: Chip) -> Chip {
    chip.tile.arrays = random.pick(&[2, 3, 7, 96]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2, 3]);
    chip.mesh.flit_bits = random.pick(&[16, 100]);
    chip.tile.buffer.bytes = 1 << 24;
    (chip.mesh.width, chip.mesh.height) = (random.pick(&[13, 64]), 256);
    chip
}

#[test]
fn both_engines_count_the_same_with_copies_and_results_stay_exact() {
    let mut random = Random(62);
    let (mut copied, mut shared, mut spread) = (0, 0, 0);
    for mapping in &Mapping::every() {
        for (index, widths) in widths_for(mapping, all_widths(&[(8, 8), (24, 40)])).into_iter().step_by(9).enumerate() {
            let chip = cramped(&mut random, widths.of(chips::exact()));
            let (mut case, dataset) = if index % 2 == 0 {
                let network = convolutions(&mut random, widths.weight);
                let dataset = dataset(&mut random, network.input, 2, 4, 2);
                (Compiled::new(&network, &dataset, mapping, &chip), dataset)
            } else {
                graphs::compiled(&mut random, mapping, &chip, 2)
            };
            case.program = replicated(&case.program, arrays(&case.program) * random.within(1, 4) as u64);
            let inference = case.infer(0, &dataset.test);
            assert_eq!(inference.scores, case.expected(&dataset.test), "{}, {widths:?}", mapping.name());
            let timing = timing::run(&case.program, 2).unwrap();
            assert_eq!(inference.counts, timing.counts, "{}, {widths:?}", mapping.name());
            for (_, stage) in case.program.mvm_stages().filter(|(_, stage)| stage.copies() > 1) {
                copied += 1;
                shared += usize::from(stage.home(0) == stage.home(1));
                spread += usize::from(stage.tiles_of(1).len() > 1);
            }
        }
    }
    assert!(
        copied > 50 && shared > 20 && spread > 20,
        "{copied} stages with copies, {shared} in one tile, {spread} spread"
    );
}

/// A copy that fits a tile lies in one, and none spreads over more tiles than it must.
#[test]
fn copies_spread_over_as_few_tiles_as_they_can() {
    let mut random = Random(63);
    let mapping = Mapping::parse("differential").unwrap();
    let mut several = 0;
    for _ in 0..40 {
        let mut chip = cramped(&mut random, chips::exact());
        (chip.tile.array.rows, chip.tile.array.cols) = (8, 16);
        let program = graphs::compiled(&mut random, &mapping, &chip, 2).0.program;
        let program = replicated(&program, arrays(&program) * 3);
        for (_, stage) in program.mvm_stages() {
            let least = stage.crossbars.len().div_ceil((chip.tile.arrays / stage.polarities) as usize);
            for copy in 0..stage.copies() {
                assert_eq!(stage.tiles_of(copy).len(), least, "{}, copy {copy}", stage.name);
                several += usize::from(copy > 0 && least > 1);
            }
        }
    }
    assert!(several > 20, "{several} copies over several tiles");
}

#[test]
fn damaged_copies_are_refused_by_name() {
    let program = replicated(&two_convolutions(&roomy()), 64);
    let refused = |change: &dyn Fn(&mut MvmStage)| {
        let mut program = program.clone();
        let Stage::Mvm(stage) = &mut program.stages[1] else { panic!("the second convolution") };
        assert!(stage.copies() > 2);
        change(stage);
        program.validate().unwrap_err()
    };
    let holds = |text: String, part: &str| assert!(text.contains(part) && text.contains("stage `"), "{text}");
    holds(refused(&|stage| stage.replicas[1].clear()), "copy 2 has places for 0 of 1 crossbars");
    holds(refused(&|stage| stage.replicas[0].extend_from_within(..)), "copy 1 has places for 2 of 1 crossbars");
    holds(refused(&|stage| stage.replicas[0][0].tile = 1 << 20), "copy 1: tile 1048576 does not exist");
    holds(refused(&|stage| stage.replicas[0][0].array = 1023), "copy 1: array 1023 does not exist; a tile has 1024");
    holds(refused(&|stage| stage.replicas[0][0].array = u32::MAX), "copy 1: array 4294967295 does not exist");
    holds(refused(&|stage| stage.replicas[0][0].bank = 1), "copy 1: bank 0 has no crossbar");
    holds(refused(&|stage| stage.replicas[1] = stage.replicas[0].clone()), "already holds a crossbar of");
    holds(refused(&|stage| stage.replicas[0][0].array += 1), "already holds a crossbar of");
    let many = |stage: &mut MvmStage| stage.replicas.resize(36, stage.replicas[0].clone());
    holds(refused(&many), "it has 37 copies; allowed is at most 36");
}

#[test]
fn a_program_with_copies_read_back_is_the_same_program() {
    let directory = tempfile::tempdir().unwrap();
    let program = replicated(&two_convolutions(&roomy()), 64);
    save(&program, directory.path()).unwrap();
    assert_eq!(load(directory.path()).unwrap(), program);
}
