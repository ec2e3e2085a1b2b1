//! The vector unit in values: pooling, additions, concatenations, tables.
//!
//! What an operation counts: every code under a window is read once and crosses the bus (where results go is counted with the stage's
//! movement). A maximum of `n`
//! codes is `n - 1` comparisons; their average `n - 1` additions of the kind that merge partial sums and one requantisation, as an addition
//! of two maps is one of each per value. A concatenation is one requantisation per value whose multiplier is not 1, a table one look-up per value.

use crate::config::Chip;
use crate::program::{AddStage, ConcatStage, FeatureMap, PoolKind, PoolStage, TableStage, Window};
use tile::actions::ActionCounts;
use tile::kernel::round_half_even;

/// Appends the map of a pool stage to `result`; returns what was done for it.
pub(super) fn run_pool(stage: &PoolStage, chip: &Chip, map: &[i32], result: &mut Vec<i32>) -> ActionCounts {
    let mut counts = ActionCounts::default();
    pool(stage, result, map);
    let input = stage.window.input;
    let (channels, bits) = (u64::from(input.channels), u64::from(input.bits));
    let values = stage.window.rows() as u64;
    match stage.kind {
        PoolKind::Max => counts.compare += values - channels,
        PoolKind::Average { .. } => {
            counts.merge_add += values - channels;
            counts.requantise += channels;
        }
    }
    read(&mut counts, chip, values * bits);
    counts.times(stage.window.count() as u64)
}

/// The map of an add stage, and what was done for it.
pub(super) fn run_add(stage: &AddStage, chip: &Chip, maps: [&[i32]; 2]) -> (Vec<i32>, ActionCounts) {
    let mut counts = ActionCounts::default();
    let output = stage.output();
    let channels = u64::from(output.channels);
    for _ in 0..output.pixels() {
        for map in stage.maps {
            read(&mut counts, chip, channels * u64::from(map.bits));
        }
        counts.merge_add += channels;
        counts.requantise += channels;
    }
    (sums(stage, maps).collect(), counts)
}

/// The map of a concat stage, and what was done for it.
pub(super) fn run_concat(stage: &ConcatStage, chip: &Chip, maps: &[&[i32]]) -> (Vec<i32>, ActionCounts) {
    let mut counts = ActionCounts::default();
    for _ in 0..stage.output().pixels() {
        for map in &stage.maps {
            read(&mut counts, chip, u64::from(map.channels) * u64::from(map.bits));
        }
        counts.requantise += stage.scaled_channels();
    }
    (join(stage, maps), counts)
}

/// The map of a table stage, and what was done for it.
pub(super) fn run_table(stage: &TableStage, chip: &Chip, map: &[i32]) -> (Vec<i32>, ActionCounts) {
    let mut counts = ActionCounts::default();
    let channels = u64::from(stage.map.channels);
    for _ in 0..stage.map.pixels() {
        read(&mut counts, chip, channels * u64::from(stage.map.bits));
        counts.lookup += channels;
    }
    let (lowest, _) = stage.map.codes();
    (map.iter().map(|code| stage.table[(code - lowest) as usize]).collect(), counts)
}

fn pool(stage: &PoolStage, result: &mut Vec<i32>, map: &[i32]) {
    let clamps = FeatureMap { bits: stage.output_bits(), ..stage.window.input }.codes();
    match stage.kind {
        // Padding is no code.
        PoolKind::Max => pool_by(&stage.window, map, clamps.0, Ord::max, |maxima, _| result.extend(maxima)),
        PoolKind::Average { multiplier, count_padding, .. } => {
            pool_by(
                &stage.window,
                map,
                0_i64,
                |a, b| a + b,
                |sums, places| {
                    let multiplier = if count_padding { multiplier } else { multiplier / places as f64 };
                    // Below 2^31 values of 16 bits, hence exact.
                    result.extend(sums.iter().map(|&sum| requantise(sum as f64 * multiplier, clamps)));
                },
            );
        }
    }
}

/// Calls `each` with what `join` makes of the codes under every window, one value per channel, starting from `none`, and the number of places
/// that are no padding: first down the columns of
/// the map, where loops are long, then along the rows.
fn pool_by<V: Copy + From<i32>>(
    window: &Window,
    map: &[i32],
    none: V,
    join: impl Fn(V, V) -> V,
    mut each: impl FnMut(&[V], usize),
) {
    let (channels, row) =
        (window.input.channels as usize, window.input.width as usize * window.input.channels as usize);
    let across = window.across();
    let (mut columns, mut pooled) = (Vec::new(), vec![none; channels]);
    let add = |sums: &mut V, value: V| *sums = join(*sums, value);
    for down in window.down() {
        columns.clear();
        columns.resize(row, none);
        for place in down.places() {
            let codes = &map[place * row..(place + 1) * row];
            columns.iter_mut().zip(codes).for_each(|(sum, &code)| add(sum, code.into()));
        }
        for across in &across {
            pooled.fill(none);
            for place in across.places() {
                let pixel = &columns[place * channels..(place + 1) * channels];
                pooled.iter_mut().zip(pixel).for_each(|(sum, &value)| add(sum, value));
            }
            each(&pooled, down.count * across.count);
        }
    }
}

/// The weighted sums of two maps.
fn sums<'a>(stage: &AddStage, maps: [&'a [i32]; 2]) -> impl Iterator<Item = i32> + use<'a> {
    let clamps = clamps(stage.bits, stage.signed);
    let [first, second] = stage.multipliers;
    let sum = move |(&a, &b): (&i32, &i32)| requantise(f64::from(a) * first + f64::from(b) * second, clamps);
    maps[0].iter().zip(maps[1]).map(sum)
}

/// Pixel by pixel the scaled codes of all maps.
fn join(stage: &ConcatStage, maps: &[&[i32]]) -> Vec<i32> {
    let clamps = clamps(stage.bits, stage.signed);
    let mut joined = Vec::with_capacity(stage.output().len());
    for pixel in 0..stage.output().pixels() {
        for ((of, map), &multiplier) in stage.maps.iter().zip(maps).zip(&stage.multipliers) {
            let channels = of.channels as usize;
            let codes = &map[pixel * channels..(pixel + 1) * channels];
            joined.extend(codes.iter().map(|&code| requantise(f64::from(code) * multiplier, clamps)));
        }
    }
    joined
}

/// Lowest and highest code of `bits` bits.
fn clamps(bits: u32, signed: bool) -> (i32, i32) {
    let highest = (1_i32 << bits) - 1;
    (if signed { -highest } else { 0 }, highest)
}

/// The code nearest to a value, ties to even, within its clamps.
fn requantise(value: f64, (lowest, highest): (i32, i32)) -> i32 {
    round_half_even(value.clamp(lowest.into(), highest.into())) as i32
}

fn read(counts: &mut ActionCounts, chip: &Chip, bits: u64) {
    counts.buffer_read += bits.div_ceil(chip.tile.buffer.word_bits.into());
    counts.bus_bit += bits;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Axis;

    /// Two channels of a column of pixels.
    fn window(height: u32, kernel_height: u32, padding: u32, signed: bool) -> Window {
        let input = FeatureMap { height, width: 1, channels: 2, bits: 4 + u32::from(signed), signed };
        let horizontal = Axis::new(1 + 2 * padding, 1, padding);
        Window { input, vertical: Axis::new(kernel_height, 1, padding), horizontal }
    }

    fn pooled(kind: PoolKind, window: Window, map: &[i32]) -> Vec<i32> {
        let stage = PoolStage { name: "pool".to_owned(), input: 0, kind, window, tile: 0 };
        let mut result = Vec::new();
        pool(&stage, &mut result, map);
        result
    }

    #[test]
    fn padding_is_no_maximum_and_nothing_to_a_sum() {
        let map = [-3, 4, -5, 2, -7, -1];
        // Windows of 3 x 3 around a column of three pixels.
        let around = window(3, 3, 1, true);
        assert_eq!(pooled(PoolKind::Max, around, &map), [-3, 4, -3, 4, -5, 2]);
        assert_eq!(
            pooled(PoolKind::Average { multiplier: 0.5, count_padding: true, bits: 5 }, around, &map),
            [-4, 3, -8, 2, -6, 0]
        );
        // -8 and 6 over two pixels, -15 and 5 over three, -12 and 1 over two.
        let uncounted = PoolKind::Average { multiplier: 1.0, count_padding: false, bits: 5 };
        assert_eq!(pooled(uncounted, around, &map), [-4, 3, -5, 2, -6, 0]);
    }

    #[test]
    fn averages_round_half_to_even_and_stay_within_their_codes() {
        let whole = window(2, 2, 0, false);
        // 1.5 and 2.5 are both nearest to 2, and no code is above 15.
        assert_eq!(
            pooled(PoolKind::Average { multiplier: 0.5, count_padding: true, bits: 4 }, whole, &[1, 2, 2, 3]),
            [2, 2]
        );
        assert_eq!(
            pooled(PoolKind::Average { multiplier: 1.0, count_padding: true, bits: 4 }, whole, &[9, 7, 6, 9]),
            [15, 15]
        );
        // Or of more bits than what they are averages of.
        assert_eq!(
            pooled(PoolKind::Average { multiplier: 4.0, count_padding: true, bits: 6 }, whole, &[9, 7, 6, 9]),
            [60, 63]
        );
        let signed = window(2, 2, 0, true);
        assert_eq!(
            pooled(PoolKind::Average { multiplier: 1.0, count_padding: true, bits: 5 }, signed, &[-9, 7, -9, 9]),
            [-15, 15]
        );
    }

    #[test]
    fn channels_are_joined_pixel_by_pixel() {
        let map = window(1, 1, 0, true).input;
        let wide = FeatureMap { width: 2, channels: 1, ..map };
        let mut stage = ConcatStage {
            name: "concat".to_owned(),
            inputs: vec![1, 0],
            maps: vec![wide, FeatureMap { channels: 2, ..wide }],
            multipliers: vec![0.5, 1.0],
            bits: 3,
            signed: true,
            sign_bit: true,
            tile: 0,
        };
        let maps: [&[i32]; 2] = [&[5, -15], &[1, -2, 9, -9]];
        assert_eq!(join(&stage, &maps), [2, 1, -2, -7, 7, -7]);
        assert_eq!((stage.scaled_channels(), stage.output().channels), (1, 3));
        (stage.signed, stage.multipliers[0]) = (false, 1.0);
        assert_eq!(join(&stage, &maps), [5, 1, 0, 0, 7, 0]);
        assert_eq!(stage.scaled_channels(), 0);
    }

    #[test]
    fn a_sum_is_rectified_unless_it_is_signed() {
        let map = window(1, 1, 0, true).input;
        let mut stage = AddStage {
            name: "add".to_owned(),
            inputs: [0, 1],
            maps: [map, map],
            multipliers: [0.5, 2.0],
            bits: 3,
            signed: false,
            sign_bit: false,
            tile: 0,
        };
        // 0.5 x 5 + 2 x 0 = 2.5, to the even 2; -7 + 2 = -5; 4.5 + 8 above the highest code 7; 0.5 - 14 below the lowest.
        let maps: [&[i32]; 2] = [&[5, -14, 9, 1], &[0, 1, 4, -7]];
        assert_eq!(sums(&stage, maps).collect::<Vec<_>>(), [2, 0, 7, 0]);
        (stage.signed, stage.sign_bit) = (true, true);
        assert_eq!(sums(&stage, maps).collect::<Vec<_>>(), [2, -5, 7, -7]);
    }
}
