//! Array energy cell by cell: `sum V^2 t G x^2` over every cell, input slice, window and image.

use super::cells::LayerCells;
use chip::program::{Axis, MvmStage, Program, Subtraction};
use nn::quantised::{QuantisedLayer, QuantisedNetwork};

/// Energy of the arrays for images given as the code maps that each weighted layer reads (`[layer][channel][row][column]`).
pub(crate) fn array_energy_j(program: &Program, cells: &[LayerCells], images: &[Vec<Vec<i64>>]) -> f64 {
    let mut energy_j = 0.0;
    for maps in images {
        for (((_, stage), cells), map) in program.mvm_stages().zip(cells).zip(maps) {
            for window in windows(stage, map) {
                energy_j += window_energy_j(program, stage, cells, &window);
            }
        }
    }
    energy_j
}

fn window_energy_j(program: &Program, stage: &MvmStage, cells: &LayerCells, window: &[i64]) -> f64 {
    let tile = &program.chip.tile;
    let device = &tile.cell.device;
    let conductance_s = |slice: usize, value: f32| {
        let levels = f64::from(1_u32 << stage.slices[slice].bits) - 1.0;
        (device.g_min_s + f64::from(value) * (device.g_max_s - device.g_min_s) / levels).max(0.0)
    };
    let per_siemens = tile.array.read_voltage_v * tile.array.read_voltage_v * tile.array.read_time_s;
    let base = 1_u64 << tile.dac.bits;
    // A sign is applied with the magnitude, or is part of an unsigned number.
    let signed = program.chip.signed_inputs();
    let bits = stage.window.input.bits - u32::from(signed);
    let offset = if stage.window.input.signed && !signed { 1_i64 << (bits - 1) } else { 0 };
    let mut energy_j = 0.0;
    for (row, &code) in window.iter().enumerate() {
        let mut rest = (code + offset).unsigned_abs();
        for _ in 0..bits.div_ceil(tile.dac.bits) {
            let x = (rest % base) as f64 / (base - 1) as f64;
            rest /= base;
            let mut cell = |conductance_s: f64| energy_j += per_siemens * conductance_s * x * x;
            // Every array that holds the row and is converted by itself has a reference column of cells at G_min, which takes off
            // their baseline.
            let references = match (stage.polarities, stage.subtraction) {
                (1, _) => 1,
                (_, Subtraction::BeforeAdc) => 0,
                (_, Subtraction::AfterAdc) => 2,
            };
            let holds = |first: u32, count: u32| (first as usize..(first + count) as usize).contains(&row);
            for placed in stage.crossbars.iter().filter(|c| holds(c.row_start, c.rows)) {
                for output in placed.output_start..placed.output_start + placed.outputs {
                    for slice in 0..stage.slices.len() {
                        for polarity in 0..stage.polarities as usize {
                            cell(conductance_s(slice, cells.value(slice, polarity, row, output as usize)));
                        }
                    }
                }
                (0..references).for_each(|_| cell(device.g_min_s));
            }
        }
        assert_eq!(rest, 0, "the digits must make up the whole code");
    }
    energy_j
}

/// The values under every window in the chip's order (group, kernel row, kernel column, channel of the group), padding as 0.
fn windows(stage: &MvmStage, map: &[i64]) -> Vec<Vec<i64>> {
    let window = &stage.window;
    let channels = i64::from(window.input.channels / stage.groups);
    let (height, width) = (i64::from(window.input.height), i64::from(window.input.width));
    let value = |channel: i64, row: i64, column: i64| {
        let inside = (0..height).contains(&row) && (0..width).contains(&column);
        if inside { map[((channel * height + row) * width + column) as usize] } else { 0 }
    };
    let place = |axis: Axis, position: i64, place: i64| {
        position * i64::from(axis.stride) + place * i64::from(axis.dilation) - i64::from(axis.before)
    };
    let mut all = Vec::new();
    for (top, left) in
        (0..i64::from(window.out_height())).flat_map(|y| (0..i64::from(window.out_width())).map(move |x| (y, x)))
    {
        let mut values = Vec::new();
        for group in 0..i64::from(stage.groups) {
            for row in 0..i64::from(window.vertical.kernel) {
                for column in 0..i64::from(window.horizontal.kernel) {
                    let (y, x) = (place(window.vertical, top, row), place(window.horizontal, left, column));
                    values.extend((0..channels).map(|channel| value(group * channels + channel, y, x)));
                }
            }
        }
        all.push(values);
    }
    all
}

/// The code maps that each weighted layer reads for one image, from the integer reference: exact for a chip without errors.
pub(crate) fn layer_inputs(reference: &QuantisedNetwork, image: &[f32]) -> Vec<Vec<i64>> {
    let codes = reference.input_codes(image);
    let mut maps = vec![codes.iter().map(|&code| i64::from(code)).collect::<Vec<i64>>()];
    maps.extend(reference.infer_layers(&codes).unwrap());
    let read = |layer: &QuantisedLayer| match layer {
        QuantisedLayer::Mvm(mvm) => Some(maps[mvm.input].clone()),
        _ => None,
    };
    reference.layers.iter().filter_map(read).collect()
}
