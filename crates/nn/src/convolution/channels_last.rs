//! A padded map with the channels of a pixel next to each other, so that the values under a window are few long stretches of memory.

use super::padded::reached;
use super::runs::{Panel, panels};
use crate::gemm::{WIDTH, transpose};
use crate::window::Window;

/// Sizes of the map of a window.
pub(super) struct ChannelsLast {
    window: Window,
    height: usize,
    width: usize,
}

impl ChannelsLast {
    pub(super) fn new(window: Window) -> Self {
        let Window { input, vertical, horizontal } = window;
        Self { window, height: reached(vertical, input.height), width: reached(horizontal, input.width) }
    }

    /// Values in all, with some behind the map that may be read.
    pub(super) fn len(&self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.window.input.channels).saturating_add(WIDTH)
    }

    fn pixel(&self, y: usize, x: usize) -> usize {
        (y * self.width + x) * self.window.input.channels
    }

    /// Offsets of the windows in their order.
    pub(super) fn windows(&self) -> Vec<usize> {
        let Window { vertical, horizontal, .. } = self.window;
        self.window.outputs().map(|(oy, ox)| self.pixel(oy * vertical.stride, ox * horizontal.stride)).collect()
    }

    /// The values under a window, all channels of a place together.
    pub(super) fn values(&self) -> Vec<Panel> {
        let Window { input, vertical, horizontal } = self.window;
        let place = |place: usize| {
            let (ky, kx) = (place / horizontal.kernel, place % horizontal.kernel);
            (self.pixel(ky * vertical.dilation, kx * horizontal.dilation), input.channels)
        };
        panels((0..vertical.kernel * horizontal.kernel).map(place))
    }

    /// Copies a map; padding stays as it is.
    pub(super) fn fill(&self, map: &[f32], turned: &mut [f32]) {
        let Window { input, vertical, horizontal } = self.window;
        let (pixels, channels) = (input.height * input.width, input.channels);
        let width = input.width.min(self.width.saturating_sub(horizontal.before));
        for y in 0..input.height.min(self.height.saturating_sub(vertical.before)) {
            let to = &mut turned[self.pixel(y + vertical.before, horizontal.before)..];
            transpose((&map[y * input.width..], pixels), (channels, width), (to, channels));
        }
    }
}
