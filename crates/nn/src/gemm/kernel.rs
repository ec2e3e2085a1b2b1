//! The product of packed operands, for the vectors that the machine has.

use super::{ROWS, WIDTH};
use pulp::{Simd, WithSimd};

/// What the sums of a product start with, and where they go.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Zeros, whatever stands in `C`.
    Zero,
    /// What stands in `C`.
    Stored,
    /// A value per row.
    Rows(&'a [f32]),
    /// Zeros, and the complete sums are added to what stands in `C`.
    Added,
}

impl<'a> Start<'a> {
    /// The part of the rows from `first` on.
    #[inline(always)]
    fn from(self, first: usize) -> Self {
        match self {
            Self::Zero | Self::Stored | Self::Added => self,
            Self::Rows(values) => Self::Rows(&values[first..]),
        }
    }
}

/// The product of all rows of `A` and one panel of `B`.
pub(crate) struct PanelProduct<'a> {
    /// Groups of rows one after the other, each with as many terms as `b`.
    pub(crate) a: &'a [[f32; ROWS]],
    pub(crate) b: &'a [[f32; WIDTH]],
    /// Rows of `n` values, of which up to [`WIDTH`] from `column` on are worked on.
    pub(crate) c: &'a mut [f32],
    pub(crate) n: usize,
    pub(crate) column: usize,
    pub(crate) start: Start<'a>,
}

impl WithSimd for PanelProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, c, n, column, start } = self;
        let groups = a.chunks_exact(b.len()).zip(c.chunks_mut(ROWS * n));
        for (group, (a, rows)) in groups.enumerate() {
            update(simd, a, b, rows, (n, column), start.from(group * ROWS));
        }
    }
}

/// Computes the tile of `rows` (lines of `n` values) that starts at `column`.
#[inline(always)]
fn update<S: Simd>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    rows: &mut [f32],
    (n, column): (usize, usize),
    start: Start<'_>,
) {
    let count = rows.len() / n;
    let mut lines = rows.chunks_exact_mut(n).map(|row| &mut row[column..]);
    if n - column >= WIDTH {
        let lines = std::array::from_fn(|_| lines.next().and_then(|line| line.first_chunk_mut()));
        tile(simd, a, b, lines, (count, WIDTH), start);
        return;
    }
    // The last columns, in a tile of their own that reaches beyond them.
    let width = n - column;
    let mut sums = [[0.0; WIDTH]; ROWS];
    let mut kept: [Option<&mut [f32]>; ROWS] = std::array::from_fn(|_| lines.next());
    for (sum, line) in sums.iter_mut().zip(kept.iter().flatten()) {
        sum[..width].copy_from_slice(&line[..width]);
    }
    tile(simd, a, b, sums.each_mut().map(Some), (count, width), start);
    for (sum, line) in sums.iter().zip(kept.iter_mut().flatten()) {
        line[..width].copy_from_slice(&sum[..width]);
    }
}

/// Rows of a tile, as many as there are.
type Lines<'a> = [Option<&'a mut [f32; WIDTH]>; ROWS];

/// The `count` first lines of a tile, of which `width` columns count, in the parts for which the machine has registers.
#[inline(always)]
fn tile<S: Simd>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    mut lines: Lines<'_>,
    (count, width): (usize, usize),
    start: Start<'_>,
) {
    let lines = &mut lines;
    match S::F32_LANES {
        16 if width > 16 => rows_512::<S, 2>(simd, a, b, lines, count, start),
        16 => rows_512::<S, 1>(simd, a, b, lines, count, start),
        8 => {
            rows_256::<S, 0, 0>(simd, a, b, lines, count, start);
            if count > 4 {
                rows_256::<S, 4, 0>(simd, a, b, lines, count - 4, start);
            }
            if width > 16 {
                rows_256::<S, 0, 2>(simd, a, b, lines, count, start);
            }
            if width > 16 && count > 4 {
                rows_256::<S, 4, 2>(simd, a, b, lines, count - 4, start);
            }
        }
        _ => {
            for column in (0..width).step_by(8) {
                for row in (0..count).step_by(4) {
                    plain(a, b, lines, (row, column), start);
                }
            }
        }
    }
}

/// Thirty-two registers of sixteen numbers.
#[inline(always)]
fn rows_512<S: Simd, const V: usize>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    lines: &mut Lines<'_>,
    count: usize,
    start: Start<'_>,
) {
    match count {
        1 => vectors::<S, 1, V, 0, 0>(simd, a, b, lines, start),
        2 => vectors::<S, 2, V, 0, 0>(simd, a, b, lines, start),
        3 => vectors::<S, 3, V, 0, 0>(simd, a, b, lines, start),
        4 => vectors::<S, 4, V, 0, 0>(simd, a, b, lines, start),
        5 => vectors::<S, 5, V, 0, 0>(simd, a, b, lines, start),
        6 => vectors::<S, 6, V, 0, 0>(simd, a, b, lines, start),
        7 => vectors::<S, 7, V, 0, 0>(simd, a, b, lines, start),
        _ => vectors::<S, 8, V, 0, 0>(simd, a, b, lines, start),
    }
}

/// Sixteen registers of eight numbers.
#[inline(always)]
fn rows_256<S: Simd, const ROW: usize, const FIRST: usize>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    lines: &mut Lines<'_>,
    count: usize,
    start: Start<'_>,
) {
    match count {
        1 => vectors::<S, 1, 2, ROW, FIRST>(simd, a, b, lines, start),
        2 => vectors::<S, 2, 2, ROW, FIRST>(simd, a, b, lines, start),
        3 => vectors::<S, 3, 2, ROW, FIRST>(simd, a, b, lines, start),
        _ => vectors::<S, 4, 2, ROW, FIRST>(simd, a, b, lines, start),
    }
}

/// `R` lines from `ROW` on and `V` vectors from `FIRST` on of a tile, held in registers while the terms go by in ascending order.
#[inline(always)]
fn vectors<S: Simd, const R: usize, const V: usize, const ROW: usize, const FIRST: usize>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    lines: &mut Lines<'_>,
    start: Start<'_>,
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    match start {
        Start::Zero | Start::Added => {}
        Start::Stored => {
            for (sum, line) in sums.iter_mut().zip(lines[ROW..].iter().flatten()) {
                let (line, _) = S::as_simd_f32s(line.as_slice());
                sum.copy_from_slice(&line[FIRST..FIRST + V]);
            }
        }
        Start::Rows(values) => {
            sums.iter_mut().zip(&values[ROW..]).for_each(|(sum, &value)| *sum = [simd.splat_f32s(value); V]);
        }
    }
    for (a, b) in a.iter().zip(b) {
        let (b, _) = S::as_simd_f32s(b.as_slice());
        for (line, sum) in sums.iter_mut().enumerate() {
            let factor = simd.splat_f32s(a[ROW + line]);
            for (vector, sum) in sum.iter_mut().enumerate() {
                *sum = simd.add_f32s(*sum, simd.mul_f32s(factor, b[FIRST + vector]));
            }
        }
    }
    for (sum, line) in sums.iter_mut().zip(lines[ROW..].iter_mut().flatten()) {
        let (line, _) = S::as_mut_simd_f32s(line.as_mut_slice());
        let line = &mut line[FIRST..FIRST + V];
        if matches!(start, Start::Added) {
            sum.iter_mut().zip(&*line).for_each(|(sum, &value)| *sum = simd.add_f32s(value, *sum));
        }
        line.copy_from_slice(sum);
    }
}

/// Four lines of eight columns in plain loops, which fit the registers of baseline x86-64 and of other machines.
#[inline(always)]
fn plain(
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    lines: &mut Lines<'_>,
    (row, column): (usize, usize),
    start: Start<'_>,
) {
    const COLUMNS: usize = 8;
    let mut sums = [[0.0_f32; COLUMNS]; 4];
    match start {
        Start::Zero | Start::Added => {}
        Start::Stored => {
            for (sum, line) in sums.iter_mut().zip(lines[row..].iter().flatten()) {
                sum.copy_from_slice(&line[column..column + COLUMNS]);
            }
        }
        Start::Rows(values) => sums.iter_mut().zip(&values[row..]).for_each(|(sum, &value)| *sum = [value; COLUMNS]),
    }
    for (a, b) in a.iter().zip(b) {
        let Some(b) = b[column..].first_chunk::<COLUMNS>() else { return };
        for (sum, &factor) in sums.iter_mut().zip(&a[row..]) {
            for (sum, &value) in sum.iter_mut().zip(b) {
                *sum += factor * value;
            }
        }
    }
    for (sum, line) in sums.iter().zip(lines[row..].iter_mut().flatten()) {
        let line = &mut line[column..column + COLUMNS];
        match start {
            Start::Added => line.iter_mut().zip(sum).for_each(|(line, sum)| *line += sum),
            _ => line.copy_from_slice(sum),
        }
    }
}
