//! Groups of channels: how they share arrays, what the cells beside them do, and that the layers around them are what the definition says.

use crate::laws_energy::relative;
use crate::support::cells::programmed;
use crate::support::chips::{self, all_widths, widths_for};
use crate::support::compiled::{Compiled, SEED};
use crate::support::energy::{array_energy_j, layer_inputs};
use crate::support::graphs::{compile, compile_for, compiled, grouped};
use crate::support::random::Random;
use chip::config::Chip;
use chip::functional::{Cells, SampleAddress};
use chip::program::{MvmStage, PlacedCrossbar, Program, Stage};
use nn::coding::{CodeFormat, InputCoding};
use nn::datasets::Dataset;
use nn_compiler::mapping::Mapping;
use tile::address::Purpose;
use tile::dac::DacFormat;

fn noisy(rows: u32, cols: u32) -> Chip {
    let mut chip = chips::exact();
    chip.tile.cell.device = chips::device("paper-order");
    (chip.tile.array.rows, chip.tile.array.cols) = (rows, cols);
    chip
}

/// A layer of groups that yields the scores, always the same.
fn one_layer(
    mapping: &Mapping,
    chip: &Chip,
    (channels, groups, outputs): (usize, usize, usize),
) -> (Compiled, Dataset) {
    let mut random = Random(81);
    let reference = grouped(&mut random, chip, (channels, groups, outputs));
    compile(&mut random, &reference, mapping, chip, 3)
}

fn stage(program: &Program) -> &MvmStage {
    program.mvm_stages().next().unwrap().1
}

/// 64 channels of 3 x 3 weights in 4 slices: 14 groups have 126 rows and 56 columns, so that five arrays of 128 x 128 hold all of them, 13
/// groups each and the last one 12.
#[test]
fn as_many_groups_share_an_array_as_fit() {
    let isaac = Mapping::parse("isaac").unwrap();
    let (case, _) = one_layer(&isaac, &chips::exact(), (64, 64, 64));
    let rows_and_outputs = |placed: &PlacedCrossbar| (placed.rows, placed.outputs);
    let shapes: Vec<(u32, u32)> = stage(&case.program).crossbars.iter().map(rows_and_outputs).collect();
    assert_eq!(shapes, [(117, 13), (117, 13), (117, 13), (117, 13), (108, 12)]);
    assert_eq!(case.program.macs, 64 * 9);
    // Columns decide: 8 outputs of 4 slices in each of 8 groups fill 32 columns, so that four groups share an array.
    let (case, _) = one_layer(&isaac, &chips::exact(), (16, 8, 64));
    let shapes: Vec<(u32, u32)> = stage(&case.program).crossbars.iter().map(rows_and_outputs).collect();
    assert_eq!(shapes, [(4 * 18, 4 * 8), (4 * 18, 4 * 8)]);
    // Each group has 36 rows: cut in two where an array has 20.
    let mut chip = chips::exact();
    chip.tile.array.rows = 20;
    let (case, _) = one_layer(&isaac, &chip, (8, 2, 4));
    let places = |placed: &PlacedCrossbar| (placed.row_start, placed.rows, placed.output_start, placed.outputs);
    let found: Vec<(u32, u32, u32, u32)> = stage(&case.program).crossbars.iter().map(places).collect();
    assert_eq!(found, [(0, 18, 0, 2), (18, 18, 0, 2), (36, 18, 2, 2), (54, 18, 2, 2)]);
}

/// Used cells and those beside the groups, in arrays that hold one group, some, or a part.
#[test]
fn a_cell_is_drawn_by_its_logical_address_in_any_group() {
    let (mut beside, mut cut) = (0, 0);
    for mapping in &Mapping::every() {
        // Unary weights need 43 columns.
        for (rows, cols) in [(9, 48), (32, 100), (128, 128), (7, 64)] {
            let (case, _) = one_layer(mapping, &noisy(rows, cols), (6, 3, 6));
            let address = SampleAddress { seed: SEED, purpose: Purpose::Programming, chip_sample: 2 };
            let cells = Cells::program(&case.program, address).unwrap();
            let oracle = programmed(&case.program, SEED, Purpose::Programming, 2);
            let (stage, slices) = (stage(&case.program), stage(&case.program).slices.len());
            for (placed, arrays) in stage.crossbars.iter().zip(&cells.stages[0].values) {
                let columns = placed.outputs as usize * slices;
                for (polarity, values) in arrays.iter().enumerate() {
                    for (at, &value) in values.iter().enumerate() {
                        let row = placed.row_start as usize + at / columns;
                        let output = placed.output_start as usize + at % columns / slices;
                        let expected = oracle[0].value(at % slices, polarity, row, output);
                        assert_eq!(value, expected, "{} {rows} {cols}: {row}, {output}", mapping.name());
                    }
                }
                let groups = stage.groups();
                beside += usize::from(groups.of(placed).len() > 1);
                cut += usize::from(groups.weights(placed) < (groups.rows * groups.outputs) as u64);
            }
        }
    }
    assert!(beside > 10 && cut > 10, "{beside} arrays of several groups, {cut} of parts");
}

/// A group in an array of its own is disturbed by nothing but its own cells; in one with others the cells beside it err as well. Without errors
/// it does not matter.
#[test]
fn cells_beside_a_group_disturb_it() {
    for mapping in &Mapping::every() {
        let scores = |device: &str, rows: u32| {
            let mut chip = noisy(rows, 128);
            chip.tile.cell.device = chips::device(device);
            // So fine that the converters hide nothing.
            (chip.tile.adc.range, chip.tile.adc.bits) = (chip::config::RangePolicy::Full, 20);
            let (mut case, dataset) = one_layer(mapping, &chip, (6, 6, 6));
            let groups_of = |placed: &PlacedCrossbar| stage(&case.program).groups().of(placed).len();
            let together = stage(&case.program).crossbars.iter().map(groups_of).max().unwrap();
            // Whole level spacings, as in a larger array.
            let Stage::Mvm(mvm) = &mut case.program.stages[0] else { panic!("one stage") };
            mvm.slices.iter_mut().for_each(|slice| slice.adc.step = 1.0 / 1024.0);
            (together, case.infer(0, &dataset.test).scores)
        };
        let (alone, shared) = (scores("paper-order", 9), scores("paper-order", 128));
        assert!(alone.0 == 1 && shared.0 > 1, "{}", mapping.name());
        let black = |scores: &[f64]| scores[..6].to_vec();
        // No row is driven by a black image.
        assert_eq!(black(&alone.1), black(&shared.1), "{}", mapping.name());
        let differ = alone.1[6..].iter().zip(&shared.1[6..]).filter(|(a, b)| a != b).count();
        assert!(differ > 6, "{}: {:?} {:?}", mapping.name(), alone.1, shared.1);
        assert_eq!(scores("ideal", 9).1, scores("ideal", 128).1, "{}", mapping.name());
    }
}

/// The energy of graphs with groups, signed maps and layers of several widths, cell by cell.
#[test]
fn the_array_energy_of_an_ideal_graph_is_the_sum_over_its_cells() {
    let mut random = Random(83);
    let (mut offsets, mut shared) = (0, 0);
    for mapping in &Mapping::every() {
        for widths in widths_for(mapping, all_widths(&[(16, 24), (48, 64)])).into_iter().step_by(8) {
            let mut chip = widths.of(chips::exact());
            if random.once_in(4) {
                chip.tile.dac.format = DacFormat::SignMagnitude;
            }
            let (case, dataset) = compiled(&mut random, mapping, &chip, 2);
            let cells = programmed(&case.program, SEED, Purpose::Programming, 3);
            let maps = |image| layer_inputs(&case.reference, dataset.test.image(image));
            let images: Vec<Vec<Vec<i64>>> = (0..dataset.test.len()).map(maps).collect();
            let expected = array_energy_j(&case.program, &cells, &images);
            let energy_j = case.infer(3, &dataset.test).array_energy_j;
            assert!(
                expected > 0.0 && relative(energy_j, expected) < 1e-11,
                "{energy_j:e}, expected {expected:e}: {}, {widths:?}",
                mapping.name()
            );
            let any = |holds: &dyn Fn(&MvmStage) -> bool| {
                usize::from(case.program.mvm_stages().any(|(_, stage)| holds(stage)))
            };
            offsets += any(&|stage| stage.input_offset > 0);
            shared += any(&|stage| stage.crossbars.iter().any(|placed| stage.groups().of(placed).len() > 1));
        }
    }
    assert!(offsets > 20 && shared > 20, "{offsets} with offset inputs, {shared} with shared arrays");
}

/// With real cells the cells beside the groups conduct too, at what they were programmed to.
#[test]
fn the_array_energy_of_noisy_groups_is_the_sum_over_their_cells() {
    for mapping in &Mapping::every() {
        for (rows, cols) in [(9, 48), (128, 128)] {
            let (case, dataset) = one_layer(mapping, &noisy(rows, cols), (6, 3, 6));
            let cells = programmed(&case.program, SEED, Purpose::Programming, 1);
            let maps = |image| layer_inputs(&case.reference, dataset.test.image(image));
            let images: Vec<Vec<Vec<i64>>> = (0..dataset.test.len()).map(maps).collect();
            let expected = array_energy_j(&case.program, &cells, &images);
            let energy_j = case.infer(1, &dataset.test).array_energy_j;
            assert!(relative(energy_j, expected) < 1e-11, "{energy_j:e}, expected {expected:e}: {}", mapping.name());
        }
    }
}

#[test]
fn damaged_groups_inputs_and_multipliers_are_refused_by_name() {
    let isaac = Mapping::parse("isaac").unwrap();
    let (case, _) = one_layer(&isaac, &chips::exact(), (8, 4, 8));
    let refused = |change: &dyn Fn(&mut MvmStage)| {
        let mut program = case.program.clone();
        let Stage::Mvm(stage) = &mut program.stages[0] else { panic!("one stage") };
        change(stage);
        program.validate().unwrap_err()
    };
    assert_eq!(case.program.validate(), Ok(()));
    let holds = |text: String, part: &str| assert!(text.contains(part) && text.contains("stage `"), "{text}");
    holds(refused(&|stage| stage.groups = 0), "groups must divide its outputs and the channels of its input");
    holds(refused(&|stage| stage.groups = 3), "groups must divide");
    holds(refused(&|stage| stage.groups = 8), "a cell beside the groups is not at level 0");
    // Row 0 belongs to the first group, whose outputs have the first eight columns.
    holds(refused(&|stage| stage.crossbars[0].levels[0][8] = 1), "a cell beside the groups is not at level 0");
    let cut = |stage: &mut MvmStage| {
        let placed = &mut stage.crossbars[0];
        (placed.rows, placed.levels[0]) = (placed.rows - 1, vec![0; (placed.rows as usize - 1) * 32]);
    };
    holds(refused(&cut), "holds parts of several groups");
    holds(refused(&|stage| stage.input_offset = 128), "input_offset = 128, but its inputs take 0");
    holds(refused(&|stage| stage.multipliers = vec![1.0]), "one multiplier per output that becomes codes");
    let refused = |change: &dyn Fn(&mut Program)| {
        let mut program = case.program.clone();
        change(&mut program);
        program.validate().unwrap_err()
    };
    let text = refused(&|program| program.coding.multipliers = vec![1.0; 3]);
    assert_eq!(
        text,
        "input: 3 multipliers and 1 offsets; allowed is 1, 8 (one per channel) or 72 (one per value) of both"
    );
    let text = refused(&|program| program.coding.offsets[0] = f64::NAN);
    assert_eq!(text, "input: a multiplier or an offset is NaN; allowed are finite numbers");
}

/// 16 bits and a sign, applied as 17 bits in any number of slices; sums stay whole.
#[test]
fn the_widest_signed_codes_are_applied_with_an_offset() {
    let mut random = Random(85);
    for mapping in &Mapping::every() {
        for dac in [1, 3, 8] {
            let mut chip = chips::exact();
            (chip.tile.dac.bits, chip.format.weight_bits, chip.tile.digital.accumulator_bits) = (dac, 4, 52);
            let mut reference = grouped(&mut random, &chip, (4, 2, 6));
            let highest = f64::from(u16::MAX);
            reference.coding = InputCoding {
                format: CodeFormat { bits: 16, signed: true },
                multipliers: vec![2.0 * highest],
                offsets: vec![-highest],
            };
            let (case, dataset) = compile(&mut random, &reference, mapping, &chip, 5);
            let stage = stage(&case.program);
            assert_eq!((stage.input_offset, stage.applied_bits()), (1 << 16, 17));
            assert_eq!(case.infer(0, &dataset.test).scores, case.expected(&dataset.test), "{} {dac}", mapping.name());
        }
    }
}

/// What a chip sample computes does not depend on whether signed maps are applied with their sign or with an offset, if cells do not err.
#[test]
fn an_offset_and_a_sign_give_the_same_scores() {
    let mut random = Random(84);
    let mut both = 0;
    for mapping in &Mapping::every() {
        for _ in 0..6 {
            let unsigned = chips::exact();
            let mut signed = chips::exact();
            signed.tile.dac.format = DacFormat::SignMagnitude;
            signed.format.input_bits += 1;
            let (case, dataset) = compiled(&mut random, mapping, &unsigned, 3);
            let again = compile_for(&case.reference, &dataset, mapping, &signed);
            assert_eq!(case.infer(0, &dataset.test).scores, again.infer(0, &dataset.test).scores);
            both += usize::from(case.program.mvm_stages().any(|(_, stage)| stage.input_offset > 0));
            assert!(again.program.mvm_stages().all(|(_, stage)| stage.input_offset == 0));
        }
    }
    assert!(both > 20, "{both} programs apply offsets");
}
