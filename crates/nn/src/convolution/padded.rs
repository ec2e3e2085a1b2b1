//! A map with its padding around it, in the order that makes neighbouring windows neighbours in memory.
//!
//! A row of the map is cut into as many parts as windows step over places: place `x` comes into part `x % stride`. A value under a window
//! is then found at the sum of two offsets, that of the window and that of its place in it, and the next window's is the next value.

use super::copy::{copy, every_second};
use super::runs::{Panel, panels};
use crate::axis::Axis;
use crate::gemm::WIDTH;
use crate::window::Window;
use pulp::Simd;

/// Sizes of the padded map of a window.
pub(super) struct Padded {
    window: Window,
    /// Length of a part of a row.
    part: usize,
    /// Rows that windows reach.
    height: usize,
}

/// Places along an axis from the first window's first to the last window's last.
pub(super) fn reached(axis: Axis, size: usize) -> usize {
    axis.positions(size).saturating_sub(1) * axis.stride + axis.reach()
}

impl Padded {
    pub(super) fn new(window: Window) -> Self {
        let Window { input, vertical, horizontal } = window;
        let part = reached(horizontal, input.width).div_ceil(horizontal.stride);
        Self { window, part, height: reached(vertical, input.height) }
    }

    /// Values of a row.
    fn row(&self) -> usize {
        self.part * self.window.horizontal.stride
    }

    pub(super) fn channels(&self) -> usize {
        self.window.input.channels
    }

    /// Distance of channels.
    pub(super) fn channel(&self) -> usize {
        self.height.saturating_mul(self.row())
    }

    /// Values in all, with some behind the map that may be read.
    pub(super) fn len(&self) -> usize {
        (self.window.input.channels.saturating_mul(self.channel())).saturating_add(WIDTH)
    }

    /// Offsets of the places in a channel of a window, row by row.
    pub(super) fn taps(&self) -> impl DoubleEndedIterator<Item = usize> {
        let Window { vertical, horizontal, .. } = self.window;
        (0..vertical.kernel * horizontal.kernel).map(move |tap| {
            let (y, x) = (tap / horizontal.kernel * vertical.dilation, tap % horizontal.kernel * horizontal.dilation);
            y * self.row() + x % horizontal.stride * self.part + x / horizontal.stride
        })
    }

    /// The windows in their order.
    pub(super) fn windows(&self) -> Vec<Panel> {
        let row = |oy: usize| (oy * self.window.vertical.stride * self.row(), self.window.out_width());
        panels((0..self.window.out_height()).map(row))
    }

    /// Calls `line` for every part of a row that is not empty and every row of the map that windows reach: (first place in the padded map,
    /// first place in the map, number of values).
    #[inline(always)]
    fn lines(&self, mut line: impl FnMut(usize, usize, usize)) {
        let Window { input, vertical, horizontal } = self.window;
        let end = input.width.min(self.row().saturating_sub(horizontal.before));
        for x in 0..end.min(horizontal.stride) {
            let place = x + horizontal.before;
            let first = place % horizontal.stride * self.part + place / horizontal.stride;
            let count = (end - x).div_ceil(horizontal.stride);
            for channel in 0..input.channels {
                for y in 0..input.height.min(self.height.saturating_sub(vertical.before)) {
                    let to = channel * self.channel() + (y + vertical.before) * self.row() + first;
                    line(to, (channel * input.height + y) * input.width + x, count);
                }
            }
        }
    }

    /// Copies a map; padding stays as it is. Compiled for every instruction set by itself.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, _: S, map: &[f32], padded: &mut [f32]) {
        let stride = self.window.horizontal.stride;
        self.lines(|to, from, count| {
            let (to, from) = (&mut padded[to..to + count], &map[from..]);
            match stride {
                1 => copy(to, &from[..count]),
                2 => every_second(to, from),
                _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from),
            }
        });
    }

    /// Copies a map out of its padding; what no window reaches becomes zero.
    #[inline(always)]
    pub(super) fn cut<S: Simd>(&self, _: S, padded: &[f32], map: &mut [f32]) {
        let Window { input, vertical, horizontal } = self.window;
        if self.height < vertical.before + input.height || self.row() < horizontal.before + input.width {
            map.fill(0.0);
        }
        let stride = self.window.horizontal.stride;
        self.lines(|from, to, count| {
            let from = &padded[from..from + count];
            match stride {
                1 => copy(&mut map[to..to + count], from),
                _ => map[to..].iter_mut().step_by(stride).zip(from).for_each(|(to, &from)| *to = from),
            }
        });
    }
}
