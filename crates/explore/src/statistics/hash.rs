//! Addressed random numbers: each depends on its address alone, not on what was drawn before.

use tile::address::mix;

/// An index below `count` for the draw number `position` of a resample; 0 if `count` is 0.
pub(crate) fn index(resample: u64, position: u64, count: usize) -> usize {
    // The high half of the product: uniform up to a part in 2^64 / count.
    ((u128::from(bits(resample, position)) * count as u128) >> 64) as usize
}

/// A number from 0 to below 1, uniform, for the draw number `position` of a stream.
pub(crate) fn unit(stream: u64, position: u64) -> f64 {
    (bits(stream, position) >> 11) as f64 / (1_u64 << 53) as f64
}

fn bits(stream: u64, position: u64) -> u64 {
    mix(mix(stream).wrapping_add(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_sequence() {
        let golden = 0x9e37_79b9_7f4a_7c15_u64;
        let seed = 1_234_567_u64;
        let bits: Vec<u64> = (0..3).map(|step| mix(seed.wrapping_add(golden.wrapping_mul(step)))).collect();
        assert_eq!(bits, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn indices_are_uniform() {
        let mut counts = [0_u32; 7];
        for draw in 0..70_000 {
            counts[index(draw / 10, draw % 10, 7)] += 1;
        }
        // Chi-square with 6 degrees of freedom stays below 22.5 in 99.9 % of all cases.
        let chi: f64 = counts.iter().map(|count| (f64::from(*count) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.5, "{chi} {counts:?}");
        assert_eq!(index(5, 5, 0), 0);
    }
}
