//! Actions by the definition: one after the other, for every window of every stage of one image.

use chip::program::{
    AddStage, Axis, ConcatStage, MvmStage, Output, PlacedCrossbar, PoolKind, PoolStage, Program, SUM_BITS, Stage,
    Subtraction, TableStage, Window,
};
use std::collections::{BTreeMap, BTreeSet};
use tile::actions::ActionCounts;
use tile::dac::DacFormat;

/// Actions of one image.
pub(crate) fn counts(program: &Program) -> ActionCounts {
    let mut counts = ActionCounts::default();
    for (index, stage) in program.stages.iter().enumerate() {
        let receivers = receivers(program, index + 1);
        for pixel in 0..stage.window().count() {
            match stage {
                Stage::Mvm(stage) => mvm_window(program, stage, &mut counts),
                Stage::Pool(stage) => pool_window(program, stage, &mut counts),
                Stage::Add(stage) => add_pixel(program, stage, &mut counts),
                Stage::Concat(stage) => concat_pixel(program, stage, &mut counts),
                Stage::Table(stage) => table_pixel(program, stage, &mut counts),
            }
            let map = stage.output();
            for (&tile, _) in receivers.iter().filter(|(_, pixels)| pixels.contains(&pixel)) {
                transfer(program, stage.home_tile(), tile, u64::from(map.channels) * u64::from(map.bits), &mut counts);
            }
        }
    }
    counts
}

/// The pixels of a source that each tile gets, once each: those that a weight or an operation in it is for; the scores stay where they are.
pub(crate) fn receivers(program: &Program, source: usize) -> BTreeMap<u32, BTreeSet<usize>> {
    let mut receivers: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for stage in program.stages.iter().filter(|stage| stage.inputs().contains(&(source as u32))) {
        for tile in tiles(stage) {
            let places = places(stage, tile);
            let pixels = (0..stage.window().count()).flat_map(|window| pixels(&stage.window(), window, &places));
            receivers.entry(tile).or_default().extend(pixels);
        }
    }
    if source == program.stages.len() {
        let stage = &program.stages[source - 1];
        receivers.insert(stage.home_tile(), (0..stage.window().count()).collect());
    }
    receivers
}

/// The places of a window, as row and column, that a tile has rows of; a stage of the vector unit reads all.
fn places(stage: &Stage, tile: u32) -> Vec<(u32, u32)> {
    let width = stage.window().horizontal.kernel;
    let all = (0..stage.window().places() as u32).map(|place| (place / width, place % width));
    let Stage::Mvm(stage) = stage else { return all.collect() };
    let (of_group, channels) = (stage.window.rows() as u32 / stage.groups, stage.window.input.channels / stage.groups);
    let here = stage.crossbars.iter().filter(|placed| placed.tile == tile);
    let rows = here.flat_map(|placed| placed.row_start..placed.row_start + placed.rows);
    let held: BTreeSet<u32> = rows.map(|row| row % of_group / channels).collect();
    all.filter(|(y, x)| held.contains(&(y * width + x))).collect()
}

/// The pixels at these places of a window; where they all lie in the padding, the one nearest to the first.
fn pixels(window: &Window, index: usize, places: &[(u32, u32)]) -> Vec<usize> {
    let (row, column) = (index as u32 / window.out_width(), index as u32 % window.out_width());
    let along = |axis: Axis, position: u32, place: u32| {
        i64::from(position * axis.stride + place * axis.dilation) - i64::from(axis.before)
    };
    let (height, width) = (i64::from(window.input.height), i64::from(window.input.width));
    let at = |&(y, x): &(u32, u32)| (along(window.vertical, row, y), along(window.horizontal, column, x));
    let inside = |(y, x): &(i64, i64)| (0..height).contains(y) && (0..width).contains(x);
    let mut found: Vec<(i64, i64)> = places.iter().map(at).filter(inside).collect();
    if found.is_empty() {
        found.extend(places.first().map(at).map(|(y, x)| (y.clamp(0, height - 1), x.clamp(0, width - 1))));
    }
    found.into_iter().map(|(y, x)| (y * width + x) as usize).collect()
}

/// From registers in one tile over its bus, and over the mesh, into the buffer of another or the same.
fn transfer(program: &Program, from: u32, to: u32, bits: u64, counts: &mut ActionCounts) {
    counts.bus_bit += bits;
    counts.buffer_write += words(program, bits);
    counts.flit_hop += flit_hops(program, from, to, bits);
}

fn tiles(stage: &Stage) -> BTreeSet<u32> {
    match stage {
        Stage::Mvm(stage) => stage.crossbars.iter().map(|placed| placed.tile).collect(),
        Stage::Pool(stage) => BTreeSet::from([stage.tile]),
        Stage::Add(stage) => BTreeSet::from([stage.tile]),
        Stage::Concat(stage) => BTreeSet::from([stage.tile]),
        Stage::Table(stage) => BTreeSet::from([stage.tile]),
    }
}

/// Along the row of the mesh, then along its column.
fn flit_hops(program: &Program, from: u32, to: u32, bits: u64) -> u64 {
    let mesh = &program.chip.mesh;
    // Blocks of two by two tiles share a router.
    let side = if mesh.concentration == 4 { 2 } else { 1 };
    let along_row = (from % mesh.width / side).abs_diff(to % mesh.width / side);
    let along_column = (from / mesh.width / side).abs_diff(to / mesh.width / side);
    u64::from(along_row + along_column) * bits.div_ceil(mesh.flit_bits.into())
}

fn words(program: &Program, bits: u64) -> u64 {
    bits.div_ceil(program.chip.tile.buffer.word_bits.into())
}

fn mvm_window(program: &Program, stage: &MvmStage, counts: &mut ActionCounts) {
    load(program, stage, counts);
    for placed in &stage.crossbars {
        crossbar(program, stage, placed, counts);
    }
    for _ in 0..stage.outputs {
        // One addition less than there are partial sums.
        counts.merge_add -= 1;
        counts.output_register_word += 1;
        counts.offset_subtract += u64::from(stage.offset != 0);
        counts.requantise += u64::from(matches!(stage.output, Output::Codes { .. }));
    }
    // What other tiles have added up of an output travels to the one that writes the result.
    let home = stage.crossbars[0].tile;
    for tile in stage.crossbars.iter().map(|placed| placed.tile).filter(|&tile| tile != home).collect::<BTreeSet<_>>() {
        let here = stage.crossbars.iter().filter(|placed| placed.tile == tile);
        let outputs: BTreeSet<u32> =
            here.flat_map(|placed| placed.output_start..placed.output_start + placed.outputs).collect();
        transfer(program, tile, home, outputs.len() as u64 * u64::from(SUM_BITS), counts);
    }
}

/// Every tile reads each input it needs once.
fn load(program: &Program, stage: &MvmStage, counts: &mut ActionCounts) {
    for tile in stage.crossbars.iter().map(|placed| placed.tile).collect::<BTreeSet<_>>() {
        let here = stage.crossbars.iter().filter(|placed| placed.tile == tile);
        let rows: BTreeSet<u32> = here.flat_map(|placed| placed.row_start..placed.row_start + placed.rows).collect();
        let bits = rows.len() as u64 * u64::from(stage.window.input.bits);
        counts.bus_bit += bits;
        counts.buffer_read += words(program, bits);
    }
    let complemented = stage.crossbars.iter().any(|placed| placed.flipped.contains(&true));
    if stage.offset != 0 || complemented {
        counts.input_sum_add += stage.window.rows() as u64;
    }
}

fn crossbar(program: &Program, stage: &MvmStage, placed: &PlacedCrossbar, counts: &mut ActionCounts) {
    let dac_bits = program.chip.tile.dac.bits;
    let columns = placed.outputs as usize * stage.slices.len();
    // Both arrays of a pair that is subtracted after conversion are converted.
    let conversions = if stage.subtraction == Subtraction::AfterAdc { stage.polarities as usize } else { 1 };
    // A sign-magnitude DAC applies the sign with the digits of the magnitude; to another it is a digit like others.
    let sign_magnitude = program.chip.tile.dac.format == DacFormat::SignMagnitude;
    let applied_bits = stage.window.input.bits - u32::from(sign_magnitude);
    for _ in 0..applied_bits.div_ceil(dac_bits) {
        // All rows are driven and all columns converted, whichever weights of whatever groups they hold.
        for _ in 0..placed.rows * stage.polarities {
            counts.dac_drive += 1;
            counts.input_register_bit += u64::from(dac_bits);
            counts.cell_read += columns as u64;
        }
        for _ in 0..columns * conversions {
            counts.sample_hold += 1;
            counts.adc_conversion += 1;
            counts.shift_add += 1;
        }
    }
    let is_shift = |factor: f64| 2_f64.powi(factor.log2().round() as i32) == factor;
    let mut own = stage.crossbars.iter().flat_map(|placed| &placed.column_adcs);
    let shifts = stage.slices.iter().all(|slice| is_shift(slice.adc.step)) && own.all(|c| is_shift(c.step * c.gain));
    counts.merge_add += (columns * conversions) as u64;
    counts.slice_scale += if shifts { 0 } else { (columns * conversions) as u64 };
    // `top * sum of inputs` of a column stored complemented.
    counts.offset_subtract += placed.flipped.iter().map(|&flipped| u64::from(flipped)).sum::<u64>();
}

fn pool_window(program: &Program, stage: &PoolStage, counts: &mut ActionCounts) {
    let (channels, bits) = (u64::from(stage.window.input.channels), u64::from(stage.window.input.bits));
    let values = channels * stage.window.places() as u64;
    match stage.kind {
        PoolKind::Max => counts.compare += values - channels,
        PoolKind::Average { .. } => {
            counts.merge_add += values - channels;
            counts.requantise += channels;
        }
    }
    counts.bus_bit += values * bits;
    counts.buffer_read += words(program, values * bits);
}

fn add_pixel(program: &Program, stage: &AddStage, counts: &mut ActionCounts) {
    let channels = u64::from(stage.maps[0].channels);
    let [first, second] = [stage.maps[0].bits, stage.maps[1].bits].map(|bits| channels * u64::from(bits));
    counts.merge_add += channels;
    counts.requantise += channels;
    counts.bus_bit += first + second;
    counts.buffer_read += words(program, first) + words(program, second);
}

fn concat_pixel(program: &Program, stage: &ConcatStage, counts: &mut ActionCounts) {
    for (map, &multiplier) in stage.maps.iter().zip(&stage.multipliers) {
        let bits = u64::from(map.channels) * u64::from(map.bits);
        counts.bus_bit += bits;
        counts.buffer_read += words(program, bits);
        // What keeps its scale is copied.
        counts.requantise += if multiplier == 1.0 { 0 } else { u64::from(map.channels) };
    }
}

fn table_pixel(program: &Program, stage: &TableStage, counts: &mut ActionCounts) {
    let channels = u64::from(stage.map.channels);
    counts.lookup += channels;
    counts.bus_bit += channels * u64::from(stage.map.bits);
    counts.buffer_read += words(program, channels * u64::from(stage.map.bits));
}
