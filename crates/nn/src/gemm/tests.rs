//! Tests of the matrix products.

use super::*;
use proptest::prelude::*;
use pulp::Simd;

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
pub(crate) fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// The same product on the instruction sets that the machine has beside its best one.
fn others(size: GemmSize, (a, b): (Operand<'_>, Operand<'_>), c: &[f32], expected: &[u32]) {
    let mut panels = Panels::default();
    let mut result = c.to_vec();
    pulp::Scalar.vectorize(Product { size, a, b, c: &mut result, panels: &mut panels });
    assert_eq!(bits(&result), expected, "baseline, {size:?}");
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = pulp::x86::V3::try_new() {
        result.copy_from_slice(c);
        Simd::vectorize(avx2, Product { size, a, b, c: &mut result, panels: &mut panels });
        assert_eq!(bits(&result), expected, "AVX2, {size:?}");
    }
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
    others(size, (Operand::along(&a, k), Operand::across(&b, n)), &c, &bits(&expected));
    expected.clone_from(&c);
    naive(size, |i, p| a[p * m + i], |p, j| b[p * n + j], &mut expected);
    assert_eq!(run(gemm_tn), bits(&expected), "A^T * B, {size:?}");
    expected.clone_from(&c);
    naive(size, |i, p| a[i * k + p], |p, j| b[j * k + p], &mut expected);
    assert_eq!(run(gemm_nt), bits(&expected), "A * B^T, {size:?}");
    others(size, (Operand::along(&a, k), Operand::along(&b, k)), &c, &bits(&expected));
}

proptest! {
    #[test]
    fn equals_the_triple_loop_bit_for_bit(m in 0usize..20, n in 0usize..80, k in 0usize..50, seed in 0u64..1 << 40) {
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
