//! Which pixels a window needs, and which nobody needs any more behind it.

use crate::program::Window;

/// Pixels are numbered in raster order from 0.
pub(super) struct Flow {
    /// Pixels up to and with the last one of each window.
    pub(super) need: Vec<u64>,
    /// The first pixel of each window.
    first: Vec<u64>,
    pixels: u64,
}

impl Flow {
    pub(super) fn new(window: &Window) -> Self {
        let pixels = window.input.pixels() as u64;
        let (across, down) = (window.across(), window.down());
        let width = window.input.width as usize;
        let mut flow = Self { need: Vec::new(), first: Vec::new(), pixels };
        for down in &down {
            for across in &across {
                // A window that lies in the padding altogether waits for pixel 0 and keeps nothing.
                let (rows, columns) = (down.range(), across.range());
                let empty = rows.is_empty() || columns.is_empty();
                let first = rows.start * width + columns.start;
                let last = rows.end.saturating_sub(1) * width + columns.end.saturating_sub(1);
                flow.need.push(if empty { 1 } else { last as u64 + 1 });
                flow.first.push(if empty { pixels } else { first as u64 });
            }
        }
        flow
    }

    pub(super) fn windows(&self) -> usize {
        self.need.len()
    }

    /// For each of every `turns`-th window from `turn`: how many leading pixels no later one of them reads.
    pub(super) fn freed(&self, turn: usize, turns: usize) -> Vec<u64> {
        let mut freed: Vec<u64> = Vec::new();
        let mut least = self.pixels;
        for window in (turn..self.windows()).step_by(turns).rev() {
            freed.push(least);
            least = least.min(self.first[window]);
        }
        freed.reverse();
        freed
    }
}
