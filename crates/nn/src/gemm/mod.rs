//! Single-threaded `f32` matrix products whose result is the same bits on every machine.
//!
//! Every element of `C` is updated as `c += a * b` for ascending `k`, one rounded multiplication and one rounded addition at a time,
//! exactly as a triple loop would do it. Blocking and vectors only change which elements are worked on together, never the order within
//! one, and nothing is fused: AVX-512, AVX2 and the baseline give the same bits, and training does not depend on the machine.
//! That is why the crate does not use `matrixmultiply`, `gemm` or a BLAS: their kernels fuse multiply and add where the machine can and
//! split `k` differently, so that the same network would give different bits on another machine. Where additions have ports of their own
//! (Zen 4 and later) a separate multiplication costs hardly anything; elsewhere up to a half.

mod kernel;
mod pack;
mod product;

pub(crate) use kernel::{PanelProduct, Start};
pub(crate) use pack::{Operand, transpose};
use product::Product;
use std::cell::RefCell;
use std::ops::Range;

/// Rows of `A` that are packed together, the most that one kernel call works on.
pub(crate) const ROWS: usize = 8;
/// Columns of `B` that are packed together.
pub(crate) const WIDTH: usize = 32;
/// The most terms that are packed at a time: a panel of `B` then stays in the first-level cache.
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

/// The terms of every sum in ascending order, in parts of nearly the same length.
pub(crate) fn blocks(k: usize) -> impl Iterator<Item = Range<usize>> {
    let depth = k.div_ceil(k.div_ceil(BLOCK).max(1));
    (0..k).step_by(depth.max(1)).map(move |start| start..k.min(start + depth))
}

/// Memory for packed operands.
#[derive(Default)]
struct Panels {
    /// Groups of rows of `A`, term by term.
    a: Vec<[f32; ROWS]>,
    /// One panel of `B`, term by term.
    b: Vec<[f32; WIDTH]>,
}

thread_local! {
    /// Kept between products, of which a training step makes thousands.
    static PANELS: RefCell<Panels> = RefCell::default();
}

fn gemm(size: GemmSize, a: Operand<'_>, b: Operand<'_>, c: &mut [f32]) {
    let GemmSize { m, n, k } = size;
    assert_eq!(a.len(), m * k, "A must hold m * k values");
    assert_eq!(b.len(), k * n, "B must hold k * n values");
    assert_eq!(c.len(), m * n, "C must hold m * n values");
    PANELS.with_borrow_mut(|panels| pulp::Arch::new().dispatch(Product { size, a, b, c, panels }));
}

#[cfg(test)]
pub(crate) mod tests;
