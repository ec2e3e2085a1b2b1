//! Single-threaded `f32` matrix products whose result is the same bits on every machine.
//!
//! Every element of `C` is updated as `c += a * b` for ascending `k`, one rounded multiplication and one rounded addition at a time,
//! exactly as a triple loop would do it. Blocking only changes which elements are worked on together, never the order within one.
//! That is why the crate does not use `matrixmultiply` or a BLAS: their kernels are chosen by the machine's instruction set, fuse
//! multiply and add where they can and split `k` differently, so that the same network would give different bits on another machine.
//! The kernel is plain safe code that fits the sixteen vector registers of baseline x86-64.

/// Rows of `C` that one kernel call updates.
const TILE_ROWS: usize = 4;
/// Columns of `C` that one kernel call updates; with four rows the sums take eight vector registers.
const TILE_COLUMNS: usize = 8;
/// Terms packed at a time, which bounds the packing memory and keeps the panels in the first-level cache.
const BLOCK: usize = 256;

/// Sizes of a matrix product `C (m x n) += A (m x k) * B (k x n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GemmSize {
    /// Rows of `C`.
    pub m: usize,
    /// Columns of `C`.
    pub n: usize,
    /// Terms of every sum.
    pub k: usize,
}

/// `C += A * B` with `A` stored `m x k`, `B` stored `k x n` and `C` stored `m x n`, all row-major.
///
/// # Panics
/// If a slice does not have exactly the length its shape asks for, which is an error of the caller.
pub fn gemm_nn(size: GemmSize, a: &[f32], b: &[f32], c: &mut [f32]) {
    gemm(size, Operand::along(a, size.k), Operand::across(b, size.n), c);
}

/// `C += A^T * B` with `A` stored `k x m`, `B` stored `k x n` and `C` stored `m x n`, all row-major.
///
/// # Panics
/// If a slice does not have exactly the length its shape asks for, which is an error of the caller.
pub fn gemm_tn(size: GemmSize, a: &[f32], b: &[f32], c: &mut [f32]) {
    gemm(size, Operand::across(a, size.m), Operand::across(b, size.n), c);
}

/// `C += A * B^T` with `A` stored `m x k`, `B` stored `n x k` and `C` stored `m x n`, all row-major.
///
/// # Panics
/// If a slice does not have exactly the length its shape asks for, which is an error of the caller.
pub fn gemm_nt(size: GemmSize, a: &[f32], b: &[f32], c: &mut [f32]) {
    gemm(size, Operand::along(a, size.k), Operand::along(b, size.k), c);
}

/// A stored matrix, seen as lines of `C` (rows of `A`, columns of `B`) with `k` terms each.
#[derive(Clone, Copy)]
struct Operand<'a> {
    data: &'a [f32],
    /// Distance between stored rows.
    stride: usize,
    /// Whether a stored row holds the terms of one line (`true`) or one term of all lines (`false`).
    along: bool,
}

impl<'a> Operand<'a> {
    fn along(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: true }
    }

    fn across(data: &'a [f32], stride: usize) -> Self {
        Self { data, stride, along: false }
    }

    /// Copies terms `terms` of up to `W` lines from `first` on into `panel`, term by term; lines beyond `lines` stay zero.
    fn pack<const W: usize>(&self, first: usize, lines: usize, terms: (usize, usize), panel: &mut [[f32; W]]) {
        let width = W.min(lines - first);
        if width < W {
            panel.fill([0.0; W]);
        }
        if self.along {
            for lane in 0..width {
                let start = (first + lane) * self.stride;
                let line = &self.data[start + terms.0..start + terms.1];
                for (group, &value) in panel.iter_mut().zip(line) {
                    group[lane] = value;
                }
            }
        } else {
            for (group, term) in panel.iter_mut().zip(terms.0..terms.1) {
                let start = term * self.stride + first;
                group[..width].copy_from_slice(&self.data[start..start + width]);
            }
        }
    }
}

/// `C += A * B` over packed panels, `BLOCK` terms at a time in ascending order.
fn gemm(size: GemmSize, a: Operand<'_>, b: Operand<'_>, c: &mut [f32]) {
    let GemmSize { m, n, k } = size;
    assert_eq!(a.data.len(), m * k, "A must hold m * k values");
    assert_eq!(b.data.len(), k * n, "B must hold k * n values");
    assert_eq!(c.len(), m * n, "C must hold m * n values");
    let panels = n.div_ceil(TILE_COLUMNS);
    let depth = k.min(BLOCK);
    let mut a_panel = vec![[0.0; TILE_ROWS]; depth];
    let mut b_panels = vec![[0.0; TILE_COLUMNS]; depth * panels];
    for start in (0..k).step_by(BLOCK) {
        let terms = (start, k.min(start + BLOCK));
        let depth = terms.1 - terms.0;
        for (panel, packed) in b_panels.chunks_exact_mut(depth).take(panels).enumerate() {
            b.pack(panel * TILE_COLUMNS, n, terms, packed);
        }
        for row in (0..m).step_by(TILE_ROWS) {
            a.pack(row, m, terms, &mut a_panel[..depth]);
            let rows = &mut c[row * n..m.min(row + TILE_ROWS) * n];
            for (panel, packed) in b_panels.chunks_exact(depth).take(panels).enumerate() {
                update(&a_panel[..depth], packed, rows, n, panel * TILE_COLUMNS);
            }
        }
    }
}

/// Adds the product of two panels to the tile of `rows` (lines of `n` values) that starts at `column`.
fn update(a: &[[f32; TILE_ROWS]], b: &[[f32; TILE_COLUMNS]], rows: &mut [f32], n: usize, column: usize) {
    let width = TILE_COLUMNS.min(n - column);
    let mut sums = [[0.0; TILE_COLUMNS]; TILE_ROWS];
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(n)) {
        copy_line(&mut sum[..width], &row[column..column + width]);
    }
    kernel(a, b, &mut sums);
    for (sum, row) in sums.iter().zip(rows.chunks_exact_mut(n)) {
        copy_line(&mut row[column..column + width], &sum[..width]);
    }
}

/// Copies a line; the full width is a case of its own, so that it compiles to vector moves.
fn copy_line(to: &mut [f32], from: &[f32]) {
    if let (Ok(to), Ok(from)) = (<&mut [f32; TILE_COLUMNS]>::try_from(&mut *to), <&[f32; TILE_COLUMNS]>::try_from(from))
    {
        *to = *from;
    } else {
        to.copy_from_slice(from);
    }
}

/// The inner loop: one tile of `C` held in registers while the terms go by in ascending order.
#[inline(always)]
fn kernel(a: &[[f32; TILE_ROWS]], b: &[[f32; TILE_COLUMNS]], sums: &mut [[f32; TILE_COLUMNS]; TILE_ROWS]) {
    let mut tile = *sums;
    for (a, b) in a.iter().zip(b) {
        for (line, &factor) in tile.iter_mut().zip(a) {
            for (sum, &value) in line.iter_mut().zip(b) {
                *sum += factor * value;
            }
        }
    }
    *sums = tile;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `C += op(A) * op(B)` by the definition, terms in ascending order.
    fn naive(size: GemmSize, a: impl Fn(usize, usize) -> f32, b: impl Fn(usize, usize) -> f32, c: &mut [f32]) {
        for i in 0..size.m {
            for j in 0..size.n {
                for p in 0..size.k {
                    c[i * size.n + j] += a(i, p) * b(p, j);
                }
            }
        }
    }

    /// Values whose products round, so that any other order or a fused multiply-add would show.
    fn values(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|v| v.to_bits()).collect()
    }

    fn check(size: GemmSize, seed: u64) {
        let GemmSize { m, n, k } = size;
        let (a, b, c) = (values(m * k, seed), values(k * n, seed + 1), values(m * n, seed + 2));
        let run = |product: fn(GemmSize, &[f32], &[f32], &mut [f32])| {
            let mut result = c.clone();
            product(size, &a, &b, &mut result);
            bits(&result)
        };
        let mut expected = c.clone();
        naive(size, |i, p| a[i * k + p], |p, j| b[p * n + j], &mut expected);
        assert_eq!(run(gemm_nn), bits(&expected), "A * B, {size:?}");
        expected.clone_from(&c);
        naive(size, |i, p| a[p * m + i], |p, j| b[p * n + j], &mut expected);
        assert_eq!(run(gemm_tn), bits(&expected), "A^T * B, {size:?}");
        expected.clone_from(&c);
        naive(size, |i, p| a[i * k + p], |p, j| b[j * k + p], &mut expected);
        assert_eq!(run(gemm_nt), bits(&expected), "A * B^T, {size:?}");
    }

    proptest! {
        #[test]
        fn equals_the_triple_loop_bit_for_bit(m in 0usize..20, n in 0usize..40, k in 0usize..50, seed in 0u64..1 << 40) {
            check(GemmSize { m, n, k }, seed);
        }
    }

    #[test]
    fn equals_the_triple_loop_across_blocks_of_terms() {
        for k in [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3] {
            check(GemmSize { m: 5, n: 9, k }, 7);
        }
    }

    #[test]
    fn the_order_of_terms_matters_in_the_check() {
        let size = GemmSize { m: 1, n: 1, k: 64 };
        let (a, b) = (values(64, 1), values(64, 2));
        let (mut ascending, mut descending) = ([0.0], [0.0]);
        gemm_nn(size, &a, &b, &mut ascending);
        naive(size, |_, p| a[63 - p], |p, _| b[63 - p], &mut descending);
        assert_ne!(bits(&ascending), bits(&descending), "these values could not tell one order from another");
    }

    #[test]
    #[should_panic(expected = "B must hold k * n values")]
    fn a_wrong_length_is_refused() {
        gemm_nn(GemmSize { m: 2, n: 2, k: 2 }, &[0.0; 4], &[0.0; 3], &mut [0.0; 4]);
    }
}
