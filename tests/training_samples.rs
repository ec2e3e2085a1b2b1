//! Do validation chip samples hold what the simulator of chips would program?

use super::{digits, experiment, program, run};
use chip::functional::{Cells, SampleAddress};
use chip::program::MvmStage;
use nn_compiler::compile::choose_encoding;
use nn_compiler::mapping::Mapping;
use tile::address::Purpose;
use trainer::target::{LayerMatrix, sample_weights};
use trainer::{Method, Target};

/// What the cells of a stage stand for, by output and row of the network's matrix.
fn decoded(stage: &MvmStage, values: &[Vec<Vec<f32>>], levels: bool, matrix: &LayerMatrix) -> Vec<f32> {
    let mut weights = vec![-(stage.offset as f32); matrix.outputs * matrix.rows];
    let slices = &stage.slices;
    for (placed, values) in stage.crossbars.iter().zip(values) {
        let columns = stage.columns(placed) as usize;
        for (sign, (values, exact)) in [1.0, -1.0].into_iter().zip(values.iter().zip(&placed.levels)) {
            for row in 0..placed.rows as usize {
                let from = matrix.row_order[placed.row_start as usize + row];
                for output in 0..placed.outputs as usize {
                    let weight = &mut weights[(placed.output_start as usize + output) * matrix.rows + from];
                    for (slice, code) in slices.iter().enumerate() {
                        let cell = row * columns + output * slices.len() + slice;
                        let value = if levels { f32::from(exact[cell]) } else { values[cell] };
                        *weight += sign * code.significance as f32 * value;
                    }
                }
            }
        }
    }
    weights
}

/// Drawn by the trainer without a chip, and read from the programmed cells of the compiled network: the same weights, up to the rounding of sums.
#[test]
fn validation_samples_are_those_of_the_chip() {
    let dataset = digits();
    for mapping in ["isaac", "offset", "differential", "twos-complement", "unbalanced", "unary"] {
        for network in ["digits-mlp", "digits-cnn"] {
            let set = [format!("network.preset={network:?}"), "tile.array.rows=32".to_owned()];
            let experiment = experiment(&[&set[0], &set[1], "training.epochs=1"]);
            let trained = run(&experiment, &dataset, Method::Conventional, mapping, 0.0);
            let program = program(&experiment, &dataset, &trained, mapping);
            let address = SampleAddress { seed: 5, purpose: Purpose::Validation, chip_sample: 3 };
            let cells = Cells::program(&program, address).unwrap();
            let target = Target { mapping: &Mapping::parse(mapping).unwrap(), chip: &experiment.chip };
            let matrices = LayerMatrix::of(&trained.network, experiment.chip.tile.array.rows as usize).unwrap();
            for (((layer, stage), programmed), matrix) in program.mvm_stages().zip(&cells.stages).zip(&matrices) {
                let stored = decoded(stage, &programmed.values, true, matrix);
                let weights: Vec<i32> = stored.iter().map(|&weight| weight as i32).collect();
                let format = (experiment.chip.format.weight_bits, Some(stage.offset));
                let states = target.cells();
                let encoding = choose_encoding(&weights, format, target.mapping, target.chip, &states).unwrap();
                let sampled = sample_weights(matrix, &weights, &encoding, &states, 5, 3, layer).unwrap();
                let read = decoded(stage, &programmed.values, false, matrix);
                let name = format!("{mapping} {network} {}", stage.name);
                let moved = sampled.iter().zip(&stored).filter(|(a, b)| (*a - *b).abs() > 0.01).count();
                assert!(moved > weights.len() / 2, "{name}: hardly any weight has an error");
                for (index, (a, b)) in sampled.iter().zip(&read).enumerate() {
                    assert!((a - b).abs() < 1e-3, "{name}: weight {index} is {a} and {b}");
                }
            }
        }
    }
}
