//! Products of codes and a matrix, for converters that do not quantise: nothing then stands between the digits of inputs and weights.

use super::lanes::Lanes;

/// Vectors that share the loads of the matrix.
const TOGETHER: usize = 4;
/// `2^17 + 1`: codes have at most 17 bits beside their sign, one more than an input.
const SPLITTER: f64 = 131_073.0;

/// Vectors of codes and a block of columns of a matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factorised<'a> {
    /// Vector after vector, one entry per row.
    pub(super) codes: &'a [f64],
    /// One entry per row.
    pub(super) matrix: &'a [Lanes<f64>],
}

/// The nearest value of so few significant bits, 36, that its product with any code is exact: then it does not matter whether multiplications and
/// additions are fused, which instruction sets differ in (Veltkamp's splitting; Dekker, Numer. Math. 18, 224, 1971).
#[must_use]
pub fn exact_factor(value: f64) -> f64 {
    let shifted = value * SPLITTER;
    shifted - (shifted - value)
}

/// `products[vector] = sum_row code * matrix[row]`, added to 0 in ascending order of the rows, fused where the instruction set can.
#[inline(always)]
pub(super) fn multiply<const FUSED: bool>(factors: &Factorised<'_>, products: &mut [Lanes<f64>]) {
    let rows = factors.matrix.len();
    let vectors = factors.codes.chunks(rows * TOGETHER);
    for (codes, products) in vectors.zip(products.chunks_mut(TOGETHER)) {
        // A vector that is not there repeats the last one.
        let last = products.len() - 1;
        let vector = |index: usize| &codes[index.min(last) * rows..][..rows];
        let codes = [vector(0), vector(1), vector(2), vector(3)];
        let mut sums = [Lanes::splat(0.0); TOGETHER];
        for (row, cells) in factors.matrix.iter().enumerate() {
            for (sum, codes) in sums.iter_mut().zip(codes) {
                let code = codes[row];
                *sum = sum.zip(*cells, |sum, cell| if FUSED { code.mul_add(cell, sum) } else { sum + code * cell });
            }
        }
        products.copy_from_slice(&sums[..=last]);
    }
}
