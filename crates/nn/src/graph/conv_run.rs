//! Convolutions in float. Every sum starts with the bias and adds the window in (channel, row, column) order, whichever way is taken.

use super::conv::Conv;
use crate::axis::Axis;
use crate::gemm::{GemmSize, gemm_nn};
use crate::network::Shape;
use crate::window::Window;
use std::ops::Range;

/// Output channels of a group below which the product's tiles would be mostly empty (depthwise convolutions).
const FEW_OUTPUTS: usize = 4;

impl Conv {
    /// The convolution of every image of a batch; shapes must have been checked.
    pub(super) fn forward(&self, input: Shape, values: &[f32]) -> Vec<f32> {
        let window = self.group_window(input);
        let (positions, rows, outputs) = (window.positions(), self.rows(), self.group_outputs());
        let mut result = Vec::with_capacity(values.len() / input.len() * self.out_channels * positions);
        let mut columns = Vec::new();
        for map in values.chunks_exact(input.len()) {
            for (group, map) in map.chunks_exact(window.input.len()).enumerate() {
                let start = result.len();
                for &bias in &self.bias[group * outputs..(group + 1) * outputs] {
                    result.resize(result.len() + positions, bias);
                }
                let weight = &self.weight[group * outputs * rows..(group + 1) * outputs * rows];
                let result = &mut result[start..];
                if outputs < FEW_OUTPUTS {
                    for (weight, result) in weight.chunks_exact(rows).zip(result.chunks_exact_mut(positions)) {
                        accumulate(window, weight, map, result);
                    }
                    continue;
                }
                let size = GemmSize { m: outputs, n: positions, k: rows };
                gemm_nn(size, weight, unfold(window, map, &mut columns), result);
            }
        }
        result
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

/// Adds one output channel's products to `result`, one tap after the other.
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

/// The matrix with one row per value of a window and one column per window; a 1 x 1 kernel's is the map itself.
fn unfold<'a>(window: Window, map: &'a [f32], columns: &'a mut Vec<f32>) -> &'a [f32] {
    let stride = window.horizontal.stride;
    if window.vertical == Axis::new(1, 1, 0) && window.horizontal == Axis::new(1, 1, 0) {
        return map;
    }
    let positions = window.positions();
    columns.clear();
    columns.resize(window.rows() * positions, 0.0);
    lines(window, |row, first, count, place| {
        let line = &mut columns[row * positions + first..row * positions + first + count];
        if stride == 1 {
            line.copy_from_slice(&map[place..place + count]);
        } else {
            line.iter_mut().zip(map[place..].iter().step_by(stride)).for_each(|(to, &from)| *to = from);
        }
    });
    columns
}
