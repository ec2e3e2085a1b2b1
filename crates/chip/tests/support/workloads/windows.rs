//! Which items of a map the windows of a stage need.

use super::random::Random;

/// Windows over a map, in order.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Items of the map.
    pub(crate) items: u64,
    /// First items of the map that must be there for each window.
    pub(crate) need: Vec<u64>,
    /// Items of the map that neither a window nor any later one needs.
    pub(crate) passed: Vec<u64>,
}

impl Windows {
    /// Square windows; the map is walked row by row.
    pub(crate) fn square(width: u64, height: u64, kernel: u64, stride: u64, pad: u64) -> Self {
        let along = |size: u64| (size + 2 * pad - kernel) / stride + 1;
        let first = |at: u64| (at * stride).saturating_sub(pad);
        let last = |at: u64, size: u64| (at * stride + kernel - 1 - pad).min(size - 1);
        let (mut need, mut lowest) = (Vec::new(), Vec::new());
        for row in 0..along(height) {
            for column in 0..along(width) {
                need.push(last(row, height) * width + last(column, width) + 1);
                lowest.push(first(row) * width + first(column));
            }
        }
        Self::new(width * height, need, &lowest)
    }

    /// Window q is item q.
    pub(crate) fn items(items: u64) -> Self {
        Self::new(items, (1..=items).collect(), &(0..items).collect::<Vec<_>>())
    }

    /// Any windows that wait for ever later items.
    pub(crate) fn any(items: u64, windows: u64, random: &mut Random) -> Self {
        let mut need: Vec<u64> = (0..windows).map(|_| random.within(1, items)).collect();
        need.sort_unstable();
        let lowest: Vec<u64> = need.iter().map(|need| random.within(0, need - 1)).collect();
        Self::new(items, need, &lowest)
    }

    /// The last padded window of a row needs less than the one before it may have needed: the order of needs is made monotone.
    fn new(items: u64, mut need: Vec<u64>, lowest: &[u64]) -> Self {
        for at in 1..need.len() {
            need[at] = need[at].max(need[at - 1]);
        }
        let passed = (0..lowest.len()).map(|at| lowest[at..].iter().copied().min().unwrap_or(items)).collect();
        Self { items, need, passed }
    }

    pub(crate) fn count(&self) -> u64 {
        self.need.len() as u64
    }

    /// Items that a core which works on every `step`-th window gives back after one.
    pub(crate) fn freed(&self, window: u64, step: u64) -> u64 {
        self.passed.get((window + step) as usize).copied().unwrap_or(self.items)
    }

    /// Places that `readers` cores, which take windows in turn, need at least: the most that a window needs beyond what
    /// is given back before it, over two images.
    pub(crate) fn least_places(&self, readers: u64) -> u64 {
        let mut freed = vec![0; readers as usize];
        let mut least = 1;
        for image in 0..2 {
            for window in 0..self.count() {
                let all = freed.iter().copied().min().unwrap_or(0);
                least = least.max((image * self.items + self.need[window as usize]).saturating_sub(all));
                freed[(window % readers) as usize] = image * self.items + self.freed(window, readers);
            }
        }
        least
    }
}
