//! Windows over a pixel-major feature map: which values an MVM reads, and which pixels it waits for and gives back.

use super::{Axis, Overlap};
use crate::config::Chip;
use serde::{Deserialize, Serialize};

/// A feature map of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureMap {
    /// Rows of pixels.
    pub height: u32,
    /// Columns of pixels.
    pub width: u32,
    /// Values per pixel.
    pub channels: u32,
    /// Width of a value, bits; of signed ones including the sign bit.
    pub bits: u32,
    /// Whether codes are sign-magnitude numbers.
    pub signed: bool,
}

impl FeatureMap {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pixels() * self.channels as usize
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lowest and highest code. `bits` must be 1 to 17, and not 0 without the sign.
    #[must_use]
    pub fn codes(&self) -> (i32, i32) {
        let highest = (1_i32 << (self.bits - u32::from(self.signed))) - 1;
        (if self.signed { -highest } else { 0 }, highest)
    }

    /// What is added to every code, padding too, before it is applied: `2^(bits - 1)` where a chip's unsigned DACs read a signed map, else 0.
    #[must_use]
    pub fn input_offset(&self, chip: &Chip) -> u32 {
        if self.signed && !chip.signed_inputs() { 1 << (self.bits - 1) } else { 0 }
    }

    /// Bits of a code that are applied in digits, given what is added to it: not a sign that rides on them.
    #[must_use]
    pub fn applied_bits(&self, input_offset: u32) -> u32 {
        self.bits - u32::from(self.signed && input_offset == 0)
    }

    /// Number of pixels.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }
}

/// Windows in raster order. A window's values are ordered (kernel row, kernel column, channel), in each group of channels of an MVM stage by
/// itself; padding is zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The map the windows slide over.
    pub input: FeatureMap,
    /// Their steps down the rows of the map.
    pub vertical: Axis,
    /// Their steps along a row of the map.
    pub horizontal: Axis,
}

impl Window {
    /// Square windows: the same kernel, stride and padding on both axes.
    #[must_use]
    pub fn square(input: FeatureMap, kernel: u32, stride: u32, padding: u32) -> Self {
        let axis = Axis::new(kernel, stride, padding);
        Self { input, vertical: axis, horizontal: axis }
    }

    /// Places under one window, each of all channels.
    #[must_use]
    pub fn places(&self) -> usize {
        self.vertical.kernel as usize * self.horizontal.kernel as usize
    }

    /// Values under one window.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.places() * self.input.channels as usize
    }

    /// Windows in vertical direction.
    #[must_use]
    pub fn out_height(&self) -> u32 {
        self.vertical.positions(self.input.height)
    }

    /// Windows in horizontal direction.
    #[must_use]
    pub fn out_width(&self) -> u32 {
        self.horizontal.positions(self.input.width)
    }

    /// Number of windows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.out_height() as usize * self.out_width() as usize
    }

    /// Pixels under window `index`, in the order of the rows; `None` is padding.
    pub fn pixels(&self, index: usize) -> impl Iterator<Item = Option<usize>> {
        let window = *self;
        let (out_row, out_col) = (index as u32 / self.out_width(), index as u32 % self.out_width());
        (0..self.vertical.kernel).flat_map(move |ky| {
            (0..window.horizontal.kernel).map(move |kx| {
                let row = window.vertical.place(out_row, ky, window.input.height)?;
                let col = window.horizontal.place(out_col, kx, window.input.width)?;
                Some(row * window.input.width as usize + col)
            })
        })
    }

    /// What the windows of each column of the result cover of the map's columns.
    #[must_use]
    pub fn across(&self) -> Vec<Overlap> {
        self.horizontal.overlaps(self.input.width)
    }

    /// What the windows of each row of the result cover of the map's rows.
    #[must_use]
    pub fn down(&self) -> Vec<Overlap> {
        self.vertical.overlaps(self.input.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window of every small map, against its pixels.
    #[test]
    fn overlaps_are_the_pixels() {
        let mut padded = 0;
        for vertical in axes() {
            for (horizontal, size) in axes().zip([1, 4, 5].into_iter().cycle()) {
                let input = FeatureMap { height: size, width: 6 - size, channels: 2, bits: 8, signed: false };
                let window = Window { input, vertical, horizontal };
                if vertical.check(input.height).is_err() || horizontal.check(input.width).is_err() {
                    continue;
                }
                let (across, down) = (window.across(), window.down());
                for index in 0..window.count() {
                    let (down, across) = (down[index / across.len()], across[index % across.len()]);
                    let mut found = vec![None; window.places()];
                    for (ky, y) in down.places().enumerate() {
                        for (kx, x) in across.places().enumerate() {
                            let place = (down.before + ky) * horizontal.kernel as usize + across.before + kx;
                            found[place] = Some(y * input.width as usize + x);
                        }
                    }
                    padded += usize::from(found.contains(&None));
                    assert_eq!(found, window.pixels(index).collect::<Vec<_>>(), "{window:?} {index}");
                }
            }
        }
        assert!(padded > 1000, "{padded} windows reached beyond the map");
    }

    fn axes() -> impl Iterator<Item = Axis> {
        let sides = [(0, 0), (1, 1), (0, 1), (2, 0), (3, 2)];
        let kernels = [1, 2, 3, 6].into_iter().flat_map(|kernel| [1, 2, 3].map(|stride| (kernel, stride)));
        let axes = kernels.flat_map(|(kernel, stride)| [1, 2, 4].map(|dilation| (kernel, stride, dilation)));
        axes.flat_map(move |(kernel, stride, dilation)| {
            sides.map(|(before, after)| Axis { kernel, stride, dilation, before, after })
        })
    }
}
