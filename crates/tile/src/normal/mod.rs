//! Standard normal draws by counter: draw `i` of a key is a function of (key, `i`) alone, and no draw has to wait for another.
//!
//! Noise of single conversions takes one draw per conversion, so that the draws cost as much as the sums they are added to. A stream of
//! the [`address`](crate::address) module is sequential; here sixteen draws are computed side by side by branch-free code, which compilers
//! turn into vector instructions wherever it is inlined.
//!
//! A counter becomes two words of 32 bits, these become a normal draw by the transform of Box and Muller (Ann. Math. Stat. 29, 1958),
//! `sqrt(-2 ln U) cos(2 pi V)`. In place of the cosine of an angle from the whole circle stands `sin(pi T / 2)` with `T` uniform in -1..1, which has
//! the same distribution and needs no reduction of its argument.
//!
//! **The same bits everywhere**: integer operations, `+`, `-`, `*` and `sqrt` on `f32`, each rounded by itself as IEEE 754 says, in the
//! order written here; no fused operation, no mathematical library, no table.
//!
//! **Range**: `U` is at least `2^-31`, so that no draw lies beyond `sqrt(62 ln 2) = 6.556`. A normal variable does so with probability
//! 5.5e-11, once in 1.8e10 draws, and the mean square of the draws is 6.5e-10 too small (`ln 2 / 2^30`, the error of summing the
//! logarithm at the middles of `2^30` intervals): no simulation of less than 1e18 conversions could tell.

mod words;

use words::RoundKeys;

/// Standard normal draws: lane `i` is draw `counters[i]` of `key`, whatever the other lanes are.
///
/// Keys come from [`address::key`](crate::address::key), but draws of neighbouring keys are independent as well. Always inlined: the
/// instruction set is the caller's.
#[inline(always)]
#[must_use]
pub fn normals(key: u64, counters: &[u32; 16]) -> [f32; 16] {
    let round_keys = RoundKeys::new(key);
    let mut draws = [0.0; 16];
    for (draw, &counter) in draws.iter_mut().zip(counters) {
        let (radius_word, angle_word) = round_keys.words(counter);
        *draw = radius(radius_word) * sine(angle_word);
    }
    draws
}

/// `sqrt(-2 ln U)` with `U` one of the odd multiples of `2^-31`: the middles of `2^30` equal intervals of 0..1, rounded to `f32`.
#[inline(always)]
fn radius(word: u32) -> f32 {
    // Signed integers, because instruction sets before AVX-512 convert no others.
    let u = ((word >> 1) | 1) as i32 as f32;
    (-2.0 * ln_of_31_bits(u)).sqrt()
}

/// `ln(x / 2^31)` of an `x` in `1..=2^31`, never above 0.
///
/// With `x = 2^k (1 + f)`, `1 + f` within a factor `sqrt(2)` of 1, `ln(1 + f) = f + f^2 Q(f)`; `Q` has the least largest relative error
/// of the logarithm (3e-8, before rounding) by the exchange algorithm of Remez.
#[inline(always)]
fn ln_of_31_bits(x: f32) -> f32 {
    /// Bits of `sqrt(1 / 2)`: what is subtracted makes the exponent field of `x` that of the nearest power of two.
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let k = (x.to_bits().wrapping_sub(SQRT_HALF) as i32) >> 23;
    let f = f32::from_bits(x.to_bits().wrapping_sub((k as u32) << 23)) - 1.0;
    let mut q = 0.087_348_45;
    q = q * f - 0.143_075_23;
    q = q * f + 0.149_179_73;
    q = q * f - 0.165_705_09;
    q = q * f + 0.199_620_72;
    q = q * f - 0.250_017_55;
    q = q * f + 0.333_339_5;
    q = q * f - 0.499_999_9;
    (k - 31) as f32 * std::f32::consts::LN_2 + (f + f * f * q)
}

/// `sin(pi T / 2)` with `T` one of the odd multiples of `2^-31` in -1..1, rounded to `f32`: as many positive as negative ones, and no zero.
///
/// `sin(pi t / 2) = t P(t^2)`; `P` has the least largest relative error (5e-9, before rounding), as above.
#[inline(always)]
fn sine(word: u32) -> f32 {
    let t = (word | 1) as i32 as f32 * (1.0 / 2_147_483_648.0);
    let z = t * t;
    let mut p = 0.000_151_485_13;
    p = p * z - 0.004_673_766_4;
    p = p * z + 0.079_689_68;
    p = p * z - 0.645_963_7;
    p = p * z + 1.570_796_4;
    t * p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::mix;
    use crate::statistics::cumulative;
    use proptest::prelude::*;

    /// Draws `0..count` of a key.
    fn draws(key: u64, count: u32) -> impl Iterator<Item = f32> {
        (0..count / 16).flat_map(move |group| normals(key, &std::array::from_fn(|lane| 16 * group + lane as u32)))
    }

    /// Largest error in units of the last place of an `f32`, of values from all over the range of the words.
    fn worst_ulps(pairs: impl Iterator<Item = (f32, f64)>) -> f64 {
        let ulps = |(found, exact): (f32, f64)| {
            let ulp = f64::from(f32::from_bits((exact.abs() as f32).to_bits() & 0x7f80_0000)) * f64::from(f32::EPSILON);
            if exact == 0.0 { f64::from(found.abs()) * f64::INFINITY } else { (f64::from(found) - exact).abs() / ulp }
        };
        pairs.filter(|pair| *pair != (0.0, 0.0)).map(ulps).fold(0.0, f64::max)
    }

    #[test]
    fn the_logarithm_is_within_3_ulps() {
        let all =
            (0..1 << 21).map(|i| i * 1023 + 1).chain((0..31).map(|k| 1 << k)).chain((1 << 31) - (1 << 16)..1 << 31);
        let worst = worst_ulps(all.map(|m: u32| {
            let x = m as f32;
            (ln_of_31_bits(x), libm::log(f64::from(x) / 2f64.powi(31)))
        }));
        assert!(worst < 3.0, "{worst}");
        assert!((0..1 << 20).all(|i| ln_of_31_bits((2_147_483_647 - 97 * i) as f32) <= 0.0), "a root of it must exist");
    }

    #[test]
    fn the_sine_is_within_4_ulps() {
        let all = (0..1 << 20).map(|i: u32| i * 4093).chain((0..32).map(|k| 1 << k));
        let worst = worst_ulps(all.map(|word| {
            let t = (word | 1) as i32 as f32 / 2f32.powi(31);
            (sine(word), libm::sin(std::f64::consts::FRAC_PI_2 * f64::from(t)))
        }));
        assert!(worst < 4.0, "{worst}");
    }

    #[test]
    fn every_word_gives_a_finite_draw() {
        let largest = (62.0 * std::f32::consts::LN_2).sqrt();
        assert!((radius(0) - largest).abs() < 1e-6 && radius(1) == radius(0));
        assert_eq!(radius(u32::MAX), 0.0);
        assert_eq!((sine(u32::MAX >> 1), sine(1 << 31)), (1.0, -1.0));
        assert_eq!((sine(0), sine(u32::MAX)), (FIRST_SINE, -FIRST_SINE));
        for word in (0..32).flat_map(|bit| [1_u32 << bit, !(1 << bit), u32::MAX >> bit]) {
            assert!((0.0..=largest).contains(&radius(word)), "{word}");
            assert!(sine(word).abs() <= 1.0 && sine(word) == -sine(!word), "{word}");
        }
    }
    /// `pi / 2 * 2^-31`.
    const FIRST_SINE: f32 = 7.314_590_4e-10;

    /// Moments of the standard normal distribution: 0 if odd, `(k - 1)!!` if even.
    #[test]
    fn the_first_six_moments_are_normal() {
        let moment = |k: u32| if k % 2 == 1 { 0.0 } else { (1..k).step_by(2).map(f64::from).product::<f64>() };
        let (keys, count) = (16, 1 << 20);
        let mut sums = [0.0; 6];
        for draw in (0..keys).flat_map(|key| draws(key, count)) {
            let (x, mut power) = (f64::from(draw), 1.0);
            for sum in &mut sums {
                power *= x;
                *sum += power;
            }
        }
        let n = keys as f64 * f64::from(count);
        for (k, sum) in (1..).zip(sums) {
            let standard_error = ((moment(2 * k) - moment(k).powi(2)) / n).sqrt();
            assert!((sum / n - moment(k)).abs() < 4.0 * standard_error, "moment {k}: {}", sum / n);
        }
    }

    /// Below 1.95 / sqrt(n) with probability 0.999 (Kolmogorov's limit).
    #[test]
    fn the_distribution_is_normal_by_kolmogorov_and_smirnov() {
        for key in [0, 1, u64::MAX] {
            let mut draws: Vec<f32> = draws(key, 1 << 18).collect();
            draws.sort_unstable_by(f32::total_cmp);
            let n = draws.len() as f64;
            let distance = |(i, &draw): (usize, &f32)| {
                let expected = cumulative(f64::from(draw));
                (expected - i as f64 / n).abs().max(((i + 1) as f64 / n - expected).abs())
            };
            let largest = draws.iter().enumerate().map(distance).fold(0.0, f64::max);
            assert!(largest * n.sqrt() < 1.95, "key {key}: {largest}");
        }
    }

    #[test]
    fn the_tails_are_as_heavy_as_they_should_be() {
        let (keys, count) = (16, 1 << 20);
        let mut beyond = [[0_u32; 2]; 3];
        for draw in (100..100 + keys).flat_map(|key| draws(key, count)).filter(|draw| draw.abs() > 3.0) {
            for (limit, counts) in (3..).zip(&mut beyond) {
                counts[usize::from(draw < 0.0)] += u32::from(draw.abs() > limit as f32);
            }
        }
        for (limit, counts) in (3..).zip(beyond) {
            let expected = keys as f64 * f64::from(count) * cumulative(-f64::from(limit));
            for found in counts {
                assert!(
                    (f64::from(found) - expected).abs() < 4.0 * expected.sqrt(),
                    "{limit}: {found}, not {expected}"
                );
            }
        }
    }

    /// Of the draws and of their squares (a common radius would show there only).
    fn assert_uncorrelated(a: &[f32], b: &[f32], what: &str) {
        let n = a.len().min(b.len()) as f64;
        let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
        let linear = pairs().map(|(a, b)| a * b).sum::<f64>() / n;
        let squared = pairs().map(|(a, b)| (a * a - 1.0) * (b * b - 1.0) / 2.0).sum::<f64>() / n;
        assert!(linear.abs() < 4.5 / n.sqrt() && squared.abs() < 4.5 / n.sqrt(), "{what}: {linear} {squared}");
    }

    #[test]
    fn neighbouring_counters_and_keys_are_uncorrelated() {
        let of = |key: u64| -> Vec<f32> { draws(key, 1 << 16).collect() };
        for key in [0, 0x0123_4567_89ab_cdef] {
            let base = of(key);
            for lag in [1, 2, 3, 4, 8, 15, 16, 17, 64, 128, 4096] {
                assert_uncorrelated(&base, &base[lag..], &format!("lag {lag}"));
            }
            assert_uncorrelated(&base, &of(key + 1), "the next key");
            for bit in 0..64 {
                assert_uncorrelated(&base, &of(key ^ 1 << bit), &format!("bit {bit} of the key"));
            }
        }
    }

    /// Results are a function of these values; the last digits of all constants show in the digest only.
    #[test]
    fn golden_draws() {
        let counters = std::array::from_fn(|lane| [0, 1, 2, u32::MAX][lane % 4]);
        assert_eq!(normals(0, &counters)[..4], GOLDEN[0]);
        assert_eq!(normals(0x0123_4567_89ab_cdef, &counters)[..4], GOLDEN[1]);
        let digest = draws(1, 1 << 18).fold(0_u64, |digest, draw| mix(digest ^ u64::from(draw.to_bits())));
        assert_eq!(digest, DIGEST, "{digest:#x}");
    }
    const DIGEST: u64 = 0x26b9_f3c8_d1fe_1def;
    const GOLDEN: [[f32; 4]; 2] =
        [[0.1837742, -1.9429463, -0.068896554, -1.2125208], [1.1892077, -1.0876427, -0.13867496, 0.7023936]];

    proptest! {
        #[test]
        fn a_lane_depends_on_its_counter_only(key: u64, counters: [u32; 16]) {
            let all = normals(key, &counters);
            for (&counter, draw) in counters.iter().zip(all) {
                prop_assert_eq!(normals(key, &[counter; 16]).map(f32::to_bits), [draw.to_bits(); 16]);
            }
        }
    }
}
