//! Operands in the order in which the kernel reads them.

/// Lines and terms that are turned over at a time.
const SQUARE: usize = 4;

/// A stored matrix, seen as lines of `C` (rows of `A`, columns of `B`) with `k` terms each.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    data: &'a [f32],
    /// Distance between stored rows.
    stride: usize,
    /// Whether a stored row holds the terms of one line (`true`) or one term of all lines (`false`).
    along: bool,
}

impl<'a> Operand<'a> {
    pub(super) fn along(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: true }
    }

    pub(super) fn across(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: false }
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// Copies the terms from `start` on, as many as `panel` has groups, of up to `W` of the `lines` lines from `first` on into `panel`,
    /// term by term. What stands in lines beyond `lines` is of no meaning: nobody keeps what becomes of it.
    #[inline(always)]
    pub(super) fn pack<const W: usize>(&self, first: usize, lines: usize, start: usize, panel: &mut [[f32; W]]) {
        let width = W.min(lines - first);
        if !self.along {
            self.copy(first, width, start, panel);
            return;
        }
        let turned = width / SQUARE * SQUARE;
        for lane in (0..turned).step_by(SQUARE) {
            self.turn(first + lane, lane, start, panel);
        }
        for lane in turned..width {
            self.line(first + lane, lane, start, panel);
        }
    }

    /// Copies terms of line `line`, which is a stored row, to lane `lane`. Not inlined, for the same reason as [`Self::turn`].
    #[inline(never)]
    fn line<const W: usize>(&self, line: usize, lane: usize, start: usize, panel: &mut [[f32; W]]) {
        for (group, &value) in panel.iter_mut().zip(&self.data[line * self.stride + start..]) {
            group[lane] = value;
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

    /// Copies terms of the lines from `first` on, which are stored rows, to the lanes from `lane` on, a square at a time. Not inlined, so
    /// that the baseline's shuffles of four are used: for wider vectors the compiler would gather value by value.
    #[inline(never)]
    fn turn<const W: usize>(&self, first: usize, lane: usize, start: usize, panel: &mut [[f32; W]]) {
        let line = |offset: usize| &self.data[(first + offset) * self.stride + start..][..panel.len()];
        let (lines, mut groups) = ([line(0), line(1), line(2), line(3)], panel.chunks_exact_mut(SQUARE));
        let mut squares = lines.map(|line| line.as_chunks::<SQUARE>().0.iter());
        for group in &mut groups {
            let [Some(a), Some(b), Some(c), Some(d)] = squares.each_mut().map(Iterator::next) else { break };
            for (term, group) in group.iter_mut().enumerate() {
                group[lane..lane + SQUARE].copy_from_slice(&[a[term], b[term], c[term], d[term]]);
            }
        }
        let rest = groups.into_remainder();
        let done = lines[0].len() - rest.len();
        for (term, group) in rest.iter_mut().enumerate() {
            group[lane..lane + SQUARE].copy_from_slice(&lines.map(|line| line[done + term]));
        }
    }
}
