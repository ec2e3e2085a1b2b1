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

    /// Lowest and highest code. `bits` must be 1 to 17, and not 0 without the sign.
    #[must_use]
    pub fn codes(&self) -> (i32, i32) {
        let highest = (1_i32 << (self.bits - u32::from(self.signed))) - 1;
        (if self.signed { -highest } else { 0 }, highest)
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

    /// What the windows of each column of the result cover of the map's columns.
    #[must_use]
    pub fn across(&self) -> Vec<Overlap> {
        (0..self.out_width()).map(|position| self.overlap(position, self.kernel_width, self.input.width)).collect()
    }

    /// What the windows of each row of the result cover of the map's rows.
    #[must_use]
    pub fn down(&self) -> Vec<Overlap> {
        (0..self.out_height()).map(|position| self.overlap(position, self.kernel_height, self.input.height)).collect()
    }

    fn overlap(&self, position: u32, kernel: u32, size: u32) -> Overlap {
        // Counted from the first place of padding.
        let (padding, start) = (self.padding as usize, position as usize * self.stride as usize);
        let first = start.max(padding);
        let end = (start + kernel as usize).min(padding + size as usize).max(first);
        Overlap { before: (first - start).min(kernel as usize), map: first - padding..end - padding }
    }
}

/// The part of an axis of a map that a window covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Places of padding under the window in front of it.
    pub before: usize,
    /// Places of the map; none if the window lies in the padding.
    pub map: std::ops::Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window of every small map, against its pixels.
    #[test]
    fn overlaps_are_the_pixels() {
        for (height, width, kernel, stride, padding) in geometries(&[1, 4, 5], &[1, 2, 3, 6], &[1, 2, 3], &[0, 1, 3]) {
            let input = FeatureMap { height, width, channels: 2, bits: 8, signed: false };
            let window = Window { input, kernel_height: kernel, kernel_width: kernel.min(2), stride, padding };
            if height + 2 * padding < kernel || width + 2 * padding < kernel.min(2) {
                continue;
            }
            let (across, down) = (window.across(), window.down());
            for index in 0..window.count() {
                let (down, across) = (&down[index / across.len()], &across[index % across.len()]);
                let inside = |at: u32, of: &Overlap| {
                    (at as usize).checked_sub(of.before).map(|at| of.map.start + at).filter(|at| of.map.contains(at))
                };
                let pixel = |ky: u32, kx: u32| Some(inside(ky, down)? * width as usize + inside(kx, across)?);
                let found = (0..kernel).flat_map(|ky| (0..kernel.min(2)).map(move |kx| (ky, kx)));
                let found: Vec<Option<usize>> = found.map(|(ky, kx)| pixel(ky, kx)).collect();
                assert_eq!(found, window.pixels(index).collect::<Vec<_>>(), "{window:?} {index}");
            }
        }
    }

    fn geometries(sizes: &[u32], kernels: &[u32], strides: &[u32], paddings: &[u32]) -> Vec<(u32, u32, u32, u32, u32)> {
        let mut all = Vec::new();
        for (&height, &width) in sizes.iter().flat_map(|height| sizes.iter().map(move |width| (height, width))) {
            for (&kernel, &stride) in
                kernels.iter().flat_map(|kernel| strides.iter().map(move |stride| (kernel, stride)))
            {
                all.extend(paddings.iter().map(|&padding| (height, width, kernel, stride, padding)));
            }
        }
        all
    }
}
