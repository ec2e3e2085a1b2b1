//! Successive approximation with a binary-weighted capacitor array whose capacitors do not match.
//!
//! Capacitor k consists of `2^k` unit capacitors of relative sigma s, so it is `2^k (1 + s / sqrt(2^k) xi)`; one more unit terminates the
//! array. The reference is shared by all, so code c stands for the level `2^b sum_k(c_k C_k) / C_total`: full scale is exact, and gain and
//! offset are errors of their own.
//!
//! To first order in s the error of level c is `s (sum over its c units - c / 2^b sum over all units)`, so its variance is
//! `s^2 c (1 - c / 2^b)`, at mid scale `s^2 2^b / 4`; the step at mid scale, where all capacitors change, has the variance
//! `s^2 (2^b - 1 - 2^-b)`. These are the `2^(b/2 - 1) s` and `2^(b/2) s` of Saberi, Lotfi, Mafinezhad and Serdijn, IEEE TCAS-I 58(8), 2011.
//!
//! The code never falls as the input rises, because each decision can only turn upwards for a larger input; where the capacitors make
//! the levels fall, codes are missing instead.

use crate::address::Stream;
use rand_distr::{Distribution, StandardNormal};

/// Thresholds of codes `1..codes`, codes counted from 0, in steps.
pub(super) fn thresholds(codes: usize, capacitor_sigma: f64, stream: &mut Stream) -> Vec<f64> {
    let levels = levels(codes, capacitor_sigma, stream);
    (1..codes).map(|code| threshold(code, &levels)).collect()
}

/// What each code stands for, in steps, for as many codes as the array has.
fn levels(codes: usize, capacitor_sigma: f64, stream: &mut Stream) -> Vec<f64> {
    let bits = codes.max(1).next_power_of_two().trailing_zeros();
    let mut capacitor = |units: f64| {
        let draw: f64 = StandardNormal.sample(stream);
        (units + capacitor_sigma * units.sqrt() * draw).max(0.0)
    };
    let termination = capacitor(1.0);
    let capacitors: Vec<f64> = (0..bits).map(|bit| capacitor((1_usize << bit) as f64)).collect();
    let total = capacitors.iter().fold(termination, |sum, capacitor| sum + capacitor);
    let mut levels = vec![0.0];
    for &capacitor in &capacitors {
        levels.extend_from_within(..);
        let half = levels.len() / 2;
        levels[half..].iter_mut().for_each(|level| *level += capacitor);
    }
    let full_scale = levels.len() as f64;
    levels.iter().map(|level| level * full_scale / total).collect()
}

/// Smallest input that gives at least `code`. A decision tree: at each bit the input is compared with the level of the bits decided so far
/// and this one, half a step lower so that code 0 lies around 0. From the last decision up, a code in the upper half needs that decision
/// and what its half needs; one in the lower half is also exceeded by all of the upper half.
fn threshold(code: usize, levels: &[f64]) -> f64 {
    let bits = levels.len().trailing_zeros();
    (0..bits).fold(f64::NEG_INFINITY, |needed, bit| {
        let decided = code >> (bit + 1) << (bit + 1);
        let decision = levels[decided | 1 << bit] - 0.5;
        if code >> bit & 1 == 1 { needed.max(decision) } else { needed.min(decision) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Purpose, stream};
    use proptest::prelude::*;

    fn array(bits: u32, sigma: f64, instance: u64) -> Vec<f64> {
        levels(1 << bits, sigma, &mut stream(3, Purpose::Converter, &[instance]))
    }

    /// The circuit's own procedure.
    fn approximate(input: f64, levels: &[f64]) -> usize {
        let bits = levels.len().trailing_zeros();
        (0..bits).rev().fold(0, |code, bit| {
            let trial = code | 1 << bit;
            if input >= levels[trial] - 0.5 { trial } else { code }
        })
    }

    #[test]
    fn the_thresholds_are_those_of_the_circuit() {
        let mut missing = 0;
        for instance in 0..40 {
            // Large mismatch, so that levels fall and codes are missing.
            let levels = array(6, 0.15, instance);
            let thresholds: Vec<f64> = (1..64).map(|code| threshold(code, &levels)).collect();
            assert!(thresholds.is_sorted());
            missing += thresholds.windows(2).filter(|pair| pair[0] == pair[1]).count();
            for input in (-200..7000).map(|index| f64::from(index) * 0.01 + 0.0013) {
                let code = thresholds.partition_point(|&threshold| threshold <= input);
                assert_eq!(code, approximate(input, &levels), "instance {instance}, input {input}");
            }
        }
        assert!(missing > 20, "{missing} missing codes");
    }

    #[test]
    fn levels_have_the_variance_of_their_units() {
        let (bits, sigma, instances) = (6, 0.01, 4000);
        let arrays: Vec<Vec<f64>> = (0..instances).map(|instance| array(bits, sigma, instance)).collect();
        for code in [1, 8, 21, 32, 47, 63] {
            let squares: f64 = arrays.iter().map(|levels| (levels[code] - code as f64).powi(2)).sum();
            let expected = sigma * sigma * code as f64 * (1.0 - code as f64 / 64.0);
            let found = squares / instances as f64;
            // Four standard errors of a variance, sqrt(2 / n).
            assert!(
                (found / expected - 1.0).abs() < 4.0 * (2.0 / instances as f64).sqrt(),
                "{code}: {found:e}, {expected:e}"
            );
        }
    }

    proptest! {
        #[test]
        fn matched_capacitors_have_exact_levels(codes in 1_usize..5000) {
            let mut stream = stream(1, Purpose::Converter, &[codes as u64]);
            let found = thresholds(codes, 0.0, &mut stream);
            let expected: Vec<f64> = (1..codes).map(|code| code as f64 - 0.5).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
