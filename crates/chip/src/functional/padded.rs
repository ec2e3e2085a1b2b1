//! Maps with their padding around them, in which every window is read the same way.

use crate::program::Window;
use std::ops::Range;

/// Where the windows of a stage lie in its padded maps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    window: Window,
    groups: usize,
    /// Windows of a map, and in a row of the result.
    count: (usize, usize),
    /// Values of a row of the padded map, and of the map.
    row: usize,
    map: usize,
}

/// Codes that are copied together where rows are short: copies of a length that is known need no call.
const SHORT: usize = 8;
const MIDDLE: usize = 32;

impl Layout {
    pub(super) fn new(window: Window, groups: usize) -> Self {
        let Window { input, vertical, horizontal } = window;
        let height = input.height + vertical.before + vertical.after;
        let row = (input.width + horizontal.before + horizontal.after) as usize * input.channels as usize;
        let count = (window.count(), window.out_width() as usize);
        Self { window, groups, count, row, map: row * height as usize }
    }

    /// The maps of all images, which follow each other, with `padding` around each.
    pub(super) fn pad<C: Copy>(&self, all: &[i32], padding: C, code: impl Fn(i32) -> C, padded: &mut Vec<C>) {
        let Window { input, vertical, horizontal } = self.window;
        let channels = input.channels as usize;
        let (above, left) = (vertical.before as usize * self.row, horizontal.before as usize * channels);
        padded.clear();
        if self.map == input.len() {
            padded.extend(all.iter().map(|&value| code(value)));
            return;
        }
        padded.resize(all.len() / input.len() * self.map, padding);
        for (map, padded) in all.chunks_exact(input.len()).zip(padded.chunks_exact_mut(self.map)) {
            let rows = map.chunks_exact(input.width as usize * channels);
            for (row, padded) in rows.zip(padded[above..].chunks_exact_mut(self.row)) {
                padded[left..].iter_mut().zip(row).for_each(|(to, &value)| *to = code(value));
            }
        }
    }

    /// Copies what lies under windows, numbered over all images, group of channels by group; they replace `codes`.
    pub(super) fn gather<C: Copy + Default>(&self, padded: &[C], windows: Range<usize>, codes: &mut Vec<C>) {
        let Window { vertical, horizontal, input } = self.window;
        let step = (vertical.stride as usize * self.row, horizontal.stride as usize * input.channels as usize);
        // Every entry is replaced below.
        codes.resize(windows.len() * self.window.rows(), C::default());
        for (index, codes) in windows.zip(codes.chunks_exact_mut(self.window.rows())) {
            let (image, at) = (index / self.count.0, index % self.count.0);
            let corner = at / self.count.1 * step.0 + at % self.count.1 * step.1;
            let from = &padded[image * self.map..(image + 1) * self.map][corner..];
            match self.groups {
                1 => self.gather_window(from, codes),
                groups => self.gather_groups(from, groups, codes),
            }
        }
    }

    fn gather_window<C: Copy>(&self, from: &[C], codes: &mut [C]) {
        let Window { vertical, horizontal, input } = self.window;
        let (channels, down) = (input.channels as usize, vertical.dilation as usize * self.row);
        let kernel_row = horizontal.kernel as usize * channels;
        match horizontal.dilation {
            1 if kernel_row <= SHORT => copy_rows::<C, SHORT>(from, down, codes, kernel_row),
            1 if kernel_row <= MIDDLE => copy_rows::<C, MIDDLE>(from, down, codes, kernel_row),
            1 => {
                for (codes, from) in codes.chunks_exact_mut(kernel_row).zip(from.chunks(down)) {
                    codes.copy_from_slice(&from[..kernel_row]);
                }
            }
            dilation => {
                for (codes, from) in codes.chunks_exact_mut(kernel_row).zip(from.chunks(down)) {
                    let pixels = from.chunks(channels).step_by(dilation as usize);
                    codes.chunks_exact_mut(channels).zip(pixels).for_each(|(to, pixel)| to.copy_from_slice(pixel));
                }
            }
        }
    }

    fn gather_groups<C: Copy>(&self, from: &[C], groups: usize, codes: &mut [C]) {
        let Window { vertical, horizontal, input } = self.window;
        let channels = input.channels as usize;
        let of_group = channels / groups;
        for y in 0..vertical.kernel as usize {
            for x in 0..horizontal.kernel as usize {
                let at = y * vertical.dilation as usize * self.row + x * horizontal.dilation as usize * channels;
                let first = (y * horizontal.kernel as usize + x) * of_group;
                let groups = codes.chunks_exact_mut(self.window.places() * of_group);
                for (codes, pixel) in groups.zip(from[at..at + channels].chunks_exact(of_group)) {
                    codes[first..first + of_group].copy_from_slice(pixel);
                }
            }
        }
    }
}

/// Copies the rows of a window, of at most `N` values: each with what lies behind it, which the next one covers.
fn copy_rows<C: Copy, const N: usize>(from: &[C], down: usize, to: &mut [C], kernel_row: usize) {
    let (mut from, mut to) = (from, to);
    while let (Some(source), Some(target)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *target = *source;
        (from, to) = (&from[down.min(from.len())..], &mut to[kernel_row..]);
    }
    // The last rows, behind which there is too little.
    while !to.is_empty() {
        to[..kernel_row].copy_from_slice(&from[..kernel_row]);
        (from, to) = (&from[down.min(from.len())..], &mut to[kernel_row..]);
    }
}
