//! A cell's draw depends on its logical address alone: not on the array it lies in, the array's size, or what else is drawn.

use crate::support::cells::{LayerCells, level, place, programmed};
use crate::support::chips;
use crate::support::compiled::{Compiled, SEED, sample};
use crate::support::networks::{Builder, dataset, single_layer};
use crate::support::random::Random;
use chip::config::Chip;
use chip::program::{MvmStage, Program, Subtraction};
use nn::Shape;
use nn_compiler::mapping::Mapping;
use tile::address::Purpose;
use tile::crossbar::Crossbar;

fn noisy(rows: u32, cols: u32) -> Chip {
    let mut chip = chips::exact();
    chip.tile.cell.device = chips::device("paper-order");
    (chip.tile.array.rows, chip.tile.array.cols) = (rows, cols);
    chip
}

/// A convolution and a linear layer, always the same.
fn two_layers(mapping: &Mapping, chip: &Chip) -> Program {
    let mut random = Random(21);
    let mut chain = Builder::new(&mut random, 8, Shape { channels: 2, height: 5, width: 5 });
    chain.conv2d(12, 3, 1, 0);
    chain.relu();
    chain.linear(20);
    let network = chain.finish();
    let dataset = dataset(&mut random, network.input, 20, 3, 1);
    Compiled::new(&network, &dataset, mapping, chip).program
}

/// Every logical cell of a stage: slice, row and output.
fn logical_cells(stage: &MvmStage) -> impl Iterator<Item = (usize, usize, usize)> {
    let (slices, rows, outputs) = (stage.slices.len(), stage.window.rows(), stage.outputs as usize);
    (0..slices * rows * outputs).map(move |i| (i / (rows * outputs), i / outputs % rows, i % outputs))
}

/// The values that converters see of a logical cell: of a pair the difference, or one after the other.
fn expected(stage: &MvmStage, cells: &LayerCells, (slice, row, output): (usize, usize, usize)) -> Vec<f32> {
    let values: Vec<f32> = (0..stage.polarities as usize).map(|p| cells.value(slice, p, row, output)).collect();
    match (values.as_slice(), stage.subtraction) {
        (&[positive, negative], Subtraction::BeforeAdc) => vec![positive - negative],
        _ => values,
    }
}

fn cell(stage: &MvmStage, crossbars: &[&Crossbar], (slice, row, output): (usize, usize, usize)) -> Vec<f32> {
    let (index, local_row, _) = place(stage, slice, row, output);
    // Arrays hold all outputs of a slice side by side.
    let placed = &stage.crossbars[index];
    let column = slice * placed.outputs as usize + output - placed.output_start as usize;
    let arrays = crossbars.len() / stage.crossbars.len();
    (0..arrays).map(|array| crossbars[index * arrays + array].cell(local_row, column)).collect()
}

#[test]
fn a_cell_is_drawn_by_its_logical_address() {
    for mapping in &Mapping::every() {
        // Unary weights need 43 columns.
        let arrays = [(8, 8), (32, 32), (128, 128), (17, 50)].into_iter();
        let wide_enough = |&(_, cols): &(u32, u32)| cols >= 43 || !mapping.name().starts_with("unary");
        for (rows, cols) in arrays.filter(wide_enough) {
            let program = two_layers(mapping, &noisy(rows, cols));
            for chip_sample in [0, 5] {
                let oracle = programmed(&program, SEED, Purpose::Programming, chip_sample);
                let chip = sample(&program, chip_sample);
                for (((_, stage), cells), crossbars) in program.mvm_stages().zip(&oracle).zip(chip.crossbars()) {
                    for address in logical_cells(stage) {
                        assert_eq!(
                            cell(stage, &crossbars, address),
                            expected(stage, cells, address),
                            "{} {address:?}",
                            stage.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_cell_keeps_its_draw_when_the_size_of_the_arrays_changes() {
    for mapping in &Mapping::every() {
        let cols = if mapping.name().starts_with("unary") { 48 } else { 32 };
        let programs = [(32, cols), (128, 128)].map(|(rows, cols)| two_layers(mapping, &noisy(rows, cols)));
        let chips = [&programs[0], &programs[1]].map(|program| sample(program, 0));
        let [small, large] = [0, 1].map(|i| programs[i].mvm_stages().zip(chips[i].crossbars()));
        for (((_, small), small_cells), ((_, large), large_cells)) in small.zip(large) {
            assert!(small.crossbars.len() > large.crossbars.len());
            let mut compared = 0;
            for address in logical_cells(small) {
                let levels = |stage| level(stage, address.0, 0, address.1, address.2);
                // Which columns are stored complemented depends on where they are cut.
                if levels(small) != levels(large) {
                    assert!(mapping.name().contains("flip"), "{}", mapping.name());
                    continue;
                }
                compared += 1;
                assert_eq!(
                    cell(small, &small_cells, address),
                    cell(large, &large_cells, address),
                    "{} {address:?}",
                    small.name
                );
            }
            assert!(2 * compared > logical_cells(small).count(), "{}: {compared}", mapping.name());
        }
    }
}

/// Weight 0 is two cells at the lowest level; if they shared a draw, their difference would be 0. Independent errors add their variances.
#[test]
fn the_cells_of_a_pair_err_independently() {
    let mut chip = noisy(128, 128);
    let states = chip.tile.cell.device.states(2).unwrap();
    // Without the lower limit, which would cut a tail off.
    (chip.tile.cell.device.g_min_s, chip.tile.cell.device.g_max_s) = (10e-6, 49e-6);
    let network = single_layer(100, 80, |_, _| 0, 0.0);
    let dataset = dataset(&mut Random(22), network.input, 80, 2, 1);
    let program = Compiled::new(&network, &dataset, &Mapping::parse("differential").unwrap(), &chip).program;
    let (_, stage) = program.mvm_stages().next().unwrap();
    assert!(logical_cells(stage).all(|(slice, row, output)| (0..2).all(|p| level(stage, slice, p, row, output) == 0)));
    let chip = sample(&program, 0);
    let crossbars = chip.crossbars().next().unwrap();
    let squares: Vec<f64> =
        logical_cells(stage).map(|address| f64::from(cell(stage, &crossbars, address)[0]).powi(2)).collect();
    let variance = squares.iter().sum::<f64>() / squares.len() as f64;
    let expected = 2.0 * states.states[0].sigma.powi(2);
    // The standard error of a variance of n normal numbers is sqrt(2 / n) of it.
    let standard_error = expected * (2.0 / squares.len() as f64).sqrt();
    assert!((variance - expected).abs() < 4.0 * standard_error, "{variance}, expected {expected} +- {standard_error}");
}
