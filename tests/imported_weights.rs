//! What is in the arrays, decoded without the compiler: from the numbers of the program alone, cell by cell.

use chip::program::{MvmStage, PlacedCrossbar, Program};
use nn::quantised::{QuantisedLayer, QuantisedMvm, QuantisedNetwork};
use std::collections::BTreeSet;

/// Checks every copy of every weighted layer, and that no array is too large or taken twice.
pub(crate) fn check(program: &Program, network: &QuantisedNetwork, case: &str) {
    let layers = network.layers.iter().filter_map(|layer| match layer {
        QuantisedLayer::Mvm(mvm) => Some(mvm),
        _ => None,
    });
    let mut taken = BTreeSet::new();
    for ((_, stage), mvm) in program.mvm_stages().zip(layers) {
        let case = format!("{case}, layer `{}`", stage.name);
        assert_eq!(stage.name, mvm.name, "{case}");
        for copy in 0..1 + stage.replicas.len() {
            check_weights(stage, mvm, copy, &case);
            check_places(program, stage, copy, &mut taken, &case);
        }
    }
}

/// The number in a cell of an array: complemented columns hold what is missing to the highest level.
fn level(stage: &MvmStage, placed: &PlacedCrossbar, polarity: usize, row: usize, column: usize) -> i64 {
    let columns = placed.outputs as usize * stage.slices.len();
    let stored = i64::from(placed.levels[polarity][row * columns + column]);
    let top = (1 << stage.slices[column % stage.slices.len()].bits) - 1;
    if placed.flipped.get(column) == Some(&true) { top - stored } else { stored }
}

/// The number that the cells of an output in a row stand for.
fn number(stage: &MvmStage, placed: &PlacedCrossbar, row: usize, output: usize) -> i64 {
    let slices = stage.slices.len();
    let slice = |slice: usize| {
        let column = output * slices + slice;
        let level = |polarity| level(stage, placed, polarity, row, column);
        let negative = if stage.polarities == 2 { level(1) } else { 0 };
        stage.slices[slice].significance * (level(0) - negative)
    };
    (0..slices).map(slice).sum::<i64>() - stage.offset
}

/// Every weight of the layer is in exactly one place of the copy, and all other cells are at level 0.
fn check_weights(stage: &MvmStage, mvm: &QuantisedMvm, copy: usize, case: &str) {
    let (groups, kernel) = (stage.groups as usize, stage.window.places());
    let channels = stage.window.input.channels as usize / groups;
    let (rows, outputs) = (kernel * channels, stage.outputs as usize / groups);
    let mut found = vec![None; mvm.weights.len()];
    for (placed, _) in stage.placed(copy) {
        for row in 0..placed.rows as usize {
            let of_layer = placed.row_start as usize + row;
            // Rows go by group, place of the kernel and channel; the weights of the network by channel and place.
            let (group, place, channel) = (of_layer / rows, of_layer % rows / channels, of_layer % channels);
            for output in 0..placed.outputs as usize {
                let to = placed.output_start as usize + output;
                if to / outputs != group {
                    let columns = placed.outputs as usize * stage.slices.len();
                    let cells = output * stage.slices.len()..(output + 1) * stage.slices.len();
                    let empty =
                        |levels: &Vec<u8>| levels[row * columns..][cells.clone()].iter().all(|&level| level == 0);
                    assert!(placed.levels.iter().all(empty), "{case}: a cell beside the groups holds something");
                    continue;
                }
                let weight = &mut found[(to * channels + channel) * kernel + place];
                assert_eq!(*weight, None, "{case}: output {to}, channel {channel}, place {place} is there twice");
                *weight = Some(number(stage, placed, row, output));
            }
        }
    }
    // A digital offset is also the lowest weight, and what is left of the codes the highest.
    let (lowest, highest) = (-stage.offset, (1 << mvm.weight_bits) - 1 - stage.offset);
    let clipped = |weight: i64| if stage.offset == 0 { weight } else { weight.clamp(lowest, highest) };
    let mut changed = 0;
    for (index, (found, &weight)) in found.iter().zip(&mvm.weights).enumerate() {
        assert_eq!(*found, Some(clipped(weight.into())), "{case}: weight {index} is {weight}");
        changed += u64::from(*found != Some(weight.into()));
    }
    assert_eq!(changed, stage.clipped_weights, "{case}");
}

/// Crossbars fit their arrays, and have them to themselves.
fn check_places(program: &Program, stage: &MvmStage, copy: usize, taken: &mut BTreeSet<(u32, u32)>, case: &str) {
    let (tile, mesh) = (&program.chip.tile, &program.chip.mesh);
    for (placed, place) in stage.placed(copy) {
        let columns = placed.outputs as usize * stage.slices.len();
        assert!(placed.rows > 0 && placed.rows <= tile.array.rows, "{case}: {} rows", placed.rows);
        assert!(columns > 0 && columns <= tile.array.cols as usize, "{case}: {columns} columns");
        assert!(place.tile < mesh.width * mesh.height, "{case}: tile {}", place.tile);
        for array in place.array..place.array + stage.polarities {
            assert!(array < tile.arrays, "{case}: array {array}");
            assert!(taken.insert((place.tile, array)), "{case}: array {array} of tile {} is taken twice", place.tile);
        }
    }
}
