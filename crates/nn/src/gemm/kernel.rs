//! The product of packed operands, for the vectors that the machine has.

use super::pack::Operand;
use super::{BLOCK, GemmSize, Panels, ROWS, WIDTH};
use pulp::{Simd, WithSimd};

/// A product to be computed.
pub(super) struct Product<'a> {
    pub(super) size: GemmSize,
    pub(super) a: Operand<'a>,
    pub(super) b: Operand<'a>,
    pub(super) c: &'a mut [f32],
    pub(super) panels: &'a mut Panels,
}

impl WithSimd for Product<'_> {
    type Output = ();

    /// `BLOCK` terms at a time in ascending order; within a block one panel of `B` after the other.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { size: GemmSize { m, n, k }, a, b, c, panels } = self;
        for start in (0..k).step_by(BLOCK) {
            let depth = BLOCK.min(k - start);
            // Stale content is overwritten: packing fills whole groups.
            panels.a.resize(depth * m.div_ceil(ROWS), [0.0; ROWS]);
            panels.b.resize(depth, [0.0; WIDTH]);
            for (group, packed) in panels.a.chunks_exact_mut(depth).enumerate() {
                a.pack(group * ROWS, m, start, packed);
            }
            for column in (0..n).step_by(WIDTH) {
                b.pack(column, n, start, &mut panels.b);
                for (group, packed) in panels.a.chunks_exact(depth).enumerate() {
                    let rows = &mut c[group * ROWS * n..m.min((group + 1) * ROWS) * n];
                    update(simd, packed, &panels.b, rows, n, column);
                }
            }
        }
    }
}

/// Adds the product of two panels to the tile of `rows` (lines of `n` values) that starts at `column`.
#[inline(always)]
fn update<S: Simd>(simd: S, a: &[[f32; ROWS]], b: &[[f32; WIDTH]], rows: &mut [f32], n: usize, column: usize) {
    let count = rows.len() / n;
    let mut lines = rows.chunks_exact_mut(n).map(|row| &mut row[column..]);
    if n - column >= WIDTH {
        let lines = std::array::from_fn(|_| lines.next().and_then(|line| line.first_chunk_mut()));
        tile(simd, a, b, lines, count, WIDTH);
        return;
    }
    // The last columns, in a tile of their own that reaches beyond them.
    let width = n - column;
    let mut sums = [[0.0; WIDTH]; ROWS];
    let mut kept: [Option<&mut [f32]>; ROWS] = std::array::from_fn(|_| lines.next());
    for (sum, line) in sums.iter_mut().zip(kept.iter().flatten()) {
        sum[..width].copy_from_slice(&line[..width]);
    }
    tile(simd, a, b, sums.each_mut().map(Some), count, width);
    for (sum, line) in sums.iter().zip(kept.iter_mut().flatten()) {
        line[..width].copy_from_slice(&sum[..width]);
    }
}

/// Rows of a tile, as many as there are.
type Lines<'a> = [Option<&'a mut [f32; WIDTH]>; ROWS];

/// The `count` first lines of a tile, of which `width` columns count, in the parts for which the machine has registers.
#[inline(always)]
fn tile<S: Simd>(simd: S, a: &[[f32; ROWS]], b: &[[f32; WIDTH]], mut lines: Lines<'_>, count: usize, width: usize) {
    let lines = &mut lines;
    match S::F32_LANES {
        16 if width > 16 => rows_512::<S, 2>(simd, a, b, lines, count),
        16 => rows_512::<S, 1>(simd, a, b, lines, count),
        8 => {
            rows_256::<S, 0, 0>(simd, a, b, lines, count);
            if count > 4 {
                rows_256::<S, 4, 0>(simd, a, b, lines, count - 4);
            }
            if width > 16 {
                rows_256::<S, 0, 2>(simd, a, b, lines, count);
            }
            if width > 16 && count > 4 {
                rows_256::<S, 4, 2>(simd, a, b, lines, count - 4);
            }
        }
        _ => {
            for column in (0..width).step_by(8) {
                for row in (0..count).step_by(4) {
                    plain(a, b, lines, (row, column));
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
) {
    match count {
        1 => vectors::<S, 1, V, 0, 0>(simd, a, b, lines),
        2 => vectors::<S, 2, V, 0, 0>(simd, a, b, lines),
        3 => vectors::<S, 3, V, 0, 0>(simd, a, b, lines),
        4 => vectors::<S, 4, V, 0, 0>(simd, a, b, lines),
        5 => vectors::<S, 5, V, 0, 0>(simd, a, b, lines),
        6 => vectors::<S, 6, V, 0, 0>(simd, a, b, lines),
        7 => vectors::<S, 7, V, 0, 0>(simd, a, b, lines),
        _ => vectors::<S, 8, V, 0, 0>(simd, a, b, lines),
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
) {
    match count {
        1 => vectors::<S, 1, 2, ROW, FIRST>(simd, a, b, lines),
        2 => vectors::<S, 2, 2, ROW, FIRST>(simd, a, b, lines),
        3 => vectors::<S, 3, 2, ROW, FIRST>(simd, a, b, lines),
        _ => vectors::<S, 4, 2, ROW, FIRST>(simd, a, b, lines),
    }
}

/// `R` lines from `ROW` on and `V` vectors from `FIRST` on of a tile, held in registers while the terms go by in ascending order.
#[inline(always)]
fn vectors<S: Simd, const R: usize, const V: usize, const ROW: usize, const FIRST: usize>(
    simd: S,
    a: &[[f32; ROWS]],
    b: &[[f32; WIDTH]],
    lines: &mut Lines<'_>,
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (sum, line) in sums.iter_mut().zip(lines[ROW..].iter().flatten()) {
        let (line, _) = S::as_simd_f32s(line.as_slice());
        sum.copy_from_slice(&line[FIRST..FIRST + V]);
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
    for (sum, line) in sums.iter().zip(lines[ROW..].iter_mut().flatten()) {
        let (line, _) = S::as_mut_simd_f32s(line.as_mut_slice());
        line[FIRST..FIRST + V].copy_from_slice(sum);
    }
}

/// Four lines of eight columns in plain loops, which fit the registers of baseline x86-64 and of other machines.
#[inline(always)]
fn plain(a: &[[f32; ROWS]], b: &[[f32; WIDTH]], lines: &mut Lines<'_>, (row, column): (usize, usize)) {
    const COLUMNS: usize = 8;
    let mut sums = [[0.0_f32; COLUMNS]; 4];
    for (sum, line) in sums.iter_mut().zip(lines[row..].iter().flatten()) {
        sum.copy_from_slice(&line[column..column + COLUMNS]);
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
        line[column..column + COLUMNS].copy_from_slice(sum);
    }
}
