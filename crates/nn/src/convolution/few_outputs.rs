//! Convolutions with so few outputs that the tiles of a product would be mostly empty (depthwise ones): one value of the window after the other.

use super::Convolution;
use crate::axis::Axis;
use crate::window::Window;
use std::ops::Range;

/// Output channels of a group from which on products are faster.
pub(super) const LIMIT: usize = 4;

impl Convolution {
    /// The same sums as those of the product.
    pub(super) fn forward_few(&self, weight: &[f32], bias: &[f32], maps: &[f32], results: &mut [f32]) {
        let Self { window, outputs, groups, .. } = self;
        let positions = window.positions();
        let results = results.chunks_exact_mut(outputs * positions);
        for (index, (map, results)) in maps.chunks_exact(window.input.len()).zip(results).enumerate() {
            let group = index % groups;
            let weight = weight[self.weights(group)].chunks_exact(window.rows());
            let outputs = weight.zip(&bias[group * outputs..]).zip(results.chunks_exact_mut(positions));
            for ((weight, &bias), result) in outputs {
                result.fill(bias);
                accumulate(*window, weight, map, result);
            }
        }
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

/// Calls `line` for every stretch of windows in one row: (row of the window's values, first window, number of windows, first place in the map).
#[inline]
fn lines(window: Window, mut line: impl FnMut(usize, usize, usize, usize)) {
    let Window { input, vertical, horizontal } = window;
    let width = window.out_width();
    for channel in 0..input.channels {
        for ky in 0..vertical.kernel {
            for kx in 0..horizontal.kernel {
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

/// Adds one output channel's products to `result`, one place of the window after the other.
fn accumulate(window: Window, weight: &[f32], map: &[f32], result: &mut [f32]) {
    let stride = window.horizontal.stride;
    lines(window, |row, first, count, place| {
        let weight = weight[row];
        let sums = &mut result[first..first + count];
        if stride == 1 {
            sums.iter_mut().zip(&map[place..place + count]).for_each(|(sum, &value)| *sum += weight * value);
        } else {
            sums.iter_mut().zip(map[place..].iter().step_by(stride)).for_each(|(sum, &value)| *sum += weight * value);
        }
    });
}
