//! What options of the chip and of the mapping do to values, actions and cycles: converters without errors, signed inputs, accumulators of
//! limited width, complemented columns, subtraction after conversion, two's complement.

use crate::support::chips::{self, Widths};
use crate::support::compiled::{Compiled, SEED, sample};
use crate::support::networks::{Builder, dataset, single_layer};
use crate::support::random::Random;
use chip::config::Chip;
use chip::energy::{ArrayEnergy, price};
use chip::functional::infer;
use chip::program::MvmStage;
use chip::timing;
use nn::Shape;
use nn::datasets::Dataset;
use nn::quantised::QuantisedLayer;
use nn_compiler::mapping::Mapping;
use tile::actions::ActionCounts;
use tile::adc::AdcKind;
use tile::dac::DacFormat;
use tile::wires::Wires;

const WIDTHS: Widths = Widths { array: (24, 64), dac: 2, cell: 2, weight: 8, input: 8 };

/// A convolution and a linear layer.
fn two_layers(mapping: &Mapping, chip: &Chip) -> (Compiled, Dataset) {
    let mut random = Random(101);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 2, height: 5, width: 4 });
    chain.conv2d(4, 3, 1, 1);
    chain.relu();
    chain.linear(5);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 5, 4, 3);
    (Compiled::new(&network, &dataset, mapping, chip), dataset)
}

/// Random weights over the whole range.
fn one_layer(inputs: usize, outputs: usize, mapping: &Mapping, chip: &Chip) -> (Compiled, Dataset) {
    let mut random = Random(102);
    let weights: Vec<i32> = (0..inputs * outputs).map(|_| random.within(0, 254) as i32 - 127).collect();
    let network = single_layer(inputs, outputs, |output, input| weights[output * inputs + input], 0.5);
    let dataset = dataset(&mut random, network.input, outputs, 4, 4);
    (Compiled::new(&network, &dataset, mapping, chip), dataset)
}

#[test]
fn every_kind_of_converter_without_errors_is_exact() {
    for mapping in &Mapping::every() {
        for kind in [AdcKind::Ideal, AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp] {
            let mut chip = WIDTHS.of(chips::exact());
            (chip.tile.adc.kind, chip.tile.adc.kinds) = (kind, vec![AdcKind::Sar, AdcKind::Flash, AdcKind::Ramp]);
            chip.tile.wires = Wires { tolerance: 0.1, ..Wires::none() };
            let (case, dataset) = two_layers(mapping, &chip);
            assert_eq!(
                case.infer(0, &dataset.test).scores,
                case.expected(&dataset.test),
                "{} {kind:?}",
                mapping.name()
            );
        }
    }
}

/// The sign takes a bit of the input, so that codes have one bit less.
#[test]
fn sign_magnitude_inputs_are_exact_with_a_bit_less() {
    for mapping in &Mapping::every() {
        for dac in [1, 2, 3, 7] {
            let mut chip = Widths { dac, ..WIDTHS }.of(chips::exact());
            chip.tile.dac.format = DacFormat::SignMagnitude;
            let (case, dataset) = two_layers(mapping, &chip);
            let cycles = |stage: &MvmStage| case.program.chip.input_cycles(stage.applied_bits());
            assert!(case.program.input.signed);
            assert!(case.program.mvm_stages().all(|(_, stage)| cycles(stage) == 7_u32.div_ceil(dac)));
            assert_eq!(case.infer(0, &dataset.test).scores, case.expected(&dataset.test), "{} {dac}", mapping.name());
        }
    }
}

#[test]
fn signed_codes_give_the_integer_matrix_product() {
    for mapping in &Mapping::every() {
        for dac in [1, 3] {
            let mut chip = Widths { dac, ..WIDTHS }.of(chips::exact());
            chip.tile.dac.format = DacFormat::SignMagnitude;
            let (case, _) = one_layer(50, 6, mapping, &chip);
            let QuantisedLayer::Mvm(mvm) = &case.reference.layers[0] else { panic!("one linear layer") };
            let mut random = Random(103);
            let codes: Vec<i32> = (0..4 * 50).map(|_| random.within(0, 254) as i32 - 127).collect();
            let product = |image: &[i32], output: usize| {
                let weights = &mvm.weights[output * 50..(output + 1) * 50];
                let sum: i64 = weights.iter().zip(image).map(|(w, x)| i64::from(w * x)).sum();
                (mvm.bias[output] + sum) as f64
            };
            let expected: Vec<f64> =
                codes.chunks(50).flat_map(|image| (0..6).map(move |output| product(image, output))).collect();
            let scores = infer(&case.program, &sample(&case.program, 0), &codes, None).unwrap().scores;
            assert_eq!(scores, expected, "{} {dac}", mapping.name());
        }
    }
}

/// 10 inputs of 255 times weights of 127 = 3 + 3*4 + 3*16 + 1*64: the score is 323850, three columns sum up to 7650 and one to 2550.
#[test]
fn accumulators_saturate_when_they_are_a_bit_too_narrow() {
    let run = |accumulator_bits, sign: i32| {
        let mut chip = Widths { dac: 1, ..WIDTHS }.of(chips::exact());
        chip.tile.digital.accumulator_bits = accumulator_bits;
        let network = single_layer(10, 1, |_, _| 127 * sign, 0.0);
        let dataset = dataset(&mut Random(1), network.input, 1, 2, 2);
        let case = Compiled::new(&network, &dataset, &Mapping::parse("differential").unwrap(), &chip);
        let inference = infer(&case.program, &sample(&case.program, 0), &[255; 10], None).unwrap();
        let columns: Vec<u64> = inference.converters.iter().map(|used| used.saturated).collect();
        (inference.scores[0], inference.saturated_outputs, columns)
    };
    for sign in [1, -1] {
        let s = f64::from(sign);
        assert_eq!(run(20, sign), (s * 323_850.0, 0, vec![0; 4]), "2^19 - 1 holds it");
        assert_eq!(run(19, sign), (s * 262_143.0, 1, vec![0; 4]), "2^18 - 1 does not");
        assert_eq!(run(14, sign), (s * 8_191.0, 1, vec![0; 4]), "every column still fits");
        // Only the last of eight additions is too much for 4095.
        assert_eq!(run(13, sign), (s * 4_095.0, 1, vec![1, 1, 1, 0]));
    }
}

/// Shafiee et al., ISCA 2016, section V: 128 rows of 2-bit cells with 1-bit inputs sum up to 384, which takes 9 bits; columns above half
/// of that are stored complemented, and 8 bits are enough.
#[test]
fn flipped_columns_save_one_bit_of_the_converter() {
    let chip = Widths { array: (128, 128), dac: 1, ..WIDTHS }.of(chips::exact());
    let mut random = Random(104);
    let mut flipped_columns = 0;
    for case in 0..6 {
        // All at the top, all at the bottom, and mixtures.
        let low = [127, -127, 100, -127, 0, 64][case];
        let weights: Vec<i32> = (0..128 * 8).map(|_| random.within((low + 127) as usize, 254) as i32 - 127).collect();
        let network = single_layer(128, 8, |output, input| weights[output * 128 + input], 0.25);
        let dataset = dataset(&mut random, network.input, 8, 3, 4);
        for (name, bits) in [("isaac", 9), ("isaac+flip", 8)] {
            let case = Compiled::new(&network, &dataset, &Mapping::parse(name).unwrap(), &chip);
            let needed = case.program.chip.tile.adc.bits;
            assert!(needed == bits || (name == "isaac+flip" && needed < bits), "{name}: {needed}");
            assert_eq!(case.infer(0, &dataset.test).scores, case.expected(&dataset.test), "{name}");
            let (_, stage) = case.program.mvm_stages().next().unwrap();
            flipped_columns += stage.crossbars.iter().flat_map(|c| &c.flipped).filter(|&&flipped| flipped).count();
        }
    }
    assert!(flipped_columns > 60, "only {flipped_columns} columns were complemented");
}

/// Twice the conversions and what stands behind them; nothing else happens more or less often.
#[test]
fn subtraction_after_conversion_doubles_what_follows_the_columns() {
    for base in ["differential", "unary"] {
        let chip = Widths { array: (64, 128), ..WIDTHS }.of(chips::exact());
        let [(mut before, dataset), (mut after, _)] =
            ["", "+after-adc"].map(|option| two_layers(&Mapping::parse(&format!("{base}{option}")).unwrap(), &chip));
        let [a, b] = [&before, &after].map(|case| case.infer(0, &dataset.test).counts);
        // The first addend of every output needs no adder.
        let outputs: u64 = before
            .program
            .mvm_stages()
            .map(|(_, stage)| u64::from(stage.outputs) * stage.window.count() as u64 * dataset.test.len() as u64)
            .sum();
        let expected = ActionCounts {
            adc_conversion: 2 * a.adc_conversion,
            sample_hold: 2 * a.sample_hold,
            shift_add: 2 * a.shift_add,
            merge_add: 2 * (a.merge_add + outputs) - outputs,
            ..a
        };
        assert_eq!(b, expected, "{base}");
        // At the same resolution the converters take twice the energy.
        after.program.chip.tile.adc.bits = before.program.chip.tile.adc.bits;
        let energy = |case: &Compiled, counts| price(counts, &case.program, ArrayEnergy::PerCellRead, 0.0).unwrap();
        let [x, y] = [energy(&before, &a), energy(&after, &b)];
        assert!(
            (y.adc_j / x.adc_j - 2.0).abs() < 1e-12
                && (y.array_j, y.dac_j, y.buffer_j) == (x.array_j, x.dac_j, x.buffer_j)
        );
        // Twice as many converters make up for the time, where the adders do not need longer.
        for case in [&mut before, &mut after] {
            case.program.chip.tile.digital.adder_width = 1 << 16;
        }
        let cycles = |case: &Compiled| timing::run(&case.program, 2).unwrap().cycles();
        let (one, slower) = (cycles(&before), cycles(&after));
        after.program.chip.tile.adc.per_bank *= 2;
        assert!(slower > one && cycles(&after) == one, "{base}: {one}, {slower}, {}", cycles(&after));
    }
}

#[test]
fn only_offsets_and_complemented_columns_need_sums_of_inputs() {
    for mapping in &Mapping::every() {
        let (case, dataset) = two_layers(mapping, &WIDTHS.of(chips::exact()));
        let counts = case.infer(SEED, &dataset.test).counts;
        let needed = ["isaac", "offset"].iter().any(|base| mapping.name().starts_with(base));
        assert_eq!((counts.offset_subtract > 0, counts.input_sum_add > 0), (needed, needed), "{}", mapping.name());
    }
}
