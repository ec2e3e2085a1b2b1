//! An ideal device, no parasitics and enough ADC bits: the chip computes what the integer reference computes, bit for bit.

use crate::support::chips::{self, Widths, all_widths};
use crate::support::compiled::Compiled;
use crate::support::networks::{Builder, convolutions, dataset, linear_chain};
use crate::support::random::Random;
use chip::config::Chip;
use chip::program::{Program, load, save};
use nn::datasets::Dataset;
use nn::{Graph, Shape};
use nn_compiler::front::Quantisation;
use nn_compiler::mapping::Mapping;
use nn_compiler::{CompilationSettings, compile};

/// Rows and columns of arrays, small enough that most layers are cut in both directions, or large enough that none is.
const ARRAYS: [(u32, u32); 4] = [(8, 8), (16, 32), (40, 24), (128, 128)];
const IMAGES: usize = 4;

/// One random case of every mapping strategy and every combination of widths.
fn cases(seed: u64, network: fn(&mut Random, u32) -> Graph) -> impl Iterator<Item = (Compiled, Dataset)> {
    let mut random = Random(seed);
    // Every strategy meets every combination; its options meet every third.
    let widths_of =
        |mapping: &Mapping| all_widths(&ARRAYS).into_iter().step_by(if mapping.name().contains('+') { 3 } else { 1 });
    let combinations = Mapping::every().into_iter().flat_map(move |mapping| {
        let fits: Vec<Widths> = widths_of(&mapping).filter(|widths| fits(&mapping, *widths)).collect();
        fits.into_iter().map(move |widths| (mapping.clone(), widths))
    });
    combinations.map(move |(mapping, widths)| case(&mut random, &mapping, widths, network))
}

/// Whether the slices of a weight fit one row of an array: unary weights need many columns.
fn fits(mapping: &Mapping, widths: Widths) -> bool {
    let unary = (1_u32 << (widths.weight - 1)).div_ceil((1 << widths.cell) - 1);
    !mapping.name().starts_with("unary") || unary <= widths.array.1
}

fn case(
    random: &mut Random,
    mapping: &Mapping,
    widths: Widths,
    network: fn(&mut Random, u32) -> Graph,
) -> (Compiled, Dataset) {
    let network = network(random, widths.weight);
    let classes = network.shapes().unwrap().last().unwrap().len();
    let dataset = dataset(random, network.input, classes, IMAGES, IMAGES);
    let chip = with_random_tile(random, widths.of(chips::exact()));
    (Compiled::new(&network, &dataset, mapping, &chip), dataset)
}

/// How crossbars are spread over tiles and converters must not matter to values.
fn with_random_tile(random: &mut Random, mut chip: Chip) -> Chip {
    chip.tile.arrays = random.pick(&[2, 3, 16, 96]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2, 5]);
    chip.tile.adc.power_of_two_step = random.once_in(2);
    chip
}

/// Which parts of the engines a set of cases has been through.
#[derive(Default)]
struct Reached {
    cases: usize,
    row_partitions: usize,
    column_partitions: usize,
    tiles: usize,
    padding: usize,
    pools: usize,
}

impl Reached {
    fn note(&mut self, program: &Program) {
        let any = |holds: &dyn Fn(&chip::program::MvmStage) -> bool| {
            usize::from(program.mvm_stages().any(|(_, stage)| holds(stage)))
        };
        self.cases += 1;
        self.row_partitions += any(&|stage| stage.row_partitions() > 1);
        self.column_partitions += any(&|stage| stage.crossbars.len() as u64 > stage.row_partitions());
        self.tiles += any(&|stage| stage.tiles().len() > 1);
        self.padding += any(&|stage| stage.window.vertical.before > 0);
        self.pools += usize::from(program.stages.len() > program.mvm_stages().count());
    }
}

fn check(case: &Compiled, dataset: &Dataset) {
    let Program { mapping, chip, .. } = &case.program;
    for images in [&dataset.train, &dataset.test] {
        let scores = case.infer(0, images).scores;
        assert_eq!(
            scores,
            case.expected(images),
            "{mapping}, {:?}, {:?}, {:?}",
            chip.tile.array,
            chip.tile.dac,
            chip.format
        );
    }
}

#[test]
fn linear_networks_are_exact() {
    let mut reached = Reached::default();
    for (case, dataset) in cases(1, linear_chain) {
        check(&case, &dataset);
        reached.note(&case.program);
    }
    assert!(reached.cases > 5 * 320 + 7 * 106, "{} cases", reached.cases);
    let least = reached.row_partitions.min(reached.column_partitions).min(reached.tiles);
    assert!(least > 100, "few networks were cut in both directions and spread over tiles");
}

#[test]
fn convolutional_networks_are_exact() {
    let mut reached = Reached::default();
    for (case, dataset) in cases(2, convolutions) {
        check(&case, &dataset);
        reached.note(&case.program);
    }
    let least = reached.padding.min(reached.pools).min(reached.row_partitions).min(reached.column_partitions);
    assert!(least > 100, "few networks had padding and pooling and were cut in both directions");
}

/// A convolution may yield the scores, as long as the order of several pixels of several channels, which the chip streams pixel by pixel
/// and the reference numbers channel by channel, does not matter.
#[test]
fn a_last_convolution_is_exact() {
    let mut random = Random(3);
    for mapping in &Mapping::every() {
        for (channels, height, width) in [(3, 3, 3), (1, 4, 3), (1, 4, 5)] {
            let network = last_convolution(&mut random, channels, height, width);
            let classes = network.shapes().unwrap().last().unwrap().len();
            let dataset = dataset(&mut random, network.input, classes, IMAGES, IMAGES);
            check(&Compiled::new(&network, &dataset, mapping, &chips::exact()), &dataset);
        }
    }
}

#[test]
fn a_last_convolution_whose_scores_have_no_single_order_is_refused() {
    let mut random = Random(6);
    let network = last_convolution(&mut random, 3, 4, 5);
    let dataset = dataset(&mut random, network.input, 18, IMAGES, IMAGES);
    let (mapping, chip) = (&Mapping::parse("isaac").unwrap(), chips::exact());
    let settings = CompilationSettings { dataset: &dataset, training: "none", mapping, chip: &chip, seed: 1 };
    let error = compile(&network, &Quantisation::default(), &settings);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`layer0`"), "{error}");
}

/// A 3x3 convolution without padding.
fn last_convolution(random: &mut Random, channels: usize, height: usize, width: usize) -> Graph {
    let mut chain = Builder::new(random, 8, Shape { channels: 2, height, width });
    chain.conv2d(channels, 3, 1, 0);
    chain.finish()
}

/// The chip of the program is what was compiled for, and nothing else is lost on the way through the files either.
#[test]
fn a_program_read_back_is_the_same_program() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
    for (case, dataset) in cases(4, convolutions).step_by(7).chain(cases(5, linear_chain).step_by(13)) {
        save(&case.program, &first).unwrap();
        let program = load(&first).unwrap();
        assert_eq!(program, case.program);
        save(&program, &second).unwrap();
        for file in ["program.toml", "arrays.safetensors"] {
            assert_eq!(std::fs::read(first.join(file)).unwrap(), std::fs::read(second.join(file)).unwrap(), "{file}");
        }
        let expected = case.infer(0, &dataset.test);
        assert_eq!(Compiled { program, reference: case.reference }.infer(0, &dataset.test), expected);
    }
}

/// Sums of 16-bit numbers do not fit the accumulators of the default chip: the compiler says so and how many bits they need, with which the law holds.
#[test]
fn the_widest_numbers_are_exact_in_the_accumulators_that_are_asked_for() {
    let mut random = Random(16);
    let (mut cases, mut inexact) = (0, 0);
    for mapping in Mapping::every() {
        for (dac, cell) in [(1, 2), (4, 4), (8, 3)] {
            let widths = Widths { array: (40, 48), dac, cell, weight: 16, input: 16 };
            if !fits(&mapping, widths) {
                continue;
            }
            let mut builder = Builder::new(&mut random, 16, Shape { channels: 60, height: 1, width: 1 });
            builder.linear(7);
            builder.relu();
            builder.linear(3);
            let network = builder.finish();
            let dataset = dataset(&mut random, network.input, 3, IMAGES, IMAGES);
            let mut chip = widths.of(chips::exact());
            let narrow = Compiled::new(&network, &dataset, &mapping, &chip);
            let warnings = nn_compiler::warnings(&narrow.reference, &narrow.program);
            let bits = |warning: &String| -> u32 {
                assert!(warning.contains("tile.digital.accumulator_bits = 32 saturate"), "{warning}");
                let (_, rest) = warning.split_once("accumulators of ").unwrap();
                rest.split_once(" bits").unwrap().0.parse().unwrap()
            };
            let needed = warnings.iter().map(bits).max().unwrap();
            inexact += usize::from(narrow.infer(0, &dataset.train).scores != narrow.expected(&dataset.train));
            chip.tile.digital.accumulator_bits = needed;
            let wide = Compiled::new(&network, &dataset, &mapping, &chip);
            assert!(nn_compiler::warnings(&wide.reference, &wide.program).is_empty(), "{}", mapping.name());
            check(&wide, &dataset);
            cases += 1;
        }
    }
    assert!(cases > 20 && inexact > cases / 2, "{cases} cases, {inexact} inexact with 32 bits");
}
