//! Are constrained columns in favourable states? Read from the levels of compiled programs, not from what the trainer says of itself.

use super::{digits, experiment, program, run};
use chip::program::MvmStage;
use nn_compiler::compile::choose_encoding;
use nn_compiler::favourable::Favourable;
use nn_compiler::mapping::Mapping;
use trainer::config::{Importance, Projection};
use trainer::{Method, Target};

/// Columns of a stage (one output within one crossbar) whose most significant cells are all in allowed states.
fn columns_in(stage: &MvmStage, allowed: &[u8]) -> (usize, usize) {
    let slices = stage.slices.len();
    let (mut inside, mut all) = (0, 0);
    for placed in &stage.crossbars {
        for output in 0..placed.outputs as usize {
            let columns = stage.columns(placed) as usize;
            let mut top = placed.levels[0].iter().skip(output * slices + slices - 1).step_by(columns);
            inside += usize::from(top.all(|level| allowed.contains(level)));
            all += 1;
        }
    }
    (inside, all)
}

/// Reads the compiled levels, not what the trainer says of itself.
#[test]
fn constrained_columns_are_compiled_to_favourable_states() {
    let dataset = digits();
    for projection in [Projection::Hard, Projection::StraightThrough] {
        for share in [0.5, 1.0] {
            let mut experiment = experiment(&[]);
            experiment.training.biased.projection = projection;
            let trained = run(&experiment, &dataset, Method::Biased, "isaac", share);
            let program = program(&experiment, &dataset, &trained, "isaac");
            let mut in_force = 0;
            for (_, stage) in program.mvm_stages() {
                let (inside, all) = columns_in(stage, &[0, 1, 3]);
                assert!(inside as f64 >= (share * all as f64).floor(), "{projection:?} {share}: {inside} of {all}");
                in_force += inside;
            }
            let epoch = trained.epochs[trained.chosen];
            assert_eq!(in_force, (epoch.effective_share * (128 + 64 + 10) as f64).round() as usize);
            assert!((epoch.chosen_share - share).abs() < 0.01);
        }
    }
}

/// The counterpart: without the constraint, hardly any column avoids the worst state, in which weight 0 sits.
#[test]
fn unconstrained_columns_use_the_worst_state() {
    let (experiment, dataset) = (experiment(&[]), digits());
    let trained = run(&experiment, &dataset, Method::Conventional, "isaac", 0.0);
    for (_, stage) in program(&experiment, &dataset, &trained, "isaac").mvm_stages() {
        assert_eq!(columns_in(stage, &[0, 1, 3]).0, 0);
    }
}

/// Constrained columns are favourable under every mapping strategy, in all constrained slices: read from the compiled levels, which the training does
/// not see. All columns are constrained, so that no cell of a constrained slice may be in another state.
#[test]
fn constrained_columns_are_favourable_under_every_mapping() {
    let dataset = digits();
    for mapping in ["isaac", "offset", "differential", "twos-complement", "unbalanced:1-1-2-2-2"] {
        // In slices of one bit, as that of a sign, both states are needed.
        let mut constrained = 0;
        for constrained_slices in [1, 2, 3] {
            let mut experiment = experiment(&["training.epochs=3"]);
            experiment.training.biased.constrained_slices = constrained_slices;
            let trained = run(&experiment, &dataset, Method::Biased, mapping, 1.0);
            let program = program(&experiment, &dataset, &trained, mapping);
            let target = Target { mapping: &Mapping::parse(mapping).unwrap(), chip: &experiment.chip };
            for (_, stage) in program.mvm_stages() {
                let weights = stored_weights(stage);
                let (bits, cells) = (experiment.chip.format.weight_bits, target.cells());
                // Under the offset that the program stores weights with.
                let format = (bits, Some(stage.offset));
                let encoding = choose_encoding(&weights, format, target.mapping, target.chip, &cells).unwrap();
                let allowed = Favourable::find(&encoding, &cells, constrained_slices as usize);
                constrained += u32::from(allowed.constrains());
                assert!(
                    weights.iter().all(|&weight| allowed.project(weight) == weight),
                    "{mapping} {constrained_slices}"
                );
            }
        }
        assert!(constrained >= 3, "{mapping} constrains the weights of {constrained} layers");
    }
}

/// The weights that a stage's levels stand for, row by row of every array.
fn stored_weights(stage: &MvmStage) -> Vec<i32> {
    let (slices, offset) = (&stage.slices, i32::try_from(stage.offset).unwrap());
    let mut weights = Vec::new();
    for placed in &stage.crossbars {
        let columns = stage.columns(placed) as usize;
        for row in 0..placed.rows as usize {
            for output in 0..placed.outputs as usize {
                let of = |levels: &[u8]| {
                    let cell = |slice: usize| i32::from(levels[row * columns + output * slices.len() + slice]);
                    (0..slices.len()).map(|slice| slices[slice].significance as i32 * cell(slice)).sum::<i32>()
                };
                let negative = placed.levels.get(1).map_or(0, |levels| of(levels));
                weights.push(of(&placed.levels[0]) - negative - offset);
            }
        }
    }
    weights
}

/// Levels of the constrained columns that the trainer names, in the slices that it constrains, read from the program: over mapping strategies,
/// devices, projections, importances and layers of all kinds.
#[test]
fn every_constrained_column_is_compiled_to_the_given_states() {
    let dataset = digits();
    /// Mapping strategy, device, given states, constrained slices, projection, method, importance.
    type Case = (&'static str, &'static str, &'static [u8], u32, Projection, Method, Importance);
    let cases: [Case; 9] = [
        ("isaac", "wan-2022", &[0, 3], 1, Projection::StraightThrough, Method::Biased, Importance::Gradient),
        ("isaac", "joshi-2020", &[0, 1, 3], 2, Projection::Hard, Method::BiasedNoise, Importance::Magnitude),
        ("offset", "agrawal-2022", &[0, 1, 3], 1, Projection::StraightThrough, Method::BiasedNoise, Importance::Fisher),
        ("offset", "milo-2021", &[0, 1, 3], 1, Projection::Hard, Method::Biased, Importance::Random),
        ("differential", "wan-2022", &[0, 1], 1, Projection::StraightThrough, Method::Biased, Importance::Random),
        ("twos-complement", "wan-2022", &[0, 1, 3], 3, Projection::Hard, Method::Biased, Importance::Gradient),
        ("isaac+flip", "wan-2022", &[0, 3], 1, Projection::StraightThrough, Method::Biased, Importance::Gradient),
        ("offset+flip-error", "wan-2022", &[0, 3], 1, Projection::Hard, Method::BiasedNoise, Importance::Magnitude),
        ("unary", "wan-2022", &[0, 2, 3], 1, Projection::StraightThrough, Method::Biased, Importance::Gradient),
    ];
    for (mapping, device, states, slices, projection, method, importance) in cases {
        for network in ["digits-mlp", "digits-cnn"] {
            let sets = [
                format!("network.preset={network:?}"),
                format!("cell.device.preset={device:?}"),
                "tile.array.rows=32".to_owned(),
            ];
            let mut experiment = experiment(&sets.each_ref().map(String::as_str));
            let biased = &mut experiment.training.biased;
            biased.states = states.iter().copied().map(u32::from).collect();
            (biased.constrained_slices, biased.projection, biased.importance) = (slices, projection, importance);
            let trained = run(&experiment, &dataset, method, mapping, 0.5);
            let program = program(&experiment, &dataset, &trained, mapping);
            let mut read = 0;
            for ((_, stage), constrained) in program.mvm_stages().zip(&trained.constrained) {
                read += read_constrained(stage, constrained, slices as usize, |level| states.contains(&level));
            }
            let columns: usize = trained.constrained.iter().flatten().filter(|&&constrained| constrained).count();
            assert!(columns > 20 && read >= columns * slices as usize, "{mapping} {network}: {read} of {columns}");
        }
    }
}

/// Checks the most significant slices of constrained columns; returns how many columns of cells were looked at.
fn read_constrained(stage: &MvmStage, constrained: &[bool], slices: usize, allowed: impl Fn(u8) -> bool) -> usize {
    let mut starts: Vec<u32> = stage.crossbars.iter().map(|placed| placed.row_start).collect();
    starts.sort_unstable();
    starts.dedup();
    let of_weight = stage.slices.len();
    let mut read = 0;
    for placed in &stage.crossbars {
        let partition = starts.binary_search(&placed.row_start).unwrap();
        for output in 0..placed.outputs as usize {
            if !constrained[(placed.output_start as usize + output) * starts.len() + partition] {
                continue;
            }
            for slice in of_weight - slices..of_weight {
                for levels in &placed.levels {
                    let mut column =
                        levels.iter().skip(output * of_weight + slice).step_by(stage.columns(placed) as usize);
                    assert!(column.all(|&level| allowed(level)), "{} output {output} slice {slice}", stage.name);
                    read += 1;
                }
            }
        }
    }
    read
}
