//! The functional engine counts while values move, the timing engine from its events: both count the same actions, and what they count is
//! what the definition says.

use crate::support::chips::{self, all_widths, widths_for};
use crate::support::compiled::Compiled;
use crate::support::counts::counts;
use crate::support::networks::{convolutions, dataset, linear_chain};
use crate::support::random::Random;
use chip::config::{Chip, RangePolicy};
use chip::functional::Inference;
use chip::program::Program;
use chip::timing;
use explore::config::{Kind, load};
use nn::datasets::{Dataset, Split};
use nn_compiler::mapping::Mapping;
use trainer::Architecture;
use trainer::config::WeightScale;

/// Field by field, so that a failure names the action.
fn check(program: &Program, inference: &Inference, images: &Split) {
    let Program { network, mapping, chip, .. } = program;
    let timing = timing::run(program, images.len() as u64).unwrap().counts.entries();
    let defined = counts(program).times(images.len() as u64).entries();
    for (index, (name, functional)) in inference.counts.entries().into_iter().enumerate() {
        let case = format!(
            "{name}, {} images, {network}, {mapping}, {:?}, {:?}",
            images.len(),
            chip.tile.array,
            chip.tile.dac
        );
        assert_eq!(functional, timing[index].1, "functional and timing engine: {case}");
        assert_eq!(functional, defined[index].1, "engines and definition: {case}");
    }
}

/// Everything that decides who shares what, drawn at random.
fn with_random_sharing(random: &mut Random, mut chip: Chip) -> Chip {
    chip.tile.arrays = random.pick(&[2, 3, 7, 96]);
    chip.tile.adc.arrays_per_bank = random.pick(&[1, 2, 3]);
    chip.tile.adc.per_bank = random.pick(&[1, 4]);
    chip.tile.adc.range = random.pick(&[RangePolicy::Full, RangePolicy::Calibrated, RangePolicy::Lossless]);
    chip.tile.adc.power_of_two_step = random.once_in(2);
    chip.tile.input_registers = random.pick(&[1, 2, 3]);
    chip.tile.buffer.word_bits = random.pick(&[8, 48, 256]);
    chip.mesh.flit_bits = random.pick(&[16, 100]);
    chip.mesh.width = random.pick(&[13, 64]);
    chip.mesh.height = 256;
    chip
}

#[test]
fn both_engines_count_the_same_in_random_networks() {
    let mut random = Random(11);
    let mut scaled = 0;
    for mapping in &Mapping::every() {
        for (index, widths) in widths_for(mapping, all_widths(&[(8, 8), (24, 40), (128, 128)])).into_iter().enumerate()
        {
            let network = [linear_chain, convolutions][index % 2](&mut random, widths.weight);
            let images = random.within(1, 3);
            let dataset = dataset(&mut random, network.input, 2, 4, images);
            let chip = with_random_sharing(&mut random, widths.of(chips::exact()));
            let case = Compiled::new(&network, &dataset, mapping, &chip);
            let inference = case.infer(0, &dataset.test);
            check(&case.program, &inference, &dataset.test);
            scaled += usize::from(inference.counts.slice_scale > 0);
        }
    }
    assert!(scaled > 50, "few converters had steps that need a multiplication");
}

/// The chips on which the shipped networks are counted: what may spread a layer over tiles or share a converter.
fn chips() -> Vec<Chip> {
    let change = |change: &dyn Fn(&mut Chip)| {
        let mut chip = chips::chip("default");
        // Calibration decides values, and whether steps are powers of two; few images are enough for that.
        (chip.tile.adc.calibration_images, chip.tile.adc.calibration_chips) = (2, 1);
        change(&mut chip);
        chip
    };
    let small = |chip: &mut Chip| {
        (chip.tile.array.rows, chip.tile.array.cols, chip.tile.arrays) = (48, 64, 2);
        chip.mesh.height = 100;
    };
    vec![
        change(&|_| {}),
        change(&|chip| chip.tile.adc.arrays_per_bank = 2),
        change(&|chip| (chip.tile.adc.arrays_per_bank, chip.tile.adc.per_bank) = (3, 4)),
        change(&|chip| chip.tile.adc.power_of_two_step = false),
        change(&|chip| chip.tile.dac.bits = 4),
        change(&small),
        change(&|chip| {
            small(chip);
            (chip.tile.adc.arrays_per_bank, chip.tile.dac.bits) = (2, 3);
        }),
    ]
}

fn check_shipped(name: &str) {
    let mut dataset: Dataset = nn::datasets::load("digits-8x8").unwrap();
    (dataset.train, dataset.test) = (dataset.train.truncated(8), dataset.test.truncated(2));
    let architecture: Architecture = load(Kind::Network, name, &[]).unwrap();
    let network = architecture.build(dataset.shape, 8, WeightScale::FanIn, 1).unwrap();
    let mut spread = 0;
    for chip in chips() {
        for mapping in &Mapping::every() {
            let case = Compiled::new(&network, &dataset, mapping, &chip);
            for images in [dataset.test.truncated(1), dataset.test.clone()] {
                check(&case.program, &case.infer(0, &images), &images);
            }
            spread += usize::from(case.program.mvm_stages().any(|(_, stage)| stage.tiles().len() > 1));
        }
    }
    assert!(spread >= 2 * Mapping::every().len(), "the small arrays must spread a layer over tiles");
}

#[test]
fn both_engines_count_the_same_in_the_shipped_mlp() {
    check_shipped("digits-mlp");
}

#[test]
fn both_engines_count_the_same_in_the_shipped_cnn() {
    check_shipped("digits-cnn");
}
