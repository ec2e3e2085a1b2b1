//! Windows that slide over a feature map: the geometry shared by convolution, pooling and linear layers.

use crate::Shape;
use crate::axis::Axis;
use crate::error::{Invalid, check_product};

/// Windows over a feature map with zero padding around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Shape of the map the windows slide over.
    pub input: Shape,
    /// Their steps down the rows of the map.
    pub vertical: Axis,
    /// Their steps along a row of the map.
    pub horizontal: Axis,
}

/// A stretch of neighbouring values that lies inside the map and inside one line of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Index of the first value in the window's (channel, kernel row, kernel column) order.
    pub window: usize,
    /// Index of the first value in the map's (channel, row, column) order.
    pub map: usize,
    /// Number of values.
    pub len: usize,
}

impl Window {
    /// Square windows: the same kernel, stride and padding on both axes.
    #[must_use]
    pub fn square(input: Shape, kernel: usize, stride: usize, padding: usize) -> Self {
        let axis = Axis::new(kernel, stride, padding);
        Self { input, vertical: axis, horizontal: axis }
    }

    /// The single window that covers the whole map (a linear layer's).
    #[must_use]
    pub fn whole(input: Shape) -> Self {
        Self { input, vertical: Axis::whole(input.height), horizontal: Axis::whole(input.width) }
    }

    /// Checks that there is at least one window and that no size is absurd.
    ///
    /// The other functions rely on it.
    ///
    /// # Errors
    /// The first size that is not allowed, with what would be.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.input.validate()?;
        self.vertical.check("height", self.input.height)?;
        self.horizontal.check("width", self.input.width)?;
        check_product("values under a window", &[self.input.channels, self.vertical.kernel, self.horizontal.kernel])?;
        check_product("windows", &[self.out_height(), self.out_width()])?;
        Ok(())
    }

    /// Whether there is padding on any side.
    #[must_use]
    pub fn is_padded(&self) -> bool {
        [self.vertical, self.horizontal].iter().any(|axis| axis.before + axis.after > 0)
    }

    /// Values under one window, all channels.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.input.channels * self.vertical.kernel * self.horizontal.kernel
    }

    /// Windows in vertical direction; 0 if the window does not fit.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.vertical.positions(self.input.height)
    }

    /// Windows in horizontal direction; 0 if the window does not fit.
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.horizontal.positions(self.input.width)
    }

    /// Number of windows, `out_height * out_width`.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// The window at output row `oy` and column `ox` as runs of values that lie inside the map, in ascending order of both indices;
    /// what no run covers is padding. Gathering and pooling walk these runs.
    pub fn runs(&self, oy: usize, ox: usize) -> impl Iterator<Item = Run> + use<> {
        let Self { input, vertical, horizontal } = *self;
        // Places of a dilated row are no neighbours: each is a run of its own.
        let segments = if horizontal.dilation == 1 { 1 } else { horizontal.kernel };
        let width = horizontal.kernel / segments.max(1);
        let kernel_rows = vertical.kernel * segments;
        (0..input.channels * kernel_rows).filter_map(move |index| {
            let (channel, ky, segment) = (index / kernel_rows, index % kernel_rows / segments, index % segments);
            let y = (oy * vertical.stride + ky * vertical.dilation).checked_sub(vertical.before);
            let y = y.filter(|&y| y < input.height)?;
            // Counted from the first place of padding.
            let left = ox * horizontal.stride + segment * width * horizontal.dilation;
            let first = horizontal.before.saturating_sub(left).min(width);
            let end = (horizontal.before + input.width).saturating_sub(left).min(width);
            if first >= end {
                return None;
            }
            let window = (channel * vertical.kernel + ky) * horizontal.kernel + segment * width + first;
            let map = (channel * input.height + y) * input.width + left + first - horizontal.before;
            Some(Run { window, map, len: end - first })
        })
    }

    /// Copies the values under the window at (`oy`, `ox`) into `row` in (channel, kernel row, kernel column) order, which is one row
    /// of the im2col matrix; padding gives `T::default()`.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` or `row` fewer than [`Self::rows`] values.
    pub fn gather<T: Copy + Default>(&self, map: &[T], oy: usize, ox: usize, row: &mut [T]) {
        if self.is_padded() {
            row.fill(T::default());
        }
        for run in self.runs(oy, ox) {
            row[run.window..run.window + run.len].copy_from_slice(&map[run.map..run.map + run.len]);
        }
    }

    /// Every output position as (`oy`, `ox`), row by row.
    pub fn outputs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let width = self.out_width();
        (0..self.out_height()).flat_map(move |oy| (0..width).map(move |ox| (oy, ox)))
    }

    /// The im2col matrix of one map, `positions x rows`, row-major: one [`Self::gather`] per output position.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` values.
    #[must_use]
    pub fn im2col<T: Copy + Default>(&self, map: &[T]) -> Vec<T> {
        let mut matrix = vec![T::default(); self.positions() * self.rows()];
        for ((oy, ox), row) in self.outputs().zip(matrix.chunks_exact_mut(self.rows().max(1))) {
            self.gather(map, oy, ox, row);
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::tests::any_axis;
    use proptest::prelude::*;

    fn window(channels: usize, size: (usize, usize), kernel: (usize, usize), stride: usize, padding: usize) -> Window {
        let input = Shape { channels, height: size.0, width: size.1 };
        let axis = |kernel| Axis::new(kernel, stride, padding);
        Window { input, vertical: axis(kernel.0), horizontal: axis(kernel.1) }
    }

    /// The definition of a gathered value: the map's, or zero outside it.
    fn value(w: &Window, map: &[i64], at: (usize, usize), (c, ky, kx): (usize, usize, usize)) -> i64 {
        let place = |axis: Axis, position: usize, place: usize| {
            (position * axis.stride + place * axis.dilation) as i64 - axis.before as i64
        };
        let (y, x) = (place(w.vertical, at.0, ky), place(w.horizontal, at.1, kx));
        let inside = y >= 0 && x >= 0 && y < w.input.height as i64 && x < w.input.width as i64;
        if inside { map[(c * w.input.height + y as usize) * w.input.width + x as usize] } else { 0 }
    }

    proptest! {
        #[test]
        fn gather_follows_the_definition(
            c in 1usize..4, height in 1usize..7, width in 1usize..7, vertical in any_axis(), horizontal in any_axis(),
        ) {
            let w = Window { input: Shape { channels: c, height, width }, vertical, horizontal };
            prop_assume!(w.validate().is_ok());
            let map: Vec<i64> = (0..w.input.len() as i64).map(|i| i * 7 % 31 + 1).collect();
            let matrix = w.im2col(&map);
            for (position, (oy, ox)) in w.outputs().enumerate() {
                let row = &matrix[position * w.rows()..][..w.rows()];
                let mut index = 0;
                for c in 0..c { for ky in 0..vertical.kernel { for kx in 0..horizontal.kernel {
                    prop_assert_eq!(row[index], value(&w, &map, (oy, ox), (c, ky, kx)));
                    index += 1;
                }}}
            }
        }

        #[test]
        fn no_window_panics(sizes in proptest::collection::vec(prop_oneof![0usize..5, Just(usize::MAX), Just(1 << 20)], 13)) {
            let axis = |at: usize| Axis {
                kernel: sizes[at], stride: sizes[at + 1], dilation: sizes[at + 2], before: sizes[at + 3], after: sizes[at + 4],
            };
            let input = Shape { channels: sizes[0], height: sizes[1], width: sizes[2] };
            let w = Window { input, vertical: axis(3), horizontal: axis(8) };
            if w.validate().is_ok() {
                prop_assert!(w.positions() > 0 && w.rows() > 0);
            }
        }
    }

    #[test]
    fn output_sizes() {
        assert_eq!(window(1, (8, 8), (3, 3), 1, 1).positions(), 64);
        assert_eq!(window(1, (8, 8), (2, 2), 2, 0).positions(), 16);
        assert_eq!(window(1, (7, 9), (3, 3), 2, 0).out_height(), 3);
        assert_eq!(window(1, (7, 9), (3, 3), 2, 0).out_width(), 4);
        assert_eq!(Window::whole(Shape { channels: 3, height: 4, width: 5 }).rows(), 60);
        assert_eq!(Window::whole(Shape { channels: 3, height: 4, width: 5 }).positions(), 1);
        // Padding on one side, as with an even input, a kernel of 3 and a stride of 2; a kernel of 3 that reaches over 5 places.
        assert_eq!(Axis { after: 1, ..Axis::new(3, 2, 0) }.positions(8), 4);
        assert_eq!(Axis { dilation: 2, ..Axis::new(3, 1, 0) }.positions(8), 4);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |w: Window| w.validate().unwrap_err().to_string();
        assert_eq!(
            message(window(1, (4, 4), (5, 3), 1, 0)),
            "kernel height is 5, allowed: at most the padded input's 4"
        );
        assert_eq!(message(window(1, (4, 4), (3, 3), 0, 0)), "height stride is 0, allowed: 1 to 1048576");
        assert_eq!(
            message(window(1, (4, 4), (3, 3), 1, 3)),
            "height padding is 3, allowed: less than the kernel, 0 to 2"
        );
        assert_eq!(window(1, (4, 4), (5, 3), 1, 0).positions(), 0);
    }
}
