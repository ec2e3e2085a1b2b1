//! How windows step along one axis of a feature map.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Windows along one axis: their places are `position * stride + place * dilation - before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Places under a window.
    pub kernel: u32,
    /// Step from one window to the next.
    pub stride: u32,
    /// Distance of neighbouring places of a window.
    pub dilation: u32,
    /// Places of padding in front of the map.
    pub before: u32,
    /// Places of padding behind it.
    pub after: u32,
}

/// Largest number of an axis; keeps damaged sizes from overflowing.
const LARGEST: u32 = 65_536;

impl Axis {
    /// Neighbouring places, and the same padding on both sides.
    #[must_use]
    pub fn new(kernel: u32, stride: u32, padding: u32) -> Self {
        Self { kernel, stride, dilation: 1, before: padding, after: padding }
    }

    /// Places from the first to the last one of a window.
    #[must_use]
    pub fn reach(self) -> u64 {
        u64::from(self.kernel.saturating_sub(1)) * u64::from(self.dilation) + 1
    }

    /// Number of windows over `size` places. The axis must fit it.
    #[must_use]
    pub fn positions(self, size: u32) -> u32 {
        let padded = u64::from(size) + u64::from(self.before) + u64::from(self.after);
        ((padded - self.reach()) / u64::from(self.stride)) as u32 + 1
    }

    /// The place of the map, of `size` places, under a place of a window; `None` is padding.
    #[must_use]
    pub fn place(self, position: u32, place: u32, size: u32) -> Option<usize> {
        let padded = u64::from(position) * u64::from(self.stride) + u64::from(place) * u64::from(self.dilation);
        padded.checked_sub(self.before.into()).filter(|&place| place < size.into()).map(|place| place as usize)
    }

    /// The place of the map, of `size` places, that is nearest to a place of a window.
    pub(super) fn nearest(self, position: u32, place: u32, size: u32) -> usize {
        let padded = u64::from(position) * u64::from(self.stride) + u64::from(place) * u64::from(self.dilation);
        padded.saturating_sub(self.before.into()).min(u64::from(size.saturating_sub(1))) as usize
    }

    /// What every window covers of a map of `size` places.
    #[must_use]
    pub fn overlaps(self, size: u32) -> Vec<Overlap> {
        (0..self.positions(size)).map(|position| self.overlap(position, size)).collect()
    }

    fn overlap(self, position: u32, size: u32) -> Overlap {
        // Counted from the first place of padding.
        let (start, step) = (u64::from(position) * u64::from(self.stride), u64::from(self.dilation));
        let (map, kernel) = (u64::from(self.before), u64::from(self.kernel));
        let first = map.saturating_sub(start).div_ceil(step).min(kernel);
        let end = (map + u64::from(size)).saturating_sub(start).div_ceil(step).clamp(first, kernel);
        let place = (start + first * step).saturating_sub(map) as usize;
        Overlap { before: first as usize, first: place, count: (end - first) as usize, step: step as usize }
    }

    /// Whether windows fit `size` places.
    ///
    /// # Errors
    /// What does not.
    pub(super) fn check(self, size: u32) -> Result<(), String> {
        let sizes = [size, self.kernel, self.stride, self.dilation];
        if sizes.iter().any(|&size| !(1..=LARGEST).contains(&size)) || self.before.max(self.after) > LARGEST {
            return Err(format!("sizes of the window must be 1 to {LARGEST}"));
        }
        if u64::from(self.before.max(self.after)) >= self.reach() {
            return Err("the padding must be smaller than the kernel".to_owned());
        }
        if u64::from(size) + u64::from(self.before) + u64::from(self.after) < self.reach() {
            return Err("the kernel is larger than the padded input".to_owned());
        }
        Ok(())
    }
}

/// The part of an axis of a map that a window covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Places of padding under the window in front of it.
    pub before: usize,
    /// First place of the map.
    pub first: usize,
    /// Number of places; 0 if the window lies in the padding.
    pub count: usize,
    /// Distance of neighbouring places.
    pub step: usize,
}

impl Overlap {
    /// From the first place of the map to the last one, which is included; none if the window lies in the padding.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let len = self.count.checked_sub(1).map_or(0, |steps| steps * self.step + 1);
        self.first..self.first + len
    }

    /// The places of the map.
    pub fn places(self) -> impl Iterator<Item = usize> {
        self.range().step_by(self.step)
    }
}
