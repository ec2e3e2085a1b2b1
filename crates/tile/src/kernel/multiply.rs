//! Products of codes and a matrix, for converters that do not quantise: nothing then stands between the digits of inputs and weights.

use super::lanes::{LANES, Lanes};

/// Columns of which half a block is enough.
const HALF: usize = LANES / 2;
/// `2^17 + 1`: codes have at most 17 bits beside their sign, one more than an input.
const SPLITTER: f64 = 131_073.0;

/// Vectors of codes and a block of columns of a matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factorised<'a> {
    /// Vector after vector, one entry per row.
    pub(super) codes: &'a [f64],
    /// One entry per row.
    pub(super) matrix: &'a [Lanes<f64>],
    /// Columns that count.
    pub(super) columns: usize,
}

/// The nearest value of so few significant bits, 36, that its product with any code is exact: then it does not matter whether multiplications and
/// additions are fused, which instruction sets differ in (Veltkamp's splitting; Dekker, Numer. Math. 18, 224, 1971).
#[must_use]
pub fn exact_factor(value: f64) -> f64 {
    let shifted = value * SPLITTER;
    shifted - (shifted - value)
}

/// `products[vector] = sum_row code * matrix[row]`, added to 0 in ascending order of the rows, fused where the instruction set can; 0 in columns that do
/// not count, of which there are half a block or none.
#[inline(always)]
pub(super) fn multiply<const FUSED: bool>(factors: &Factorised<'_>, products: &mut [Lanes<f64>]) {
    // As many sums as hide the time that one takes.
    if factors.columns > HALF {
        multiply_columns::<FUSED, LANES, 4>(factors, products);
    } else {
        multiply_columns::<FUSED, HALF, 6>(factors, products);
    }
}

/// The first `N` columns; `TOGETHER` vectors share the loads of the matrix.
#[inline(always)]
fn multiply_columns<const FUSED: bool, const N: usize, const TOGETHER: usize>(
    factors: &Factorised<'_>,
    products: &mut [Lanes<f64>],
) {
    let rows = factors.matrix.len();
    let vectors = factors.codes.chunks(rows * TOGETHER);
    for (codes, products) in vectors.zip(products.chunks_mut(TOGETHER)) {
        // A vector that is not there repeats the last one.
        let last = products.len() - 1;
        let codes: [&[f64]; TOGETHER] = std::array::from_fn(|index| &codes[index.min(last) * rows..][..rows]);
        let mut sums = [[0.0; N]; TOGETHER];
        for (row, cells) in factors.matrix.iter().enumerate() {
            for (sums, codes) in sums.iter_mut().zip(codes) {
                let code = codes[row];
                // Not in place: the compiler would take these loops apart again.
                let mut next = [0.0; N];
                for lane in 0..N {
                    let (sum, cell) = (sums[lane], cells.0[lane]);
                    next[lane] = if FUSED { code.mul_add(cell, sum) } else { sum + code * cell };
                }
                *sums = next;
            }
        }
        for (product, sums) in products.iter_mut().zip(&sums) {
            product.0[..N].copy_from_slice(sums);
            product.0[N..].fill(0.0);
        }
    }
}
