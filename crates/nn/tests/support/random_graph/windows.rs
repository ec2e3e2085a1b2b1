//! Windows as ONNX has them.

use super::super::writer::{ints, text};
use super::{Draw, Growing, Map};
use nn::onnx::proto::AttributeProto;

/// One axis of a window: kernel, stride, dilation, padding in front, padding behind.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) before: usize,
    pub(super) after: usize,
}

/// Which windows are wanted.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Whether padding is less than the reach of a window.
    pub(super) narrow: bool,
    /// Whether taps may be further apart than places.
    pub(super) dilated: bool,
}

/// Windows over a map, with the `auto_pad` that they are written with; none if pads are written.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub(super) axes: [Steps; 2],
    mode: &'static str,
}

impl Steps {
    /// One window of every place.
    const SINGLE: Self = Self { kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

    /// Any steps of a kind.
    fn draw(draw: &mut Draw, kind: Kind) -> Self {
        let (kernel, stride) = (draw.within(1, 4), draw.within(1, 3));
        let dilation = if kind.dilated { draw.within(1, 3) } else { 1 };
        let reach = (kernel - 1) * dilation + 1;
        let most = if kind.narrow { 3.min(reach - 1) } else { 3 };
        Self { kernel, stride, dilation, before: draw.within(0, most), after: draw.within(0, most) }
    }

    pub(super) fn reach(self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Number of windows over `size` places.
    pub(super) fn windows(self, size: usize) -> usize {
        (size + self.before + self.after).checked_sub(self.reach()).map_or(0, |room| room / self.stride + 1)
    }

    /// The same where a last window may reach beyond the padding, but not begin behind the map.
    pub(super) fn windows_rounded_up(self, size: usize) -> usize {
        let room = (size + self.before + self.after).checked_sub(self.reach());
        let begins_inside = |window: &usize| window * self.stride < size + self.before;
        room.map_or(0, |room| (0..=room.div_ceil(self.stride)).filter(begins_inside).count())
    }

    /// The padding that `auto_pad` asks for.
    fn padded(self, size: usize, mode: &str) -> Self {
        let total = ((size.div_ceil(self.stride) - 1) * self.stride + self.reach()).saturating_sub(size);
        let (before, after) = match mode {
            "SAME_UPPER" => (total / 2, total - total / 2),
            "SAME_LOWER" => (total - total / 2, total / 2),
            "VALID" => (0, 0),
            _ => (self.before, self.after),
        };
        Self { before, after, ..self }
    }

    /// The place under tap `tap` of a window.
    pub(super) fn place(self, window: usize, tap: usize) -> isize {
        (window * self.stride + tap * self.dilation) as isize - self.before as isize
    }

    /// Whether each of `count` windows covers a place of the map.
    pub(super) fn all_see(self, count: usize, size: usize) -> bool {
        let sees = |window| (0..self.kernel).any(|tap| (0..size as isize).contains(&self.place(window, tap)));
        (0..count).all(sees)
    }
}

impl Windows {
    /// Whether pads are written, not a mode.
    pub(super) fn has_pads(self) -> bool {
        self.mode.is_empty()
    }

    /// Windows of a kernel without padding.
    pub(super) fn plain(kernel: usize, flat: bool) -> Self {
        let axis = Steps { kernel, ..Steps::SINGLE };
        Self { axes: [if flat { Steps::SINGLE } else { axis }, axis], mode: "" }
    }

    /// Windows around every `stride`-th place.
    pub(super) fn same(kernel: usize, stride: usize, flat: bool) -> Self {
        let (before, after) = (kernel / 2, kernel / 2);
        let axis = Steps { kernel, stride, dilation: 1, before, after };
        Self { axes: [if flat { Steps::SINGLE } else { axis }, axis], mode: "" }
    }

    /// Row and column taps of a window.
    pub(super) fn taps(self) -> impl Iterator<Item = (usize, usize)> {
        let [rows, columns] = self.axes;
        (0..rows.kernel).flat_map(move |ky| (0..columns.kernel).map(move |kx| (ky, kx)))
    }

    /// The row and column of a tap of a window.
    pub(super) fn place(self, (oy, ox): (usize, usize), (ky, kx): (usize, usize)) -> (isize, isize) {
        (self.axes[0].place(oy, ky), self.axes[1].place(ox, kx))
    }
}

impl Growing {
    /// Windows over a map; none if no window fits.
    pub(super) fn windows(&mut self, map: &Map, kind: Kind) -> Option<Windows> {
        let mode = self.draw.pick(&["", "", "SAME_UPPER", "SAME_LOWER", "VALID"]);
        let mut axis = |size: usize| Steps::draw(&mut self.draw, kind).padded(size, mode);
        let axes = [axis(map.size[1]), axis(map.size[2])];
        let axes = if self.flat { [Steps::SINGLE, axes[1]] } else { axes };
        let fits = axes.iter().zip(&map.size[1..]).all(|(axis, &size)| axis.windows(size) > 0);
        fits.then_some(Windows { axes, mode })
    }

    /// The attributes of windows; those that say nothing are sometimes left out.
    pub(super) fn attributes(&mut self, windows: Windows) -> Vec<AttributeProto> {
        let both = |part: fn(Steps) -> usize| windows.axes.map(part);
        let mut attributes = vec![ints("kernel_shape", &self.spatial(both(|axis| axis.kernel)))];
        for (name, part) in [("strides", both(|axis| axis.stride)), ("dilations", both(|axis| axis.dilation))] {
            if part != [1, 1] || self.draw.once_in(2) {
                attributes.push(ints(name, &self.spatial(part)));
            }
        }
        let pads = [self.spatial(both(|axis| axis.before)), self.spatial(both(|axis| axis.after))].concat();
        match windows.mode {
            "" if pads.iter().all(|&pad| pad == 0) && self.draw.once_in(2) => {}
            "" => attributes.push(ints("pads", &pads)),
            mode => attributes.push(text("auto_pad", mode)),
        }
        attributes
    }
}
