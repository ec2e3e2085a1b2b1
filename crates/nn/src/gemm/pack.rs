//! Operands in the order in which the kernel reads them.

use super::ROWS;
use std::ops::Range;

/// Lines that are turned over at a time.
const SQUARE: usize = 4;
/// Terms that are turned over at a time.
const JOINED: usize = 32;

/// A stored matrix, seen as lines of `C` (rows of `A`, columns of `B`) with `k` terms each.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    data: &'a [f32],
    /// Distance between stored rows.
    stride: usize,
    /// Whether a stored row holds the terms of one line (`true`) or one term of all lines (`false`).
    along: bool,
}

impl<'a> Operand<'a> {
    pub(crate) fn along(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: true }
    }

    pub(crate) fn across(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: false }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// Appends the terms `block` of all `lines` lines to `groups`, one group of lines after the other.
    #[inline(always)]
    pub(crate) fn pack_groups(&self, lines: usize, block: Range<usize>, groups: &mut Vec<[f32; ROWS]>) {
        for first in (0..lines).step_by(ROWS) {
            let place = groups.len();
            groups.resize(place + block.len(), [0.0; ROWS]);
            self.pack(first, lines, block.start, &mut groups[place..]);
        }
    }

    /// Copies the terms from `start` on, as many as `panel` has groups, of up to `W` of the `lines` lines from `first` on into `panel`,
    /// term by term. What stands in lines beyond `lines` is of no meaning: nobody keeps what becomes of it.
    #[inline(always)]
    pub(crate) fn pack<const W: usize>(&self, first: usize, lines: usize, start: usize, panel: &mut [[f32; W]]) {
        let width = W.min(lines - first);
        if self.along {
            let terms = panel.len();
            let from = &self.data[first * self.stride + start..];
            transpose((from, self.stride), (width, terms), (panel.as_flattened_mut(), W));
        } else {
            self.copy(first, width, start, panel);
        }
    }

    /// Copies stored rows of `width` lines each.
    #[inline(always)]
    fn copy<const W: usize>(&self, first: usize, width: usize, start: usize, panel: &mut [[f32; W]]) {
        for (group, term) in panel.iter_mut().zip(start..) {
            let row = &self.data[term * self.stride + first..];
            match row.first_chunk::<W>() {
                // The full width compiles to vector moves, and what lies behind the row does no harm.
                Some(row) => *group = *row,
                None => group[..width].copy_from_slice(&row[..width]),
            }
        }
    }
}

/// Copies `lines` lines of `terms` values each, which lie at a distance from each other in `from`, to columns of `to`, whose rows have a
/// distance of their own. Not inlined, so that the baseline's shuffles of four are used: for wider vectors the compiler would gather value
/// by value.
#[inline(never)]
pub(crate) fn transpose(from: (&[f32], usize), (lines, terms): (usize, usize), to: (&mut [f32], usize)) {
    let ((from, distance), (to, stride)) = (from, to);
    let line = |line: usize| &from[line * distance..line * distance + terms];
    let turned = lines / SQUARE * SQUARE;
    for first in (0..turned).step_by(SQUARE) {
        turn([line(first), line(first + 1), line(first + 2), line(first + 3)], &mut to[first..], stride);
    }
    for lane in turned..lines {
        to[lane..].iter_mut().step_by(stride).zip(line(lane)).for_each(|(to, &value)| *to = value);
    }
}

/// Copies four lines of the same length to the first four columns of `to`. They are joined first where nothing lies between the rows, which
/// compiles to vectors.
#[inline(always)]
fn turn(lines: [&[f32]; SQUARE], to: &mut [f32], stride: usize) {
    let mut joined = [[0.0; SQUARE]; JOINED];
    for start in (0..lines[0].len()).step_by(JOINED) {
        let [a, b, c, d] = lines.map(|line| &line[start..line.len().min(start + JOINED)]);
        for ((((joined, &a), &b), &c), &d) in joined.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *joined = [a, b, c, d];
        }
        for (joined, row) in joined[..a.len()].iter().zip(to[start * stride..].chunks_mut(stride)) {
            if let Some(row) = row.first_chunk_mut() {
                *row = *joined;
            }
        }
    }
}
