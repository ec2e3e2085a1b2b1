//! The products of dense matrices that everything is compared with: what a simulator that calls a library could reach at best.

use crate::Failure;
use crate::session::Session;
use std::collections::BTreeMap;
use tile::address::{Purpose, standard_normals, stream};

/// Input vectors of a product.
pub const VECTORS: usize = 1000;
/// Arrays whose product is measured: `size x size`.
pub const SIZES: [usize; 2] = [128, 256];

/// Product `c = a b` of row-major matrices of [`VECTORS`]` x size` and `size x size`.
struct Product {
    size: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

/// A library's single-precision product.
type Library = (&'static str, fn(&mut Product));

const LIBRARIES: [Library; 2] = [("matrixmultiply", Product::matrixmultiply), ("gemm", Product::gemm)];

/// The fastest that was seen, multiply-adds per CPU-second of one thread by size and library.
#[derive(Clone, Debug, Default)]
pub struct Baselines(BTreeMap<(usize, &'static str), f64>);

impl Baselines {
    /// Measures all products again and keeps the faster of this time and before. Done before, between and after the other cases, so that a
    /// disturbance of the machine cannot flatter them.
    ///
    /// # Errors
    /// If a case cannot be measured.
    pub fn measure(&mut self, session: &mut Session, round: u32) -> Result<(), Failure> {
        for size in SIZES {
            let mut product = Product::new(size);
            for (name, multiply) in LIBRARIES {
                let case = format!("{name}-{VECTORS}x{size}x{size}-{round}");
                let Some(seconds) = session.cpu_seconds("sgemm", &case, || multiply(&mut product))? else { continue };
                let rate = (VECTORS * size * size) as f64 / seconds;
                self.0.entry((size, name)).and_modify(|best| *best = best.max(rate)).or_insert(rate);
            }
        }
        Ok(())
    }

    /// Multiply-adds per CPU-second of every size and library.
    pub fn all(&self) -> impl Iterator<Item = (usize, &'static str, f64)> {
        self.0.iter().map(|(&(size, name), &rate)| (size, name, rate))
    }

    /// Multiply-adds per CPU-second of the faster library.
    #[must_use]
    pub fn fastest(&self, size: usize) -> Option<f64> {
        self.all().filter(|&(of, ..)| of == size).map(|(.., rate)| rate).reduce(f64::max)
    }
}

impl Product {
    fn new(size: usize) -> Self {
        let mut draws = Vec::new();
        let mut matrix = |index: u64, rows: usize| {
            standard_normals(&mut stream(3, Purpose::Initialisation, &[index]), rows * size, &mut draws);
            draws.clone()
        };
        Self { size, a: matrix(0, VECTORS), b: matrix(1, size), c: vec![0.0; VECTORS * size] }
    }

    #[allow(unsafe_code, reason = "the library's only interface takes pointers and strides")]
    fn matrixmultiply(&mut self) {
        let (n, stride) = (self.size, self.size as isize);
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        // SAFETY: `new` made a and c of VECTORS x n and b of n x n values; element (i, j) lies at i * n + j, and c is borrowed mutably.
        unsafe { matrixmultiply::sgemm(VECTORS, n, n, 1.0, a, stride, 1, b, stride, 1, 0.0, c, stride, 1) }
    }

    #[allow(unsafe_code, reason = "the library's only interface takes pointers and strides")]
    fn gemm(&mut self) {
        let (n, stride) = (self.size, self.size as isize);
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let one = gemm::Parallelism::None;
        // SAFETY: as above; this library takes the distance of columns before that of rows, and `c` is not read.
        unsafe {
            gemm::gemm(
                VECTORS, n, n, c, 1, stride, false, a, 1, stride, b, 1, stride, 0.0, 1.0, false, false, false, one,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both compute what they are timed for.
    #[test]
    fn libraries_agree_with_plain_loops() {
        for (name, multiply) in LIBRARIES {
            let mut product = Product::new(128);
            multiply(&mut product);
            for (row, col) in [(0, 0), (999, 127), (500, 3)] {
                let terms = (0..128).map(|k| f64::from(product.a[row * 128 + k]) * f64::from(product.b[k * 128 + col]));
                let (expected, found) = (terms.sum::<f64>(), f64::from(product.c[row * 128 + col]));
                assert!((expected - found).abs() < 1e-3, "{name}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_faster_library_is_the_baseline() {
        let rates = [((128, "gemm"), 3.0), ((128, "matrixmultiply"), 5.0), ((256, "gemm"), 9.0)];
        let baselines = Baselines(rates.into_iter().collect());
        assert_eq!([128, 256, 64].map(|size| baselines.fastest(size)), [Some(5.0), Some(9.0), None]);
    }
}
