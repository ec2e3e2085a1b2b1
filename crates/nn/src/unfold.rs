//! Windows tap by tap: for every value under a window the stretches of neighbouring windows in which it lies inside the map.

use crate::axis::Axis;
use crate::window::Window;
use std::ops::Range;

/// Copies a line. Lines are mostly short: up to 32 values are copied by a few vectors, which may overlap, and not by a call.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32]) {
    let count = to.len();
    match count {
        0..4 => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
        4..8 => {
            vector::<4>(to, from, 0);
            vector::<4>(to, from, count - 4);
        }
        8..=32 => {
            vector::<8>(to, from, 0);
            if count > 16 {
                vector::<8>(to, from, 8);
            }
            if count > 24 {
                vector::<8>(to, from, 16);
            }
            vector::<8>(to, from, count - 8);
        }
        _ => to.copy_from_slice(from),
    }
}

/// Copies `N` values from place `at` on.
#[inline(always)]
fn vector<const N: usize>(to: &mut [f32], from: &[f32], at: usize) {
    if let (Some(to), Some(from)) = (to[at..].first_chunk_mut::<N>(), from[at..].first_chunk::<N>()) {
        *to = *from;
    }
}

/// Windows along an axis of `size` places whose place `place` lies inside the map.
fn inside(axis: Axis, place: usize, size: usize) -> Range<usize> {
    let offset = place * axis.dilation;
    let first = axis.before.saturating_sub(offset).div_ceil(axis.stride);
    let end = (size + axis.before).saturating_sub(offset).div_ceil(axis.stride).min(axis.positions(size));
    first.min(end)..end
}

/// Place of window `position` under its place `place`, counted from the first place of the map.
fn at(axis: Axis, place: usize, position: usize) -> usize {
    position * axis.stride + place * axis.dilation - axis.before
}

/// Calls `line` for every stretch of windows in one row: (row of the unfolded matrix, first window, number of windows, first place in the map).
/// Taps of a channel come in ascending order, or in descending order if `backward`.
#[inline]
fn lines(window: Window, backward: bool, mut line: impl FnMut(usize, usize, usize, usize)) {
    let Window { input, vertical, horizontal } = window;
    let width = window.out_width();
    let turned = |tap: usize, kernel: usize| if backward { kernel - 1 - tap } else { tap };
    for channel in 0..input.channels {
        for ky in 0..vertical.kernel {
            let ky = turned(ky, vertical.kernel);
            for kx in 0..horizontal.kernel {
                let kx = turned(kx, horizontal.kernel);
                let row = (channel * vertical.kernel + ky) * horizontal.kernel + kx;
                let columns = inside(horizontal, kx, input.width);
                if columns.is_empty() {
                    continue;
                }
                for oy in inside(vertical, ky, input.height) {
                    let y = at(vertical, ky, oy);
                    let place = (channel * input.height + y) * input.width + at(horizontal, kx, columns.start);
                    line(row, oy * width + columns.start, columns.len(), place);
                }
            }
        }
    }
}

impl Window {
    /// Adds one output channel's products to `result`, one tap after the other.
    pub(crate) fn accumulate(&self, weight: &[f32], map: &[f32], result: &mut [f32]) {
        let stride = self.horizontal.stride;
        lines(*self, false, |row, first, count, place| {
            let weight = weight[row];
            let sums = &mut result[first..first + count];
            if stride == 1 {
                sums.iter_mut().zip(&map[place..place + count]).for_each(|(sum, &value)| *sum += weight * value);
            } else {
                sums.iter_mut()
                    .zip(map[place..].iter().step_by(stride))
                    .for_each(|(sum, &value)| *sum += weight * value);
            }
        });
    }

    /// The matrix with one row per value of a window and one column per window; a 1 x 1 kernel's is the map itself. `columns` is memory that is
    /// reused.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` values.
    pub fn unfold<'a>(&self, map: &'a [f32], columns: &'a mut Vec<f32>) -> &'a [f32] {
        let stride = self.horizontal.stride;
        if self.is_pointwise() {
            return map;
        }
        let positions = self.positions();
        columns.resize(self.rows() * positions, 0.0);
        if self.is_padded() {
            columns.fill(0.0);
        }
        lines(*self, false, |row, first, count, place| {
            let line = &mut columns[row * positions + first..row * positions + first + count];
            if stride == 1 {
                copy(line, &map[place..place + count]);
            } else {
                line.iter_mut().zip(map[place..].iter().step_by(stride)).for_each(|(to, &from)| *to = from);
            }
        });
        columns
    }

    /// The reverse of [`Self::unfold`]: adds every value of `columns` to the value of `map` it was copied from; padding's part is dropped. A value
    /// of the map gets its parts in the order of the windows.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` or `columns` fewer than `rows() * positions()` values.
    pub fn fold_add(&self, columns: &[f32], map: &mut [f32]) {
        let (stride, positions) = (self.horizontal.stride, self.positions());
        lines(*self, true, |row, first, count, place| {
            let line = &columns[row * positions + first..row * positions + first + count];
            if stride == 1 {
                map[place..place + count].iter_mut().zip(line).for_each(|(sum, &value)| *sum += value);
            } else {
                map[place..].iter_mut().step_by(stride).zip(line).for_each(|(sum, &value)| *sum += value);
            }
        });
    }

    /// Whether every window is one pixel, and every pixel a window.
    fn is_pointwise(&self) -> bool {
        self.vertical == Axis::new(1, 1, 0) && self.horizontal == Axis::new(1, 1, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::axis::tests::any_axis;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unfolded_columns_are_the_windows_and_folding_is_the_transpose(
            c in 1usize..4, height in 1usize..7, width in 1usize..7, vertical in any_axis(), horizontal in any_axis(),
        ) {
            let w = Window { input: Shape { channels: c, height, width }, vertical, horizontal };
            prop_assume!(w.validate().is_ok());
            let map: Vec<f32> = (0..w.input.len()).map(|i| (i * 7 % 31 + 1) as f32).collect();
            // What an earlier use left behind.
            let mut memory = vec![-1.0; 7];
            let columns = w.unfold(&map, &mut memory).to_vec();
            let positions = w.positions();
            let (mut row, mut folded) = (vec![0.0; w.rows()], vec![0.0; map.len()]);
            for (position, (oy, ox)) in w.outputs().enumerate() {
                w.gather(&map, oy, ox, &mut row);
                let column: Vec<f32> = columns.iter().skip(position).step_by(positions).copied().collect();
                prop_assert_eq!(&column, &row);
            }
            // <unfold(map), r> = <map, fold(r)> for every r; whole numbers, so that sums are exact.
            let r: Vec<f32> = (0..columns.len()).map(|i| (i * i % 13) as f32 - 5.0).collect();
            w.fold_add(&r, &mut folded);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            prop_assert_eq!(dot(&columns, &r), dot(&map, &folded));
        }
    }
}
