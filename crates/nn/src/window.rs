//! Windows that slide over a feature map: the geometry shared by convolution, pooling and linear layers.

use crate::error::{Invalid, check_dimension, check_product};
use crate::network::Shape;
use std::ops::AddAssign;

/// Square-stride windows over a feature map with zero padding on all four sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Shape of the map the windows slide over.
    pub input: Shape,
    /// Height of a window.
    pub kernel_height: usize,
    /// Width of a window.
    pub kernel_width: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros added on every side.
    pub padding: usize,
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
    /// The single window that covers the whole map (a linear layer's).
    #[must_use]
    pub fn whole(input: Shape) -> Self {
        Self { input, kernel_height: input.height, kernel_width: input.width, stride: 1, padding: 0 }
    }

    /// Checks that there is at least one window, that every window touches the map, and that no size is absurd.
    ///
    /// The other functions rely on it.
    ///
    /// # Errors
    /// The first size that is not allowed, with what would be.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.input.validate()?;
        check_dimension("kernel height", self.kernel_height)?;
        check_dimension("kernel width", self.kernel_width)?;
        check_dimension("stride", self.stride)?;
        // Wider padding would make windows that see nothing but zeros.
        let kernel = self.kernel_height.min(self.kernel_width);
        if self.padding >= kernel {
            return Err(Invalid::new("padding", self.padding, format!("less than the kernel, 0 to {}", kernel - 1)));
        }
        let fits = |key: &str, kernel: usize, size: usize| {
            let padded = size + 2 * self.padding;
            if kernel <= padded {
                return Ok(());
            }
            Err(Invalid::new(key, kernel, format!("at most the padded input's {padded}")))
        };
        fits("kernel height", self.kernel_height, self.input.height)?;
        fits("kernel width", self.kernel_width, self.input.width)?;
        check_product("values under a window", &[self.input.channels, self.kernel_height, self.kernel_width])?;
        check_product("windows", &[self.out_height(), self.out_width()])?;
        Ok(())
    }

    /// Values under one window, all channels.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.input.channels * self.kernel_height * self.kernel_width
    }

    /// Windows in vertical direction; 0 if the window does not fit.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.steps(self.input.height, self.kernel_height)
    }

    /// Windows in horizontal direction; 0 if the window does not fit.
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.steps(self.input.width, self.kernel_width)
    }

    /// Number of windows, `out_height * out_width`.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    fn steps(&self, size: usize, kernel: usize) -> usize {
        let room = size.saturating_add(self.padding.saturating_mul(2)).checked_sub(kernel);
        room.and_then(|room| room.checked_div(self.stride)).map_or(0, |steps| steps + 1)
    }

    /// The window at output row `oy` and column `ox` as runs of values that lie inside the map, in ascending order of both indices;
    /// what no run covers is padding. Every reader of windows (gather, scatter, pooling) walks these runs.
    pub fn runs(&self, oy: usize, ox: usize) -> impl Iterator<Item = Run> + use<> {
        let Self { input, kernel_height, kernel_width, stride, padding } = *self;
        let (top, left) = (oy * stride, ox * stride);
        let first = padding.saturating_sub(left).min(kernel_width);
        let end = (padding + input.width).saturating_sub(left).min(kernel_width);
        (0..input.channels * kernel_height).filter_map(move |line| {
            let (channel, ky) = (line / kernel_height, line % kernel_height);
            let y = (top + ky).checked_sub(padding).filter(|&y| y < input.height)?;
            let map = (channel * input.height + y) * input.width + left + first - padding;
            (first < end).then_some(Run { window: line * kernel_width + first, map, len: end - first })
        })
    }

    /// Copies the values under the window at (`oy`, `ox`) into `row` in (channel, kernel row, kernel column) order, which is one row
    /// of the im2col matrix; padding gives `T::default()`.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` or `row` fewer than [`Self::rows`] values.
    pub fn gather<T: Copy + Default>(&self, map: &[T], oy: usize, ox: usize, row: &mut [T]) {
        if self.padding > 0 {
            row.fill(T::default());
        }
        for run in self.runs(oy, ox) {
            row[run.window..run.window + run.len].copy_from_slice(&map[run.map..run.map + run.len]);
        }
    }

    /// The reverse of [`Self::gather`]: adds every value of `row` to the value of `map` it was copied from; padding's part is dropped.
    ///
    /// # Panics
    /// If `map` holds fewer than `input.len()` or `row` fewer than [`Self::rows`] values.
    pub fn scatter_add<T: Copy + AddAssign>(&self, row: &[T], oy: usize, ox: usize, map: &mut [T]) {
        for run in self.runs(oy, ox) {
            let values = &row[run.window..run.window + run.len];
            for (sum, &value) in map[run.map..run.map + run.len].iter_mut().zip(values) {
                *sum += value;
            }
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
    use proptest::prelude::*;

    fn window(channels: usize, size: (usize, usize), kernel: (usize, usize), stride: usize, padding: usize) -> Window {
        let input = Shape { channels, height: size.0, width: size.1 };
        Window { input, kernel_height: kernel.0, kernel_width: kernel.1, stride, padding }
    }

    /// The definition of a gathered value: the map's, or zero outside it.
    fn value(w: &Window, map: &[i64], oy: usize, ox: usize, (c, ky, kx): (usize, usize, usize)) -> i64 {
        let y = (oy * w.stride + ky) as i64 - w.padding as i64;
        let x = (ox * w.stride + kx) as i64 - w.padding as i64;
        let inside = y >= 0 && x >= 0 && y < w.input.height as i64 && x < w.input.width as i64;
        if inside { map[(c * w.input.height + y as usize) * w.input.width + x as usize] } else { 0 }
    }

    proptest! {
        #[test]
        fn gather_follows_the_definition_and_scatter_is_its_transpose(
            c in 1usize..4, h in 1usize..7, wd in 1usize..7, kh in 1usize..5, kw in 1usize..5, stride in 1usize..4, pad in 0usize..4,
        ) {
            let w = window(c, (h, wd), (kh, kw), stride, pad);
            prop_assume!(w.validate().is_ok());
            let map: Vec<i64> = (0..w.input.len() as i64).map(|i| i * 7 % 31 + 1).collect();
            let matrix = w.im2col(&map);
            for (position, (oy, ox)) in w.outputs().enumerate() {
                let row = &matrix[position * w.rows()..][..w.rows()];
                let mut index = 0;
                for c in 0..c { for ky in 0..kh { for kx in 0..kw {
                    prop_assert_eq!(row[index], value(&w, &map, oy, ox, (c, ky, kx)));
                    index += 1;
                }}}
                // <gather(map), r> = <map, scatter(r)> for every r.
                let r: Vec<i64> = (0..w.rows() as i64).map(|i| i * i % 13 - 5).collect();
                let mut scattered = vec![0i64; map.len()];
                w.scatter_add(&r, oy, ox, &mut scattered);
                let dot = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<i64>();
                prop_assert_eq!(dot(row, &r), dot(&map, &scattered));
            }
        }

        #[test]
        fn no_window_panics(sizes in proptest::collection::vec(prop_oneof![0usize..5, Just(usize::MAX), Just(1 << 20)], 7)) {
            let w = window(sizes[0], (sizes[1], sizes[2]), (sizes[3], sizes[4]), sizes[5], sizes[6]);
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
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |w: Window| w.validate().unwrap_err().to_string();
        assert_eq!(
            message(window(1, (4, 4), (5, 3), 1, 0)),
            "kernel height is 5, allowed: at most the padded input's 4"
        );
        assert_eq!(message(window(1, (4, 4), (3, 3), 0, 0)), "stride is 0, allowed: 1 to 1048576");
        assert_eq!(message(window(1, (4, 4), (3, 3), 1, 3)), "padding is 3, allowed: less than the kernel, 0 to 2");
        assert_eq!(window(1, (4, 4), (5, 3), 1, 0).positions(), 0);
    }
}
