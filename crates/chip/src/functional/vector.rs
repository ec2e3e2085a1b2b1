//! The vector unit in values: pooling and the addition of two maps.
//!
//! What an operation counts: every code under a window is read once and crosses the bus (where results go is counted with the stage's
//! movement). A maximum of `n`
//! codes is `n - 1` comparisons; their average `n - 1` additions of the kind that merge partial sums and one requantisation, as an addition
//! of two maps is one of each per value.

use super::merge::round_half_even;
use crate::config::Chip;
use crate::program::{AddStage, PoolKind, PoolStage};
use tile::actions::ActionCounts;

/// The map of a pool stage, and what was done for it.
pub(super) fn run_pool(stage: &PoolStage, chip: &Chip, map: &[i32]) -> (Vec<i32>, ActionCounts) {
    let (mut counts, mut result) = (ActionCounts::default(), Vec::new());
    pool(stage, &mut result, map);
    let input = stage.window.input;
    let (channels, bits) = (u64::from(input.channels), u64::from(input.bits));
    for _ in 0..stage.window.count() {
        let values = stage.window.rows() as u64;
        match stage.kind {
            PoolKind::Max => counts.compare += values - channels,
            PoolKind::Average { .. } => {
                counts.merge_add += values - channels;
                counts.requantise += channels;
            }
        }
        read(&mut counts, chip, values * bits);
    }
    (result, counts)
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

fn pool(stage: &PoolStage, result: &mut Vec<i32>, map: &[i32]) {
    for index in 0..stage.window.count() {
        match stage.kind {
            PoolKind::Max => maxima(stage, map, index, result),
            PoolKind::Average { multiplier } => averages(stage, multiplier, map, index, result),
        }
    }
}

/// The largest code of every channel under a window; padding is no code.
fn maxima(stage: &PoolStage, map: &[i32], index: usize, result: &mut Vec<i32>) {
    let channels = stage.window.input.channels as usize;
    let start = result.len();
    result.resize(start + channels, stage.window.input.codes().0);
    for pixel in stage.window.pixels(index).flatten() {
        let codes = &map[pixel * channels..(pixel + 1) * channels];
        result[start..].iter_mut().zip(codes).for_each(|(most, &code)| *most = code.max(*most));
    }
}

/// The scaled sum of every channel under a window.
fn averages(stage: &PoolStage, multiplier: f64, map: &[i32], index: usize, result: &mut Vec<i32>) {
    let channels = stage.window.input.channels as usize;
    let mut sums = vec![0_i64; channels];
    for pixel in stage.window.pixels(index).flatten() {
        let codes = &map[pixel * channels..(pixel + 1) * channels];
        sums.iter_mut().zip(codes).for_each(|(sum, &code)| *sum += i64::from(code));
    }
    let clamps = stage.window.input.codes();
    // Below 2^31 values of 16 bits, hence exact.
    result.extend(sums.iter().map(|&sum| requantise(sum as f64 * multiplier, clamps)));
}

/// The weighted sums of two maps.
fn sums<'a>(stage: &AddStage, maps: [&'a [i32]; 2]) -> impl Iterator<Item = i32> + use<'a> {
    let highest = (1_i32 << stage.bits) - 1;
    let clamps = (if stage.signed { -highest } else { 0 }, highest);
    let [first, second] = stage.multipliers;
    let sum = move |(&a, &b): (&i32, &i32)| requantise(f64::from(a) * first + f64::from(b) * second, clamps);
    maps[0].iter().zip(maps[1]).map(sum)
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
    use crate::program::{Axis, FeatureMap, Window};

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
        assert_eq!(pooled(PoolKind::Average { multiplier: 0.5 }, around, &map), [-4, 3, -8, 2, -6, 0]);
    }

    #[test]
    fn averages_round_half_to_even_and_stay_within_their_codes() {
        let whole = window(2, 2, 0, false);
        // 1.5 and 2.5 are both nearest to 2, and no code is above 15.
        assert_eq!(pooled(PoolKind::Average { multiplier: 0.5 }, whole, &[1, 2, 2, 3]), [2, 2]);
        assert_eq!(pooled(PoolKind::Average { multiplier: 1.0 }, whole, &[9, 7, 6, 9]), [15, 15]);
        let signed = window(2, 2, 0, true);
        assert_eq!(pooled(PoolKind::Average { multiplier: 1.0 }, signed, &[-9, 7, -9, 9]), [-15, 15]);
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
