//! Windows over a pixel-major feature map: which values an MVM reads, and which pixels it waits for and gives back.

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

    /// Number of pixels.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }
}

/// Windows in raster order. A window's rows are ordered (kernel row, kernel column, channel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The map the windows slide over.
    pub input: FeatureMap,
    /// Height of a window.
    pub kernel_height: u32,
    /// Width of a window.
    pub kernel_width: u32,
    /// Step in both directions.
    pub stride: u32,
    /// Zeros added on every side.
    pub padding: u32,
}

impl Window {
    /// Values under one window.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.kernel_height as usize * self.kernel_width as usize * self.input.channels as usize
    }

    /// Windows in vertical direction.
    #[must_use]
    pub fn out_height(&self) -> u32 {
        (self.input.height + 2 * self.padding - self.kernel_height) / self.stride + 1
    }

    /// Windows in horizontal direction.
    #[must_use]
    pub fn out_width(&self) -> u32 {
        (self.input.width + 2 * self.padding - self.kernel_width) / self.stride + 1
    }

    /// Number of windows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.out_height() as usize * self.out_width() as usize
    }

    /// Pixels under window `index`, in the order of the rows; `None` is padding.
    pub fn pixels(&self, index: usize) -> impl Iterator<Item = Option<usize>> {
        let window = *self;
        let (out_row, out_col) = (index / self.out_width() as usize, index % self.out_width() as usize);
        let inside = move |start: usize, offset: u32, limit: u32| {
            let position = (start * window.stride as usize + offset as usize).checked_sub(window.padding as usize)?;
            (position < limit as usize).then_some(position)
        };
        (0..self.kernel_height).flat_map(move |ky| {
            (0..window.kernel_width).map(move |kx| {
                let row = inside(out_row, ky, window.input.height)?;
                let col = inside(out_col, kx, window.input.width)?;
                Some(row * window.input.width as usize + col)
            })
        })
    }

    /// The codes under window `index`, padding as 0.
    pub fn gather(&self, map: &[i32], index: usize, codes: &mut Vec<i32>) {
        let channels = self.input.channels as usize;
        codes.clear();
        for pixel in self.pixels(index) {
            match pixel {
                Some(pixel) => codes.extend_from_slice(&map[pixel * channels..(pixel + 1) * channels]),
                None => codes.resize(codes.len() + channels, 0),
            }
        }
    }
}
